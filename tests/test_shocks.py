"""Shocks and seasons, by hand: what comes from outside, when, to whom, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import handmade
import numpy as np
import pytest
import village
from handmade import advanced, attitude, bits, differing, field, started, still

from sim import kpis
from sim.engine import Run, simulate
from sim.flows import Flow, muted
from sim.laws.news import believed
from sim.organization import Programme
from sim.outside import FIRM_WORDS, SHOCK_KINDS, Season, Shock
from sim.population import build_world
from sim.scenario import Scenario
from sim.shocks import Calendar, nothing_new
from sim.state import (
    ADDS,
    ATTITUDE,
    BASE_UTILITY,
    BROKEN,
    FIRM_FIELDS,
    IMPRESSION_HAZARD,
    KEPT,
    NEGATIVE,
    POSITIVE,
    PROVIDER,
    QUALITY_LOGIT,
    QUARTER,
    SALIENCE,
)

SIZES = {
    "recall": 1.0,
    "crisis": 0.3,
    "endorsement": 0.3,
    "price_move": -0.2,
    "demand": -0.2,
    "need_jump": 0.7,
    "new_entrant": 1.0,
}
READS = {"recall": {"cost": 7.0}, "crisis": {"valence": -0.8}, "endorsement": {"valence": 0.8}}


def shock(
    kind: str, firm: str = "all", quarter: int = 1, week: int = 1, **changes: object
) -> Shock:
    """Return a shock of a kind; for good and surely, but for what is changed."""
    given: dict[str, object] = {"size": SIZES[kind], "chance": 1.0, "weeks": None, "key": kind}
    given |= READS.get(kind, {}) | changes
    return Shock(kind=kind, firm=firm, quarter=quarter, week=week, **given)  # type: ignore[arg-type]


def village_with(*shocks: Shock, **changes: object) -> Scenario:
    """Return the village in which these things will happen."""
    return village.scenario(shocks=shocks, **changes)


# ---- what does not happen -----------------------------------------------------------------------


def test_a_shock_of_size_0_changes_no_bit_whatever_else_it_says() -> None:
    entrant = shock("new_entrant", "theirs", 2, size=0.0)
    nothing = [
        shock(kind, size=0.0, **({"salience": 1.0} if kind in ("crisis", "endorsement") else {}))
        for kind in SIZES
        if kind != "new_entrant"
    ]
    plain, shaken = village.scenario(quarters=2), village_with(*nothing, entrant, quarters=2)
    people = build_world(plain, 1, 0)
    one, other = (bits(advanced(m, people, village.arm(m))) for m in (plain, shaken))
    assert differing(one, other) == []


@pytest.mark.parametrize("kind", [k for k in SIZES if k != "new_entrant"])
def test_nothing_changes_before_a_shock_begins_and_everything_of_it_does_then(kind: str) -> None:
    firm = "theirs" if "firm" in SHOCK_KINDS[kind].reads else "all"
    plain = village.scenario()
    shaken = village_with(shock(kind, firm, 1, 4))
    people = build_world(plain, 1, 0)
    for weeks, same in ((3, True), (4, False)):
        one, other = (
            bits(advanced(m, people, village.arm(m), weeks=weeks)) for m in (plain, shaken)
        )
        assert (differing(one, other) == []) is same, weeks


def test_a_shock_that_is_over_is_over() -> None:
    """Weeks 4 and 5 of the first quarter, and none before or after."""
    calendar = Calendar(village_with(shock("demand", week=4, weeks=2)), 1, 0)
    now = nothing_new(2, 2)
    found = []
    for week in range(-12, 27):
        calendar.turn(week, now)
        if now.units[0] != 1.0:
            found.append(week)
    assert found == [4, 5]


def test_quarters_and_weeks_count_from_the_end_of_the_warm_up() -> None:
    market = village_with(shock("demand", quarter=2, week=3, weeks=1), warm_up=2)
    run = Run(market, (village.arm(market),), 1, 0, build_world(market, 1, 0))
    run.advance_quarter()
    run.quarter = 2
    run.plan_quarter()
    units = []
    for week in range(4):
        run.advance_week(opens=week == 0)
        units.append(run.given.now.units[0])
    assert units == [1.0, 1.0, 0.8, 1.0]


# ---- each kind by hand --------------------------------------------------------------------------


def test_a_recall_takes_its_size_off_the_logit_of_service_for_the_types_it_reaches() -> None:
    recall = shock("recall", "ours", week=2, weeks=1, to=("customers",), size=1.5)
    market = village_with(recall)
    plain = village.scenario()
    people = build_world(plain, 1, 0)
    for weeks, lost in ((1, 0.0), (2, 1.5), (3, 0.0)):
        one, other = (advanced(m, people, village.arm(m), weeks=weeks) for m in (plain, market))
        if weeks == 3:  # they complain, and the backlog weighs on service
            assert other.firms.execution[0, 0, 0] == pytest.approx(
                one.firms.execution[0, 0, 0], abs=0.1
            )
            continue
        logit = [np.log(r.firms.execution / (1 - r.firms.execution)) for r in (one, other)]
        gap = (logit[0] - logit[1])[..., 0]
        assert gap[0] == pytest.approx([lost, 0.0], abs=1e-9)
        assert gap[1] == pytest.approx([0.0, 0.0], abs=1e-9)
        assert other.drive[QUALITY_LOGIT, 0, 0, 0] < one.drive[QUALITY_LOGIT, 0, 0, 0] + (lost == 0)


def test_a_recall_is_paid_once_in_its_first_week_by_each_firm_it_hits() -> None:
    plain, shaken = still(2, 2), still(2, 2)
    shaken = replace(shaken, shocks=(shock("recall", "firm1", week=2, weeks=3, cost=7.0),))
    people = handmade.world(2, 2)
    for weeks, paid in ((1, 0.0), (2, 7.0), (5, 7.0)):
        one, other = (advanced(m, people, weeks=weeks) for m in (plain, shaken))
        assert one.firms.cash[1] - other.firms.cash[1] == pytest.approx(paid)
        row = QUARTER.index("profit")
        assert (one.firms.quarter - other.firms.quarter)[row, 1] == pytest.approx(paid)
        assert np.array_equal(one.firms.cash[0], other.firms.cash[0])


def news_market(*shocks: Shock, **changes: object) -> Scenario:
    """Return a market of two in which nothing but news moves anybody; trust is one half."""
    market = still(2, 1, claim_persuasion=0.4)
    firm = village.firm("firm0", programmes={}, **changes)
    return replace(market, firms=(firm,), shocks=shocks)


def test_a_crisis_pulls_attitude_to_what_is_said_by_its_evidence() -> None:
    """From 0.5 to -0.8 with 0.3 a week: what is left of the gap of 1.3 is exp(-0.3 weeks)."""
    market = news_market(shock("crisis", weeks=2))
    people = handmade.world(2, 1, opening_attitude=[[0.5], [0.5]])
    for weeks, lived_weeks in ((1, 1), (2, 2), (4, 2)):
        run = advanced(market, people, weeks=weeks)
        expected = -0.8 + 1.3 * np.exp(-0.3 * lived_weeks)
        assert attitude(run) == pytest.approx([expected] * 2, abs=1e-6)


def test_news_and_the_firms_own_claims_pull_together_by_their_evidence() -> None:
    """Own claims 0.4 x 0.5 impressions to 0.5, a crisis 0.3 to -0.8, praise 0.1 to 0.9."""
    praise = shock("endorsement", size=0.1, valence=0.9)
    market = news_market(shock("crisis"), praise, levers={"impressions": 0.5})
    run = advanced(market, handmade.world(2, 1), weeks=1)
    total = 0.2 + 0.3 + 0.1
    mean = (0.2 * 0.5 - 0.3 * 0.8 + 0.1 * 0.9) / total
    assert attitude(run) == pytest.approx([mean * (1 - np.exp(-total))] * 2, abs=1e-6)


def test_two_crises_at_once_are_one_of_their_common_evidence() -> None:
    worse = shock("crisis", key="worse", size=0.1, valence=-0.2)
    both = news_market(shock("crisis"), worse)
    one = news_market(shock("crisis", size=0.4, valence=(-0.3 * 0.8 - 0.1 * 0.2) / 0.4))
    people = handmade.world(2, 1, opening_attitude=[[0.5], [-0.5]])
    first, second = (attitude(advanced(m, people, weeks=3)) for m in (both, one))
    assert first == pytest.approx(second, abs=1e-6)


def test_news_are_believed_for_themselves_and_doubted_by_those_who_trust_the_firm() -> None:
    """Trust of 0.8, 0.5 and 0.2; nobody's promises are kept or broken meanwhile."""
    people = handmade.world(3, 1)
    for doubt in (0.0, 0.5, 1.0):
        for kind, doubted in (("crisis", doubt), ("endorsement", 0.0)):
            market = news_market(shock(kind))
            market = replace(market, physics=replace(market.physics, news_doubt=doubt))
            run = started(market, people)
            run.state.people[:, KEPT] = np.float32([[8.0], [5.0], [2.0]])
            run.state.people[:, BROKEN] = np.float32([[2.0], [5.0], [8.0]])
            run.advance_week(opens=True)
            pulled = 0.3 * (1.0 - doubted * np.array([0.6, 0.0, -0.6]))
            says = READS[kind]["valence"]
            assert attitude(run) == pytest.approx(says * (1 - np.exp(-pulled)), abs=1e-6)


