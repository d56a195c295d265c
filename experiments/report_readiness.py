"""The report's readiness in three levels: capitals, processes by department, single needs.

Intangible assets are worth what they are ready to do for the processes that need them, together:
level 1 shows the three capitals, level 2 the bundles that each department's mechanisms need, level
3 what holds each funded mechanism back. Capital stocks depend on money alone, not on luck, so that
readiness is the same in every replication unless a budget binds; means are shown.
Source: Kaplan & Norton (2004).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from experiments.notation import percent
from experiments.report_findings import Findings, Process, money_by_item
from experiments.report_parts import table
from experiments.report_scorecard import badge, light
from sim import scorecard
from sim.fields import CAPITALS
from sim.laws.capability import bundle


def readiness(findings: Findings) -> str:
    """Return the three levels."""
    return (
        "<p>Capitals are worth what the processes that need them can do with them, together: a "
        "bundle is about as ready as its weakest part.</p>"
        f"<h3>Level 1: the three capitals</h3>{_capitals(findings)}"
        f"<h3>Level 2: bundles by department</h3>{_departments(findings)}"
        f"<h3>Level 3: what each funded mechanism needs</h3>{_assets(findings)}"
    )


def capital_paths(findings: Findings, arm: str) -> np.ndarray:
    """Return an arm's mean readiness of the three capitals, float (quarters + 1, 3)."""
    paths = [findings.cube.of(arm, f"{capital}_readiness") for capital in CAPITALS]
    return np.stack([scorecard.mean(path) for path in paths], axis=1)


def bundle_of(ready: Sequence[float], needs: Sequence[float], complementarity: float) -> float:
    """Return the readiness of a bundle of capitals, as the law of capability has it."""
    return float(bundle(*ready, *needs, complementarity))


def bundles_by_quarter(findings: Findings) -> dict[str, list[float]]:
    """Return the shown portfolio's readiness of each mechanism's bundle, from quarter 1 on."""
    paths = capital_paths(findings, findings.shown)[1:]
    study = findings.study
    return {
        process.key: [bundle_of(row, process.needs, study.complementarity) for row in paths]
        for process in study.processes
    }


def held_back_by(ready: Sequence[float], needs: Sequence[float], complementarity: float) -> int:
    """Return the place of the capital whose readiness, were it full, would help most."""
    gains = []
    for place in range(len(CAPITALS)):
        full = list(ready)
        full[place] = 1.0
        gains.append(bundle_of(full, needs, complementarity))
    return int(np.argmax(gains))


def _light_of(findings: Findings, value: float) -> str:
    """Return a light: green from the setting on, amber down to half of it, red below."""
    least = findings.study.board.ready_from
    status = scorecard.GREEN if value >= least else scorecard.RED
    if least > value >= least / 2:
        status = scorecard.AMBER
    return light(scorecard.NO_DATA if np.isnan(value) else status)


def _capitals(findings: Findings) -> str:
    study, quarter = findings.study, findings.cube.quarters
    ours = capital_paths(findings, findings.shown)
    base = capital_paths(findings, study.baseline)
    body = [
        f'<tr><th scope="row">{capital.capitalize()} capital</th>'
        f"<td>{percent(ours[0, place])}</td><td>{percent(base[-1, place])}</td>"
        f"<td>{percent(ours[-1, place])}</td><td>{_light_of(findings, ours[-1, place])}</td></tr>"
        for place, capital in enumerate(CAPITALS)
    ]
    return table(
        '<th scope="col" class="text">Capital</th><th scope="col">At the start</th>'
        f'<th scope="col">{escape(study.arms[study.baseline])}, Q{quarter}</th>'
        f'<th scope="col">{escape(study.arms[findings.shown])}, Q{quarter}</th>'
        '<th scope="col">Status</th>',
        body,
        f"Green from {percent(study.board.ready_from)} on, red below half of that.",
        narrow=True,
    )


def _departments(findings: Findings) -> str:
    study = findings.study
    start = capital_paths(findings, findings.shown)[0]
    now = bundles_by_quarter(findings)
    spent = money_by_item(study, findings.shown)
    body = []
    for department in dict.fromkeys(p.department for p in study.processes):
        own = [p for p in study.processes if p.department == department]
        funded = [p for p in own if spent.get(p.key, np.zeros(1))[-1] > 0]
        ready = _mean([now[p.key][-1] for p in funded])
        before = _mean([bundle_of(start, p.needs, study.complementarity) for p in funded])
        if not funded:
            continue
        names = ", ".join(p.label for p in funded)
        body.append(
            f'<tr><th scope="row">{escape(department)}</th><td>{percent(before)}</td>'
            f"<td>{percent(ready)}</td><td>{_light_of(findings, ready)}</td>"
            f'<td class="text">{escape(names)}</td></tr>'
        )
    if not body:
        return "<p>Nothing is funded at the horizon.</p>"
    return table(
        '<th scope="col" class="text">Department</th><th scope="col">At the start</th>'
        f'<th scope="col">Q{study.quarters}</th><th scope="col">Status</th>'
        '<th scope="col" class="text">Mechanisms that it runs and that are funded</th>',
        body,
        "Mean over the mechanisms that a department runs and that are funded at the last quarter.",
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _assets(findings: Findings) -> str:
    study = findings.study
    now = capital_paths(findings, findings.shown)[-1].tolist()
    spent = money_by_item(study, findings.shown)
    funded = [p for p in study.processes if spent.get(p.key, np.zeros(1))[-1] > 0]
    if not funded:
        return "<p>Nothing is funded at the horizon.</p>"
    body = [_asset(findings, process, now) for process in funded]
    heads = "".join(
        f'<th scope="col">{capital.capitalize()}<br><small>weight, readiness</small></th>'
        for capital in CAPITALS
    )
    return table(
        f'<th scope="col" class="text">Mechanism</th>{heads}<th scope="col">Bundle</th>'
        '<th scope="col">Status</th><th scope="col" class="text">Held back most by</th>',
        body,
        f"State of {study.label(findings.shown)} at quarter {study.quarters}. What holds back most "
        "is the capital that would help the bundle most if it were fully ready.",
    )


def _asset(findings: Findings, process: Process, ready: Sequence[float]) -> str:
    exponent = findings.study.complementarity
    whole = bundle_of(ready, process.needs, exponent)
    cells = "".join(
        f"<td>{percent(weight)}<br><small>{percent(level)}</small></td>" if weight else "<td></td>"
        for weight, level in zip(process.needs, ready, strict=True)
    )
    weakest = CAPITALS[held_back_by(ready, process.needs, exponent)]
    flows = "".join(badge(flow) for flow in process.flows)
    return (
        f'<tr><th scope="row">{escape(process.label)} {flows}<br>'
        f"<small>{escape(process.department)}</small></th>{cells}<td>{percent(whole)}</td>"
        f'<td>{_light_of(findings, whole)}</td><td class="text">{weakest} capital</td></tr>'
    )
