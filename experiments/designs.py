"""Which arms and replications answer a question: portfolios, their plans at equal cost, and twins.

A portfolio says how a sum of money is divided among mechanisms and capitals and when; the study
says how large the sum is. `plan_of` turns both into money per quarter so that every portfolio has
the same present value of set-up, running and investment, because comparing plans of unequal cost
compares budgets. Influence is the difference between an arm and its twin with one flow muted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sim import kpis
from sim.checks import check_fields, nearest, require_one_of
from sim.flows import ORGANIZATION, Flow, muted, open_gates
from sim.scenario import (
    CAPITALS,
    INF,
    WEEKS_PER_QUARTER,
    Arm,
    Mechanism,
    Plan,
    Scenario,
    freeze,
    number,
    word,
)

WEEKS_PER_YEAR = 52
TWINS = ("first", "all", "none")
SHARE_TOLERANCE = 1e-6


def _from_first(default: int, unit: str, meaning: str) -> Any:
    return field(
        default=default,
        metadata={"low": 1, "high": 80, "unit": unit, "meaning": meaning, "source": ""},
    )


def _to_the_end(meaning: str) -> Any:
    return field(default=None, metadata={"unit": "quarter", "meaning": meaning})


@dataclass(frozen=True)
class Item:
    """One mechanism of a portfolio: how much of the money it gets and when."""

    mechanism: str = word("mechanism that is funded")
    share: float = number(0, 1, "share", "of the planned present value, set-up included")
    start: int = _from_first(1, "quarter", "first funded quarter (1 is the first)")
    ramp: int = _from_first(1, "quarters", "until the full effort is reached (1 starts in full)")
    until: int | None = _to_the_end("last funded quarter (1-80); null for the horizon")

    def __post_init__(self) -> None:
        """Check ranges and that the end does not precede the start."""
        check_fields(self)
        check_until(f"items.{self.mechanism}", self.start, self.until)


@dataclass(frozen=True)
class Portfolio:
    """A way to divide a sum of money among mechanisms and capitals over time."""

    key: str = word("name in settings")
    label: str = word("name in reports")
    description: str = word("one sentence")
    items: tuple[Item, ...] = word("the mechanisms it funds; none for what is done today")
    capital: Mapping[str, float] = field(
        default_factory=dict,
        metadata={
            "meaning": "share of the planned present value in each capital; none if left out"
        },
    )
    capital_start: int = _from_first(1, "quarter", "first quarter of investment in capital")
    capital_until: int | None = _to_the_end("last quarter of investment; null for the horizon")

    def __post_init__(self) -> None:
        """Check names, that nothing is funded twice and that the shares sum to one."""
        check_fields(self)
        freeze(self, "capital")
        check_until("capital", self.capital_start, self.capital_until)
        for name, share in self.capital.items():
            require_one_of("capital", name, CAPITALS)
            if not 0 <= share <= 1:
                raise ValueError(f"capital.{name}={share!r} is out of range: it must lie in [0, 1]")
        names = [item.mechanism for item in self.items]
        if len(set(names)) != len(names):
            raise ValueError(f"items fund a mechanism twice: {', '.join(names)}")
        total = sum(item.share for item in self.items) + sum(self.capital.values())
        if (self.items or self.capital) and abs(total - 1) > SHARE_TOLERANCE:
            raise ValueError(f"the shares of items and capital must sum to 1, not {total:g}")

    @property
    def spends(self) -> bool:
        """Whether it spends anything beyond today."""
        return bool(self.items or self.capital)


@dataclass(frozen=True)
class Study:
    """A question to the model: which portfolios are compared, at what cost and how often."""

    key: str = word("name of the experiment")
    label: str = word("name in reports")
    question: str = word("what is asked, in one sentence")
    portfolios: tuple[Portfolio, ...] = word("what is compared, the baseline among them")
    baseline: str = word("portfolio that the others are compared with")
    replications: int = number(1, 100_000, "replications", "random worlds per portfolio")
    seed: int = number(0, 2**32 - 1, "-", "seed of all random worlds")
    planned_cost: float = number(
        0, INF, "currency", "present value of set-up, running and investment of each portfolio"
    )
    headline: tuple[str, ...] = word("indicators that portfolios are ranked by, see sim/kpis.py")
    twins: str = word("arms that get six muted twins: first (baseline and best), all or none")
    lanes: int = number(1, 16, "arms", "run side by side in one pass (no result depends on it)")

    def __post_init__(self) -> None:
        """Check ranges, names and that the baseline is one of the portfolios."""
        check_fields(self)
        keys = [portfolio.key for portfolio in self.portfolios]
        if len(set(keys)) != len(keys):
            raise ValueError(f"portfolios: names must differ, got {', '.join(keys)}")
        require_one_of("baseline", self.baseline, keys)
        require_one_of("twins", self.twins, TWINS)
        if not self.headline:
            raise ValueError("headline: at least one indicator is needed")
        if len(set(self.headline)) != len(self.headline):
            raise ValueError(f"headline: names must differ, got {', '.join(self.headline)}")
        for key in self.headline:
            require_one_of("headline", key, kpis.INDEX)


def plan_of(portfolio: Portfolio, scenario: Scenario, planned_cost: float) -> Plan:
    """Return a portfolio's money per quarter, scaled to a planned present value.

    Each item gets its share of `planned_cost` in present value: first its set-up (unless the
    organization runs the mechanism today), the rest as effort that rises over `ramp` quarters and
    then stays level.

    Raises
    ------
    ValueError
        If a mechanism is unknown, starts beyond the horizon, or its share cannot pay its set-up.
    """
    plan = Plan.nothing(len(scenario.mechanisms), scenario.quarters)
    where = f"portfolio.{portfolio.key}"
    worth, at_start = quarter_worth(scenario), start_worth(scenario)
    for item in portfolio.items:
        name = f"{where}.items.{item.mechanism}"
        profile = _profile(name, item.start, item.ramp, item.until, scenario.quarters)
        row = _mechanism(name, item.mechanism, scenario)
        money = item.share * planned_cost
        money -= setup_due(scenario, scenario.mechanisms[row]) * at_start[item.start - 1]
        if money <= 0:
            raise ValueError(
                f"{name}.share={item.share:g} of planned_cost={planned_cost:g} does not pay the "
                f"set-up of {scenario.mechanisms[row].setup:g}: raise the share or planned_cost"
            )
        plan.effort[row] = profile * (money / (profile @ worth))
    for name, share in portfolio.capital.items():
        profile = _profile(f"{where}.capital", portfolio.capital_start, 1,
                           portfolio.capital_until, scenario.quarters)  # fmt: skip
        row = CAPITALS.index(name)
        plan.investment[row] = profile * (share * planned_cost / (profile @ worth))
    return plan


def planned_present_value(plan: Plan, scenario: Scenario) -> float:
    """Return the present value of set-up, running and investment of a plan, in currency."""
    worth, at_start = quarter_worth(scenario), start_worth(scenario)
    total = float(plan.effort.sum(axis=0) @ worth + plan.investment.sum(axis=0) @ worth)
    for mechanism, effort in zip(scenario.mechanisms, plan.effort, strict=True):
        funded = np.flatnonzero(effort > 0)
        if funded.size:
            total += setup_due(scenario, mechanism) * float(at_start[funded[0]])
    return total


def arms(study: Study, scenario: Scenario) -> list[Arm]:
    """Return one arm per portfolio, in the order of the study, all gates open."""
    return [
        Arm(
            key=portfolio.key,
            label=portfolio.label,
            plan=plan_of(portfolio, scenario, study.planned_cost),
            gates=open_gates(len(scenario.firms)),
        )
        for portfolio in study.portfolios
    ]


def twins(arm: Arm, n_firms: int) -> list[tuple[Flow, Arm]]:
    """Return the arm's six twins, each with one flow muted, in the order of the flows."""
    return [
        (
            flow,
            Arm(
                key=f"{arm.key}~flow{flow.value}",
                label=f"{arm.label} without flow {flow.value}",
                plan=arm.plan,
                gates=arm.gates * muted(flow, n_firms),
                physics=arm.physics,
            ),
        )
        for flow in Flow
    ]


