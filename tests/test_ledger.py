"""The influence ledger: who thinks or does something they otherwise wouldn't, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest
import village
from handmade import still

from experiments.inquiries import ledger_twins
from sim import engine, kpis
from sim.engine import Run
from sim.flows import Flow, muted
from sim.influenced import ENTRIES, LESS, MORE, OTHER, SAME, SIGNS, Thresholds, whole
from sim.ledger import Bookkeeper, Ledger, _bought, _counted_of, _sign, _spoken, keep_ledger
from sim.plans import Arm
from sim.population import build_world
from sim.scenario import Scenario
from sim.state import ADDS, LOSSES, SUMS, World

LN2 = 0.6931471805599453
FINE = Thresholds(attitude=0.05, salience=0.05, engagement=0.05)
ANNA, BEN, CARL = range(3)


def three(opening: float, **given: object) -> World:
    """Anna hears Ben, whose view is given; Ben and Carl hear nobody."""
    ties = np.zeros((3, 3))
    ties[ANNA, BEN] = LN2
    return handmade.world(3, 1, evidence=ties, opening_attitude=[[0.0], [opening], [0.0]], **given)


def talk(**physics: float) -> Scenario:
    return still(peer_persuasion=1.0, **handmade.EVERYBODY_SPEAKS, **physics)


def kept(market: Scenario, world: World, thresholds: Thresholds = FINE, lanes: int = 16) -> Ledger:
    arm = handmade.arm(market)
    twins = ledger_twins(arm, len(market.firms))
    return keep_ledger(market, arm, twins, 7, 0, thresholds, world=world, lanes=lanes)


def signs(ledger: Ledger, what: str, sphere: str = "", flow: int = 2) -> list[int]:
    """How many differ from the twin with a flow (0: all) muted: more, less, other."""
    entry = next(i for i, (s, w) in enumerate(ENTRIES) if w == what and sphere in ("", s))
    twin = flow - 1 if flow else len(Flow)
    found: list[int] = ledger.counts[-1, twin, entry].sum(axis=-1).tolist()
    return found


def test_anna_thinks_better_of_us_because_ben_speaks_well() -> None:
    ledger = kept(talk(), three(0.8))
    assert signs(ledger, "attitude") == [1, 0, 0]
    assert signs(ledger, "salience") == [0, 0, 0]
    assert signs(ledger, "anything", "think") == [1, 0, 0]
    assert signs(ledger, "anything", "do") == [0, 0, 0]
    assert ledger.people[0].tolist() == [3]


def test_anna_thinks_worse_and_speaks_worse_of_us_because_ben_speaks_badly() -> None:
    """In the first week she speaks well, without a view; from then on badly."""
    ledger = kept(talk(), three(-0.8))
    assert signs(ledger, "attitude") == [0, 1, 0]
    assert signs(ledger, "voice") == [0, 1, 0]
    assert signs(ledger, "anything", "do") == [0, 1, 0]


def test_flows_that_nobody_uses_influence_nobody() -> None:
    ledger = kept(talk(), three(0.8))
    for flow in (1, 3, 4, 5, 6):
        assert not ledger.counts[:, flow - 1].any()


def test_all_flows_muted_together_is_what_the_only_one_does() -> None:
    ledger = kept(talk(), three(0.8))
    assert (ledger.counts[:, len(Flow)] == ledger.counts[:, 2 - 1]).all()
    assert ledger.counts.any()


def test_anna_buys_from_us_and_would_recommend_us_because_ben_speaks_well() -> None:
    """She has an occasion every week: .78 x 10 utils beat none's 6, and 0 does not.

    Ben buys in both lives, Carl in neither; satisfied as she likes us, Anna answers 6.5 + 3 x .78.
    """
    market = replace(
        talk(attitude_weight=10.0, none_utility=7.0, recommend_noise=0.0, recommend_base=7.0),
        quarters=2,
    )
    ledger = kept(market, three(0.9, opportunity=[40.0, 0.0, 0.0]))
    assert signs(ledger, "provider") == [1, 0, 0]
    assert signs(ledger, "advocacy") == [1, 0, 0]
    assert signs(ledger, "anything", "do") == [1, 0, 0]


def test_an_employee_works_with_another_engagement_because_somebody_speaks_badly() -> None:
    """Anna works for us, Ben and Carl for nobody."""
    ledger = kept(talk(), three(-0.8, tied=[0, -1, -1], department=[0, -1, -1]))
    entry = ENTRIES.index(("do", "engagement"))
    assert ledger.people[entry].tolist() == [1]
    assert signs(ledger, "engagement") == [0, 1, 0]
    assert signs(kept(talk(), three(-0.8)), "engagement") == [0, 0, 0]


@pytest.mark.parametrize(("threshold", "count"), [(0.78, 1), (0.81, 0)])
def test_a_difference_counts_beyond_the_threshold_only(threshold: float, count: int) -> None:
    """After thirteen weeks Anna is within 1 / 8192 of Ben's .8."""
    limits = replace(FINE, attitude=threshold)
    assert signs(kept(talk(), three(0.8), limits), "attitude") == [count, 0, 0]


