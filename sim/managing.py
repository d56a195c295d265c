"""Managing: how a governance acts on one arm's plan, quarter after quarter.

The organization knows its reports (readings, later and blurred where its scorecard is immature) and
its own books: what it spends, and how mature its mechanisms are. All money it moves is the plan's:
today's programmes stay, and what a quarter costs, expected activity included, is never more than
planned. Money goes only to what is planned in the quarter or set up already, so that nothing is set
up that the plan does not pay for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sim import governance as rules
from sim import sensing
from sim.catalogue import INDEX, TABLE
from sim.plans import Arm
from sim.rng import Stream, id_of, normal
from sim.scenario import Scenario
from sim.state import add_up
from sim.steering import Governance

MARGIN = INDEX["operating_margin"]
REPORTS = 1  # block of the draws that blur reports; 0 blurs readings
HALVINGS = 20  # of the share that fits what was planned: a millionth


class Reports:
    """What an organization's own reporting makes of its readings, on luck that all arms share."""

    def __init__(self, address: tuple[int, int], slot: int, quarters: int) -> None:
        closes = np.arange(quarters + 1)[:, None]
        ids = np.array([id_of(kpi.key) for kpi in TABLE], np.uint64)[None]
        drawn = normal(*address, Stream.READING, ids, week=closes, block=REPORTS, slot=slot)
        self.luck = drawn[..., 0].astype(np.float64)
        self.units = np.array([sensing.family(kpi.unit) for kpi in TABLE])

    def of(self, readings: Sequence[np.ndarray], lane: int, rule: Governance) -> np.ndarray:
        """Return the report at the last close, (n indicators,); nan where nothing was read.

        At maturity m it is (1 - m) x `late` quarters old, and blurred by (1 - m) x `noise` x the
        spread of a single answer (see sim/sensing.py).
        """
        immature = 1.0 - rule.maturity
        column = [row[:, [lane]] for row in readings]
        past = sensing.earlier(column, np.array([immature * rule.late]))[:, 0]
        if immature * rule.noise == 0:
            return past
        blur = immature * rule.noise * sensing.spread(past, self.units)
        low, high = sensing.RANGES[self.units].T
        report = past + blur * self.luck[len(readings) - 1]
        return np.clip(report, np.minimum(low, past), np.maximum(high, past))


class Office:
    """The office that manages one arm's plan; what it has learnt and decided so far.

    Attributes
    ----------
    moved : float (M,)
        Single loop: shares of the plan's effort that stand elsewhere than planned.
    worth : float (M,)
        Double loop: what money is worth at each mechanism, 1 as planned.
    belief, doubt : float (M + 1,), (M + 1, M + 1)
        Double loop: steps of the headline's goal that a quarter's working effort (effort x
        maturity) on each mechanism brings, were the whole plan's mean effort spent on it; last what
        happens anyway. At first 1 each, the plan reaching its goal in time, and 0, as uncertain as
        the error.
    below : int
        Quarters in a row with a margin below what the board bears.
    """

    def __init__(self, scenario: Scenario, arm: Arm, rule: Governance, reports: Reports) -> None:
        self.rule, self.reports, self.plan = rule, reports, arm.plan
        self.quarters = scenario.quarters
        looked_at = set(rule.indicators) or {goal.kpi for goal in arm.goals}
        self.goals = [goal for goal in arm.goals if goal.kpi in looked_at]
        self.headline = next((goal for goal in arm.goals if goal.kpi == rule.headline), None)
        self.rows = np.array([INDEX[goal.kpi] for goal in self.goals], np.int64)
        self.weight = np.array([goal.weight for goal in self.goals], float)
        self.aims = rules.aims_at(scenario.mechanisms, [goal.kpi for goal in self.goals])
        self.shown = rules.aims_at(scenario.mechanisms, rule.shown).sum(axis=1).astype(float)
        n = len(scenario.mechanisms)
        self.moved, self.worth, self.below = np.zeros(n), np.ones(n), 0
        self.belief = np.append(np.ones(n), 0.0)
        self.doubt = np.diag(np.append(np.full(n, rule.doubt), rule.error) ** 2)
        totals = arm.plan.effort.sum(axis=0)
        self.typical = float(totals[totals > 0].mean()) if totals.any() else 1.0
        self.known: list[np.ndarray] = []
        self.spent: list[np.ndarray] = []

    def decide(
        self,
        quarter: int,
        readings: Sequence[np.ndarray],
        lane: int,
        maturity: np.ndarray,
        open_: np.ndarray,
    ) -> np.ndarray:
        """Take note of the last close and return the effort of the quarter that begins, (M,).

        Parameters
        ----------
        quarter : int
            The quarter that begins, 1 for the first.
        readings : sequence of float (n indicators, L)
            At every close so far, the opening first.
        maturity : float (M,)
            Of its mechanisms at the last close.
        open_ : bool (M,)
            Whether a mechanism has been set up.
        """
        rule, planned = self.rule, self.plan.effort[:, quarter - 1]
        self.known.append(self.reports.of(readings, lane, rule))
        margins = [report[MARGIN] for report in self.known]
        self.below = rules.quarters_below(
            self.below, margins[-1], _first(margins), rule.board.tolerance
        ) if quarter > 1 else 0  # fmt: skip
        allowed = (planned > 0) | open_
        if rule.loop == "double":
            self._learn(maturity)
        if quarter > 1 and (quarter - 1) % rule.cadence == 0:
            self._review(quarter, allowed)
        effort = planned
        if rule.loop == "single":
            effort = rules.managed(planned, self.moved, allowed)
        elif rule.loop == "double":
            effort = rules.reweighted(planned, self.worth)
        return rules.drifted(effort, np.where(allowed, self.shown, 0.0), rule.drift)

    def cut(self, patience: float) -> float:
        """Return the share of the quarter's planned money that the board takes."""
        board = self.rule.board
        return rules.board_cut(self.below, board.after, board.cut, patience)

    def note(self, effort: np.ndarray) -> None:
        """Remember what a quarter's effort (M,) came to."""
        self.spent.append(effort)

    def _review(self, quarter: int, allowed: np.ndarray) -> None:
        """Change what stands elsewhere than planned, or what money is held to be worth."""
        step = self.rule.step * (1.0 - (1.0 - self.rule.maturity) * self.rule.unacted)
        if self.rule.loop == "single":
            towards = rules.remedies(
                self._gaps(quarter - 1), self.weight, self.aims & allowed[:, None]
            )
            self.moved = step * towards
        elif self.rule.loop == "double":
            self.worth = rules.worth_now(self.worth, self.belief[:-1], step)

    def _gaps(self, close: int) -> np.ndarray:
        """Return how far each indicator reads short of its goal of that close."""
        gaps = np.zeros(len(self.goals))
        for i, (goal, row) in enumerate(zip(self.goals, self.rows, strict=True)):
            wanted, red_flag = goal.path(self._opening(row))
            gaps[i] = rules.shortfall(wanted[close], red_flag[close], self.known[-1][row])
        return gaps

    def _learn(self, maturity: np.ndarray) -> None:
        """Explain the headline's last change by the effort that was at work in the quarter."""
        if self.headline is None or len(self.known) < 2:
            return
        row = INDEX[self.headline.kpi]
        wanted, _ = self.headline.path(self._opening(row))
        change, goal_step = self.known[-1][row] - self.known[-2][row], wanted[1] - wanted[0]
        if np.isnan(change) or np.isnan(goal_step) or goal_step == 0:
            return
        cause = np.append(self.spent[-1] * maturity / self.typical, 1.0)
        self.belief, self.doubt = rules.learn(
            self.belief,
            self.doubt,
            cause,
            float(change / goal_step),
            self.rule.error,
            self.rule.memory,
        )

    def _opening(self, row: int) -> np.ndarray:
        """Return what targets refer to: the first report of an indicator, repeated."""
        return np.full(self.quarters + 1, _first([report[row] for report in self.known]))