def test_news_of_nothing_is_believed_by_nobody() -> None:
    for trusted in (0.0, 0.5, 1.0):
        assert believed(0.0, trusted, 0.7) == 0.0


def test_a_drilled_firm_neutralizes_its_share_of_a_crisis_and_of_no_praise() -> None:
    people = handmade.world(2, 1)
    for kind, pulled in (("crisis", 0.3 * 0.25), ("endorsement", 0.3)):
        market = news_market(shock(kind), levers={"crisis_response": 0.75})
        expected = np.sign(READS[kind]["valence"]) * 0.8 * (1 - np.exp(-pulled))
        assert attitude(advanced(market, people, weeks=1)) == pytest.approx(
            [expected] * 2, abs=1e-6
        )


def test_news_bring_a_firm_to_mind() -> None:
    market = news_market(shock("crisis", salience=0.2))
    run = started(market, handmade.world(2, 1))
    run.state.people[:, SALIENCE] = 0.3
    run.advance_week(opens=True)
    assert field(run, SALIENCE) == pytest.approx([1 - 0.7 * np.exp(-0.2)] * 2, abs=1e-6)


def test_news_are_no_flow_of_the_firm_they_are_about() -> None:
    market = news_market(shock("crisis"))
    people = handmade.world(2, 1)
    mute = handmade.arm(market, "mute", gates=muted(Flow.OURS_TO_STAKEHOLDERS, 1))
    run = advanced(market, people, handmade.arm(market), mute, weeks=3)
    assert (attitude(run) < -0.1).all()
    assert np.array_equal(attitude(run), attitude(run, lane=1))


