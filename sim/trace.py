"""One stakeholder's week, retraced: what it met, what it heard from whom, and what that did to it.

A witness looks on a run and works the week of one stakeholder out again from the model's own arrays
and draws, through the same laws on plain floats. Every change is split into what caused it, so that
the parts add up to what the run did (MODEL, M20: the decomposition of an attitude change is exact);
a week that does not add up is refused, never told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sim import firms, lookup, rng
from sim.engine import Run
from sim.fields import WEEKS_PER_QUARTER
from sim.kernels.shared import COEFFICIENTS, TIE, TURN
from sim.laws import choice, experience, news, outbound, peer
from sim.laws.relax import share_of_rate, threshold
from sim.lookup import Person
from sim.nudging import shift_states
from sim.opening import open_rows
from sim.rng import Stream, normal_of
from sim.state import (
    BAD_NEWS,
    BAD_WORD,
    BASE_UTILITY,
    CLAIM,
    CLAIM_RATE,
    COMPARISON,
    CONQUEST,
    EXPERIENCE_CHANCE,
    GOOD_NEWS,
    GOOD_WORD,
    IMPRESSION_HAZARD,
    MESSAGE_HAZARD,
    OFFER_HAZARD,
    PEER_RATE,
    PROMISE,
    PROMISE_RATE,
    PROVIDER,
    QUALITY_LOGIT,
    SWITCHING,
    UNANSWERED,
    Layout,
    State,
)

# What moves an attitude, and what moves salience.
ATTITUDE_CAUSES = ("anchor", "claims", "comparison", "talk", "news", "experience")
SALIENCE_CAUSES = ("impressions", "talk", "experience", "forgetting")
SATISFACTION_CAUSES = ("experience", "move", "service")
# Rounding of float32 state and of the kernels' own exponential, per week.
TOLERANCE = 2e-6


@dataclass(frozen=True)
class Message:
    """One voice that was heard.

    Attributes
    ----------
    speaker : int
        Row of who spoke.
    ident : int
        Its id.
    layer : int
        Layer of the tie.
    firm : int
        Of which firm.
    valence : float in [-1, 1]
        What was said; the sign of the tie is in `moved` only.
    offer : bool
        Whether a referral offer came with it.
    moved : float
        How much it moved the attitude to that firm.
    """

    speaker: int
    ident: int
    layer: int
    firm: int
    valence: float
    offer: bool
    moved: float


@dataclass(frozen=True)
class Experience:
    """One experience of the provider: quality expected, promised and met, in [0, 1]."""

    expected: float
    promised: float
    performance: float


@dataclass(frozen=True)
class Occasion:
    """An occasion to choose: the value of every firm and of none, in utils, luck included."""

    values: np.ndarray
    none: float
    offer: int


@dataclass(frozen=True)
class Week:
    """A week of one stakeholder in one lane.

    Attributes
    ----------
    number : int
        From 1, the first week of the first quarter.
    ident : int
        Id of who had the place.
    came : bool
        Whether it has taken the place of somebody else at the week's beginning.
    before, after : Person
        What was true of it; before the first week of a quarter, after nudges pushed it.
    impressions : float (F,)
        Average impressions per head of its type that a firm makes, 0 where that flow is muted.
    experience : Experience or None
        Of the provider it had.
    messages : tuple of Message
        What it heard.
    spoke : mapping
        Firm to the valence it voiced.
    complained : bool
        Whether it complained to its provider and stayed.
    occasion : Occasion or None
        Its choice, if there was one.
    attitude, salience : mapping of float (F,)
        What each of ATTITUDE_CAUSES and SALIENCE_CAUSES added.
    satisfaction : mapping of float
        What each of SATISFACTION_CAUSES added.
    """

    number: int
    ident: int
    came: bool
    before: Person
    after: Person
    impressions: np.ndarray
    experience: Experience | None
    messages: tuple[Message, ...]
    spoke: Mapping[int, float]
    complained: bool
    occasion: Occasion | None
    attitude: Mapping[str, np.ndarray]
    salience: Mapping[str, np.ndarray]
    satisfaction: Mapping[str, float]

    @property
    def moved(self) -> bool:
        """Whether it changed its provider."""
        return self.before.provider != self.after.provider

    @property
    def served(self) -> str:
        """What became of a complaint this week: resolved, abandoned or nothing ('')."""
        if self.moved or self.after.ticket or not (self.before.ticket or self.complained):
            return ""
        return "resolved" if self.after.quiet != self.before.quiet else "abandoned"


class Witness:
    """Looks on a run and retraces every counted week of one stakeholder in some lanes.

    Attributes
    ----------
    lives : list (per lane) of list of Week
        What was seen so far.
    """

    def __init__(self, row: int, lanes: Sequence[int]) -> None:
        self.row, self.lanes = row, tuple(lanes)
        self.lives: list[list[Week]] = [[] for _ in self.lanes]
        self._before: list[Person] = []

    def after_close(self, run: Run) -> None:
        """Remember the opening."""
        if not run.quarter:
            self._look(run)

    def after_week(self, run: Run) -> None:
        """Retrace the week."""
        if run.quarter:
            for life, lane, before in zip(self.lives, self.lanes, self._before, strict=True):
                life.append(retrace(run, self.row, lane, before))
            self._look(run)

    def _look(self, run: Run) -> None:
        self._before = [lookup.person(run.state, self.row, lane) for lane in self.lanes]


def retrace(run: Run, row: int, lane: int, before: Person) -> Week:
    """Work out again the week that a run has just lived, for one stakeholder in one lane.

    Raises
    ------
    ArithmeticError
        If the parts do not add up to what the run did.
    """
    came = bool((run.newcomers.of(run.week).row == row).any())
    if came:
        before = newcomer(run, row, lane)
    elif run.week % WEEKS_PER_QUARTER == 1:
        before = nudged(run, row, lane, before)
    scene = _Scene(run, row, lane, before)
    met, satisfied = scene.meet()
    attitude, salience, messages = scene.change(met, satisfied)
    after = scene.after
    moved = after.provider != before.provider
    fresh = 0.0 if after.provider < 0 else float(after.attitude[after.provider])
    held = fresh if moved else satisfied
    week = Week(
        number=run.week - run.before,
        ident=int(run.facts.ids[row]),
        came=came,
        before=before,
        after=after,
        impressions=scene.impressions,
        experience=met,
        messages=messages,
        spoke=scene.spoke,
        complained=lookup.complains(run.state, row, lane),
        occasion=scene.choose(),
        attitude=attitude,
        salience=salience,
        satisfaction={
            "experience": satisfied - before.satisfaction,
            "move": held - satisfied,
            "service": scene.service(held),
        },
    )
    check(week)
    return week


def newcomer(run: Run, row: int, lane: int) -> Person:
    """Return what is true of somebody who has just come; lane 0 of a state of its own."""
    scenario, one = run.scenario, slice(lane, lane + 1)
    state = State(Layout(1, 1, people=False), run.world.n_firms)
    kind = run.world.kind[[row]]
    tied = np.array([-1]) if run.facts.customer[kind[0]] else run.world.tied[[row]]
    attitude = run.facts.opening_attitude(row)[None]
    present = run.given.now.present > 0
    open_rows(
        scenario, state, np.array([0]), kind, tied, attitude, run.coefficients[:, one], present
    )
    return lookup.person(state, 0, 0)


def nudged(run: Run, row: int, lane: int, before: Person) -> Person:
    """Return what is true of somebody once this quarter's nudges have pushed it."""
    here = np.zeros(1, np.int64)
    pushed = [
        shift._replace(lane=0, rows=here)
        for shift in run.shifted
        if shift.lane == lane and row in shift.rows
    ]
    if not pushed:
        return before
    state = State(Layout(1, 1, people=False), run.world.n_firms)
    felt = before[:5]  # of every firm, in the order of a state's fields
    state.people[0, :-1, 0] = np.stack(felt, axis=-1).reshape(-1)
    state.people[0, -1, 0] = before.satisfaction
    state.marks[0, PROVIDER, 0] = before.provider
    shift_states(state, pushed)
    after = lookup.person(state, 0, 0)
    return Person(*after[:6], *before[6:])


