"""What mechanisms cost by volume, do when overdone and breach, by hand; what is refused of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import handmade
import numpy as np
import pytest
import village
from handmade import advanced, arm, bits, differing, field, started, still

from experiments import designs
from sim import kpis, levers, volume
from sim.engine import Run
from sim.flows import Flow, muted
from sim.laws import capability, choice, conduct
from sim.mechanisms import Acceptability, Effect, Mechanism
from sim.organization import Programme
from sim.policies import afford
from sim.population import build_world
from sim.rng import Stream, id_of, slot_of, uniform
from sim.scenario import Scenario
from sim.state import ATTITUDE, BASE_UTILITY, BREACHES, BROKEN, FIRM_FIELDS, KEPT, MECHANISMS

RUNNING = {"mover": Programme(effort=13.0, maturity=0.5)}
SURE = Acceptability("privacy", breach=100.0, trust_cost=0.25, delay=2)


def moved_by(*effects: Effect, **changes: object) -> Scenario:
    """Return four customers in a still market whose firm runs one mechanism at output .158."""
    mover = village.mechanism("mover", *effects, half_life=1000.0, dip=0.0, **changes)
    market = replace(still(4, 1, complementarity=1.0), mechanisms=(mover,))
    return replace(market, firms=(village.firm(programmes=RUNNING),))


def at_work(run: Run) -> float:
    return float(run.firms.output[0, 0, 0])


def value(run: Run, key: str) -> float:
    return float(run.firms.lever[levers.INDEX[key], 0, 0, 0])


# ---- overdone -----------------------------------------------------------------------------------


def test_what_is_overdone_begins_beyond_its_share_of_full_output() -> None:
    """At an output y: 2 (y - .1) / .9 of strain; beyond .2, which y is not, nothing at all."""
    market = moved_by(
        Effect("impressions", (), 1.0),
        side_effects=(Effect("strain", (), 2.0, above=0.1), Effect("talk_rate", (), -0.5, 0.2)),
    )
    run = advanced(market, handmade.world(4, 1), weeks=1)
    y = at_work(run)
    assert 0.1 < y < 0.2
    assert value(run, "impressions") == y
    assert value(run, "strain") == pytest.approx(2 * (y - 0.1) / 0.9, rel=1e-12)
    assert value(run, "talk_rate") == 1.0


@pytest.mark.parametrize(("output", "above", "share"), [(0.6, 0.2, 0.5), (0.2, 0.2, 0), (0, 0, 0)])
def test_beyond_is_a_share_of_what_is_left_above(output: float, above: float, share: float) -> None:
    assert capability.beyond(output, above) == pytest.approx(share)


def test_from_the_first_on_an_effect_follows_output_to_the_last_bit() -> None:
    outputs = np.random.default_rng(1).uniform(0, 1, 100)
    assert [capability.beyond(y, 0.0) for y in outputs] == outputs.tolist()


def test_strain_takes_off_the_quality_that_people_experience() -> None:
    """Execution .4 + human readiness .5 + strain -.5: one half less on the logit."""
    plain = still(2, 1, engagement_effect=0.0)
    tiring = replace(plain, firms=(village.firm(programmes={}, levers={"strain": 0.5}),))
    logits = []
    for market in (replace(plain, firms=(village.firm(programmes={}),)), tiring):
        run = advanced(market, handmade.world(2, 1), weeks=1)
        done = float(run.firms.execution[0, 0, 0])
        logits.append(math.log(done / (1 - done)))
    assert logits[0] - logits[1] == pytest.approx(0.5, abs=1e-9)


def test_people_get_used_to_low_prices_and_miss_them_as_slowly() -> None:
    """Half way to .2 in 13 weeks: a price of 1 feels like 1 / .9; half of it is left 13 later."""
    market = still(2, 1, quarters=2, price_weight=1.0)
    market = replace(market, firms=(village.firm(programmes={}, levers={"price_erosion": 0.2}),))
    run = advanced(market, handmade.world(2, 1), weeks=13)
    assert run.firms.worn[0, 0, 0] == pytest.approx(0.1)
    assert run.drive[BASE_UTILITY, 0, 0, 0] == pytest.approx(math.log(0.9), abs=1e-6)
    run.given.lever_default[levers.INDEX["price_erosion"]] = 0.0
    for _ in range(13):
        run.advance_week(opens=False)
    assert run.firms.worn[0, 0, 0] == pytest.approx(0.05)
    assert choice.reference_price(0.0, 0.0) == 0.0


# ---- volume -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reach", "reached"), [("all", 4), ("tied", 3)])
def test_activity_costs_by_output_and_by_whom_it_reaches(reach: str, reached: int) -> None:
    """52 a quarter for all four: 1 a week and head at full output; 13 / 13 a week is the effort."""
    market = moved_by(Effect("talk_rate", ("customers",), 0.1), volume=52.0, reach=reach)
    run = advanced(market, handmade.world(4, 1, tied=[0, 0, 0, -1]), weeks=1)
    activity = reached * at_work(run)
    assert run.firms.volume[0, 0, 0] == pytest.approx(activity)
    assert run.firms.quarter[MECHANISMS, 0, 0] == pytest.approx(1.0 + activity)
    free = replace(market, mechanisms=(replace(market.mechanisms[0], volume=0.0, reach="all"),))
    other = advanced(free, handmade.world(4, 1, tied=[0, 0, 0, -1]), weeks=1)
    assert other.firms.cash[0, 0] - run.firms.cash[0, 0] == pytest.approx(activity)


def test_activity_is_paid_for_those_whom_the_mechanism_addresses_only() -> None:
    market = village.scenario(
        quarters=1,
        mechanisms=(village.mechanism("mover", Effect("talk_rate", ("employees",), 0.1),
                                      Effect("routing", (), 0.1), volume=52.0),),
        firms=tuple(village.firm(key, programmes=RUNNING) for key in ("ours", "theirs")),
    )  # fmt: skip
    run = advanced(market, build_world(market, 1, 0), village.arm(market), weeks=1)
    per_head = 52 / 13 / 80 * run.firms.output[:, 0, 0]
    assert run.firms.volume[:, 0, 0] == pytest.approx(20 * per_head)


def test_volume_stands_in_the_table_of_spending_of_its_quarter() -> None:
    market = moved_by(Effect("talk_rate", (), 0.1), volume=52.0)
    run = advanced(replace(market, quarters=2), handmade.world(4, 1))
    spent = np.stack(run.rows[2])[:, 0, 0]
    assert spent[1] == pytest.approx(run.firms.quarter[MECHANISMS, 0, 0])
    assert spent[1] == pytest.approx(13.0 + run.firms.volume[0, 0, 0])
    assert spent[0] != spent[1]


def test_a_budget_covers_what_activity_is_expected_to_cost() -> None:
    """Budget 22.5, wished 10 + 20 of effort, 5 of volume, 10 of capital: all at one half."""

    def column(*numbers: float) -> np.ndarray:
        return np.array(numbers, float)[:, None]

    effort, _, money, share = afford(
        column(10, 20), column(0, 0), column(4, 2, 4), 22.5, column(5, 0)
    )
    assert share == pytest.approx(0.5)
    assert effort[:, 0] == pytest.approx([5, 10])
    assert money[:, 0] == pytest.approx([2, 1, 2])
    effort, _, _, share = afford(column(10, 20), column(50, 0), column(0, 0, 0), 30, column(9, 0))
    assert effort[:, 0].tolist() == [0, 20], "what is not started causes no activity"
    assert share == pytest.approx(20 / 89)


def test_a_firm_looks_ahead_what_its_wish_will_cost() -> None:
    """At the quarter's start: 4 heads at 1 a week, maturity .5, readiness .5, effort 13 of 13."""
    market = moved_by(Effect("talk_rate", (), 0.1), volume=52.0)
    run = started(market, handmade.world(4, 1))
    expected = volume.of_wish(run.given, run.physics, run.firms, 0, np.array([[13.0]]))
    assert expected[0, 0] == pytest.approx(52 * 0.25 * (1 - math.exp(-1)))
    firm = replace(village.firm(programmes=RUNNING), policy=replace(
        village.firm().policy, budget=0.5 * (13 + 300 + float(expected[0, 0]))))  # fmt: skip
    poor = started(replace(market, firms=(firm,)), handmade.world(4, 1))
    assert poor.afforded == pytest.approx(0.5)
    assert poor.firms.effort[0, 0, 0] == pytest.approx(6.5)


