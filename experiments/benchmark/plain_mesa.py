"""The same full laws as plain Mesa objects: how one would write the model without an engine.

One `mesa.Agent` per stakeholder with its state as plain floats and its ties resolved to agents. The
equations are the functions of `sim.laws`, called on plain floats, so nothing is written twice but
the order in which they are called; the results agree with the kernels' (see the tests).
"""

from __future__ import annotations

import math
from collections import deque
from types import SimpleNamespace

import mesa
import numpy as np

from experiments.benchmark.luck import LuckOf, place_in_queue
from experiments.benchmark.takeover import QUANTITIES, TakenOver
from sim import levers
from sim.engine import Run
from sim.firms import FirmState
from sim.laws import choice, experience, outbound, peer
from sim.physics import Physics
from sim.state import (
    ABANDONED,
    ADDS,
    ARRIVED,
    COUNTS,
    DRIVES,
    ENGAGEMENT_SCALE,
    GRIEVANCE,
    LEFT,
    LOSSES,
    NEGATIVE,
    OFFER,
    POSITIVE,
    PROVIDER,
    QUIET,
    REFERRED,
    RESOLVED,
    TENURE,
    TICKET,
    WAITED,
)

MARKS = {
    "provider": PROVIDER,
    "tenure": TENURE,
    "quiet": QUIET,
    "grievance": GRIEVANCE,
    "ticket": TICKET,
}
OFFER_FIRM, OFFER_WEEK = 65536, 65535
FULL = 32766.0
CAPACITY, RECOVERY = levers.INDEX["ticket_capacity"], levers.INDEX["recovery"]


