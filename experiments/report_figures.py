"""Every figure that a study's results allow, drawn once for the page and the folder alike."""

from __future__ import annotations

from experiments import ranking, strategy_map_drawing
from experiments.accounts import ledger_course
from experiments.figure_comparison import comparison, over_time
from experiments.figure_flows import flow_contributions, influence_matrix
from experiments.figure_ledger import influence_ledger
from experiments.figure_scorecard import scorecard_grid
from experiments.notation import flows_named
from experiments.report_findings import Findings, course, readings
from experiments.sheet import Sheet
from experiments.strategy_map_routing import CrowdedMapError
from sim.flows import Flow

MEASURE = "attitude"
DELIVERED = "insight_delivered"
LEDGER = "influence_ledger"  # its figures are called so, each with its arm


def drawings(findings: Findings) -> tuple[dict[str, Sheet], str]:
    """Return the figures by name, and why the strategy map could not be drawn, if so."""
    study, cast, quarter = findings.study, findings.cast, findings.cube.quarters
    shown, base = study.label(findings.shown), study.arms[study.baseline]
    made: dict[str, Sheet] = {}
    excuse = ""
    if findings.order:
        made["comparison"] = comparison(findings.differences, cast, findings.worth)
        made["quarter_by_quarter"] = over_time(
            findings.ahead, cast, study.headline[0],
            findings.payback
            if study.headline[0] == "net_present_value" and findings.pays_back
            else None,
        )  # fmt: skip
        if study.designed:
            made["insight"] = over_time(
                ranking.over_time(findings.cube, study.baseline, DELIVERED), cast, DELIVERED, None
            )
    made["scorecard"] = scorecard_grid(
        findings.aimed,
        f"Balanced Scorecard of {shown}, quarter by quarter",
        "G at or beyond the goal of the quarter, A between goal and red flag, R at or beyond the "
        "red flag, ? no data, pale without letter: no target. Arrow: change since the quarter "
        f"before. “{base}” has a light of its own: a goal that it meets as well says nothing.",
        base,
    )
    if findings.traced:
        made["influence"] = influence_matrix(
            findings.influence, findings.traced, cast, study.kinds, MEASURE, quarter
        )
        made["flow_contributions"] = flow_contributions(
            findings.influence, findings.traced, cast, study.headline[0], quarter, findings.parts
        )
    if not study.ledger.empty:
        counts = ledger_course(study.ledger)
        kept = [arm for arm in study.arms if arm in set(counts["arm"])]
        made |= {f"{LEDGER}_{arm}": influence_ledger(counts, arm, study.arms[arm]) for arm in kept}
    status, words = readings(findings)
    unsensed = [int(flow) for flow in Flow if not findings.sensed[-1, flow - 1]]
    try:
        made["strategy_map"] = strategy_map_drawing.draw(
            study.strategy_map,
            status,
            words,
            f"Strategy map: {study.strategy_map.label}",
            f"{shown} in quarter {quarter}; arrow: change since the quarter before; strip: the "
            f"lights of quarters 1 to {quarter}.{_dashed(unsensed)}",
            unsensed,
            course=course(findings),
        )
    except CrowdedMapError as error:
        excuse = str(error)
    return made, excuse


def _dashed(unsensed: list[int]) -> str:
    """Say which flows are dashed, if any."""
    if not unsensed:
        return ""
    return f" Dashed: {flows_named(unsensed)}, which nothing senses."