PORTFOLIO = designs.Portfolio(
    "calls", "Calls", "Calls.", (designs.Item("mover", 1.0, start=2, ramp=2),)
)


@pytest.mark.parametrize("today", [{}, RUNNING])
def test_plans_count_the_volume_they_are_expected_to_cause(today: dict[str, Programme]) -> None:
    """In a still market what is expected is what is charged, beyond what today's effort causes."""
    market = moved_by(Effect("talk_rate", (), 0.1), volume=520.0, reach="tied")
    kind = replace(market.stakeholders[0], tied={"ours": 0.75})
    market = replace(
        market, quarters=4, stakeholders=(kind,), firms=(village.firm(programmes=today),)
    )
    plan = designs.plan_of(PORTFOLIO, market, 400.0)
    assert designs.planned_present_value(plan, market) == pytest.approx(400.0, rel=1e-9)
    assert 0 < plan.effort[0, 1] == 0.5 * plan.effort[0, 2]
    as_is, planned = arm(market), replace(arm(market, "calls"), plan=plan)
    people = handmade.world(4, 1, tied=[0, 0, 0, -1])
    spent = np.stack(advanced(market, people, as_is, planned).rows[2])[:, 0]
    worth = designs.quarter_worth(market)
    assert worth @ (spent[:, 1] - spent[:, 0]) == pytest.approx(400.0, rel=2e-3)


