"""Money: revenue, cost, profit before investment, cash, and its value today (MODEL A.11)."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.fields import WEEKS_PER_YEAR
from sim.lanes import law


@law
def discount(week: Any, rate: Any) -> Any:
    """Return the present value of one unit of money paid at the end of `week` (1 is the first)."""
    return (1.0 + rate) ** (-week / WEEKS_PER_YEAR)


@law
def growth(week: Any, rate: Any) -> Any:
    """Return how far something has grown by the end of `week`, relative to the start."""
    return (1.0 + rate) ** (week / WEEKS_PER_YEAR)


@law
def volume(price: Any, reached: Any, output: Any) -> Any:
    """Return what a week's activity costs: price per stakeholder at full output x reached x output.

    `price` in currency per week and stakeholder, `reached` stakeholders, `output` in [0, 1).
    """
    return price * reached * output


def lifetime_value(margin: Any, retention: Any, rate: Any) -> Any:
    """Return the value of a customer: yearly margin x retention / (1 + rate - retention).

    Gupta & Lehmann (2003); margin per customer-year, retention per year in [0, 1], rate per year.
    Nan where nobody leaves and nothing is discounted: such a value has no bound.
    """
    loss = 1.0 + rate - retention
    return margin * retention / np.where(loss > 0, loss, np.nan)
