"""What lies beyond the horizon, in words: customers that were won and are still there."""

from __future__ import annotations

import math

from experiments.analysis import WORSE, paired
from experiments.report_findings import Findings

MONEY, WITH_CUSTOMERS = "net_present_value", "value_with_customers"


def beyond_the_end(findings: Findings) -> str:
    """Say what counting the customers at the end, too, would make of a ranking by value.

    Empty where value is not what is asked for, or nothing can be told.
    """
    study = findings.study
    if study.headline[0] != MONEY or not findings.ours:
        return ""
    gains = {
        arm: paired(findings.cube.difference(arm, study.baseline, WITH_CUSTOMERS)[:, -1])
        for arm in findings.ours
    }
    best = max(gains, key=lambda arm: gains[arm].mean)
    gain = gains[best]
    if not math.isfinite(gain.low):
        return ""
    look = study.shown(WITH_CUSTOMERS, gain.mean, change=True)
    text = (
        " The end of the horizon cuts off what lasts: if what today's customers will still bring "
        f"is counted, {study.label(best)} gains most, {look.text(gain.mean, True)} {look.unit} "
        f"(95 % interval {look.text(gain.low, True)} to {look.text(gain.high, True)})"
    )
    behind = [arm for arm in findings.ours if findings.verdict(arm, MONEY) == WORSE]
    turned = sum(gains[arm].low > 0 for arm in behind)
    if behind:
        text += f", and {turned or 'none'} of the {len(behind)} that are worse would be better"
    return f"{text}."