def check(week: Week) -> None:
    """Raise ArithmeticError unless the parts of every change add up to the change."""
    before, after = week.before, week.after
    satisfied = np.array([sum(week.satisfaction.values())])
    for name, parts, change in (
        ("attitude", sum(week.attitude.values()), after.attitude - before.attitude),
        ("salience", sum(week.salience.values()), after.salience - before.salience),
        ("satisfaction", satisfied, np.array([after.satisfaction - before.satisfaction])),
    ):
        if (np.abs(parts - change) > TOLERANCE).any():
            raise ArithmeticError(
                f"week {week.number}: the parts of {name} add up to {np.asarray(parts)}, "
                f"but it changed by {change}"
            )
    if week.occasion is not None and _chosen(week.occasion) != after.provider:
        raise ArithmeticError(f"week {week.number}: another firm was chosen than is worth most")


def _chosen(occasion: Occasion) -> int:
    best = int(occasion.values.argmax())
    return best if occasion.values[best] > occasion.none else -1


class _Scene:
    """One stakeholder in one lane of a run, at the end of a week."""

    def __init__(self, run: Run, row: int, lane: int, before: Person) -> None:
        self.run, self.row, self.lane, self.before = run, row, lane, before
        self.after = lookup.person(run.state, row, lane)
        self.kind = int(run.world.kind[row])
        self.n_firms = run.world.n_firms
        self.drive = run.drive[:, :, self.kind, lane].astype(np.float64)
        names = run.coefficients[:, lane].astype(np.float32).astype(np.float64)
        self.physics = dict(zip(COEFFICIENTS, names.tolist(), strict=True))

    def _draw(self, stream: Stream, block: int = 0, slot: int = 0) -> list[float]:
        seed, replication = (int(part.view(np.uint32)) for part in self.run.key)
        ident = self.run.facts.ids[self.row]
        found = rng.uniform(
            seed, replication, stream, ident, week=self.run.week, block=block, slot=slot
        )
        return [float(u) for u in found]

    @cached_property
    def person_luck(self) -> list[float]:
        """Draws of the week that concern the stakeholder alone."""
        return self._draw(Stream.PERSON)

    @cached_property
    def firm_luck(self) -> list[list[float]]:
        """Draws of the week that concern the stakeholder and each firm."""
        return [self._draw(Stream.FIRM, slot=int(slot)) for slot in self.run.slots]

    @property
    def impressions(self) -> np.ndarray:
        """Average impressions per head of each firm, (F,)."""
        lever = self.run.firms.lever[firms.IMPRESSIONS, :, self.kind, self.lane]
        return np.asarray(lever * self.run.given.gates[0, :, self.lane])

    @cached_property
    def spoke(self) -> dict[int, float]:
        """What the stakeholder said itself."""
        words = {f: lookup.word(self.run.state, self.row, f, self.lane)
                 for f in range(self.n_firms)}  # fmt: skip
        return {f: valence(word) for f, word in words.items() if word}

    @property
    def lives_it(self) -> bool:
        """Whether the provider is experienced this week."""
        f = self.before.provider
        return f >= 0 and self.drive[EXPERIENCE_CHANCE, f] > self.person_luck[0]

    def meet(self) -> tuple[Experience | None, float]:
        """Return the experience of the week, if any, and the satisfaction it leaves."""
        f, p = self.before.provider, self.physics
        if not self.lives_it:
            return None, self.before.satisfaction
        trusted = outbound.trust(self.before.kept[f], self.before.broken[f])
        promise = self.drive[PROMISE, f]
        expected = outbound.expectation(
            self.before.expectation[f], promise, self.drive[PROMISE_RATE, f], trusted
        )
        done = experience.performance(
            self.drive[QUALITY_LOGIT, f], p["performance_noise"], normal_of(self.person_luck[1])
        )
        target = experience.satisfaction_target(
            done,
            done - expected,
            p["disconfirmation"],
            p["loss_aversion"],
            p["performance_effect"],
        )
        met = Experience(float(expected), float(promise), float(done))
        held = experience.toward(self.before.satisfaction, target, p["satisfaction_rate"])
        return met, float(held)

    @cached_property
    def heard(self) -> list[_Heard]:
        """Everything that was heard this week, tie by tie."""
        world, found = self.run.world, []
        for tie in range(world.indptr[self.row], world.indptr[self.row + 1]):
            for f in range(self.n_firms):
                word = lookup.word(self.run.state, int(world.indices[tie]), f, self.lane)
                if word:
                    found.append(self._hear(tie, f, word))
        return found

    def _hear(self, tie: int, firm: int, word: int) -> _Heard:
        """Weigh one word in the kernels' whole numbers; its rate follows in `change`."""
        world, said = self.run.world, word & ~lookup.OFFERED
        weight, scale = int(world.evidence[tie]), float(world.evidence_scale[self.row])
        gap = abs(said - peer.encode(self.before.attitude[firm]))
        near = not self.run.bounded or gap <= int(self.physics["confidence"] * lookup.FULL)
        return _Heard(
            tie,
            firm,
            word,
            contact=int(world.contact[tie]) * float(world.contact_scale[self.row]),
            evidence=abs(weight) * scale * near,
            product=((said * weight + 16384) >> 15) * scale * TURN * near,
        )

    def change(
        self, met: Experience | None, satisfied: float
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], tuple[Message, ...]]:
        """Return what each cause added to attitude and to salience, and the messages heard."""
        attitude = {cause: np.zeros(self.n_firms) for cause in ATTITUDE_CAUSES}
        salience = {cause: np.zeros(self.n_firms) for cause in SALIENCE_CAUSES}
        messages: list[Message] = []
        for f in range(self.n_firms):
            lived = met is not None and f == self.before.provider
            self._move_salience(f, lived, salience)
            messages += self._move_attitude(f, lived, satisfied, attitude)
        return attitude, salience, tuple(messages)

    def _move_salience(self, f: int, lived: bool, found: dict[str, np.ndarray]) -> None:
        """Split the change of salience: hazards and forgetting act side by side all week."""
        forgetting, held = self.physics["salience_decay"], self.before.salience[f]
        contact = sum(one.contact for one in self.heard if one.firm == f)
        hazards = {
            "impressions": self.drive[IMPRESSION_HAZARD, f],
            "talk": self.drive[MESSAGE_HAZARD, f] * contact,
            "experience": self.physics["salience_per_experience"] if lived else 0.0,
        }
        reach = share_of_rate(sum(hazards.values()) + forgetting)
        for cause, hazard in hazards.items():
            found[cause][f] = reach * hazard * (1.0 - held)
        found["forgetting"][f] = -reach * forgetting * held

    def _move_attitude(
        self, f: int, lived: bool, satisfied: float, found: dict[str, np.ndarray]
    ) -> list[Message]:
        """Split the change of attitude; every piece of evidence pulls by its rate."""
        p, drive, x = self.physics, self.drive, self.before.attitude[f]
        own = [one for one in self.heard if one.firm == f]
        extra = p["negativity"] * drive[UNANSWERED, f] - 1.0
        told = [drive[PEER_RATE, f] * (1.0 + extra * one.bad) for one in own]
        trusted = outbound.trust(self.after.kept[f], self.after.broken[f])
        claimed = outbound.claim_evidence(drive[CLAIM_RATE, f], trusted)
        bad = news.believed(drive[BAD_NEWS, f], trusted, p["news_doubt"])
        good = drive[GOOD_NEWS, f]
        compared = sum(
            drive[COMPARISON, f] * drive[PEER_RATE, one.firm] * one.evidence
            for one in self.heard
            if one.firm != f and one.bad
        )
        lived_it = p["experience_persuasion"] if lived else 0.0
        evidence = sum(rate * one.evidence for rate, one in zip(told, own, strict=True))
        reach = share_of_rate(p["anchor"] + evidence + claimed + compared + bad + good + lived_it)
        opening = float(self.run.facts.opening_attitude(self.row)[f])
        found["anchor"][f] = reach * p["anchor"] * (opening - x)
        found["claims"][f] = reach * claimed * (drive[CLAIM, f] - x)
        found["comparison"][f] = reach * compared * (drive[CLAIM, f] - x)
        found["news"][f] = reach * (
            bad * (drive[BAD_WORD, f] - x) + good * (drive[GOOD_WORD, f] - x)
        )
        found["experience"][f] = reach * lived_it * (satisfied - x)
        messages = [
            self._message(one, reach * rate * (one.product - one.evidence * x))
            for rate, one in zip(told, own, strict=True)
        ]
        found["talk"][f] = sum(message.moved for message in messages)
        return messages

    def _message(self, one: _Heard, moved: float) -> Message:
        world = self.run.world
        speaker = int(world.indices[one.tie])
        return Message(
            speaker=speaker,
            ident=int(self.run.facts.ids[speaker]),
            layer=int(world.layer[one.tie]),
            firm=one.firm,
            valence=valence(one.word),
            offer=bool(one.word & lookup.OFFERED),
            moved=float(moved),
        )

    def choose(self) -> Occasion | None:
        """Return the values of an occasion to choose, if the week had one."""
        if not self.person_luck[3] < float(self.run.chooses[self.row]):
            return None
        p, tied, week = self.physics, self.before.provider, self.run.week
        offer, grieved = self._offer(), self._grievance() >= week
        luck = choice.gumbel(self._draw(Stream.PERSON, block=1)[0])
        values = np.zeros(self.n_firms)
        for f in range(self.n_firms):
            value = choice.utility(
                self.drive[BASE_UTILITY, f],
                self.after.salience[f],
                self.after.attitude[f],
                self.after.expectation[f],
                p["expectation_reference"],
                p["attitude_weight"],
                p["expectation_weight"],
            )
            if tied == f:
                value += self.drive[SWITCHING, f]
            elif tied != -1 and _live(offer, f, week):
                value += p["referral_offer"]
            if grieved and tied >= 0 and tied != f:
                value += self.drive[CONQUEST + f, tied]
            values[f] = value + choice.gumbel(self.firm_luck[f][2])
        none = (p["none_utility"] if tied == -1 else 0.0) + luck
        return Occasion(values, float(none), offer)

    def _offer(self) -> int:
        """Return the referral offer in hand: the strongest heard this week, else the one before."""
        offer, strongest = self.before.offer, 1.0
        for f in self.run.order:
            contact = sum(one.contact for one in self.heard
                          if one.firm == f and one.word & lookup.OFFERED)  # fmt: skip
            hazard = contact * self.drive[OFFER_HAZARD, f]
            strength = hazard / threshold(self.firm_luck[f][3])
            if strength > strongest:
                weeks = int(self.physics["referral_weeks"])
                offer, strongest = int((f + 1) * TIE + self.run.week + weeks), strength
        return offer

    def _grievance(self) -> int:
        """Return until which week a grievance is remembered: anew if one spoke ill of one's own."""
        if self.spoke.get(self.before.provider, 0.0) < 0.0:
            return self.run.week + int(self.physics["grievance_weeks"])
        return self.before.grievance

    def service(self, held: float) -> float:
        """Return what a resolved or abandoned complaint did to satisfaction."""
        before, after, f = self.before, self.after, self.before.provider
        opened = lookup.complains(self.run.state, self.row, self.lane)
        if before.provider != after.provider or after.ticket or not (before.ticket or opened):
            return 0.0
        if after.quiet == before.quiet:
            return self.physics["abandonment"] * (-1.0 - held)
        mended = self.run.firms.lever[firms.RECOVERY, f, self.kind, self.lane]
        return float(mended) * (1.0 - held)


@dataclass(frozen=True)
class _Heard:
    """A word over a tie, in the weights that the law of talk reads."""

    tie: int
    firm: int
    word: int
    contact: float
    evidence: float
    product: float

    @property
    def bad(self) -> bool:
        return self.word & ~lookup.OFFERED < 0


def valence(word: int) -> float:
    """Return what a message says, in [-1, 1]."""
    return (word & ~lookup.OFFERED) / lookup.FULL


def _live(offer: int, firm: int, week: int) -> bool:
    return offer >> 16 == firm + 1 and offer & 65535 >= week