class Person(mesa.Agent):
    """A stakeholder: quantities are lists over firms."""

    def __init__(self, model: Market, row: int) -> None:
        super().__init__(model)
        run = model.run
        self.market, self.row = model, row
        self.kind = int(run.world.kind[row])
        self.voice = float(run.world.voice[row])
        self.occasion = float(run.facts.chooses[row])
        self.opening = run.world.opening_attitude[row].tolist()
        self.works = int(run.facts.works[row])
        self.satisfied = float(run.state.people[row, -1, 0])
        marks = run.state.marks[row, :, 0].tolist()
        self.provider, self.tenure, self.quiet, self.grievance, self.ticket, offer = marks
        self.offer_of, self.offer_until = (offer >> 16) - 1, offer & OFFER_WEEK
        self.salience = self.attitude = self.expectation = self.kept = self.broken = [0.0]
        self.ties: list[tuple[Person, float, float]] = []
        self.says: dict[int, tuple[float, bool]] = {}
        self.lived = self.complains = False

    def meet(self) -> None:
        """Hear promises, live through an experience, speak."""
        market = self.market
        law, met = market.law, market.met[self.kind]
        for f, firm in enumerate(met):
            trusted = outbound.trust(self.kept[f], self.broken[f])
            self.expectation[f] = outbound.expectation(
                self.expectation[f], firm.promise, firm.promise_rate, trusted
            )
        tied = self.provider
        self.lived = tied >= 0 and met[tied].experience_chance > market.lived[self.row]
        won = lost = 0.0
        if self.lived:
            firm = met[tied]
            done = experience.performance(
                firm.quality_logit, law.performance_noise, market.performance[self.row]
            )
            surprise = done - self.expectation[tied]
            target = experience.satisfaction_target(
                done, surprise, law.disconfirmation, law.loss_aversion, law.performance_effect
            )
            self.satisfied = experience.toward(self.satisfied, target, law.satisfaction_rate)
            self.expectation[tied] += law.expectation_rate * surprise
            gap = done - firm.promise
            won, lost = law.trust_gain * max(gap, 0.0), law.trust_loss * max(-gap, 0.0)
        prior, remembered = law.trust_prior, market.remembered
        for f, firm in enumerate(met):
            self.kept[f] = experience.promises(
                self.kept[f], prior, remembered, won if f == tied else 0.0
            )
            self.broken[f] = experience.promises(
                self.broken[f], prior, remembered, (lost if f == tied else 0.0) + firm.breach
            )
        self.speak()

    def speak(self) -> None:
        """Say what one feels about firms, and complain to one's own."""
        market = self.market
        law, week = market.law, market.run.week
        self.says, self.complains = {}, False
        talk = market.talk[self.row]
        waiting = self.ticket != 0
        for f, firm in enumerate(market.met[self.kind]):
            tied = f == self.provider
            valence = self.satisfied if tied else self.attitude[f]
            rate = firm.talk * self.voice * (1.0 if tied else law.talk_untied)
            hazard = peer.talk_hazard(
                rate,
                self.salience[f],
                valence,
                law.talk_base,
                law.talk_positive,
                law.talk_negative,
            )
            if hazard <= talk[f] or (tied and self.quiet > week):
                continue
            offers = valence >= peer.PROMOTER and firm.offer_chance > market.offers[self.row][f]
            self.says[f] = (peer.encode(valence) / FULL, offers)
            market.counts[POSITIVE if valence >= 0.0 else NEGATIVE][f][self.kind] += 1
            if tied and valence < 0.0:
                self.grievance = int(law.grievance_weeks) + week
                if not waiting and firm.complaint_chance > market.complains[self.row]:
                    self.complains = True
                    market.complainers.append(self)

    def hear(self) -> None:
        """Listen to others, relax salience and attitude once, choose."""
        market = self.market
        law, met = market.law, market.met[self.kind]
        n_firms = len(met)
        contact, evidence, against, told, told_bad, offered = ([0.0] * n_firms for _ in range(6))
        for other, touches, weighs in self.ties:
            if not other.says:
                continue
            for f, (valence, offers) in other.says.items():
                contact[f] += touches
                evidence[f] += abs(weighs)
                told[f] += weighs * valence
                if valence < 0.0:
                    against[f] += abs(weighs)
                    told_bad[f] += weighs * valence
                if offers:
                    offered[f] += touches
        strongest = 1.0
        for f in market.order:
            strength = offered[f] * met[f].offer_hazard / market.referral[self.row][f]
            if strength > strongest:
                strongest, self.offer_of = strength, f
                self.offer_until = market.run.week + int(law.referral_weeks)
        for f, firm in enumerate(met):
            lived = self.lived and f == self.provider
            hazard = firm.impression_hazard + firm.message_hazard * contact[f]
            if lived:
                hazard += law.salience_per_experience
            self.salience[f] = outbound.salience(self.salience[f], hazard, law.salience_decay)
            claimed = outbound.claim_evidence(
                firm.claim_rate, outbound.trust(self.kept[f], self.broken[f])
            )
            for rival in market.rivals[f]:
                claimed += firm.comparison * met[rival].peer_rate * against[rival]
            extra = law.negativity * firm.unanswered - 1.0
            self.attitude[f] = peer.attitude(
                self.attitude[f],
                self.opening[f],
                law.anchor,
                firm.peer_rate * (evidence[f] + extra * against[f]),
                firm.peer_rate * (told[f] + extra * told_bad[f]),
                claimed,
                firm.claim,
                law.experience_persuasion if lived else 0.0,
                self.satisfied,
            )
        if self.works >= 0:
            market.engagement[self.works] += int(self.attitude[self.works] * ENGAGEMENT_SCALE)
        self.tenure += 1
        if market.chooses[self.row] < self.occasion:
            self.choose()

    def choose(self) -> None:
        """Take the provider of the highest value, or none."""
        market = self.market
        law, met, week, row = market.law, market.met[self.kind], market.run.week, self.row
        best = (law.none_utility if self.provider == -1 else 0.0) + market.none[row]
        chosen = -1
        for f in market.order:
            firm = met[f]
            value = choice.utility(
                firm.base_utility,
                self.salience[f],
                self.attitude[f],
                self.expectation[f],
                law.expectation_reference,
                law.attitude_weight,
                law.expectation_weight,
            )
            if f == self.provider:
                value += firm.switching
            elif self.provider >= 0 and self.offer_of == f and self.offer_until >= week:
                value += law.referral_offer
            if self.grievance >= week and self.provider >= 0 and self.provider != f:
                value += firm.conquest[self.provider]
            value += market.choice[row][f]
            if value > best:
                best, chosen = value, f
        if chosen != self.provider:
            self.move(chosen)

    def move(self, chosen: int) -> None:
        """Leave one provider for another, or for none."""
        market, week = self.market, self.market.run.week
        if self.provider >= 0:
            market.counts[LOSSES][self.provider][self.kind] += 1
        if chosen >= 0:
            market.counts[ADDS][chosen][self.kind] += 1
            if self.offer_of == chosen and self.offer_until >= week:
                market.counts[REFERRED][chosen][self.kind] += 1
        self.satisfied = self.attitude[chosen] if chosen >= 0 else 0.0
        self.provider, self.offer_of, self.offer_until = chosen, -1, 0
        self.complains = False
        self.tenure = self.quiet = self.grievance = self.ticket = 0


