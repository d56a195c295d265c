"""Amounts in the report's sentences: what an indicator is called, how large, how sure."""

from __future__ import annotations

import math

from experiments.report_findings import Findings


def name_of(findings: Findings, kpi: str) -> str:
    """Return what an indicator is called within a sentence."""
    label = findings.name(kpi)
    return label[0].lower() + label[1:]


def amount(findings: Findings, kpi: str, value: float, signed: bool = True) -> str:
    """Return a difference with its unit."""
    return findings.look(kpi).amount(value, signed)


def interval(findings: Findings, arm: str, kpi: str) -> str:
    """Return '95 % interval a to b', or that none can be given."""
    row, look = findings.judged(arm, kpi), findings.look(kpi)
    if not math.isfinite(row["low"]):
        return "no interval can be given"
    return f"95 % interval {look.text(row['low'], True)} to {look.text(row['high'], True)}"
