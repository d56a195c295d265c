"""One stakeholder's week, retraced: every change is the sum of its causes (MODEL, M20)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import handmade
import numpy as np
import pytest
import village
from handmade import still

from sim import lookup
from sim.engine import Run
from sim.flows import Flow, muted
from sim.outside import Shock
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import World
from sim.trace import (
    ATTITUDE_CAUSES,
    SALIENCE_CAUSES,
    TOLERANCE,
    Week,
    Witness,
    check,
    valence,
)

LN2 = 0.6931471805599453


@dataclass
class Crowd:
    """Many observers of one run."""

    witnesses: list[Witness]

    def after_week(self, run: Run) -> None:
        for witness in self.witnesses:
            witness.after_week(run)

    def after_close(self, run: Run) -> None:
        for witness in self.witnesses:
            witness.after_close(run)


def lived(
    market: Scenario, world: World, rows: range, lanes: tuple[int, ...] = (0,), **arm: object
) -> tuple[Run, list[Week]]:
    """Return a run to its horizon and every week that was retraced."""
    own = arm.pop("arm", None) or handmade.arm(market)
    arms = [own, *[replace(own, key="twin", gates=own.gates * muted(Flow.PEERS_ABOUT_US,
            len(market.firms)))]][: max(lanes) + 1]  # type: ignore[attr-defined] # fmt: skip
    witnesses = [Witness(row, lanes) for row in rows]
    run = Run(market, arms, 7, 0, world, observer=Crowd(witnesses))
    for _ in range(market.quarters):
        run.advance_quarter()
    return run, [week for witness in witnesses for life in witness.lives for week in life]


def test_anna_is_moved_by_ben_and_carl_as_worked_out_by_hand() -> None:
    """From 0 half way to .4: (1 - e^-ln2) of her way, Ben's .8 pulls with 2/3, Carl's -.4 with 1/3.

    Ben adds .5 x 2/3 x .8 = .8/3 and Carl -.5 x 1/3 x .4 = -.2/3, together .2.
    """
    ties = np.zeros((3, 3))
    ties[0, 1:] = 2 * LN2 / 3, LN2 / 3
    people = handmade.world(3, 1, evidence=ties, opening_attitude=[[0.0], [0.8], [-0.4]])
    _, weeks = lived(still(peer_persuasion=1.0, **handmade.EVERYBODY_SPEAKS), people, range(1))
    first = weeks[0]
    ben, carl = first.messages
    assert (ben.speaker, carl.speaker) == (1, 2)
    assert (ben.valence, carl.valence) == pytest.approx((0.8, -0.4), abs=1e-4)
    assert (ben.moved, carl.moved) == pytest.approx((0.8 / 3, -0.2 / 3), abs=2e-5)
    assert first.attitude["talk"][0] == pytest.approx(0.2, abs=2e-5)
    assert first.number == 1
    assert len(weeks) == 13


def test_a_muted_flow_is_heard_and_moves_nothing() -> None:
    ties = np.zeros((3, 3))
    ties[0, 1] = LN2
    people = handmade.world(3, 1, evidence=ties, opening_attitude=[[0.0], [0.8], [0.0]])
    market = still(peer_persuasion=1.0, salience_per_message=1.0, **handmade.EVERYBODY_SPEAKS)
    _, weeks = lived(market, people, range(1), lanes=(0, 1))
    run, twin = weeks[0], weeks[13]
    assert run.messages[0].moved > 0.1
    assert twin.messages[0].valence == run.messages[0].valence
    assert twin.messages[0].moved == 0.0
    assert twin.salience["talk"][0] == 0.0


def test_salience_is_split_into_hazards_and_forgetting_by_hand() -> None:
    """One message at contact .5 and .6 per message against forgetting .2, from .25."""
    contact = np.zeros((3, 3))
    contact[0, 1] = 0.5
    people = handmade.world(3, 1, contact=contact)
    market = still(salience_per_message=0.6, salience_decay=0.2, **handmade.EVERYBODY_SPEAKS)
    types = tuple(replace(kind, salience=0.25) for kind in market.stakeholders)
    _, weeks = lived(replace(market, stakeholders=types), people, range(1))
    share = (1 - np.exp(-0.5)) / 0.5
    assert weeks[0].salience["talk"][0] == pytest.approx(share * 0.3 * 0.75, abs=1e-5)
    assert weeks[0].salience["forgetting"][0] == pytest.approx(-share * 0.2 * 0.25, abs=1e-5)


BUSY = {
    "plain": {},
    "bounded": {"confidence": 0.4, "negativity": 2.0, "anchor": 0.1},
    "restless": {"switching_cost": 0.0, "patience": 1, "talk_hazard": 5.0, "abandonment": 0.5},
    "offers": {"referral_offer": 3.0, "talk_hazard": 5.0, "experience_in_flow": True},
}


@pytest.mark.parametrize("name", BUSY)
def test_every_change_of_everybody_is_the_sum_of_its_causes(name: str) -> None:
    """A market in which all mechanisms run, and complaints, offers and conquest happen."""
    base = village.scenario(quarters=2)
    levers = {"referral": 0.9, "complaint_ease": 0.9, "ticket_capacity": 40.0}
    firms = tuple(replace(firm, levers=levers) for firm in base.firms)
    market = replace(base, physics=replace(base.physics, **BUSY[name]), firms=firms)
    shocks = tuple(
        Shock(
            kind,
            kind,
            "organization",
            quarter=1,
            week=2,
            weeks=9,
            size=0.2,
            chance=1.0,
            valence=valence,
        )
        for kind, valence in (("crisis", -0.8), ("endorsement", 0.5))
    )
    market = replace(market, shocks=shocks)
    world = build_world(market, 7, 0)
    money = {one.key: 60.0 for one in market.mechanisms}
    _, weeks = lived(market, world, range(0, 80, 2), lanes=(0, 1), arm=village.arm(market, **money))
    for week in weeks:
        for causes, parts, felt in (
            (ATTITUDE_CAUSES, week.attitude, "attitude"),
            (SALIENCE_CAUSES, week.salience, "salience"),
        ):
            change = getattr(week.after, felt) - getattr(week.before, felt)
            assert sum(parts[cause] for cause in causes) == pytest.approx(change, abs=TOLERANCE)
        told = sum(week.satisfaction.values())
        assert week.before.satisfaction + told == pytest.approx(
            week.after.satisfaction, abs=TOLERANCE
        )
        for f in range(world.n_firms):
            heard = sum(m.moved for m in week.messages if m.firm == f)
            assert week.attitude["talk"][f] == pytest.approx(heard, abs=1e-12)
    assert any(week.occasion for week in weeks)
    assert any(week.experience for week in weeks)
    assert any(week.moved for week in weeks)
    assert any(week.attitude["comparison"].any() for week in weeks)
    assert any(week.attitude["news"].any() for week in weeks)
    if name == "offers":
        assert any(week.occasion and week.occasion.offer for week in weeks)
    if name == "restless":
        assert {"resolved", "abandoned"} <= {week.served for week in weeks}


def test_a_life_is_the_run_s() -> None:
    """Week follows week, and the last is where the run stands."""
    market = village.scenario(quarters=2, warm_up=1)
    world = build_world(market, 7, 0)
    run, weeks = lived(market, world, range(5, 6), arm=village.arm(market))
    assert [week.number for week in weeks] == list(range(1, 27))
    for before, after in itertools.pairwise(weeks):
        assert str(before.after) == str(after.before)
    assert str(weeks[-1].after) == str(lookup.person(run.state, 5, 0))


def test_a_week_that_does_not_add_up_is_refused() -> None:
    people = handmade.world(3, 1)
    _, weeks = lived(still(), people, range(1))
    check(weeks[0])
    off = dict(weeks[0].attitude, talk=np.array([0.01]))
    with pytest.raises(ArithmeticError, match="week 1: the parts of attitude"):
        check(replace(weeks[0], attitude=off))
    with pytest.raises(ArithmeticError, match="satisfaction"):
        check(replace(weeks[0], satisfaction={"experience": 0.1}))


def test_a_word_says_its_valence_with_or_without_an_offer() -> None:
    assert valence(32766) == 1.0
    assert valence(-32766) == -1.0
    assert valence(16383 * 2 + 1) == 1.0
    assert valence(2 | 1) == pytest.approx(0.0, abs=1e-4)