def test_news_reach_only_the_types_and_the_firm_they_are_meant_for() -> None:
    market = village_with(shock("crisis", "theirs", to=("employees",), salience=0.5))
    people = build_world(market, 1, 0)
    plain = advanced(village.scenario(), people, weeks=1)
    run = advanced(market, people, weeks=1)
    moved = [
        (attitude(run, f) != attitude(plain, f))[people.kind == k].any()
        for f in range(2)
        for k in range(2)
    ]
    assert moved == [False, False, False, True]
    reminded = (run.drive - plain.drive)[IMPRESSION_HAZARD, :, :, 0]
    assert reminded.tolist() == [[0.0, 0.0], [0.0, 0.5]]


def test_a_price_move_changes_what_is_paid_and_what_a_price_is_worth_in_choice() -> None:
    market = village_with(shock("price_move", "ours", week=2, weeks=1))
    plain = village.scenario()
    people = build_world(plain, 1, 0)
    for weeks, factor in ((1, 1.0), (2, 0.8), (3, 1.0)):
        one, other = (advanced(m, people, village.arm(m), weeks=weeks) for m in (plain, market))
        gap = other.drive[BASE_UTILITY] - one.drive[BASE_UTILITY]
        assert gap[0, :, 0] == pytest.approx([-np.log(factor)] * 2, abs=1e-6)
        assert (gap[1] == 0).all()
    sales = QUARTER.index("sales")
    one, other = (advanced(m, people, village.arm(m), weeks=1) for m in (plain, plain))
    market = village_with(shock("price_move", "ours"))
    other = advanced(market, people, village.arm(market), weeks=1)
    tied = other.firms.tied[0, 0] / one.firms.tied[0, 0]
    ratio = other.firms.quarter[sales, 0] / one.firms.quarter[sales, 0]
    assert ratio == pytest.approx(0.8 * tied)


