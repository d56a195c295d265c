"""Firms hear voices, learn needs and move their offering (MODEL stage 7a)."""

from __future__ import annotations

import math
from typing import Any

from sim.compiled import kernel
from sim.firms import ABSORPTION, ADAPTATION, COVERAGE, DIMENSIONS, MINING
from sim.lanes import law
from sim.laws import inbound
from sim.state import HEARD, VOICES


@kernel
def listening_week(
    given: Any, physics: Any, state: Any, walk: Any, voices: Any, luck: Any, noise: Any
) -> None:
    """Firms hear voices, learn needs and move their offering (MODEL stage 7a).

    `voices` is int64 (F, K, L) of the week; `luck` float64 (F, F, K), uniforms for hearing voices
    about firm c; `noise` float64 (F, K, DIMENSIONS), standard normal.
    """
    n_firms, n_kinds, lanes = voices.shape
    for f in range(n_firms):
        for k in range(n_kinds):
            for lane in range(lanes):
                if given.now.present[f] == 0.0:
                    keep_pace(given, physics, state, walk, f, k, lane)
                    continue
                own = inbound.heard(
                    voices[f, k, lane],
                    given.gates[2, f, lane] * state.lever[COVERAGE, f, k, lane],
                    luck[f, f, k],
                )
                total = own
                mining = state.lever[MINING, f, k, lane]
                if mining > 0.0:
                    for r in range(n_firms):
                        c = given.order[r]
                        if c != f:
                            total += inbound.heard(
                                voices[c, k, lane], given.gates[2, c, lane] * mining, luck[f, c, k]
                            )
                state.quarter[HEARD, f, lane] += own
                state.quarter[VOICES, f, lane] += voices[f, k, lane]
                drift = physics.need_drift[lane]
                spread = physics.voice_noise[lane] ** 2 + physics.hearing_noise[lane] ** 2
                before = state.variance[f, k, lane] + drift * drift
                weight = inbound.gain(before, spread, total)
                state.variance[f, k, lane] = inbound.posterior(before, weight)
                rate = state.lever[ADAPTATION, f, k, lane]
                absorbed = state.lever[ABSORPTION, f, k, lane]
                for d in range(DIMENSIONS):
                    guess = state.estimate[f, k, d, lane]
                    if total > 0:
                        said = (
                            drift * walk[k, d]
                            + given.now.need[k, d]
                            + math.sqrt(spread / total) * noise[f, k, d]
                            + physics.self_selection[lane]
                        )
                        guess += weight * (said - guess)
                        state.estimate[f, k, d, lane] = guess
                    way = state.way[f, k, d]
                    way[0, lane], way[1, lane], way[2, lane] = inbound.pass_on(
                        way[0, lane], way[1, lane], way[2, lane], guess, state.delay[f, lane]
                    )
                    state.offering[f, k, d, lane] = inbound.adapt(
                        state.offering[f, k, d, lane],
                        way[2, lane],
                        rate,
                        state.delivered[f, lane],
                        absorbed,
                    )


@law
def keep_pace(given: Any, physics: Any, state: Any, walk: Any, f: Any, k: Any, lane: Any) -> None:
    """Let a firm that is not there yet prepare an offering that fits when it enters."""
    for d in range(DIMENSIONS):
        need = physics.need_drift[lane] * walk[k, d] + given.now.need[k, d]
        state.estimate[f, k, d, lane] = need
        state.offering[f, k, d, lane] = need
        for stage in range(3):
            state.way[f, k, d, stage, lane] = need
