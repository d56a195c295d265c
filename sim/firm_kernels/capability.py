"""Capital, maturity, outputs and levers of firms (MODEL stages 1 and 2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.compiled import kernel
from sim.firm_kernels.drive import drive_week, quality_week
from sim.firms import HIGHEST, LEARNING, LOWEST, N_LEVERS, SHARES, WEEKS
from sim.lanes import law
from sim.laws import capability


@kernel
def capability_week(given: Any, physics: Any, state: Any, walk: Any, drive: Any) -> None:
    """Capital, maturity, outputs, levers and what stakeholders will meet (MODEL stages 1 to 3).

    `walk` is float64 (K, DIMENSIONS), the standard random walk of needs up to this week; `drive` is
    written, float32 (DRIVES - 1 + F planes, F, K, L).
    """
    n_firms, n_mechanisms, lanes = state.maturity.shape
    n_kinds = state.goodwill.shape[1]
    changed = np.zeros((given.unsettled.shape[1], lanes))
    for f in range(n_firms):
        if given.now.present[f] == 0.0:
            continue
        changed[:] = 0.0
        for lane in range(lanes):
            capital_week(given, state, f, lane)
            settle(given, state, changed, f, lane)
            for m in range(n_mechanisms):
                level = capability.effort_level(state.effort[f, m, lane], given.running[m])
                before = state.maturity[f, m, lane]
                if level <= 0.0 and before <= 0.0:
                    continue
                after = capability.mature(
                    before,
                    given.form[m],
                    level,
                    given.half_life[m],
                    physics.maturity_decay[lane],
                    state.lever[LEARNING, f, 0, lane],
                )
                state.maturity[f, m, lane] = after
                if after > before:
                    changed[given.owner[f, m, lane], lane] += given.dip[m] * (after - before)
        for m in range(n_mechanisms):
            for lane in range(lanes):
                level = capability.effort_level(state.effort[f, m, lane], given.running[m])
                if level <= 0.0:
                    state.output[f, m, lane] = 0.0
                    continue
                ready = capability.bundle(
                    state.ready[f, 0, lane],
                    state.ready[f, 1, lane],
                    state.ready[f, 2, lane],
                    given.needs[m, 0],
                    given.needs[m, 1],
                    given.needs[m, 2],
                    physics.complementarity[lane],
                )
                state.output[f, m, lane] = capability.output(
                    state.maturity[f, m, lane], ready, level
                ) * capability.dip(changed[given.owner[f, m, lane], lane], 1.0)
        move_levers(given, state, f)
    for f in range(n_firms):
        for k in range(n_kinds):
            for lane in range(lanes):
                quality_week(given, physics, state, walk, f, k, lane)
    for f in range(n_firms):
        for k in range(n_kinds):
            for lane in range(lanes):
                drive_week(given, physics, state, drive, f, k, lane)


@law
def capital_week(given: Any, state: Any, f: Any, lane: Any) -> None:
    """Build, depreciate and rate the three capitals of a firm in a lane; nothing is lost."""
    for c in range(3):
        inflow = state.investment[f, c, lane] / WEEKS
        state.invested[f, c, lane] += inflow
        for stage in range(capability.STAGES):
            state.building[f, c, stage, lane], inflow = capability.build(
                state.building[f, c, stage, lane], inflow, given.build_rate[f, c]
            )
        state.stock[f, c, lane], lost = capability.wear(
            state.stock[f, c, lane], inflow, given.depreciation[f, c]
        )
        state.depreciated[f, c, lane] += lost
        state.ready[f, c, lane] = capability.readiness(
            state.stock[f, c, lane], given.reference[f, c]
        )


@law
def settle(given: Any, state: Any, changed: Any, f: Any, lane: Any) -> None:
    """Let a new structure settle as a practice does, and note what that costs its departments."""
    if given.settling[f, lane] <= 0.0:
        return
    before = state.settled[f, lane]
    after = capability.mature(
        before, capability.EXPONENTIAL, 1.0, given.settling[f, lane], 0.0, 1.0
    )
    state.settled[f, lane] = after
    for department in range(given.unsettled.shape[1]):
        changed[department, lane] += given.unsettled[f, department, lane] * (after - before)


@law
def move_levers(given: Any, state: Any, f: Any) -> None:
    """Set a firm's levers from defaults, its mechanisms' outputs and nudges (levers.py)."""
    n_kinds, lanes = state.lever.shape[2], state.lever.shape[3]
    for v in range(N_LEVERS):
        for k in range(n_kinds):
            for lane in range(lanes):
                state.lever[v, f, k, lane] = given.lever_default[v, f]
    for cut in range(2):
        for e in range(len(given.effect_by)):
            by = given.effect_by[e]
            if (by < 0.0) != (cut == 1):
                continue
            m, v = given.effect_mechanism[e], given.effect_lever[e]
            for k in range(n_kinds):
                if given.effect_to[e, k]:
                    for lane in range(lanes):
                        moved = by * capability.beyond(
                            state.output[f, m, lane], given.effect_above[e]
                        )
                        value = state.lever[v, f, k, lane]
                        if cut == 1:
                            state.lever[v, f, k, lane] = value * (1.0 + moved)
                        elif SHARES[v]:
                            state.lever[v, f, k, lane] = value + (1.0 - value) * moved
                        else:
                            state.lever[v, f, k, lane] = value + moved
    for v in range(N_LEVERS):
        for k in range(n_kinds):
            for lane in range(lanes):
                shift = given.shift[v, f, k, lane]
                if shift != 0.0:
                    value = state.lever[v, f, k, lane] + shift
                    state.lever[v, f, k, lane] = min(max(value, LOWEST[v]), HIGHEST[v])