def test_a_fall_in_demand_is_a_fall_in_sales_of_the_types_it_concerns() -> None:
    plain = village.scenario()
    people = build_world(plain, 1, 0)
    sales = QUARTER.index("sales")
    one = advanced(plain, people, weeks=1)
    for to, factor in ((("customers",), 0.8), (("employees",), 1.0), ((), 0.8)):
        market = village_with(shock("demand", to=to))
        other = advanced(market, people, weeks=1)
        assert other.firms.quarter[sales] == pytest.approx(factor * one.firms.quarter[sales])


def test_a_jump_of_needs_costs_fit_until_voices_tell_of_it() -> None:
    """Distance 0.7 at tolerance 1: fit exp(-0.245); the estimate then moves where needs went."""
    market = replace(
        still(200, 2, voice_noise=0.1, need_uncertainty=1.0, **handmade.EVERYBODY_SPEAKS)
    )
    firms = (
        village.firm("firm0", programmes={}, levers={"coverage": 0.5, "adaptation_rate": 1.0}),
        village.firm("firm1", programmes={}, levers={"coverage": 0.0}),
    )
    market = replace(market, firms=firms, shocks=(shock("need_jump", week=2),))
    people = handmade.world(200, 2, tied=np.arange(200) % 2)
    assert advanced(market, people, weeks=1).firms.fit[1] == pytest.approx(1.0)
    run = advanced(market, people, weeks=2)
    assert run.firms.fit[1] == pytest.approx(np.exp(-0.245))
    way = run.given.now.need[0]
    assert np.hypot(*way) == pytest.approx(0.7)
    late = advanced(market, people, weeks=13)
    assert late.firms.estimate[0, 0, :, 0] == pytest.approx(way, abs=0.1)
    assert late.firms.fit[0, 0, 0] > late.firms.fit[1, 0, 0] == pytest.approx(np.exp(-0.245))


def test_every_type_has_its_own_way_for_needs_to_jump_and_every_replication_another() -> None:
    market = village_with(shock("need_jump"))
    ways = []
    for replication in range(2):
        now = nothing_new(2, 2)
        Calendar(market, 1, replication).turn(1, now)
        ways += [*now.need]
    assert np.hypot(*np.stack(ways).T) == pytest.approx([0.7] * 4)
    assert len({round(float(way[0]), 6) for way in ways}) == 4


# ---- chance -------------------------------------------------------------------------------------


def test_a_shock_with_a_chance_happens_in_that_share_of_replications() -> None:
    market = village_with(shock("demand", chance=0.3), shock("demand", key="other", chance=0.3))
    happened = []
    for replication in range(2000):
        keys = [event.shock.key for event in Calendar(market, 1, replication).events]
        happened.append(["demand" in keys, "other" in keys])
    share = np.mean(happened, axis=0)
    assert share == pytest.approx([0.3, 0.3], abs=4 * np.sqrt(0.21 / 2000))
    assert np.mean(np.all(happened, axis=1)) == pytest.approx(0.09, abs=0.026), "each its own luck"
    never = village_with(shock("demand", chance=0.0))
    assert not any(Calendar(never, 1, replication).events for replication in range(50))


def test_whether_a_shock_happens_does_not_depend_on_its_place_or_on_other_shocks() -> None:
    some, other = shock("demand", chance=0.5), shock("recall", chance=0.5)
    for replication in range(20):
        found = [
            {event.shock.key for event in Calendar(village_with(*given), 3, replication).events}
            for given in ((some, other), (other, some), (some,))
        ]
        assert found[0] == found[1]
        assert found[0] - {"recall"} == found[2]