def quarter_worth(scenario: Scenario) -> np.ndarray:
    """Return the present value of one unit of money spent evenly over each quarter's weeks.

    float64 (quarters,) in (0, 1]; efforts and investment are spent so.
    """
    worth: np.ndarray = _week_worth(scenario).mean(axis=1)
    return worth


def start_worth(scenario: Scenario) -> np.ndarray:
    """Return the present value of one unit of money spent in the first week of each quarter.

    float64 (quarters,) in (0, 1]; set-up is paid so.
    """
    return _week_worth(scenario)[:, 0]


def setup_due(scenario: Scenario, mechanism: Mechanism) -> float:
    """Return what starting a mechanism costs: nothing if it is a programme of today."""
    running = scenario.firms[ORGANIZATION].programmes
    return 0.0 if mechanism.key in running else mechanism.setup


def _week_worth(scenario: Scenario) -> np.ndarray:
    """Return (quarters, 13): a week's money is paid at its end, as in `sim/laws/finance.py`."""
    weeks = np.arange(1, scenario.quarters * WEEKS_PER_QUARTER + 1)
    factors: np.ndarray = (1.0 + scenario.finance.discount_rate) ** (-weeks / WEEKS_PER_YEAR)
    return factors.reshape(scenario.quarters, WEEKS_PER_QUARTER)


def check_until(name: str, start: int, until: int | None) -> None:
    """Raise ValueError unless `until` is empty or a quarter from `start` to 80."""
    if until is not None and not start <= until <= 80:
        raise ValueError(
            f"{name}: until={until!r} is out of range: it must lie in [{start}, 80] or be null"
        )


def _profile(name: str, start: int, ramp: int, until: int | None, quarters: int) -> np.ndarray:
    if start > quarters:
        horizon = f"{quarters} quarter{'s' * (quarters > 1)}"
        raise ValueError(
            f"{name}: start={start} lies beyond the horizon of {horizon}: "
            f"ask for quarters={start} or more, or leave this portfolio out by "
            "portfolios=[NAME, ...]"
        )
    funded = np.arange(1, quarters + 1) - (start - 1)
    profile = np.clip(funded / ramp, 0.0, 1.0)
    if until is not None:
        profile[until:] = 0.0
    return profile


def _mechanism(name: str, key: str, scenario: Scenario) -> int:
    keys = [mechanism.key for mechanism in scenario.mechanisms]
    if key not in keys:
        raise ValueError(f"{name}: unknown mechanism {key!r}{nearest(key, keys)}")
    return keys.index(key)
