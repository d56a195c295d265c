"""What the shipped scenarios teach: results a class or a board may rely on, on the shipped luck.

Every statement is about means of paired differences and their 95 % intervals. If a change of a law
or of a number moves one of them, the scenario's comments and docs/model.md have to change with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats

from experiments import designs
from experiments.settings import load
from sim import kpis
from sim.engine import simulate
from sim.flows import open_gates
from sim.mechanisms import Effect, Mechanism
from sim.plans import Arm, Plan
from sim.scenario import Scenario

AS_IS = "as_is"
PROBE_READY = 0.5  # readiness of human capital that all of Attenzi's mechanisms start from


@dataclass(frozen=True)
class Runs:
    """Indicators of arms on the luck of some replications: (replication, quarter, kpi, arm)."""

    arms: tuple[str, ...]
    kpi: np.ndarray
    voices: np.ndarray  # (replication, quarter, arm): voices about us

    def level(self, key: str, quarters: slice, arm: str = AS_IS) -> float:
        """Return the mean of an indicator over quarters, 1 being the first."""
        values = self.kpi[:, quarters, kpis.INDEX[key], self.arms.index(arm)]
        return float(np.nanmean(values))

    def gain(self, arm: str, key: str, quarter: int = -1) -> tuple[float, float, float]:
        """Return mean and 95 % interval of an arm minus as is."""
        column = self.kpi[:, quarter, kpis.INDEX[key]]
        gap = column[:, self.arms.index(arm)] - column[:, self.arms.index(AS_IS)]
        half = stats.t.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap))
        return float(gap.mean()), float(gap.mean() - half), float(gap.mean() + half)

    def better(self, arm: str, key: str) -> bool:
        """Whether the interval lies above 0."""
        return self.gain(arm, key)[1] > 0

    def worse(self, arm: str, key: str) -> bool:
        """Whether the interval lies below 0."""
        return self.gain(arm, key)[2] < 0

    def grown(self, arm: str, key: str, quarters: slice) -> float:
        """Return the relative difference of an arm from as is over quarters."""
        return self.level(key, quarters, arm) / self.level(key, quarters) - 1.0


def run(scenario: Scenario, arms: list[Arm], replications: int) -> Runs:
    """Run arms on the luck of seed 1, as the command does by default."""
    made = [simulate(scenario, arms, 1, replication) for replication in range(replications)]
    people = np.array([kind.count for kind in scenario.stakeholders])
    rows = [kpis.MEASURES.index(name) for name in ("positive_voices", "negative_voices")]
    return Runs(
        tuple(arm.key for arm in arms),
        np.stack([m.kpi for m in made]),
        np.stack([np.einsum("qvka,k->qa", m.measures[:, rows, :, 0], people) for m in made]),
    )


def asked(name: str, replications: int, *overrides: str) -> Runs:
    """Run the portfolios of a scenario's default question."""
    made = load([f"scenario={name}", *overrides])
    return run(made.scenario, designs.arms(made.study, made.scenario), replications)


@pytest.fixture(scope="module")
def village() -> Runs:
    return asked("village", 30)


@pytest.fixture(scope="module")
def association() -> Runs:
    return asked("association", 16)


@pytest.fixture(scope="module")
def attenzi() -> Runs:
    return asked("attenzi", 24)


@pytest.fixture(scope="module")
def transformed() -> Runs:
    some = "[as_is,advertising_only,listening_first,balanced_transformation]"
    return asked("attenzi", 6, "planned_cost=12000", f"portfolios={some}")


def test_the_village_is_tiny() -> None:
    made = load(["scenario=village"])
    assert sum(kind.count for kind in made.scenario.stakeholders) < 500
    assert made.scenario.quarters <= 12
    assert len(made.study.portfolios) <= 10


@pytest.mark.parametrize("arm", ["product_excellence", "advertising_only"])
def test_in_the_village_bread_and_some_advertising_pay(village: Runs, arm: str) -> None:
    assert village.better(arm, "net_present_value")
    assert village.better(arm, "market_share")


@pytest.mark.parametrize(
    "arm", ["fast_service", "social_listening", "listening_first", "transparency"]
)
def test_in_the_village_some_mechanisms_do_not_pay_in_ten_quarters(village: Runs, arm: str) -> None:
    assert village.worse(arm, "net_present_value")


def test_in_the_village_bold_promises_backfire(village: Runs) -> None:
    for key in ("trust", "satisfaction", "net_sentiment"):
        assert village.worse("bold_promises", key), key
    assert not village.better("bold_promises", "net_present_value")
    share = {arm: village.gain(arm, "market_share")[0] for arm in village.arms}
    assert share["bold_promises"] < 0.7 * share["advertising_only"]


def test_in_the_village_keeping_ones_word_is_what_builds_trust(village: Runs) -> None:
    gains = {arm: village.gain(arm, "trust")[0] for arm in village.arms}
    assert max(gains, key=gains.__getitem__) == "transparency"
    assert village.better("transparency", "trust")


def test_in_the_association_keeping_ones_word_is_what_builds_trust(association: Runs) -> None:
    gains = {arm: association.gain(arm, "trust")[0] for arm in association.arms}
    assert max(gains, key=gains.__getitem__) == "transparency"
    assert association.better("transparency", "trust")
    assert association.better("transparency", "net_sentiment")


def test_in_the_association_advertising_brings_people_and_costs_trust(association: Runs) -> None:
    assert association.better("advertising_only", "market_share")
    assert association.worse("advertising_only", "trust")
    assert not association.better("transparency", "market_share")


def test_in_the_association_members_who_meet_and_speak_bring_people(association: Runs) -> None:
    for arm in ("owners_community", "employee_advocacy"):
        assert association.better(arm, "market_share")