# ---- arms, lanes, threads, firms ----------------------------------------------------------------


def everything(**changes: object) -> Scenario:
    """Return a village of three firms in which every kind of shock happens within two quarters."""
    late = village.firm("others", programmes={"advertising": Programme(effort=20.0, maturity=0.9)})
    return village_with(
        shock("recall", "ours", week=3, weeks=4),
        shock("crisis", "theirs", week=2, weeks=8, salience=0.1),
        shock("endorsement", "ours", week=5, weeks=3),
        shock("price_move", "theirs", quarter=2),
        shock("demand", week=6, weeks=3),
        shock("need_jump", quarter=2),
        shock("new_entrant", "others", quarter=2),
        quarters=2,
        season=Season(0.2, 0.5, 9),
        firms=(village.firm(), village.firm("theirs"), late),
        **changes,
    )


def test_arms_share_shocks_and_no_bit_depends_on_lanes_threads_or_order_of_arms() -> None:
    market = everything(warm_up=1)
    arms = [village.arm(market, f"a{i}", advertising=float(10 * i)) for i in range(3)]
    whole = simulate(market, arms, 3, lanes=4)
    turned = simulate(market, arms[::-1], 3, lanes=1, threads=2)
    for name in ("kpi", "measures", "spending", "afforded"):
        one, other = getattr(whole, name), getattr(turned, name)[..., ::-1]
        assert np.array_equal(one, other, equal_nan=True), name


@pytest.mark.parametrize("places", [(1, 0, 2), (0, 2, 1)])
def test_firms_that_trade_places_under_shocks_trade_results(places: tuple[int, ...]) -> None:
    market = everything()
    there = replace(market, firms=tuple(market.firms[f] for f in places))
    one, other = (
        advanced(m, build_world(m, 5, 0), village.arm(m), seed=5) for m in (market, there)
    )
    for here, f in enumerate(places):
        for which in range(FIRM_FIELDS):
            assert np.array_equal(field(one, which, f), field(other, which, here)), (f, which)
        for name, array in zip(one.firms._fields, one.firms, strict=True):
            twin = getattr(other.firms, name)
            first, second = (
                (array[:, f], twin[:, here])
                if name in ("lever", "quarter")
                else (array[f], twin[here])
            )
            assert np.array_equal(first, second), name


# ---- a newcomer ---------------------------------------------------------------------------------


def entry(quarter: int = 3, **changes: object) -> Scenario:
    """Return three firms, of which the third enters with a quarter and is well worth buying."""
    late = village.firm(
        "others", appeal=1.0, levers={"impressions": 1.0, "rebuttal": 0.9}, **changes
    )
    staff = replace(village.employees(), tied={"ours": 0.4, "theirs": 0.4, "others": 0.2})
    return village_with(
        shock("new_entrant", "others", quarter=quarter),
        quarters=4,
        stakeholders=(village.kind(count=300, opportunity=0.2, voice=3.0), staff),
        firms=(village.firm(), village.firm("theirs"), late),
    )


def test_before_it_enters_a_firm_says_nothing_is_not_chosen_hears_and_books_nothing() -> None:
    market = entry()
    run = Run(market, (village.arm(market),), 1, 0, build_world(market, 1, 0))
    opening = run.world.opening_attitude[:, 2]
    assert (field(run, SALIENCE, 2) == 0).all(), "nobody has heard of it"
    for quarter in range(1, 5):
        worn = run.firms.depreciated[2].copy()
        run.advance_quarter()
        firms, there = run.firms, quarter >= 3
        tied = (run.state.marks[:, PROVIDER, 0] == 2) & (run.world.kind == 0)
        measures = run.rows[1][-1][:, :, 2]
        talked = run.counts[[POSITIVE, NEGATIVE], 2].sum()
        assert (firms.effort[2].sum() > 0) == there
        assert (firms.investment[2].sum() > 0) == there
        assert (run.seen[-1][1][2, 2] > 0) == there, "it sends no message"
        assert (firms.quarter[:, 2] != 0).any() == there
        assert np.array_equal(firms.depreciated[2], worn) == (not there)
        assert (firms.cash[2, 0] != market.finance.start_cash) == there
        assert (talked > 0) == there
        assert tied.any() == there
        assert (run.counts[ADDS, 2].sum() > 0) == there
        assert np.isnan(measures).all() == (not there)
        assert np.array_equal(attitude(run, 2), opening) == (not there)
        assert (field(run, SALIENCE, 2) > 0).any() == there
    assert run.firms.fit[2, 0, 0] > 0.9, "it enters with what is wanted then"