def test_who_has_us_in_mind_otherwise_is_counted() -> None:
    market = talk(salience_per_message=1.0, salience_decay=0.3)
    ledger = kept(market, three(0.0, contact=[[0, 0.8, 0], [0, 0, 0], [0, 0, 0]]))
    assert signs(ledger, "salience") == [1, 0, 0]


def test_thresholds_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"salience=1\.5"):
        Thresholds(attitude=0.1, salience=1.5, engagement=0.1)


# ---- signs --------------------------------------------------------------------------------------


def test_a_difference_has_a_sign_beyond_the_threshold() -> None:
    gaps = np.array([[0.2, 0.1, 0.0, -0.1, -0.2]])
    assert _sign(gaps, 0.15).tolist() == [[MORE, SAME, SAME, SAME, LESS]]


def test_who_changes_between_others_is_neither_for_nor_against_us() -> None:
    provider = np.array([[0, 1, 1, 2, 0], [1, 0, 2, -1, 0]])
    assert _bought(provider).tolist() == [[MORE, LESS, OTHER, OTHER, SAME]]


def test_speaking_well_instead_of_silence_is_more_and_both_instead_of_silence_is_other() -> None:
    silent, well, badly, both = 0, 1, 2, 3
    spoke = np.array([[well, silent, badly, both, both, badly], [silent, well, well, silent, well,
                                                              badly]], np.uint8)  # fmt: skip
    assert _spoken(spoke).tolist() == [[MORE, LESS, LESS, OTHER, LESS, SAME]]


def test_for_and_against_at_once_is_neither() -> None:
    assert whole([SAME, SAME]) == SAME
    assert whole([MORE, SAME]) == MORE
    assert whole([OTHER, LESS]) == LESS
    assert whole([MORE, LESS]) == OTHER
    assert whole([OTHER, SAME]) == OTHER


def test_combinations_are_counted_by_type_and_twin() -> None:
    """Two twins, four people of two types, two signs each."""
    first = np.array([[MORE, MORE, SAME, LESS], [SAME, SAME, SAME, OTHER]], np.int8)
    second = np.array([[SAME, LESS, MORE, LESS], [SAME, MORE, SAME, SAME]], np.int8)
    kind = np.array([0, 0, 1, 1], np.int32)
    found = _counted_of([first, second], kind, 2)
    assert found.shape == (2, 3, len(SIGNS), 2)
    assert found[0, 0].tolist() == [[2, 0], [0, 1], [0, 0]]
    assert found[0, 1].tolist() == [[0, 1], [1, 1], [0, 0]]
    assert found[0, 2].tolist() == [[1, 1], [0, 1], [1, 0]]
    assert found[1, 2].tolist() == [[1, 0], [0, 0], [0, 1]]


# ---- against what the engine says ---------------------------------------------------------------


@pytest.fixture(scope="module")
def busy() -> tuple[Scenario, Arm, World]:
    market = village.scenario(quarters=3, warm_up=1)
    arm = village.arm(market, advertising=30.0, service=20.0, listening=20.0, referral=20.0)
    return market, arm, build_world(market, 5, 0)