# ---- breaches -----------------------------------------------------------------------------------


def breaching(acceptability: Acceptability, quarters: int = 1, **firm: object) -> Scenario:
    market = moved_by(Effect("talk_rate", (), 0.1), acceptability=acceptability)
    programmes = {"mover": Programme(effort=130.0, maturity=1.0)}
    return replace(market, quarters=quarters, firms=(village.firm(programmes=programmes, **firm),))


def test_a_breach_is_known_weeks_later_and_counts_as_broken_promises_of_everybody() -> None:
    """Output one half and hazard 100: 98 % a week. Two weeks later trust begins to fall."""
    market = breaching(SURE)
    people = handmade.world(4, 1, tied=[0, 0, 0, -1])
    slot, key = slot_of("ours"), id_of("mover")
    broken, breaches = 2.0, []
    run = started(market, people)
    for week in range(1, 8):
        run.advance_week(opens=week == 1)
        drawn = float(uniform(7, 0, Stream.BREACH, key, week=week, slot=slot)[0])
        breaches.append(drawn < 1 - math.exp(-100 * at_work(run) / 13))
        broken += 0.25 * (week > 2 and breaches[week - 3])
        assert field(run, BROKEN) == pytest.approx(np.full(4, broken), abs=1e-6), week
        assert run.firms.quarter[BREACHES, 0, 0] == sum(breaches)
    assert broken >= 3.0
    assert field(run, KEPT).tolist() == [2.0] * 4


def test_a_breach_concerns_the_types_it_names_and_the_firm_that_did_it() -> None:
    concern = replace(SURE, delay=0, to=("employees",))
    market = village.scenario(
        mechanisms=(
            village.mechanism("mover", Effect("talk_rate", (), 0.1), acceptability=concern),
        ),
        firms=(
            village.firm(programmes={"mover": Programme(effort=130.0, maturity=1.0)}),
            village.firm("theirs", programmes={}),
        ),
        stakeholders=(village.kind(experience=0.0), replace(village.employees(), experience=0.0)),
    )
    run = advanced(market, build_world(market, 1, 0), village.arm(market), weeks=4)
    counted = run.firms.quarter[BREACHES, :, 0]
    assert counted[0] > 0 == counted[1]
    employees = run.world.kind == 1
    assert (field(run, BROKEN)[employees] > 2.2).all()
    assert (field(run, BROKEN)[~employees] == 2.0).all()
    assert (field(run, BROKEN, firm=1) == 2.0).all()