def test_until_it_enters_the_market_is_the_one_without_it() -> None:
    """Its employees talk about the two others, so it has none here."""
    with_it = entry()
    kinds = (with_it.stakeholders[0], village.employees())
    with_it = replace(with_it, stakeholders=kinds)
    without = replace(with_it, firms=with_it.firms[:2], shocks=())
    # Attitudes at the opening are drawn per firm, so the first two firms' are the same.
    one, other = (Run(m, (village.arm(m),), 1, 0, build_world(m, 1, 0)) for m in (with_it, without))
    for _ in range(2):
        one.advance_quarter()
        other.advance_quarter()
    keep = FIRM_FIELDS * 2
    assert np.array_equal(one.state.people[:, :keep], other.state.people[:, :keep])
    assert np.array_equal(one.state.marks, other.state.marks)
    assert np.array_equal(one.firms.worth[:2], other.firms.worth)
    for here, there in zip(one.rows[0], other.rows[0], strict=True):
        assert np.array_equal(here, there, equal_nan=True), "no indicator counts it"
    one.advance_quarter()
    other.advance_quarter()
    assert not np.array_equal(one.rows[0][-1], other.rows[0][-1], equal_nan=True)


def test_an_entry_that_does_not_happen_leaves_the_firm_out_for_good() -> None:
    market = entry()
    never = replace(market, shocks=(replace(market.shocks[0], chance=0.0),))
    run = advanced(never, build_world(never, 1, 0), village.arm(never))
    assert (run.state.marks[run.world.kind == 0, PROVIDER] != 2).all()
    assert run.firms.worth[2, 0] == 0
    preference = run.rows[0][-1][kpis.INDEX["preference"], 0]
    liked = run.state.people[:, [ATTITUDE, FIRM_FIELDS + ATTITUDE], 0][run.world.kind == 0]
    assert preference == pytest.approx((liked[:, 0] >= liked[:, 1]).mean())


# ---- seasons ------------------------------------------------------------------------------------


def test_a_season_is_highest_at_its_peak_and_one_on_the_years_average() -> None:
    market = village.scenario(season=Season(0.25, 0.5, 50, ("customers",)))
    calendar, now = Calendar(market, 1, 0), nothing_new(2, 2)
    units, occasions = [], []
    for week in range(1, 53):
        calendar.turn(week, now)
        units.append(now.units.copy())
        occasions.append(calendar.occasions(week))
    demand, choosing = np.stack(units), np.stack(occasions)
    assert (demand[:, 1] == 1).all()
    assert (choosing[:, 1] == 1).all()
    assert demand[:, 0].argmax() == choosing[:, 0].argmax() == 49
    assert (demand[49, 0], demand[23, 0]) == pytest.approx((1.25, 0.75))
    assert demand[:, 0].mean() == pytest.approx(1.0)
    assert choosing[49, 0] == pytest.approx(1.5)


def test_without_a_season_no_bit_changes_and_with_one_sales_follow_it() -> None:
    plain = village.scenario()
    people = build_world(plain, 1, 0)
    flat = replace(plain, season=Season(0.0, 0.0, 30))
    assert differing(*(bits(advanced(m, people, village.arm(m))) for m in (plain, flat))) == []
    sales = QUARTER.index("sales")
    high = replace(plain, season=Season(0.5, 0.0, 1))
    one, other = (advanced(m, people, weeks=1) for m in (plain, high))
    assert other.firms.quarter[sales] == pytest.approx(1.5 * one.firms.quarter[sales])


