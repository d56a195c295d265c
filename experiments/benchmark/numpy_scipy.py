"""The same full laws vectorised with numpy and scipy.sparse, in float64.

How one would write the model with arrays and without a compiler: every step is an expression over
all stakeholders, what happens to few is done for those rows alone, and what is heard is a product
of sparse matrices: of the whole ones, as one would write it, or, which is quicker where most are
silent, of the columns of those who speak. The results agree with the kernels' (see the tests); the
queue of complaints is the engine's.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from experiments.benchmark.luck import Luck, LuckOf
from experiments.benchmark.takeover import QUANTITIES, TakenOver
from sim.engine import Run
from sim.firms import FirmState
from sim.laws.peer import PROMOTER
from sim.physics import Physics
from sim.state import (
    ADDS,
    BASE_UTILITY,
    BREACH,
    CLAIM,
    CLAIM_RATE,
    COMPARISON,
    COMPLAINT_CHANCE,
    CONQUEST,
    ENGAGEMENT_SCALE,
    EXPERIENCE_CHANCE,
    GRIEVANCE,
    IMPRESSION_HAZARD,
    LOSSES,
    MESSAGE_HAZARD,
    NEGATIVE,
    OFFER,
    OFFER_CHANCE,
    OFFER_HAZARD,
    PEER_RATE,
    POSITIVE,
    PROMISE,
    PROMISE_RATE,
    PROVIDER,
    QUALITY_LOGIT,
    QUIET,
    REFERRED,
    SWITCHING,
    TALK,
    TENURE,
    TICKET,
    UNANSWERED,
)

FULL = 16383.0
OFFER_FIRM, OFFER_WEEK = 65536, 65535


class NumpyRun(TakenOver):
    """A run whose stakeholders are rows of arrays (N, F); `whole` multiplies whole matrices."""

    def __init__(self, run: Run, luck: LuckOf, whole: bool = True) -> None:
        super().__init__(run, luck)
        self.whole = whole
        self.salience, self.attitude, self.expectation, self.kept, self.broken = (
            self.quantity(name) for name in QUANTITIES
        )
        self.satisfied = self.state.people[:, -1, 0].astype(float)
        # Whole numbers are the state's own, so that the queue sees them.
        marks = self.state.marks[..., 0]
        self.provider, self.tenure, self.quiet, self.grievance, self.ticket, self.offer = (
            marks[:, field] for field in (PROVIDER, TENURE, QUIET, GRIEVANCE, TICKET, OFFER)
        )
        world = run.world
        self.kind = world.kind
        self.anchored = world.opening_attitude.astype(float)
        self.voice = world.voice.astype(float)
        self.law = dict(zip(Physics.__dataclass_fields__, run.coefficients[:, 0], strict=True))
        degree = np.diff(world.indptr)
        contact = world.contact * np.repeat(world.contact_scale.astype(float), degree)
        evidence = world.evidence * np.repeat(world.evidence_scale.astype(float), degree)
        matrices = [
            sparse.csr_array((weight, world.indices, world.indptr), shape=(len(degree),) * 2)
            for weight in (contact, evidence, abs(evidence))
        ]
        self.ties = matrices if whole else [matrix.tocsc() for matrix in matrices]

    def _people_week(self) -> tuple[np.ndarray, np.ndarray]:
        luck = self.luck_of(self.week)
        counts = np.zeros((*self.counts.shape[:-1],), np.int64)
        # float64 (planes, N, F): what everybody meets of every firm
        met = np.take(self.drive[..., 0].transpose(0, 2, 1).astype(float), self.kind, axis=1)
        lived = self._meet(met, luck)
        valence, speaks, offers = self._speak(met, luck, counts)
        heard = self._listen(valence, speaks, offers)
        self._take_offers(met, luck, heard)
        self._relax(met, heard, lived)
        engagement = np.zeros(self.world.n_firms, np.int64)
        inside = np.flatnonzero(self.facts.works[: self.world.n_stakeholders] >= 0)
        firm = self.facts.works[inside]
        felt = (self.attitude[inside, firm] * ENGAGEMENT_SCALE).astype(np.int64)
        np.add.at(engagement, firm, felt)
        self.tenure += 1
        self._choose(met, luck, counts)
        return counts[..., None], engagement[:, None]

    def _meet(self, met: np.ndarray, luck: Luck) -> np.ndarray:
        """Hear promises and live through experiences; return the rows that had one."""
        law = self.law
        trusted = self.kept / (self.kept + self.broken)
        self.expectation -= np.expm1(-2.0 * met[PROMISE_RATE] * trusted) * (
            met[PROMISE] - self.expectation
        )
        tied = np.flatnonzero(self.provider >= 0)
        firm = self.provider[tied]
        happens = met[EXPERIENCE_CHANCE][tied, firm] > luck.lived[tied]
        rows, firm = tied[happens], firm[happens]
        done = 1.0 / (
            1.0
            + np.exp(
                -met[QUALITY_LOGIT][rows, firm] - law["performance_noise"] * luck.performance[rows]
            )
        )
        surprise = done - self.expectation[rows, firm]
        felt = np.where(surprise > 0.0, surprise, law["loss_aversion"] * surprise)
        target = np.tanh(
            law["disconfirmation"] * felt + law["performance_effect"] * (2.0 * done - 1.0)
        )
        self.satisfied[rows] += law["satisfaction_rate"] * (target - self.satisfied[rows])
        self.expectation[rows, firm] += law["expectation_rate"] * surprise
        gap = done - met[PROMISE][rows, firm]
        prior, keeps = law["trust_prior"], np.exp(-law["trust_decay"])
        self.kept = prior + keeps * (self.kept - prior)
        self.broken = prior + keeps * (self.broken - prior) + met[BREACH]
        self.kept[rows, firm] += law["trust_gain"] * np.maximum(gap, 0.0)
        self.broken[rows, firm] += law["trust_loss"] * np.maximum(-gap, 0.0)
        return rows

    def _speak(
        self, met: np.ndarray, luck: Luck, counts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what is said, who speaks and who adds an offer, (N, F) each; note complaints."""
        law, week = self.law, self.week
        tied = np.flatnonzero(self.provider >= 0)
        valence, rate = self.attitude.copy(), met[TALK] * self.voice[:, None]
        own = self.provider[tied]
        valence[tied, own] = self.satisfied[tied]
        mine = rate[tied, own]
        rate *= law["talk_untied"]
        rate[tied, own] = mine
        feeling = np.where(valence > 0.0, law["talk_positive"], -law["talk_negative"]) * valence
        speaks = rate * self.salience * (law["talk_base"] + feeling) > luck.talk
        speaks[tied, own] &= self.quiet[tied] <= week
        offers = speaks & (valence >= PROMOTER) & (met[OFFER_CHANCE] > luck.offers)
        who, firm = np.nonzero(speaks)
        glad = valence[who, firm] >= 0.0
        for which, rows in ((POSITIVE, glad), (NEGATIVE, ~glad)):
            np.add.at(counts[which], (firm[rows], self.kind[who[rows]]), 1)
        unhappy = ~glad & (self.provider[who] == firm)
        who, firm = who[unhappy], firm[unhappy]
        self.grievance[who] = int(law["grievance_weeks"]) + week
        lodged = (self.ticket[who] == 0) & (met[COMPLAINT_CHANCE][who, firm] > luck.complains[who])
        self.state.complaint[:] = 0
        self.state.complaint[who[lodged]] = 1
        return valence, speaks, offers

    def _listen(
        self, valence: np.ndarray, speaks: np.ndarray, offers: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return what reaches everybody about every firm, (N, F) each."""
        contact, evidence, size = self.ties
        if not self.whole:
            who = np.flatnonzero(speaks.any(axis=1))
            valence, speaks, offers = valence[who], speaks[who], offers[who]
            contact, evidence, size = contact[:, who], evidence[:, who], size[:, who]
        said = speaks.astype(float)
        words = np.rint(valence * FULL)
        told = np.where(words == 0.0, 1.0, words) / FULL * said
        bad = told < 0.0
        n = speaks.shape[1]
        touched = contact @ np.hstack([said, offers])
        weighed = size @ np.hstack([said, bad])
        meant = evidence @ np.hstack([told, told * bad])
        return {
            "contact": touched[:, :n],
            "offers": touched[:, n:],
            "evidence": weighed[:, :n],
            "against": weighed[:, n:],
            "told": meant[:, :n],
            "told_bad": meant[:, n:],
        }

    def _take_offers(self, met: np.ndarray, luck: Luck, heard: dict[str, np.ndarray]) -> None:
        strength = heard["offers"] * met[OFFER_HAZARD] / luck.referral
        until = self.week + int(self.law["referral_weeks"])
        taken = strength.max(axis=1) > 1.0
        self.offer[taken] = (strength.argmax(axis=1)[taken] + 1) * OFFER_FIRM + until

    def _relax(self, met: np.ndarray, heard: dict[str, np.ndarray], lived: np.ndarray) -> None:
        """Move salience and attitude once by all that was met and heard."""
        law, firm = self.law, self.provider[lived]
        hazard = met[IMPRESSION_HAZARD] + met[MESSAGE_HAZARD] * heard["contact"]
        hazard[lived, firm] += law["salience_per_experience"]
        total = hazard + law["salience_decay"]
        self.salience -= np.expm1(-total) * (hazard / total - self.salience)
        claimed = 2.0 * met[CLAIM_RATE] * (self.kept / (self.kept + self.broken))
        if met[COMPARISON].any():
            against = met[PEER_RATE] * heard["against"]
            claimed += met[COMPARISON] * (against.sum(axis=1, keepdims=True) - against)
        extra = law["negativity"] * met[UNANSWERED] - 1.0
        told = met[PEER_RATE] * (heard["evidence"] + extra * heard["against"])
        told_sum = met[PEER_RATE] * (heard["told"] + extra * heard["told_bad"])
        x = self.attitude
        total = law["anchor"] + told + claimed
        pull = (
            law["anchor"] * (self.anchored - x) + (told_sum - told * x) + claimed * (met[CLAIM] - x)
        )
        experienced = law["experience_persuasion"]
        total[lived, firm] += experienced
        pull[lived, firm] += experienced * (self.satisfied[lived] - x[lived, firm])
        some = total > 1e-6
        self.attitude = (
            x + np.where(some, -np.expm1(-total) / np.where(some, total, 1.0), 1.0) * pull
        )

    def _choose(self, met: np.ndarray, luck: Luck, counts: np.ndarray) -> None:
        """Let those with an occasion take the provider of the highest value, or none."""
        law, week = self.law, self.week
        rows = np.flatnonzero(luck.chooses < self.facts.chooses[: len(self.kind)])
        at = np.arange(len(rows))
        own, offer = self.provider[rows], self.offer[rows]
        tied = np.flatnonzero(own >= 0)
        value = (
            met[BASE_UTILITY][rows]
            + law["attitude_weight"] * self.attitude[rows]
            + law["expectation_weight"] * (self.expectation[rows] - law["expectation_reference"])
            + np.log(np.maximum(self.salience[rows], 1e-30))
        )
        value[tied, own[tied]] += met[SWITCHING][rows[tied], own[tied]]
        offered = (offer >> 16) - 1
        fresh = (offered >= 0) & ((offer & OFFER_WEEK) >= week)
        live = np.flatnonzero(fresh & (offered != own) & (own >= 0))
        value[live, offered[live]] += law["referral_offer"]
        grieved = tied[self.grievance[rows[tied]] >= week]
        for f in range(value.shape[1]):
            elsewhere = grieved[own[grieved] != f]
            value[elsewhere, f] += met[CONQUEST + f][rows[elsewhere], own[elsewhere]]
        value += luck.choice[rows]
        order = self.order
        best = order[np.argmax(value[:, order], axis=1)]
        none = np.where(own == -1, law["none_utility"], 0.0) + luck.none[rows]
        chosen = np.where(value[at, best] > none, best, -1)
        self._move(rows[chosen != own], chosen[chosen != own], counts)

    def _move(self, rows: np.ndarray, chosen: np.ndarray, counts: np.ndarray) -> None:
        """Let rows leave their provider for another, or for none (-1)."""
        kind, own, offer = self.kind[rows], self.provider[rows], self.offer[rows]
        came, left = chosen >= 0, own >= 0
        asked = came & ((offer >> 16) == chosen + 1) & ((offer & OFFER_WEEK) >= self.week)
        np.add.at(counts[LOSSES], (own[left], kind[left]), 1)
        np.add.at(counts[ADDS], (chosen[came], kind[came]), 1)
        np.add.at(counts[REFERRED], (chosen[asked], kind[asked]), 1)
        self.satisfied[rows] = np.where(came, self.attitude[rows, chosen], 0.0)
        self.provider[rows] = chosen
        self.state.complaint[rows] = 0
        for mark in (self.tenure, self.quiet, self.grievance, self.ticket, self.offer):
            mark[rows] = 0

    def _serve(self) -> None:
        """Serve the queues on the state's satisfaction."""
        people = self.state.people
        people[:, -1, 0] = self.satisfied
        super()._serve()
        self.satisfied[:] = people[:, -1, 0]

    def close(self, state: FirmState | None = None) -> None:
        """Write the arrays into the state, then sum up as the engine does."""
        for name in QUANTITIES:
            self.write(name, getattr(self, name))
        self.state.people[:, -1, 0] = self.satisfied
        super().close(state)