@pytest.mark.parametrize(("permission", "likely"), [(0.0, 0.0377), (0.5, 0.019), (1.0, 0.0)])
def test_who_asks_first_breaches_less(permission: float, likely: float) -> None:
    assert conduct.breach_chance(1.0, 0.5, permission) == pytest.approx(likely, abs=1e-3)
    market = breaching(SURE, levers={"permission": permission})
    run = advanced(market, handmade.world(4, 1), weeks=13)
    hazard = 100 / 13 * at_work(run) * (1 - permission)
    expected = 13 * (1 - math.exp(-hazard))
    assert run.firms.quarter[BREACHES, 0, 0] == pytest.approx(expected, abs=3)
    assert (run.firms.quarter[BREACHES, 0, 0] == 0) == (permission == 1)


def test_breaches_come_as_often_as_their_hazard_says() -> None:
    """Two a quarter at output near one half, 40 quarters: 40 expected, five standard deviations."""
    market = breaching(replace(SURE, breach=2.0, trust_cost=0.01), quarters=40)
    run = started(market, handmade.world(1, 1))
    total = 0.0
    for _ in range(40):
        run.advance_quarter()
        total += run.firms.quarter[BREACHES, 0, 0]
    expected = 40 * 13 * (1 - math.exp(-2 * at_work(run) / 13))
    assert total == pytest.approx(expected, abs=5 * math.sqrt(expected))


def test_arms_share_the_luck_of_breaches_and_firms_take_theirs_along() -> None:
    plan = {"acceptability": replace(SURE, breach=4.0, delay=1)}
    market = village.scenario(
        quarters=2,
        mechanisms=(village.mechanism("mover", Effect("talk_rate", (), 0.1), **plan),),
        firms=(village.firm(programmes=RUNNING), village.firm("theirs", programmes=RUNNING)),
    )
    people = build_world(market, 5, 0)
    same = [village.arm(market, key) for key in ("one", "two")]
    run = advanced(market, people, *same, seed=5)
    assert run.firms.quarter[BREACHES].sum() > 0
    assert np.array_equal(run.state.people[..., 0], run.state.people[..., 1])
    there = replace(market, firms=market.firms[::-1])
    swapped = advanced(there, build_world(there, 5, 0), village.arm(there), seed=5)
    assert (run.firms.quarter[BREACHES, 0, 0], run.firms.quarter[BREACHES, 1, 0]) == (
        swapped.firms.quarter[BREACHES, 1, 0],
        swapped.firms.quarter[BREACHES, 0, 0],
    )
    for f in range(2):
        assert np.array_equal(field(run, BROKEN, f), field(swapped, BROKEN, 1 - f))


def test_conduct_is_no_flow_unless_experience_counts_as_one() -> None:
    market = breaching(replace(SURE, delay=0))
    closed = muted(Flow.OURS_TO_STAKEHOLDERS, 1)
    lanes = [
        arm(market, "open"),
        arm(market, "muted", gates=closed),
        arm(market, "counted", gates=closed, experience_in_flow=True),
    ]
    run = advanced(market, handmade.world(4, 1), *lanes, weeks=5)
    known = [float(field(run, BROKEN, lane=lane)[0]) for lane in range(3)]
    assert known[0] == known[1] > 3
    assert known[2] == 2.0


def test_what_is_never_breached_or_never_funded_changes_no_bit() -> None:
    market = village.scenario(quarters=2)
    people = build_world(market, 1, 0)
    plain = bits(advanced(market, people, village.arm(market)))
    tagged = tuple(replace(m, acceptability=Acceptability("spin")) for m in market.mechanisms)
    unfunded = tuple(
        replace(m, acceptability=SURE, volume=50.0) if m.key in ("mining", "referral") else m
        for m in market.mechanisms
    )
    for mechanisms in (tagged, unfunded):
        other = replace(market, mechanisms=mechanisms)
        assert differing(plain, bits(advanced(other, people, village.arm(other)))) == []


# ---- what management sees -----------------------------------------------------------------------

SENSING = [row.key for row in levers.TABLE if row.law == "sensing"]