class Market(mesa.Model):
    """All stakeholders of a run that has been taken over; a step is the stakeholders' week."""

    def __init__(self, run: TakenOver) -> None:
        super().__init__(rng=1)
        self.run = run
        n, n_firms = run.world.n_stakeholders, run.world.n_firms
        self.order = run.order.tolist()
        self.rivals = [[r for r in self.order if r != f] for f in range(n_firms)]
        self.law = SimpleNamespace(
            **{name: float(run.coefficients[i, 0]) for i, name in enumerate(coefficients())}
        )
        self.remembered = math.exp(-self.law.trust_decay)
        self.people = [Person(self, row) for row in range(n)]
        for name in QUANTITIES:
            for person, row in zip(self.people, run.quantity(name).tolist(), strict=True):
                setattr(person, name, row)
        self.tie(run)
        self.queues = [
            deque(
                (self.people[i], week)
                for i, week in zip(
                    run.queue.rows[f, 0, begin:end], run.queue.since[f, 0, begin:end], strict=True
                )
            )
            for f, (begin, end) in enumerate(run.queue.ends[:, 0])
        ]
        self.drawn = -1

    def tie(self, run: Run) -> None:
        """Resolve every tie to the agent that is heard, with its true weights."""
        world = run.world
        degree = np.diff(world.indptr)
        touches = (world.contact * np.repeat(world.contact_scale, degree)).tolist()
        weighs = (world.evidence * np.repeat(world.evidence_scale, degree)).tolist()
        heard, ends = world.indices.tolist(), world.indptr.tolist()
        for row, person in enumerate(self.people):
            person.ties = [
                (self.people[heard[t]], touches[t], weighs[t])
                for t in range(ends[row], ends[row + 1])
            ]

    def open_week(self) -> None:
        """Empty what is counted and read what the firms do and the week's luck."""
        run = self.run
        n_firms, n_kinds = len(self.rivals), len(run.scenario.stakeholders)
        self.counts = np.zeros((len(COUNTS), n_firms, n_kinds), int).tolist()
        self.engagement = [0] * n_firms
        self.complainers: list[Person] = []
        drive = run.drive[..., 0].tolist()
        self.met = [
            [
                SimpleNamespace(
                    **{name: drive[d][f][k] for d, name in enumerate(DRIVES[:-1])},
                    conquest=[drive[len(DRIVES) - 1 + f][c][k] for c in range(n_firms)],
                )
                for f in range(n_firms)
            ]
            for k in range(n_kinds)
        ]

    def draw(self, week: int) -> None:
        """Lay out a week's luck as lists, unless that is done."""
        if week != self.drawn:
            for name, values in vars(self.run.luck_of(week)).items():
                setattr(self, name, values.tolist())
            self.drawn = week

    def step(self) -> None:
        """Let everybody meet firms and speak, then hear and choose."""
        self.agents.do("meet")
        self.agents.do("hear")

    def serve(self) -> None:
        """Queue the week's complaints and serve the queues, first come first served."""
        run, week = self.run, self.run.week
        rows = np.array([person.row for person in self.complainers], np.int64)
        for row in place_in_queue(run, rows, week):
            person = self.people[row]
            if person.complains and person.ticket == 0:
                person.ticket = week + 1
                self.queues[person.provider].append((person, week))
                run.firms.quarter[ARRIVED, person.provider, 0] += 1
        for f, queue in enumerate(self.queues):
            self.serve_firm(f, queue)

    def serve_firm(self, f: int, queue: deque[tuple[Person, int]]) -> None:
        """Drop who left, abandon who waited too long, resolve the rest as far as capacity goes."""
        state, law, week = self.run.firms, self.law, self.run.week
        capacity = float((state.lever[CAPACITY, f] * state.tied[f]).sum() / 1000.0)
        credit = float(state.credit[f, 0]) + capacity
        while queue:
            person, opened = queue[0]
            if person.ticket != opened + 1 or person.provider != f:
                state.quarter[LEFT, f, 0] += 1
            elif week - opened >= law.patience and week > opened:
                person.satisfied += law.abandonment * (-1.0 - person.satisfied)
                person.ticket = 0
                state.quarter[ABANDONED, f, 0] += 1
            elif credit >= 1.0:
                recovery = float(state.lever[RECOVERY, f, person.kind, 0])
                person.satisfied += recovery * (1.0 - person.satisfied)
                person.ticket, person.quiet = 0, week + 1 + int(law.recovery_quiet)
                state.quarter[RESOLVED, f, 0] += 1
                credit -= 1.0
            else:
                break
            state.quarter[WAITED, f, 0] += week - opened
            queue.popleft()
        state.waiting[f, 0], state.capacity[f, 0] = len(queue), capacity
        state.credit[f, 0] = credit - int(credit)


class MesaRun(TakenOver):
    """A run whose stakeholders are plain Mesa objects."""

    def __init__(self, run: Run, luck: LuckOf) -> None:
        super().__init__(run, luck)
        self.market = Market(self)

    def _people_week(self) -> tuple[np.ndarray, np.ndarray]:
        self.market.open_week()
        self.market.draw(self.week)
        self.market.step()
        counts = np.array(self.market.counts, np.int64)[..., None]
        return counts, np.array(self.market.engagement, np.int64)[:, None]

    def _serve(self) -> None:
        self.market.serve()

    def close(self, state: FirmState | None = None) -> None:
        """Write what the objects hold into the state, then sum up as the engine does."""
        people = self.market.people
        for name in QUANTITIES:
            self.write(name, np.array([getattr(person, name) for person in people]))
        self.state.people[:, -1, 0] = [person.satisfied for person in people]
        for name, field in MARKS.items():
            self.state.marks[:, field, 0] = [getattr(person, name) for person in people]
        self.state.marks[:, OFFER, 0] = [
            (p.offer_of + 1) * OFFER_FIRM + p.offer_until for p in people
        ]
        super().close(state)


def coefficients() -> list[str]:
    """Return the names of the laws' coefficients in the run's order."""
    return list(Physics.__dataclass_fields__)
