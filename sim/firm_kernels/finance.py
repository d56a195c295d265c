"""Firms' week in money (MODEL A.11)."""

from __future__ import annotations

from typing import Any

from sim.compiled import kernel
from sim.firms import (
    DISCOUNT,
    FIXED_COST,
    FIXED_INCOME,
    PRICE,
    REFERRAL_REWARD,
    TICKET_COST,
    VARIABLE_COST,
    WEEKS,
)
from sim.lanes import law
from sim.laws import finance
from sim.state import CONTRIBUTION, INVESTMENT, MECHANISMS, PROFIT, REVENUE, SALES, VALUE


@law
def volume_week(given: Any, state: Any, f: Any, m: Any, lane: Any) -> Any:
    """Return what a week's activity of a mechanism costs a firm, by whom it reaches today."""
    reached = 0.0
    for k in range(state.tied.shape[1]):
        reached += state.tied[f, k, lane] if given.reached_tied[m, k] else given.reached[m, k]
    return finance.volume(given.volume[m], reached, state.output[f, m, lane])


@kernel
def finance_week(given: Any, state: Any, week: Any, opens: Any, counts: Any, resolved: Any) -> None:
    """Book the week's money of every firm (MODEL A.11).

    `opens` marks the first week of a quarter, in which set-up and reorganizing are charged;
    `counts` int64 (3, F, K, L) are new, lost and referred stakeholders; `resolved` float64 (F, L)
    complaints handled.
    """
    n_firms, n_mechanisms, lanes = state.maturity.shape
    n_kinds = state.tied.shape[1]
    today = finance.discount(week, given.discount)
    grown = finance.growth(week, given.growth)
    dearer = finance.growth(week, given.cost_growth)
    for f in range(n_firms):
        if given.now.present[f] == 0.0:
            continue
        for lane in range(lanes):
            sales = 0.0
            listed = 0.0
            rewards = 0.0
            for k in range(n_kinds):
                state.tied[f, k, lane] += counts[0, f, k, lane] - counts[1, f, k, lane]
                rewards += counts[2, f, k, lane] * given.firm[f, REFERRAL_REWARD]
                price = given.price[k] * given.firm[f, PRICE]
                paid = price * given.now.price[f] * (1.0 - state.lever[DISCOUNT, f, k, lane])
                bought = state.tied[f, k, lane] * given.units[k] * given.now.units[k] * grown
                sales += bought * paid
                listed += bought * price
            spent = 0.0
            for m in range(n_mechanisms):
                spent += state.effort[f, m, lane] / WEEKS
                if opens:
                    spent += state.due[f, m, lane]
                if given.volume[m] > 0.0:
                    activity = volume_week(given, state, f, m, lane)
                    state.volume[f, m, lane] += activity
                    spent += activity
            if opens:
                spent += state.reorganization[f, lane]
            invested = 0.0
            for c in range(3):
                invested += state.investment[f, c, lane] / WEEKS
            contribution = sales - listed * given.firm[f, VARIABLE_COST]
            profit = (
                contribution
                + given.firm[f, FIXED_INCOME]
                - spent
                - resolved[f, lane] * given.firm[f, TICKET_COST]
                - rewards
                - dearer * given.firm[f, FIXED_COST]
                - given.now.cost[f]
            )
            state.cash[f, lane] += profit - invested
            state.worth[f, lane] += (profit - invested) * today
            state.quarter[REVENUE, f, lane] += sales + given.firm[f, FIXED_INCOME]
            state.quarter[SALES, f, lane] += sales
            state.quarter[CONTRIBUTION, f, lane] += contribution
            state.quarter[PROFIT, f, lane] += profit
            state.quarter[MECHANISMS, f, lane] += spent
            state.quarter[INVESTMENT, f, lane] += invested
            state.quarter[VALUE, f, lane] += (profit - invested) * today