def test_what_a_firm_senses_changes_nothing_that_is_true() -> None:
    assert len(SENSING) == 8
    market = village.scenario(quarters=2)
    people = build_world(market, 1, 0)
    seeing = replace(market.firms[0], levers=dict.fromkeys(SENSING, 0.9))
    sharp = replace(market, firms=(seeing, market.firms[1]))
    one, other = (bits(advanced(m, people, village.arm(m))) for m in (market, sharp))
    # The indicators are of the truth but for those that tell how much is sensed.
    about = [kpi.key for kpi in kpis.TABLE if kpi.key in ("flow_coverage", "silo_extraction")]
    about.append("reading_weeks")
    rows = [kpis.INDEX[key] for key in about]
    one["kpi"], other["kpi"] = (np.delete(x["kpi"], rows, axis=1) for x in (one, other))
    assert differing(one, other) == ["lever", "reading"]


def test_without_mechanisms_a_firm_sees_flow_1_and_a_little_of_3() -> None:
    seen = {key: levers.lever(key).default for key in SENSING}
    assert seen == {
        "sensing_1": 0.6, "sensing_2": 0, "sensing_3": 0.3, "sensing_4": 0, "sensing_5": 0,
        "sensing_6": 0, "reading_speed": 0, "reading_care": 0,
    }  # fmt: skip
    assert all(levers.lever(key).of_firm for key in SENSING)


# ---- what is refused ----------------------------------------------------------------------------


def accepts(*args: object, **changes: object) -> Callable[[], object]:
    return lambda: Acceptability(*args, **changes)  # type: ignore[arg-type]


def makes(**changes: object) -> Callable[[], Mechanism]:
    return lambda: village.mechanism("mover", Effect("talk_rate", (), 0.1), **changes)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (accepts("spinn"), "tag='spinn' is unknown; did you mean 'spin'"),
        (accepts("none", 0.5, 1.0), "breach=0.5: with tag 'none' there is nothing to breach"),
        (accepts("spin", 0.5), "breach=0.5 and trust_cost=0 must both"),
        (accepts("spin", 0.0, 0.5), "breach=0 and trust_cost=0.5 must both"),
        (accepts("spin", -1.0, 1.0), r"breach=-1.0 is out of range"),
        (accepts("spin", 1.0, 1.0, 1.5), "delay=1.5 must be a whole number"),
        (accepts("spin", delay=9), "delay=9 is not read without breach"),
        (accepts("spin", to=("customers",)), r"to=\['customers'\] is not read without breach"),
        (makes(code="m7"), "code='m7' must be a capital letter"),
        (makes(volume=-1.0), "mover.volume=-1.0 is out of range"),
        (makes(volume=1.0, reach="some"), "reach='some' is unknown"),
        (makes(reach="tied"), "reach='tied' is not read without volume: it must be 'all'"),
        (lambda: Effect("talk_rate", (), 0.1, above=1.0), r"above=1.0 is out of range.*0.99"),
    ],
)  # fmt: skip
def test_a_mechanism_that_cannot_be_is_refused(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_side_effects_and_breaches_on_nobody_are_refused() -> None:
    side = village.mechanism("x", Effect("talk_rate", (), 0.1),
                             side_effects=(Effect("strain", ("staff",), 1.0),))  # fmt: skip
    breach = village.mechanism("x", Effect("talk_rate", (), 0.1),
                               acceptability=replace(SURE, to=("staff",)))  # fmt: skip
    for mechanism, where in ((side, "x.strain"), (breach, "x.acceptability")):
        with pytest.raises(ValueError, match=rf"mechanism\.{where}\.to='staff' is unknown"):
            village.scenario(mechanisms=(*village.MECHANISMS, mechanism))


def test_broken_promises_of_a_breach_fade_as_others_do() -> None:
    market = breaching(replace(SURE, delay=0))
    market = replace(market, physics=replace(market.physics, trust_decay=math.log(2.0)))
    run = started(market, handmade.world(4, 1))
    run.state.people[:, BROKEN] = 4.0
    run.given.breach[:] = 0.0
    run.firms.known[0, 0, 0, 0] = 0.25
    run.advance_week(opens=True)
    assert field(run, BROKEN) == pytest.approx(np.full(4, 3.25), abs=1e-6)
    assert run.state.people[:, FIRM_FIELDS * 0 + ATTITUDE].tolist() == [[0.0]] * 4
