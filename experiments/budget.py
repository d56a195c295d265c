"""Whether a firm's budget allows a plan, before anything is run.

The engine cuts what a quarter's budget does not allow (`sim.policies.afford`), so that a plan that
is too large for it is not the plan that is compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.designs import setup_due
from sim.fields import CAPITALS
from sim.flows import ORGANIZATION
from sim.plans import Plan
from sim.scenario import Scenario

ROUNDING = 1e-9


@dataclass(frozen=True)
class Excess:
    """A plan that the budget does not allow in full.

    Attributes
    ----------
    quarters : tuple of int
        Quarters (1 is the first) in which more is planned than allowed.
    most : float
        What is planned in the dearest of them, today's programmes and capital included, currency.
    budget : float
        What is allowed in a quarter, currency.
    """

    quarters: tuple[int, ...]
    most: float
    budget: float


def excess(plan: Plan, scenario: Scenario, firm: int = ORGANIZATION) -> Excess | None:
    """Return where a plan on top of today's spending is beyond the budget; None where it fits.

    What the firm that funds it would spend in answer to rivals or revenue is not foreseen: its
    policy is taken for passive.
    """
    payer = scenario.firms[firm]
    spent = plan.effort.sum(axis=0) + plan.investment.sum(axis=0)
    spent += sum(programme.effort for programme in payer.programmes.values())
    spent += sum(payer.capital[name].investment for name in CAPITALS)
    for mechanism, effort in zip(scenario.mechanisms, plan.effort, strict=True):
        funded = np.flatnonzero(effort > 0)
        if funded.size:
            spent[funded[0]] += setup_due(scenario, mechanism, firm)
    beyond = np.flatnonzero(spent > payer.policy.budget * (1 + ROUNDING))
    if not beyond.size:
        return None
    return Excess(tuple(int(q) + 1 for q in beyond), float(spent.max()), payer.policy.budget)
