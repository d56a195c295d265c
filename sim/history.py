"""What a run leaves behind: arrays by quarter, arms last."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class History:
    """What a set of arms did on one replication's luck; A arms, Q quarters.

    Attributes
    ----------
    kpi : float64 (Q + 1, len(kpis.TABLE), A)
        Indicators of the organization; quarter 0 is the opening; nan where undefined.
    measures : float64 (Q + 1, len(kpis.MEASURES), K, F, A)
        Means per stakeholder type and firm, see kpis.MEASURES.
    spending : float64 (Q, n_mechanisms + 3, A)
        The organization's money per quarter by mechanism (effort, set-up and volume), then human,
        information and organization capital.
    spending_worth : float64 (Q, n_mechanisms + 3, A)
        Present value of the same money: set-up is paid in a quarter's first week, the rest evenly.
    afforded : float64 (Q, F, A)
        Share of each firm's wished-for spending that its budget (and the organization's board)
        allowed.
    reorganization : float64 (Q, A)
        Cost of an arm's design charged in the quarter.
    insight : float64 (Q + 1, D + 1, len(structure.INSIGHT), A)
        How the organization's insight travels, by the department of today that hears it first; last
        what departments hear that a design adds, nan where it adds none.
    reading : float64 (Q + 1, len(kpis.TABLE), A)
        The indicators as management reads them, see sim/sensing.py; nan where nothing senses them.
    managed : float64 (Q, n_mechanisms + 3, A)
        The plan's money per quarter as governance left it, before the budget: effort by mechanism,
        then human, information and organization capital.
    board_cut : float64 (Q, A)
        Share of the plan's money that the board took.
    """

    kpi: np.ndarray
    measures: np.ndarray
    spending: np.ndarray
    spending_worth: np.ndarray
    afforded: np.ndarray
    reorganization: np.ndarray
    insight: np.ndarray
    reading: np.ndarray
    managed: np.ndarray
    board_cut: np.ndarray


READING = [field.name for field in fields(History)].index("reading")