def test_in_the_association_answering_letters_keeps_members(association: Runs) -> None:
    for key in ("complaints_resolved", "retention", "trust", "net_sentiment"):
        assert association.better("complaint_recovery", key), key


def test_attenzi_grows_with_its_industry_at_a_margin_near_five_per_cent(attenzi: Runs) -> None:
    assert attenzi.level("revenue", slice(1, 5)) == pytest.approx(102_000, rel=0.03)
    assert attenzi.level("operating_margin", slice(1, 5)) == pytest.approx(0.055, abs=0.01)
    growth = attenzi.level("revenue", slice(9, 13)) / attenzi.level("revenue", slice(1, 5))
    assert 1.03 < growth ** (1 / 2) < 1.05


def test_attenzi_leaves_some_complaints_unanswered_but_not_at_once(attenzi: Runs) -> None:
    assert attenzi.level("complaints_resolved", slice(1, 5)) > 0.97
    assert 0.65 < attenzi.level("complaints_resolved", slice(9, 13)) < 0.95


def test_attenzis_complaint_recovery_mends_more_than_it_earns(attenzi: Runs) -> None:
    for key in ("complaints_resolved", "satisfaction", "trust"):
        assert attenzi.better("complaint_recovery", key), key
    assert attenzi.worse("complaint_recovery", "net_present_value")


def test_at_attenzi_hearing_more_changes_less_than_designing_together(attenzi: Runs) -> None:
    heard, designed = (
        attenzi.gain(arm, "offering_fit")[0] for arm in ("social_listening", "co_design")
    )
    assert attenzi.better("co_design", "offering_fit")
    assert designed > 3 * heard > 0


def test_attenzis_portfolios_can_be_told_apart(attenzi: Runs) -> None:
    assert attenzi.better("product_excellence", "net_present_value")
    clear = [
        arm
        for arm in attenzi.arms
        if attenzi.better(arm, "net_present_value") or attenzi.worse(arm, "net_present_value")
    ]
    assert len(clear) >= 8


@pytest.mark.parametrize("arm", ["listening_first", "balanced_transformation"])
def test_a_transformation_is_worse_before_it_is_better(transformed: Runs, arm: str) -> None:
    margin = [transformed.gain(arm, "operating_margin", quarter)[0] for quarter in range(1, 13)]
    assert max(margin[:8]) < 0
    assert margin[11] > 0


@pytest.mark.parametrize("arm", ["listening_first", "balanced_transformation"])
def test_advertising_leads_a_transformation_and_then_falls_behind(
    transformed: Runs, arm: str
) -> None:
    ads, other = (
        [transformed.gain(name, "market_share", quarter)[0] for quarter in (4, 12)]
        for name in ("advertising_only", arm)
    )
    assert ads[0] > 2 * other[0]
    assert ads[1] < other[1]


# ---- sizes, held against published ones (docs/model.md) ------------------------------------------


def probe(key: str, lever: str, by: float, to: tuple[str, ...] = ()) -> Mechanism:
    """Return a mechanism that moves one lever by `by` at once and costs next to nothing."""
    return Mechanism(
        key=key, label=key, description=key, flows=(1,), owner="marketing",
        needs={"human": 1.0}, setup=0.0, running=0.001, half_life=0.1, maturity="exponential",
        dip=0.0, effects=(Effect(lever=lever, by=by / PROBE_READY, to=to),),
    )  # fmt: skip


@pytest.fixture(scope="module")
def probed() -> Runs:
    """Attenzi with half as much advertising money again, a tenth more talk, a price cut by 5 %."""
    scenario = load(["scenario=attenzi"]).scenario
    customers = tuple(kind.key for kind in scenario.stakeholders if kind.customer)
    probes = (probe("talk", "talk_rate", 0.1), probe("cheaper", "discount", 0.05, customers))
    scenario = replace(scenario, mechanisms=(*scenario.mechanisms, *probes))
    money = {
        "brand_advertising": 0.5 * scenario.firms[0].programmes["brand_advertising"].effort,
        **{mechanism.key: 0.05 for mechanism in probes},
    }
    arms = [Arm(AS_IS, AS_IS, plan(scenario, {}), open_gates(3))]
    arms += [
        Arm(key, key, plan(scenario, {key: sum_}), open_gates(3)) for key, sum_ in money.items()
    ]
    return run(scenario, arms, 24)


def plan(scenario: Scenario, effort: dict[str, float]) -> Plan:
    """Return the plan that spends some money per quarter on some mechanisms, all the time."""
    made = Plan.nothing(len(scenario.mechanisms), scenario.quarters)
    for key, money in effort.items():
        made.effort[scenario.mechanism(key)] = money
    return made


def test_advertising_is_as_elastic_as_published(probed: Runs) -> None:
    first = probed.grown("brand_advertising", "gross_adds", slice(1, 3)) / 0.5
    third_year = probed.grown("brand_advertising", "gross_adds", slice(9, 13)) / 0.5
    assert 0.07 < first < 0.16
    assert first < third_year < 0.24


def test_advertising_buys_hardly_any_talk(probed: Runs) -> None:
    more = probed.voices[:, 1:5, probed.arms.index("brand_advertising")].sum()
    assert 0 < more / probed.voices[:, 1:5, 0].sum() - 1 < 0.5 * 0.05


def test_talk_is_as_elastic_as_published(probed: Runs) -> None:
    assert 0.15 < probed.grown("talk", "gross_adds", slice(1, 3)) / 0.1 < 0.4


def test_price_is_as_elastic_as_published(probed: Runs) -> None:
    gain = np.log1p(probed.grown("cheaper", "gross_adds", slice(1, 3)))
    assert -2.7 < gain / np.log(0.95) < -1.5