def test_any_number_of_lanes_gives_the_same_counts(busy: tuple[Scenario, Arm, World]) -> None:
    market, arm, world = busy
    twins = ledger_twins(arm, 2)
    found = [
        keep_ledger(market, arm, twins, 5, 0, FINE, world=world, lanes=lanes).counts
        for lanes in (1, 3, 4, 16)
    ]
    assert found[0].any()
    for other in found[1:]:
        assert (other == found[0]).all()


def test_looking_on_changes_no_bit(busy: tuple[Scenario, Arm, World]) -> None:
    market, arm, world = busy
    arms = [arm, *ledger_twins(arm, 2)]
    bits = []
    for observer in (None, Bookkeeper(FINE, len(arms) - 1)):
        run = Run(market, arms, 5, 0, world, observer=observer)
        run.advance_quarter()
        bits.append(handmade.bits(run))
    assert handmade.differing(*bits) == []


def test_customers_won_less_lost_are_those_that_the_engine_counts(
    busy: tuple[Scenario, Arm, World],
) -> None:
    market, arm, world = busy
    twins = ledger_twins(arm, 2)
    counts = keep_ledger(market, arm, twins, 5, 0, FINE, world=world).counts
    run = Run(market, [arm, *twins], 5, 0, world)
    for quarter in range(market.quarters):
        run.advance_quarter()
        customers = run.firms.tied[0, 0, :8]
        net = counts[quarter, :, ENTRIES.index(("do", "provider")), :, 0]
        assert (net[:, 0] - net[:, 1] == customers[0] - customers[1:]).all()
    assert net.any()


def test_promoters_are_those_that_the_close_counts(
    busy: tuple[Scenario, Arm, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    market, arm, world = busy
    twins = ledger_twins(arm, 2)
    closes: list[np.ndarray] = []
    inner = kpis.indicators

    def spying(at: kpis.Close) -> np.ndarray:
        closes.append(at.sums[SUMS.index("promoters"), 0, :, :8])
        return inner(at)

    monkeypatch.setattr(engine.kpis, "indicators", spying)
    counts = keep_ledger(market, arm, twins, 5, 0, FINE, world=world).counts
    net = counts[:, :, ENTRIES.index(("do", "advocacy"))]
    promoters = np.stack(closes[1:])
    assert promoters.any()
    moved = (promoters[:, :, :1] - promoters[:, :, 1:]).transpose(0, 2, 1)
    assert (net[:, :, 0] - net[:, :, 1] == moved).all()


def test_a_warm_up_is_lived_and_not_counted(busy: tuple[Scenario, Arm, World]) -> None:
    """Who spoke in the warm-up alone has not spoken in quarter 1."""
    market, arm, world = busy
    book = Bookkeeper(FINE, 1)
    twin = replace(arm, key="twin", gates=arm.gates * muted(Flow.PEERS_ABOUT_US, 2))
    run = Run(market, [arm, twin], 5, 0, world, observer=book)
    assert run.counts[ADDS].any() or run.counts[LOSSES].any()
    assert not book._spoke.any()
    assert book.counts == []


def test_seen_from_the_other_firm_the_same_people_buy_otherwise() -> None:
    """Two firms: talk about us is flow 5 to the other; who turns from it to us is its loss."""
    people = (village.kind(count=600), village.employees())
    market = village.scenario(quarters=3, stakeholders=people)
    swapped = replace(market, firms=market.firms[::-1])
    found = []
    for place, flow in ((market, Flow.PEERS_ABOUT_US), (swapped, Flow.PEERS_ABOUT_RIVALS)):
        arm = village.arm(place)
        twin = replace(arm, key="twin", gates=muted(flow, 2))
        counts = keep_ledger(place, arm, [twin], 5, 0, FINE).counts
        found.append(counts[-1, 0, ENTRIES.index(("do", "provider")), :, 0].tolist())
    (won, lost, _), (theirs_won, theirs_lost, _) = found
    assert sum(found[0]) == sum(found[1]) > 0
    assert 0 < theirs_lost <= won
    assert theirs_won <= lost
