"""A story in one paragraph of plain words: what happened, and what otherwise would have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.notation import listed
from experiments.story import RUN, TWIN, Story, name_of
from sim.fields import WEEKS_PER_QUARTER
from sim.flows import ORGANIZATION
from sim.trace import ATTITUDE_CAUSES, Message, Week

CAUSES = {
    "anchor": "coming back to the view they opened with",
    "claims": "what {us} says of itself",
    "comparison": "comparison with rivals who were ill spoken of",
    "talk": "what others said",
    "news": "what the news said",
    "experience": "their own experience",
}
TOLD = 3  # voices that are told one by one
FELT = 5e-4  # attitude; less is not told
PARTED = 1e-6  # a difference below this is the rounding of the model's numbers


def paragraph(story: Story) -> str:
    """Return the story."""
    words = _Words(story)
    run = story.lives[RUN]
    sentences = [
        words.opening(),
        words.met(run),
        words.voices(run),
        words.change(run),
        *words.acts(run),
        words.parting(),
        words.twin(),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def heading(story: Story) -> str:
    """Return what the story is about, in one line."""
    plot = story.plot
    return (
        f"{plot.scenario.label}, {plot.arm.label}: flow {plot.flow.value} "
        f"({plot.flow.label}) and one of the {_Words(story).kind}"
    )


class _Words:
    """Sentences about one story."""

    def __init__(self, story: Story) -> None:
        self.story, self.plot = story, story.plot
        scenario, world = self.plot.scenario, self.plot.world
        self.kind = scenario.stakeholders[world.kind[story.row]].label.lower()
        self.customer = scenario.stakeholders[world.kind[story.row]].customer
        self.tied_to = "provider" if self.customer else "firm"
        self.firms = [firm.label for firm in scenario.firms]
        self.us = self.firms[ORGANIZATION]

    def who(self, row: int, ident: int) -> str:
        """Return a stakeholder's id and type."""
        scenario, world = self.plot.scenario, self.plot.world
        label = scenario.stakeholders[world.kind[row]].label.lower()
        return f"{name_of(scenario, row, ident)} ({label})"

    def firm(self, number: int) -> str:
        """Return a firm's name, or nobody."""
        return self.firms[number] if number >= 0 else "nobody"

    def opening(self) -> str:
        """Say who it is and how it begins."""
        week = self.story.lives[RUN][0]
        first, tie = week.before, "buys from" if self.customer else "is tied to"
        when = f"comes in week {week.number} and " if week.came else ""
        since = "then" if week.came else "when quarter 1 begins"
        return (
            f"{self.who(self.story.row, week.ident)} {when}{tie} {self.firm(first.provider)} "
            f"{since}; "
            f"{_percent(first.salience[ORGANIZATION])} is the chance that they have {self.us} in "
            f"mind, {_signed(first.attitude[ORGANIZATION])} their attitude to it, on a scale from "
            "−1 to 1."
        )

    def met(self, weeks: Sequence[Week]) -> str:
        """Say what came their way until the close."""
        f = ORGANIZATION
        heard = [m for week in weeks for m in week.messages if m.firm == f]
        good = sum(m.valence >= 0 for m in heard)
        speakers = len({m.speaker for m in heard})
        lived = [week.experience for week in weeks if week.experience]
        impressions = sum(float(week.impressions[f]) for week in weeks)
        parts = [
            f"met {impressions:.0f} impressions of {self.us} (the average of their type)",
            f"heard it spoken of {_times(len(heard))}"
            + (f", {_times(good)} well, by {speakers} of those they know" if heard else ""),
        ]
        if lived:
            done, expected, promised = (
                float(np.mean([getattr(one, name) for one in lived]))
                for name in ("performance", "expected", "promised")
            )
            parts.append(
                f"experienced their {self.tied_to} {_times(len(lived))}, at a quality of "
                f"{done:.2f} on average where {expected:.2f} was expected and {promised:.2f} "
                "promised"
            )
        text = (
            f"By the close of quarter {self.plot.quarter}, {len(weeks)} weeks on, they had "
            f"{listed(parts)}."
        )
        return text + self._complaints(weeks)

    def _complaints(self, weeks: Sequence[Week]) -> str:
        complained = [week.number for week in weeks if week.complained]
        if not complained:
            return ""
        ends = [week.served for week in weeks if week.served]
        told = [
            f"{_times(ends.count(word))} {said}"
            for word, said in (("resolved", "it was resolved"), ("abandoned", "they gave up"))
            if word in ends
        ]
        said = f"; {listed(told)}" if told else ""
        return f" They complained {_times(len(complained))} ({_in_weeks(complained)}){said}."

    def voices(self, weeks: Sequence[Week]) -> str:
        """Tell the voices about the organization that moved them most."""
        heard = [(week.number, m) for week in weeks for m in week.messages
                 if m.firm == ORGANIZATION and abs(m.moved) > FELT]  # fmt: skip
        heard.sort(key=lambda one: (-abs(one[1].moved), one[0], one[1].speaker))
        if not heard:
            return ""
        told = [self._voice(week, message) for week, message in sorted(
            heard[:TOLD], key=lambda one: (one[0], one[1].speaker))]  # fmt: skip
        return f"Of what they heard, this moved them most: {listed(told)}."

    def _voice(self, week: int, message: Message) -> str:
        layer = self.plot.scenario.layers[message.layer].label.lower()
        how = "well" if message.valence >= 0 else "badly"
        offer = ", with an offer" if message.offer else ""
        who = self.who(message.speaker, message.ident)
        return (
            f"in week {week} {who}, in the layer “{layer}”, spoke {how} of "
            f"it ({_signed(message.valence)}{offer}; attitude {_signed(message.moved, 3)})"
        )

    def change(self, weeks: Sequence[Week]) -> str:
        """Say what their change of attitude is made of; the parts add up exactly."""
        f = ORGANIZATION
        sums = {c: sum(float(week.attitude[c][f]) for week in weeks) for c in ATTITUDE_CAUSES}
        parts = [
            f"{CAUSES[cause].format(us=self.us)} {_signed(part, 3)}"
            for cause, part in sums.items()
            if abs(part) >= FELT
        ]
        first, last = weeks[0].before.attitude[f], weeks[-1].after.attitude[f]
        made = f": {listed(parts)}" if parts else ""
        return f"Their attitude to {self.us} went from {_signed(first)} to {_signed(last)}{made}."

    def acts(self, weeks: Sequence[Week]) -> list[str]:
        """Say what they did in this life that they do otherwise in the other."""
        signs, said = self.story.signs, []
        if signs["provider"]:
            said.append(self._choice(weeks))
        if signs["advocacy"]:
            said.append(self._advocacy(weeks is self.story.lives[RUN]))
        if signs["voice"]:
            said.append(self._speech(weeks))
        if signs["engagement"]:
            last = weeks[-1].after.attitude[ORGANIZATION]
            said.append(f"At the close their engagement in their work is {_signed(last)}.")
        return said or [self._held(weeks)]

    def _held(self, weeks: Sequence[Week]) -> str:
        tie = "buy from" if self.customer else "are tied to"
        return f"At the close they {tie} {self.firm(weeks[-1].after.provider)}."

    def _choice(self, weeks: Sequence[Week]) -> str:
        """Tell the occasion since which the two lives have different providers."""
        week = weeks[self._decisive()]
        if week.occasion is None:
            return self._held(weeks)
        worth = {name: float(value) for name, value in
                 zip(self.firms, week.occasion.values, strict=True)}  # fmt: skip
        worth["nobody"] = week.occasion.none
        ranked = sorted(worth, key=lambda name: -worth[name])
        others = listed([f"{name} {_signed(worth[name])}" for name in ranked[1:]])
        before, chosen = self.firm(week.before.provider), self.firm(week.after.provider)
        turn = f"went from {before} to {chosen}" if week.moved else f"stayed with {chosen}"
        return (
            f"In week {week.number} they had an occasion to choose: {chosen} was worth most to "
            f"them, {_signed(worth[chosen])} in utils, luck included ({others}), and they {turn}."
        )

    def _decisive(self) -> int:
        """Return the week, from 0, since which the two lives have had different providers."""
        run, twin = self.story.lives
        at = len(run) - 1
        while at and run[at - 1].after.provider != twin[at - 1].after.provider:
            at -= 1
        return at

    def _advocacy(self, in_run: bool) -> str:
        more = self.story.signs["advocacy"] == 1
        would = "would recommend" if more == in_run else "would not recommend"
        return f"At the close they {would} {self.us}."

    def _speech(self, weeks: Sequence[Week]) -> str:
        quarter = weeks[-WEEKS_PER_QUARTER:]
        spoken = [(w.number, w.spoke[ORGANIZATION]) for w in quarter if ORGANIZATION in w.spoke]
        if not spoken:
            return f"In quarter {self.plot.quarter} they said nothing about {self.us}."
        told = [f"week {number} ({_signed(value)})" for number, value in spoken]
        return f"In quarter {self.plot.quarter} they spoke about {self.us} in {listed(told)}."

    def parting(self) -> str:
        """Say from when on the two lives are not the same."""
        for run, twin in zip(*self.story.lives, strict=True):
            if _apart(run, twin):
                return f"From week {run.number} on the two lives are not the same."
        return "The two lives are the same in every week."

    def twin(self) -> str:
        """Tell the other life."""
        flow, weeks = self.plot.flow, self.story.lives[TWIN]
        f = ORGANIZATION
        run, last = self.story.lives[RUN][-1].after, weeks[-1].after
        heard = sum(m.firm == f for week in weeks for m in week.messages)
        muted = " and left no trace" if flow.value == 2 and heard else ""
        told = " ".join([self.change(weeks), *self.acts(weeks)])
        return (
            f"In the twin without flow {flow.value} ({flow.label}), on the same luck, {self.us} "
            f"was spoken of {_times(heard)} among those they listen to{muted}. {told} So without "
            f"flow {flow.value} they end quarter {self.plot.quarter} with an attitude of "
            f"{_signed(last.attitude[f])} instead of {_signed(run.attitude[f])}, "
            f"{_percent(last.salience[f])} instead of {_percent(run.salience[f])} as the chance of "
            f"having {self.us} in mind, and {self._verdict()}."
        )

    def _verdict(self) -> str:
        names = {
            "provider": "another provider",
            "advocacy": "another answer to whether they would recommend it",
            "voice": "other things said about it",
            "engagement": "another engagement in their work",
        }
        differs = [text for what, text in names.items() if self.story.signs[what]]
        return f"with {listed(differs)}" if differs else "do nothing otherwise"


def _apart(run: Week, twin: Week) -> bool:
    one, other = run.after, twin.after
    return (
        one.provider != other.provider
        or abs(one.satisfaction - other.satisfaction) > PARTED
        or bool((np.abs(one.attitude - other.attitude) > PARTED).any())
        or bool((np.abs(one.salience - other.salience) > PARTED).any())
    )


def _signed(value: float, decimals: int = 2) -> str:
    return f"{value + 0.0:+.{decimals}f}".replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _in_weeks(numbers: Sequence[int]) -> str:
    return f"week{'s' if len(numbers) > 1 else ''} {listed([str(n) for n in numbers])}"
