"""Which flow did what: a run minus its twin with that flow muted, and exact Shapley shares.

Influence is counterfactual: what would not have happened otherwise. Muting one flow at a time gives
the last-in effects, which need not add up because flows work together; the remainder is shown,
never spread. With all 64 coalitions of open flows the Shapley values share everything out exactly.
Source: MODEL A.16; Shapley (1953); Sheldrake (2011) for influence as what one otherwise wouldn't.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sim import kpis
from sim.flows import ORGANIZATION, Flow

INFLUENCE_COLUMNS = ["quarter", "flow", "kind", "measure", "value"]


def influence_rows(
    kpi: np.ndarray,
    measures: np.ndarray,
    lane: int,
    twins: Mapping[int, int],
    kinds: Sequence[str],
    headline: Sequence[str],
) -> pd.DataFrame:
    """Return one run minus its muted twins: columns quarter, flow, kind, measure, value.

    Parameters
    ----------
    kpi : float array (quarters + 1, len(kpis.TABLE), arms)
        As in the engine's history; quarter 0 is left out, where nothing can differ.
    measures : float array (quarters + 1, len(kpis.MEASURES), kinds, firms, arms)
        Means per stakeholder type; only those about the organization (firm 0) are reported.
    lane : int
        Place of the run on the last axis.
    twins : mapping
        Flow number to the place of the twin with that flow muted.
    kinds : sequence of str
        Keys of the stakeholder types. Rows with kind "" hold the headline indicators themselves.
    """
    frames = []
    closes = np.arange(1, kpi.shape[0])
    columns = [kpis.INDEX[key] for key in headline]
    for flow in sorted(twins):
        twin = twins[flow]
        moved = measures[1:, :, :, ORGANIZATION, lane] - measures[1:, :, :, ORGANIZATION, twin]
        frames.append(_tidy(moved.transpose(0, 2, 1), closes, flow, kinds, kpis.MEASURES))
        gap = kpi[1:, columns, lane] - kpi[1:, columns, twin]
        frames.append(_tidy(gap[:, None, :], closes, flow, ("",), headline))
    if not frames:
        return pd.DataFrame(columns=INFLUENCE_COLUMNS)
    return pd.concat(frames, ignore_index=True)


def _tidy(
    values: np.ndarray,
    quarters: np.ndarray,
    flow: int,
    kinds: Sequence[str],
    measures: Sequence[str],
) -> pd.DataFrame:
    """Unroll (quarter, kind, measure) into rows."""
    n_quarters, n_kinds, n_measures = values.shape
    return pd.DataFrame(
        {
            "quarter": np.repeat(quarters, n_kinds * n_measures),
            "flow": flow,
            "kind": np.tile(np.repeat(np.asarray(kinds, dtype=object), n_measures), n_quarters),
            "measure": np.tile(np.asarray(measures, dtype=object), n_quarters * n_kinds),
            "value": values.ravel(),
        }
    )


def gain_by_flow(
    influence: pd.DataFrame, arm: str, baseline: str, kpi: str, gain: pd.Series, quarter: int
) -> pd.DataFrame:
    """Return how much of an arm's gain over the baseline is gone when a flow is muted in both.

    Parameters
    ----------
    influence : DataFrame
        The study's influence table: run minus muted twin, per arm and replication.
    gain : Series indexed by replication
        Arm minus baseline on the indicator in the quarter, all flows open.

    Returns
    -------
    DataFrame
        Columns part ("1" to "6", then "remainder"), replication, value. The remainder is the gain
        minus the six parts: what flows do only together is counted in several parts, or in none.
        Empty if either side lacks twins.
    """
    rows = influence[
        (influence["kind"] == "")
        & (influence["measure"] == kpi)
        & (influence["quarter"] == quarter)
    ]
    wide = rows.pivot(index="replication", columns=["arm", "flow"], values="value")
    wide = wide.reindex(gain.index)
    if any((side, int(flow)) not in wide.columns for side in (arm, baseline) for flow in Flow):
        return pd.DataFrame(columns=["part", "replication", "value"])
    parts = pd.DataFrame(
        {str(int(flow)): wide[arm, int(flow)] - wide[baseline, int(flow)] for flow in Flow}
    )
    parts["remainder"] = gain - parts.sum(axis=1, skipna=False)
    return (
        parts.rename_axis(index="replication", columns="part")
        .unstack()
        .rename("value")
        .reset_index()
    )


def shapley(values: np.ndarray) -> np.ndarray:
    """Return exact Shapley values (player, ...) of a game (2 ** players, ...).

    `values[c]` is what the coalition of the set bits of `c` achieves; further axes (replication,
    indicator, quarter) go through unchanged. For every player the sum over coalitions C without
    it of |C|! (n - 1 - |C|)! / n! times what it adds.
    """
    players = _players(values)
    result = np.zeros((players, *values.shape[1:]))
    for coalition in range(len(values)):
        size = coalition.bit_count()
        for player in range(players):
            if not coalition >> player & 1:
                weight = (
                    math.factorial(size)
                    * math.factorial(players - 1 - size)
                    / math.factorial(players)
                )
                result[player] += weight * (values[coalition | 1 << player] - values[coalition])
    return result


def interaction(values: np.ndarray) -> np.ndarray:
    """Return pairwise Shapley interaction indices (player, player, ...), zero on the diagonal.

    Positive where two flows achieve more together than apart. Source: Grabisch & Roubens (1999).
    """
    players = _players(values)
    result = np.zeros((players, players, *values.shape[1:]))
    for i in range(players):
        for j in range(i):
            pair = 1 << i | 1 << j
            for coalition in range(len(values)):
                if coalition & pair:
                    continue
                size = coalition.bit_count()
                weight = (
                    math.factorial(size)
                    * math.factorial(players - 2 - size)
                    / math.factorial(players - 1)
                )
                together = values[coalition | pair] - values[coalition | 1 << i]
                apart = values[coalition | 1 << j] - values[coalition]
                result[i, j] += weight * (together - apart)
            result[j, i] = result[i, j]
    return result


def first_in(values: np.ndarray) -> np.ndarray:
    """Return main effects (player, ...): what each achieves alone."""
    result: np.ndarray = values[[1 << player for player in range(_players(values))]] - values[0]
    return result


def last_in(values: np.ndarray) -> np.ndarray:
    """Return last-in effects (player, ...): what is lost when only that one is muted."""
    everyone = len(values) - 1
    without = [everyone ^ (1 << player) for player in range(_players(values))]
    result: np.ndarray = values[everyone] - values[without]
    return result


def interaction_remainder(values: np.ndarray) -> np.ndarray:
    """Return all minus none minus the sum of last-in effects: 0 where flows simply add up."""
    result: np.ndarray = values[-1] - values[0] - last_in(values).sum(axis=0)
    return result


def _players(values: np.ndarray) -> int:
    players = len(values).bit_length() - 1
    if len(values) != 2**players or players < 1:
        raise ValueError(f"a game needs a value for each of 2^n coalitions, not {len(values)}")
    return players
