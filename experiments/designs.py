"""Which arms and replications answer a question: portfolios, their plans at equal cost, and twins.

A portfolio says how a sum of money is divided among mechanisms and capitals and when; the study
says how large the sum is. `plan_of` turns both into money per quarter so that every portfolio has
the same present value of set-up, running, expected volume cost and investment, because comparing
plans of unequal cost compares budgets. What activity will cost depends on how well a mechanism
will work; plans count what `sim/volume.py` expects. Influence is the difference between an arm and
its twin with one flow muted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sim import kpis, volume
from sim.arms import check_governance, check_ours, funder
from sim.checks import check_fields, nearest, require_one_of
from sim.design import redesigned
from sim.fields import CAPITALS, INF, WEEKS_PER_QUARTER, freeze, number, word
from sim.flows import ORGANIZATION, Flow, muted, open_gates
from sim.influenced import Thresholds
from sim.mechanisms import Mechanism
from sim.nudging import OURS
from sim.organization import Design
from sim.plans import Arm, Nudge, Plan
from sim.scenario import Scenario
from sim.steering import Goal, Governance

WEEKS_PER_YEAR = 52
TWINS = ("first", "all", "none")
SHARE_TOLERANCE = 1e-6
HALVINGS = 53  # bits of a float


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
    design: str | None = field(
        default=None, metadata={"meaning": "how the organization is designed; null for as it is"}
    )
    governance: str | None = field(
        default=None,
        metadata={"meaning": "how its plan is managed; null for carried out as it stands"},
    )
    firm: str = word("who funds it: organization, or a competitor by name", default=OURS)

    def __post_init__(self) -> None:
        """Check names, that nothing is funded twice and that the shares sum to one."""
        check_fields(self)
        check_ours(f"portfolio.{self.key}", self.firm, self.design, self.governance)
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

    @property
    def is_ours(self) -> bool:
        """Whether it is money that the organization spends beyond today."""
        return self.spends and self.firm == OURS


@dataclass(frozen=True)
class Push:
    """An arm beside the baseline that differs from it in nudges, and perhaps in a muted flow."""

    key: str = word("name of the arm")
    label: str = word("name in reports")
    nudges: tuple[Nudge, ...] = word("what is pushed; none for the baseline with a flow muted")
    muted: int = number(0, 6, "-", "influence flow that is muted; 0 for none", default=0)

    def __post_init__(self) -> None:
        """Check ranges and that it does something."""
        check_fields(self)
        if not self.nudges and not self.muted:
            raise ValueError("nudges=[] push nothing: give at least one nudge, or mute a flow")


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
        0,
        INF,
        "currency",
        "present value of set-up, running, expected volume cost and investment of each portfolio",
    )
    headline: tuple[str, ...] = word("indicators that portfolios are ranked by, see sim/kpis.py")
    twins: str = word("arms that get six muted twins: first (baseline and best), all or none")
    lanes: int = number(1, 16, "arms", "run side by side in one pass (no result depends on it)")
    ledger: str = word(
        "arms whose influence is counted person by person: first (baseline and best), all or none"
    )
    ledger_thresholds: Thresholds = word("how far two lives must differ to count in the ledger")
    shapley: bool = word(
        "whether baseline and best are run in all 64 combinations of open flows, for exact shares"
    )
    designs: tuple[Design, ...] = field(
        default=(), metadata={"meaning": "the designs that the portfolios name"}
    )
    pushes: tuple[Push, ...] = field(
        default=(), metadata={"meaning": "arms that push the baseline somewhere"}
    )
    governances: tuple[Governance, ...] = field(
        default=(), metadata={"meaning": "the governances that the portfolios name"}
    )
    goals: tuple[Goal, ...] = field(
        default=(), metadata={"meaning": "what management reads against: the scorecard's targets"}
    )

    def __post_init__(self) -> None:
        """Check ranges, names and that the baseline is one of the portfolios."""
        check_fields(self)
        keys = [portfolio.key for portfolio in self.portfolios]
        names = [*keys, *(push.key for push in self.pushes)]
        if len(set(names)) != len(names):
            raise ValueError(f"portfolios: names must differ, got {', '.join(names)}")
        self._check_looks()
        require_one_of("baseline", self.baseline, keys)
        self._check_baseline()
        require_one_of("twins", self.twins, TWINS)
        require_one_of("ledger", self.ledger, TWINS)
        if not self.headline:
            raise ValueError("headline: at least one indicator is needed")
        if len(set(self.headline)) != len(self.headline):
            raise ValueError(f"headline: names must differ, got {', '.join(self.headline)}")
        for key in self.headline:
            require_one_of("headline", key, kpis.INDEX)
        for portfolio in self.portfolios:
            if portfolio.design is not None:
                path = f"portfolio.{portfolio.key}.design"
                require_one_of(path, portfolio.design, [design.key for design in self.designs])
            if portfolio.governance is not None:
                path = f"portfolio.{portfolio.key}.governance"
                require_one_of(path, portfolio.governance, [g.key for g in self.governances])

    def _check_baseline(self) -> None:
        """Refuse a baseline in other hands: what is advised is a change of what we do ourselves."""
        payer = next(p.firm for p in self.portfolios if p.key == self.baseline)
        if payer != OURS:
            ours = ", ".join(p.key for p in self.portfolios if p.firm == OURS) or "as_is"
            raise ValueError(
                f"baseline={self.baseline!r} is a portfolio that {payer!r} pays; everything is "
                f"compared with what the organization does, so that it must be its own: {ours}"
            )

    def _check_looks(self) -> None:
        """Refuse to look closer at arms that push: what nobody can buy is not ranked."""
        looks = (("twins", self.twins, "none"), ("ledger", self.ledger, "none"),
                 ("shapley", self.shapley, False))  # fmt: skip
        for name, value, nothing in looks:
            if self.pushes and value != nothing:
                raise ValueError(
                    f"{name}={value!r}: it is of portfolios alone, and a study with pushes has "
                    f"none; set {name}={str(nothing).lower()}"
                )

    @property
    def labels(self) -> dict[str, str]:
        """Key to label of every arm, muted twins aside: the portfolios, then the pushes."""
        bought = {portfolio.key: portfolio.label for portfolio in self.portfolios}
        return bought | {push.key: push.label for push in self.pushes}

    @property
    def n_arms(self) -> int:
        """How many arms each replication has, muted twins aside."""
        return len(self.portfolios) + len(self.pushes)

    def design_of(self, portfolio: Portfolio) -> Design | None:
        """Return the design that a portfolio names."""
        return next((d for d in self.designs if d.key == portfolio.design), None)

    def governance_of(self, portfolio: Portfolio) -> Governance | None:
        """Return the governance that a portfolio names."""
        return next((g for g in self.governances if g.key == portfolio.governance), None)


def under_each(portfolio: Portfolio, designs: Sequence[Design]) -> list[Portfolio]:
    """Return a portfolio once under each design; as it is if that cannot matter or is its own."""
    if not designs or not portfolio.is_ours or portfolio.design is not None:
        return [portfolio]
    return [
        replace(
            portfolio,
            key=f"{portfolio.key}@{design.key}",
            label=f"{portfolio.label}, {design.label[:1].lower()}{design.label[1:]}",
            design=design.key,
        )
        for design in designs
    ]


def managed_each(portfolio: Portfolio, governances: Sequence[Governance]) -> list[Portfolio]:
    """Return a portfolio once under each governance; as it is if none matters or it has one."""
    if not governances or not portfolio.is_ours or portfolio.governance is not None:
        return [portfolio]
    return [
        replace(
            portfolio,
            key=f"{portfolio.key}+{rule.key}",
            label=f"{portfolio.label}, {rule.label[:1].lower()}{rule.label[1:]}",
            governance=rule.key,
        )
        for rule in governances
    ]


def siblings(study: Study) -> dict[str, str]:
    """Return by portfolio that has a design the first one of the study with the same money."""
    money = {p.key: _money(p) for p in study.portfolios}
    return {
        p.key: next(key for key, spent in money.items() if spent == money[p.key])
        for p in study.portfolios
        if p.design is not None
    }


def managed_alike(study: Study) -> dict[str, str]:
    """Return by portfolio that has a governance the first one with the same money and design."""
    plans = {p.key: (_money(p), p.design) for p in study.portfolios}
    return {
        p.key: next(key for key, plan in plans.items() if plan == plans[p.key])
        for p in study.portfolios
        if p.governance is not None
    }


def _money(portfolio: Portfolio) -> tuple[Any, ...]:
    """Return how a portfolio divides its money."""
    capital = (dict(portfolio.capital), portfolio.capital_start, portfolio.capital_until)
    return (portfolio.firm, portfolio.items, *capital)


def plan_of(
    portfolio: Portfolio, scenario: Scenario, planned_cost: float, design: Design | None = None
) -> Plan:
    """Return a portfolio's money per quarter, scaled to a planned present value.

    What reorganizing costs is taken from `planned_cost` first; the shares divide the rest.

    Each item gets its share of `planned_cost` in present value: first its set-up (unless the
    firm that funds it runs the mechanism today), the rest as effort that rises over `ramp` quarters
    and then stays level, and as the volume cost that is expected of it.

    Raises
    ------
    ValueError
        If a mechanism is unknown, starts beyond the horizon, or its share cannot pay its set-up.
    """
    plan = Plan.nothing(len(scenario.mechanisms), scenario.quarters)
    where = f"portfolio.{portfolio.key}"
    worth, at_start = quarter_worth(scenario), start_worth(scenario)
    firm = funder(portfolio.firm, scenario, f"{where}.firm")
    planned_cost -= _reorganizing(portfolio, scenario, planned_cost, design)
    for item in portfolio.items:
        name = f"{where}.items.{item.mechanism}"
        profile = _profile(name, item.start, item.ramp, item.until, scenario.quarters)
        row = _mechanism(name, item.mechanism, scenario)
        money = item.share * planned_cost
        money -= setup_due(scenario, scenario.mechanisms[row], firm) * at_start[item.start - 1]
        if money <= 0:
            less = "" if design is None else f" (what design {design.key!r} leaves)"
            raise ValueError(
                f"{name}.share={item.share:g} of planned_cost={planned_cost:g}{less} does not pay "
                f"the set-up of {scenario.mechanisms[row].setup:g}: raise the share or planned_cost"
            )
        plan.effort[row] = profile * _level(scenario, row, profile, money, worth, firm)
    for name, share in portfolio.capital.items():
        profile = _profile(f"{where}.capital", portfolio.capital_start, 1,
                           portfolio.capital_until, scenario.quarters)  # fmt: skip
        row = CAPITALS.index(name)
        plan.investment[row] = profile * (share * planned_cost / (profile @ worth))
    return plan


def planned_present_value(
    plan: Plan, scenario: Scenario, design: Design | None = None, firm: int = ORGANIZATION
) -> float:
    """Return the present value of a firm's plan and of its design, in currency.

    Set-up, effort, expected volume, investment and what reorganizing costs.
    """
    worth, at_start = quarter_worth(scenario), start_worth(scenario)
    total = float(plan.effort.sum(axis=0) @ worth + plan.investment.sum(axis=0) @ worth)
    for row, (mechanism, effort) in enumerate(zip(scenario.mechanisms, plan.effort, strict=True)):
        total += float(volume.of_plan(scenario, row, effort, firm) @ worth)
        funded = np.flatnonzero(effort > 0)
        if funded.size:
            total += setup_due(scenario, mechanism, firm) * float(at_start[funded[0]])
    return total if design is None else total + reorganizing_worth(design, scenario)


def reorganizing_worth(design: Design, scenario: Scenario) -> float:
    """Return the present value of what a design costs, in currency.

    Raises
    ------
    ValueError
        If it starts beyond the horizon.
    """
    if design.start > scenario.quarters:
        raise ValueError(
            f"design.{design.key}.start={design.start} lies beyond the horizon of "
            f"{scenario.quarters} quarters"
        )
    return design.cost * float(start_worth(scenario)[design.start - 1])


def _reorganizing(
    portfolio: Portfolio, scenario: Scenario, planned_cost: float, design: Design | None
) -> float:
    """Return the part of a portfolio's money that its design takes; the rest must be spent."""
    if design is None:
        return 0.0
    redesigned(design, scenario.firms[ORGANIZATION], scenario.mechanisms)
    worth = reorganizing_worth(design, scenario)
    if worth > 0 and not portfolio.spends:
        raise ValueError(
            f"portfolio.{portfolio.key} spends on its design {design.key!r} alone: give it items "
            "or capital for the rest of planned_cost, so that portfolios cost the same"
        )
    if worth > planned_cost:
        raise ValueError(
            f"portfolio.{portfolio.key}.design={design.key!r} costs {worth:g} in present value, "
            f"more than planned_cost={planned_cost:g}: raise planned_cost"
        )
    return worth