def _first(values: Sequence[float]) -> float:
    """Return the first value that is known, nan if none is."""
    return next((float(value) for value in values if not np.isnan(value)), float("nan"))


def office(scenario: Scenario, arm: Arm, reports: Reports) -> Office | None:
    """Return the office of an arm; None where its plan is carried out as it stands."""
    rule = arm.governance
    if rule is None or not rule.acts or not (arm.plan.effort.any() or arm.plan.investment.any()):
        return None
    return Office(scenario, arm, rule, reports)


def within(
    planned: np.ndarray, effort: np.ndarray, cost: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return effort (M, L), scaled where it costs more than planned so that it does not.

    Parameters
    ----------
    cost : function of float (M, L)
        What the activity that an effort buys is expected to cost, (M, L).
    """
    if np.array_equal(planned, effort):
        return effort
    most = add_up(planned) + add_up(cost(planned))
    fits = add_up(effort) + add_up(cost(effort)) <= most * (1.0 + 1e-12)
    if fits.all():
        return effort
    low, high = np.zeros(fits.shape), np.ones(fits.shape)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        tried = effort * middle
        dear = add_up(tried) + add_up(cost(tried)) > most
        low, high = np.where(dear, low, middle), np.where(dear, middle, high)
    return np.where(fits, effort, effort * low)


class Management:
    """The offices of every lane; lanes without one carry out their plan as it stands."""

    def __init__(
        self, scenario: Scenario, arms: Sequence[Arm], address: tuple[int, int], slot: int
    ) -> None:
        reports = Reports(address, slot, scenario.quarters)
        self.offices = [office(scenario, arm, reports) for arm in arms]

    def govern(
        self,
        quarter: int,
        planned: tuple[np.ndarray, np.ndarray],
        readings: Sequence[np.ndarray],
        knows: tuple[np.ndarray, np.ndarray, np.ndarray],
        cost: Callable[[np.ndarray], np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return effort (M, L) and investment (3, L) beyond today, and the board's cut (L,).

        Parameters
        ----------
        quarter : int
            The quarter that begins, 1 for the first.
        planned : (float (M, L), float (3, L))
            The plan's effort and investment of the quarter.
        readings : sequence of float (n indicators, L)
            At every close so far, the opening first.
        knows : (float (M, L), (M, L), float (L,))
            Maturity at the last close, whether a mechanism has been set up, the lever `patience`.
        cost : function of float (M, L)
            What the activity that an effort beyond today buys is expected to cost, (M, L).
        """
        effort, investment = planned
        cut = np.zeros(effort.shape[1])
        offices = [(lane, desk) for lane, desk in enumerate(self.offices) if desk is not None]
        if not offices:
            return effort, investment, cut
        maturity, opened, patience = knows
        effort = effort.copy()
        for lane, desk in offices:
            known = (maturity[:, lane].copy(), opened[:, lane] > 0)
            effort[:, lane] = desk.decide(quarter, readings, lane, *known)
            cut[lane] = desk.cut(float(patience[lane]))
        effort = within(planned[0], effort, cost) * (1.0 - cut)
        for lane, desk in offices:
            desk.note(effort[:, lane].copy())
        return effort, investment * (1.0 - cut), cut