def test_a_season_of_occasions_changes_how_many_choose() -> None:
    """Rate ln 2 a week: at the peak twice of it, three in four choose; half a year later none."""
    n = 20_000
    market = still(n, 1)
    market = replace(market, firms=(village.firm("firm0", programmes={}, appeal=10.0),))
    people = handmade.world(n, 1, opportunity=np.full(n, np.log(2.0)))
    for peak, share in ((1, 0.75), (27, 0.0)):
        seasonal = replace(market, season=Season(0.0, 1.0, peak))
        run = advanced(seasonal, people, weeks=1)
        assert (run.state.marks[:, PROVIDER, 0] == 0).mean() == pytest.approx(share, abs=0.0125)


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("recall", {"kind": "recal"}, r"recall\.kind='recal' is unknown; did you mean 'recall'"),
        ("recall", {"size": 11.0}, r"recall\.size \(loss of delivered quality.*\[0, 10\]"),
        ("recall", {"size": -1.0}, r"recall\.size .*\[0, 10\]"),
        ("demand", {"size": -1.1}, r"demand\.size=-1\.1 is out of range"),
        ("recall", {"cost": -1.0}, r"recall\.cost=-1\.0 is out of range"),
        ("recall", {"valence": 0.5}, r"valence=0\.5 is not read by kind 'recall'.*must be 0"),
        ("crisis", {"valence": 0.0}, "needs one below 0"),
        ("endorsement", {"valence": -0.5}, "needs one above 0"),
        ("crisis", {"cost": 5.0}, r"cost=5 is not read by kind 'crisis' \(it is by recall\)"),
        ("price_move", {"to": ("customers",)}, "is not read by kind 'price_move'.*must be all"),
        ("demand", {"firm": "ours"}, "firm='ours' is not read by kind 'demand'.*must be all"),
        ("recall", {"weeks": 0}, "whole number from 1 to 1040, or null"),
        ("recall", {"weeks": True}, "whole number from 1 to 1040, or null"),
        ("recall", {"week": 14}, r"recall\.week=14 is out of range"),
        ("recall", {"quarter": 0}, r"recall\.quarter=0 is out of range"),
        ("recall", {"chance": 1.5}, r"recall\.chance=1\.5 is out of range"),
        ("new_entrant", {"weeks": 5}, "weeks=5 is not read by kind 'new_entrant'.*must be null"),
        ("new_entrant", {"week": 2}, "a firm enters with a quarter's first week"),
        ("new_entrant", {"size": 0.5}, "size must be 1"),
    ],
)
def test_a_shock_that_cannot_be_or_would_be_ignored_is_refused(
    kind: str, changes: dict[str, object], message: str
) -> None:
    given = shock(kind, "theirs" if kind == "new_entrant" else "all")
    with pytest.raises(ValueError, match=message):
        replace(given, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (shock("recall", "our"), r"shocks\.recall\.firm='our' is unknown; did you mean 'ours'"),
        (shock("recall", to=("custmers",)), r"shocks\.recall\.to='custmers' is unknown"),
        (shock("new_entrant", "ours"), "the organization is there from the start"),
        (shock("new_entrant", "theirs"), r"stakeholders\.customers\.tied\.theirs=0\.4"),
    ],
)
def test_a_shock_that_does_not_fit_the_market_is_refused(given: Shock, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        village_with(given)


def test_shocks_of_one_name_and_shocks_on_competitors_that_there_are_not_are_refused() -> None:
    with pytest.raises(ValueError, match="shocks: names must differ"):
        village_with(shock("recall"), shock("recall"))
    alone = still(2, 1)
    with pytest.raises(ValueError, match="there is no competitor to hit"):
        replace(alone, shocks=(shock("recall", "competitors"),))


def test_a_season_of_those_who_choose_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"season\.to='employees' is unknown"):
        village.scenario(season=Season(0.1, 0.0, 1, ("employees",)))


def test_words_for_firms_mean_what_they_say() -> None:
    market = everything()
    hit = {word: market.hit(shock("recall", word)) for word in (*FIRM_WORDS, "theirs")}
    assert hit == {
        "all": (0, 1, 2),
        "organization": (0,),
        "competitors": (1, 2),
        "first_competitor": (1,),
        "last_competitor": (2,),
        "theirs": (1,),
    }