def _level(
    scenario: Scenario, row: int, profile: np.ndarray, money: float, worth: np.ndarray, firm: int
) -> float:
    """Return the full effort per quarter that costs `money` today, expected volume included.

    By halving, to the last bit: what effort costs with its volume rises with effort.
    """
    most = float(money / (profile @ worth))
    if scenario.mechanisms[row].volume == 0:
        return most

    low, high = 0.0, most
    for _ in range(HALVINGS):
        level = (low + high) / 2.0
        effort = level * profile
        cost = float((effort + volume.of_plan(scenario, row, effort, firm)) @ worth)
        low, high = (low, level) if cost > money else (level, high)
    return low


def arms(study: Study, scenario: Scenario) -> list[Arm]:
    """Return one arm per portfolio, in the order of the study, all gates open; then the pushes.

    Raises
    ------
    ValueError
        If a plan cannot be paid, or a governance reads what is not there.
    """
    found = [
        Arm(
            key=portfolio.key,
            label=portfolio.label,
            plan=plan_of(portfolio, scenario, study.planned_cost, study.design_of(portfolio)),
            gates=open_gates(len(scenario.firms)),
            design=study.design_of(portfolio),
            governance=study.governance_of(portfolio),
            goals=study.goals,
            firm=portfolio.firm,
        )
        for portfolio in study.portfolios
    ]
    for arm in found:
        check_governance(arm)
    baseline = next(arm for arm in found if arm.key == study.baseline)
    return found + [_pushed(baseline, push) for push in study.pushes]


def _pushed(baseline: Arm, push: Push) -> Arm:
    gates = baseline.gates
    if push.muted:
        gates = gates * muted(Flow(push.muted), gates.shape[1])
    return replace(baseline, key=push.key, label=push.label, gates=gates, nudges=push.nudges)


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
                design=arm.design,
                nudges=arm.nudges,
                governance=arm.governance,
                goals=arm.goals,
                firm=arm.firm,
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


def setup_due(scenario: Scenario, mechanism: Mechanism, firm: int = ORGANIZATION) -> float:
    """Return what starting a mechanism costs a firm: nothing if it is a programme of today."""
    running = scenario.firms[firm].programmes
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
