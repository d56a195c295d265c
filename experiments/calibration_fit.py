"""Least squares on the same luck: parameters of a simulation fitted to targets, and how surely.

The measures of a replication are a function of the parameters that is the same at every trial, so
that differences between trials are not drowned in luck. Slopes come from central differences wide
beside the grain of counted people. Nothing here knows what is simulated.
Source: METHODS C.1; Gauss-Newton with bounds as in scipy (Branch, Coleman & Li 1999); standard
errors as in the method of simulated moments (McFadden 1989).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.calibration import Parameter, Target

# Measures of points: float64 (points, replications, targets).
Measure = Callable[[Sequence[Mapping[str, float]]], np.ndarray]
AT_BOUND = 0.005  # share of the way between the bounds; nearer counts as at the bound
# Relative; counted people make anything finer a matter of luck.
SAME_MISFIT, SAME_PLACE = 0.01, 0.005
WEAK = 1.0  # units off the targets for a move by one; less and they hardly fix a direction


@dataclass(frozen=True)
class Round:
    """One point that was tried, in the parameters' own units."""

    values: tuple[float, ...]
    misfit: float
    measures: tuple[float, ...]


@dataclass(frozen=True)
class Fit:
    """What a fit came to; P parameters, T targets that count.

    Attributes
    ----------
    values : tuple of float (P,)
        Fitted values in the parameters' own units.
    by_luck, by_range : tuple of float (P,)
        Standard error in the fitted scale (see `scaled`): from the luck of the replications, and
        were targets known to half their ranges only; nan for a parameter at a bound.
    fixed : tuple of float (P,)
        Share of what was open about a parameter (its bounds, see `stay`) that the targets settle:
        0 none, 1 all of it; nan at a bound and where staying does not count.
    at_bound : tuple of bool (P,)
        Whether the fit ended at a bound.
    slopes : float64 (T, P)
        Change of each target, in halves of its range times its weight, for a move by one in the
        fitted scale.
    off : float64 (T,)
        How far each target is missed, in the same unit.
    strength : float64 (min(T, P),)
        Singular values of the slopes, largest first.
    directions : float64 (min(T, P), P)
        The direction of each in the fitted scale, of length 1.
    rounds : tuple of Round
        Every point that was tried, in order.
    settled : bool
        Whether it came to rest before the rounds ran out.
    """

    values: tuple[float, ...]
    by_luck: tuple[float, ...]
    by_range: tuple[float, ...]
    fixed: tuple[float, ...]
    at_bound: tuple[bool, ...]
    slopes: np.ndarray
    off: np.ndarray
    strength: np.ndarray
    directions: np.ndarray
    rounds: tuple[Round, ...]
    settled: bool


def fit(
    measure: Measure,
    parameters: Sequence[Parameter],
    targets: Sequence[Target],
    start: Mapping[str, float],
    *,
    step: float,
    rounds: int,
    stay: float = 0.0,
    watch: Callable[[Round], None] = lambda _: None,
) -> Fit:
    """Fit parameters to targets from a start that lies within the bounds.

    Parameters
    ----------
    step : float
        How far a parameter is moved to see its slope, in the fitted scale.
    rounds : int
        Most points that are tried.
    stay : float
        How much it counts to stay at the start, see `Calibration.stay`.
    """
    from scipy.optimize import least_squares

    trials = _Trials(measure, parameters, targets, step, watch)
    low, high = _bounds(parameters)
    begin = np.array([scaled(p, start[p.key]) for p in parameters])
    pull = stays(parameters, stay)
    done = least_squares(
        lambda x: np.concatenate([trials.off(x).mean(axis=0), pull * (x - begin)]),
        begin,
        jac=lambda x: np.concatenate([trials.slopes(x), np.diag(pull)]),
        bounds=(low, high),
        x_scale=1.0,
        ftol=SAME_MISFIT,
        xtol=SAME_PLACE,
        gtol=None,
        max_nfev=rounds,
    )
    width = high - low
    at_bound = (done.x - low < AT_BOUND * width) | (high - done.x < AT_BOUND * width)
    slopes, each = trials.slopes(done.x), trials.off(done.x)
    by_luck, by_range = _errors(slopes, pull, each, at_bound)
    _, strength, directions = np.linalg.svd(slopes, full_matrices=False)
    return Fit(
        values=tuple(unscaled(p, x) for p, x in zip(parameters, done.x, strict=True)),
        by_luck=tuple(by_luck),
        by_range=tuple(by_range),
        fixed=tuple(1.0 - (by_range * pull) ** 2 if stay else np.full(len(pull), np.nan)),
        at_bound=tuple(bool(at) for at in at_bound),
        slopes=slopes,
        off=each.mean(axis=0),
        strength=strength,
        directions=directions * np.sign(directions[_largest(directions)])[:, None],
        rounds=tuple(trials.rounds),
        settled=bool(done.status > 0),
    )


def favouring(
    done: Fit,
    parameters: Sequence[Parameter],
    start: Mapping[str, float],
    favoured: int,
    factor: float,
    stay: float = 0.0,
) -> tuple[float, ...]:
    """Return the values that meet one target better at the others' cost, by the slopes of a fit.

    `favoured` is the target's place; it counts `factor` times as much. In the parameters' own
    units, within their bounds.
    """
    from scipy.optimize import lsq_linear

    weight = np.ones(len(done.off))
    weight[favoured] = factor
    here = np.array([scaled(p, v) for p, v in zip(parameters, done.values, strict=True)])
    low, high = _bounds(parameters)
    tiny = 1e-9 * (high - low)
    pull = stays(parameters, stay)
    begin = np.array([scaled(p, start[p.key]) for p in parameters])
    moved = lsq_linear(
        np.concatenate([done.slopes * weight[:, None], np.diag(pull)]),
        -np.concatenate([done.off * weight, pull * (here - begin)]),
        bounds=(low - here - tiny, high - here + tiny),
    )
    there = np.clip(here + moved.x, low, high)
    return tuple(unscaled(p, x) for p, x in zip(parameters, there, strict=True))


def moved(parameter: Parameter, value: float) -> float:
    """Return how far a value is from the start, as a share of the way to the bound on that side.

    In the fitted scale; from -1 at the lower bound to 1 at the upper one.
    """
    begin, here = scaled(parameter, parameter.start), scaled(parameter, value)
    bound = scaled(parameter, parameter.low if here < begin else parameter.high)
    return 0.0 if here == begin else (here - begin) / abs(bound - begin)


def stays(parameters: Sequence[Parameter], stay: float) -> np.ndarray:
    """Return how much a move by one counts against leaving the start, (P,) in the fitted scale."""
    low, high = _bounds(parameters)
    return 2.0 * stay / (high - low)


def scaled(parameter: Parameter, value: float) -> float:
    """Return a value in the scale that is fitted: its logarithm, or its share of the bounds."""
    if parameter.by_factor:
        return float(np.log(value))
    return (value - parameter.low) / (parameter.high - parameter.low)


def unscaled(parameter: Parameter, x: float) -> float:
    """Return a value in the parameter's own unit, within its bounds."""
    if parameter.by_factor:
        value = float(np.exp(x))
    else:
        value = parameter.low + x * (parameter.high - parameter.low)
    return min(max(value, parameter.low), parameter.high)


class _Trials:
    """Measures points and the neighbours that tell their slopes, each once."""

    def __init__(
        self,
        measure: Measure,
        parameters: Sequence[Parameter],
        targets: Sequence[Target],
        step: float,
        watch: Callable[[Round], None],
    ) -> None:
        self.measure, self.parameters = measure, parameters
        self.step, self.watch = step, watch
        self.low, self.high = _bounds(parameters)
        self.value = np.array([t.value for t in targets])
        self.unit = np.array([t.weight / t.scale for t in targets])
        self.seen: dict[bytes, np.ndarray] = {}
        self.sloped: dict[bytes, np.ndarray] = {}
        self.rounds: list[Round] = []

    def off(self, x: np.ndarray) -> np.ndarray:
        """Return by how much each replication misses each target, float64 (R, T)."""
        key = x.tobytes()
        if key not in self.seen:
            measured = self.measure([self._point(x)])[0]
            self.seen[key] = (measured - self.value) * self.unit
            tried = Round(
                values=tuple(self._point(x).values()),
                misfit=float((self.seen[key].mean(axis=0) ** 2).sum()),
                measures=tuple(float(v) for v in measured.mean(axis=0)),
            )
            self.rounds.append(tried)
            self.watch(tried)
        return self.seen[key]

    def slopes(self, x: np.ndarray) -> np.ndarray:
        """Return the change of the misses for a move by one, float64 (T, P)."""
        key = x.tobytes()
        if key not in self.sloped:
            self.sloped[key] = self._slopes(x)
        return self.sloped[key]

    def _slopes(self, x: np.ndarray) -> np.ndarray:
        places = []
        for i in range(len(x)):
            for way in (-1.0, 1.0):
                moved = x.copy()
                moved[i] = np.clip(x[i] + way * self.step, self.low[i], self.high[i])
                places.append(moved)
        measured = self.measure([self._point(place) for place in places])
        mean = ((measured - self.value) * self.unit).mean(axis=1)
        return np.stack(
            [
                (mean[2 * i + 1] - mean[2 * i]) / (places[2 * i + 1][i] - places[2 * i][i])
                for i in range(len(x))
            ],
            axis=1,
        )

    def _point(self, x: np.ndarray) -> dict[str, float]:
        return {p.key: unscaled(p, float(v)) for p, v in zip(self.parameters, x, strict=True)}


def _bounds(parameters: Sequence[Parameter]) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds in the fitted scale, (P,) each."""
    low = np.array([scaled(p, p.low) for p in parameters])
    high = np.array([scaled(p, p.high) for p in parameters])
    return low, high


def _errors(
    slopes: np.ndarray, pull: np.ndarray, each: np.ndarray, at_bound: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return standard errors by luck and by the targets' ranges; nan at bounds."""
    by_luck, by_range = (np.full(len(at_bound), np.nan) for _ in range(2))
    free = slopes[:, ~at_bound]
    if free.shape[1]:
        # How the fit answers a miss of each target, and being pulled elsewhere: (P, T + P).
        answer = np.linalg.pinv(np.concatenate([free, np.diag(pull[~at_bound])]))
        luck = np.atleast_2d(np.cov(each, rowvar=False)) / len(each)
        to_targets = answer[:, : len(free)]
        by_luck[~at_bound] = np.sqrt(np.diag(to_targets @ luck @ to_targets.T))
        by_range[~at_bound] = np.sqrt(np.diag(answer @ answer.T))
    return by_luck, by_range


def _largest(directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(len(directions)), np.abs(directions).argmax(axis=1)
