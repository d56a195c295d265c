"""Made-up result tables with believable numbers, for tests of analysis, figures and report.

No model stands behind them: levels, growth and spread are drawn so that there is a clear winner,
arms that cannot be told apart from the baseline, a loser, and flows that overlap. Tests only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from experiments.attribution import influence_rows
from experiments.report import StudyResults
from experiments.report_findings import Process
from sim import kpis
from sim.scorecard import Board, Target
from sim.strategy_map import strategy_map_of

CONFIGS = Path(__file__).parent.parent / "configs"
HEADLINE = ("net_present_value", "market_share", "trust", "operating_margin")
ARMS = {
    "as_is": "As is",
    "service": "Fast, human customer service",
    "recovery": "Complaint recovery and closed loop",
    "community": "Owners' community",
    "listening": "Social listening",
    "advertising": "Brand advertising",
    "referral": "Referral programme",
    "codesign": "Co-design with trade customers",
    "enablement": "Reseller enablement",
    "silos": "Cross-silo synthesis of all flows",
    "ads_only": "Advertising only",
    "listen_first": "Listening first",
    "balanced": "Balanced transformation",
}
KINDS = {
    "trade": "Trade customers", "home": "Home customers", "employees": "Employees",
    "resellers": "Resellers", "suppliers": "Suppliers", "media": "Media",
    "investors": "Investors", "community": "Community",
}  # fmt: skip
# Who runs here what the list of indicators gives to its owners; nobody does operations.
DEPARTMENTS = {
    "strategy": "Board office", "sales": "Shops", "public_relations": "Communications",
    "marketing": "Communications", "customer_service": "Shops", "product": "Workshop",
    "human_resources": "Board office", "information_technology": "Board office",
}  # fmt: skip
AUDIENCES = {
    "customers": ("Trade customers", "Home customers"), "channel": ("Resellers",),
    "employees": ("Employees",), "suppliers": ("Suppliers",), "media": ("Media",),
    "investors": ("Investors",), "public": ("Community",),
}  # fmt: skip
PROCESSES = (
    Process("fast_service", "Fast, human service", "Shops", (1, 3), (0.5, 0.3, 0.2)),
    Process("rebuttal", "Message rebuttal", "Communications", (4,), (0.3, 0.5, 0.2)),
)
# Flows 1 and 3 are sensed, as by most organizations; the others are not.
SENSED = (kpis.BOOKS, 1, 3)
# Final gain in net present value (thousand euro), then in market share, trust and margin.
GAINS = {
    "as_is": (0, 0, 0, 0), "service": (5200, 0.011, 0.031, 0.004),
    "recovery": (7900, 0.012, 0.042, 0.006), "community": (900, 0.004, 0.006, -0.001),
    "listening": (3100, 0.006, 0.012, 0.003), "advertising": (-4200, 0.007, -0.022, -0.009),
    "referral": (150, 0.003, -0.004, 0.0), "codesign": (2500, 0.008, 0.009, 0.001),
    "enablement": (1700, 0.006, 0.002, 0.001), "silos": (400, 0.001, 0.003, 0.0),
    "ads_only": (-6900, 0.006, -0.035, -0.013), "listen_first": (9400, 0.014, 0.045, 0.007),
    "balanced": (8800, 0.019, 0.038, 0.005),
}  # fmt: skip
OPENING = {
    "net_present_value": 0.0, "value_with_customers": 180_000.0, "revenue": 100_000.0,
    "operating_margin": 0.05, "profit": 5_000.0, "programme_spending": 2_400.0,
    "market_share": 0.34, "retention": 0.957, "gross_adds": 190.0, "trust": 0.61,
    "salience": 0.44, "preference": 0.36, "satisfaction": 0.18, "net_promoter_score": 11.0,
    "net_sentiment": 0.31, "share_of_voice": 0.35, "referral_share": 0.04,
    "listening_coverage": 0.12, "insight_delivered": 0.41, "insight_weeks": 7.5,
    "offering_fit": 0.72, "complaints_resolved": 0.63, "execution": 0.66,
    "rival_pressure": 0.9, "rival_attitude": 0.14, "rival_sentiment": 0.27,
    "relative_advocacy": -2.0, "attention_share": 0.3, "rival_fit": 0.73, "engagement": 0.22,
    "human_readiness": 0.55, "information_readiness": 0.42, "organization_readiness": 0.38,
    "maturity": 0.52,
}  # fmt: skip
BY_UNIT = {"share": 0.5, "-1..1": 0.2, "points": 10.0}  # of what is not named above
UNDEFINED_AT_OPENING = ("revenue", "operating_margin", "profit", "programme_spending", "retention",
                        "gross_adds", "net_sentiment", "share_of_voice", "referral_share",
                        "listening_coverage", "insight_delivered", "complaints_resolved",
                        "rival_sentiment", "attention_share", "rival_pressure")  # fmt: skip
PLANNED = 4_000.0


def study(
    replications: int = 30, quarters: int = 12, twins: bool = True, seed: int = 7, **changes: Any
) -> StudyResults:
    """Return a whole study's results; `changes` replace fields."""
    scorecard = scorecard_table(replications, quarters, seed)
    fields: dict[str, Any] = {
        "question": "Which influence mechanisms to improve?",
        "scenario": "Attenzi",
        "brief": "A maker of professional and home kitchen equipment with two competitors, known "
        "for honest dealing and growing with its industry. Numbers here are made up.",
        "currency": "thousand euro",
        "arms": ARMS,
        "baseline": "as_is",
        "headline": HEADLINE,
        "quarters": quarters,
        "kinds": KINDS,
        "mechanisms": {"fast_service": "Fast, human service"},
        "departments": DEPARTMENTS,
        "audiences": AUDIENCES,
        "processes": PROCESSES,
        "complementarity": -1.0,
        "runs": runs_table(scorecard, replications),
        "scorecard": scorecard,
        "influence": influence_table(replications, quarters, seed)
        if twins
        else influence_table(1, quarters, seed).iloc[:0],
        "spending": spending_table(replications, quarters),
        "board": board(),
        "strategy_map": strategy_map("default"),
        "provenance": {
            "command": "influence compare scenario=attenzi",
            "seed": 2024,
            "replications": replications,
            "git_commit": "0123abc (clean)",
            "created": "2025-01-01 12:00 UTC",
            "versions": {"python": "3.11", "numpy": "2.0", "influence": "0.1.0"},
        },
        "notes": (
            "Competitors: Forno answers proportionally, Kuche imitates with a lag of two quarters.",
        ),
    }
    fields |= changes
    return StudyResults(**fields)


def board(**changes: Any) -> Board:
    """Return the shipped way of giving lights, with the default targets."""
    settings = yaml.safe_load((CONFIGS / "config.yaml").read_text(encoding="utf-8"))["scorecard"]
    return Board(**({"targets": targets("default")} | settings | changes))


def targets(name: str) -> Any:
    """Return shipped targets."""
    settings = _load("scorecard", name)["targets"]
    return tuple(Target(kpi=kpi, **values) for kpi, values in settings.items())


def strategy_map(name: str) -> Any:
    """Return a shipped strategy map."""
    return strategy_map_of(_load("strategy_map", name))


def _load(group: str, name: str) -> Any:
    return yaml.safe_load((CONFIGS / group / f"{name}.yaml").read_text(encoding="utf-8"))


def scorecard_table(replications: int, quarters: int, seed: int) -> pd.DataFrame:
    """Return a tidy scorecard: a shared walk per replication, an S-shaped gain per arm."""
    rng = np.random.default_rng(seed)
    time = np.arange(quarters + 1) / max(quarters, 1)
    ramp = time**2 * (3 - 2 * time)
    frames = []
    for kpi in kpis.TABLE:
        level = OPENING.get(kpi.key, BY_UNIT.get(kpi.unit, 3.0))
        size = 65_000 if kpi.key == "net_present_value" else max(abs(level), 0.1)
        walk = rng.normal(0, 0.012, (replications, quarters + 1)).cumsum(axis=1) * size
        walk[:, 0] = 0
        drift = 65_000 * time if kpi.key == "net_present_value" else 0.01 * size * time
        for arm, gains in GAINS.items():
            if kpi.key in HEADLINE:
                gain = gains[HEADLINE.index(kpi.key)]
                path = gain * ramp
                if kpi.key == "net_present_value" and arm != "as_is":
                    path = (gain + PLANNED) * ramp**1.6 - PLANNED * np.minimum(time * 1.3, 1)
            else:
                gain = kpi.direction * size * (0.14 * gains[2] / 0.045 + 0.02 * (arm != "as_is"))
                path = gain * ramp
            spread = 0.22 * abs(gain) + (0.022 if kpi.key == "net_present_value" else 0.004) * size
            own = rng.normal(0, spread, (replications, 1)) * ramp
            if arm == "as_is":
                own = 0 * own
            values = level + drift + walk + path + own
            if kpi.unit.startswith("share"):
                values = np.minimum(values, 0.99)
            if kpi.key in UNDEFINED_AT_OPENING:
                values[:, 0] = np.nan
            frames.append(pd.DataFrame({
                "arm": arm,
                "replication": np.repeat(np.arange(replications), quarters + 1),
                "quarter": np.tile(np.arange(quarters + 1), replications),
                "kpi": kpi.key,
                "value": values.ravel(),
                "reading": values.ravel() if kpi.sensed_by in SENSED else np.nan,
            }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def influence_table(replications: int, quarters: int, seed: int) -> pd.DataFrame:
    """Return muted-twin differences for the baseline and the arm that ranks first."""
    rng = np.random.default_rng(seed + 1)
    n_kinds, n_measures = len(KINDS), len(kpis.MEASURES)
    ramp = np.linspace(0, 1, quarters + 1)
    strength = np.array([0.05, 0.035, 0.02, -0.03, -0.012, -0.006])
    by_kind = rng.uniform(0.3, 1.2, (6, n_kinds))
    by_kind[2, 2] = 2.0
    frames = []
    for arm, boost, npv in (
        ("as_is", np.ones(6), np.array([9000, 4200, 1900, -6000, -2500, -900.0])),
        ("listen_first", np.array([1.1, 1.6, 2.8, 1, 1, 1.1]),
         np.array([10100, 8200, 8900, -6100, -2300, -1000.0])),
    ):  # fmt: skip
        for replication in range(replications):
            kpi = np.zeros((quarters + 1, len(kpis.TABLE), 7))
            measures = np.zeros((quarters + 1, n_measures, n_kinds, 3, 7))
            for flow in range(6):
                luck = rng.normal(1, 0.15)
                moved = strength[flow] * boost[flow] * by_kind[flow] * luck
                scale = 1 + 0.2 * rng.normal(size=(n_measures, 1))
                measures[:, :, :, 0, flow + 1] = -(ramp[:, None, None] * scale * moved)
                for key, factor in zip(HEADLINE, (1, 2e-6, 5e-6, 1e-6), strict=True):
                    kpi[:, kpis.INDEX[key], flow + 1] = -ramp * npv[flow] * luck * factor
            rows = influence_rows(
                kpi, measures, 0, {f: f for f in range(1, 7)}, list(KINDS), HEADLINE
            )
            rows.insert(0, "replication", replication)
            rows.insert(0, "arm", arm)
            frames.append(rows)
    return pd.concat(frames, ignore_index=True)


def runs_table(scorecard: pd.DataFrame, replications: int) -> pd.DataFrame:
    """Return one row per arm and replication."""
    last = scorecard[
        (scorecard["kpi"] == "net_present_value")
        & (scorecard["quarter"] == scorecard["quarter"].max())
    ]
    value = {(row.arm, row.replication): row.value for row in last.itertuples()}
    records = []
    for replication in range(replications):
        for arm, label in ARMS.items():
            planned = 0.0 if arm == "as_is" else PLANNED
            records.append(
                (
                    f"{arm}-{replication}",
                    arm,
                    label,
                    replication,
                    2024,
                    "",
                    0,
                    "finished",
                    "",
                    planned,
                    planned * 0.985,
                    0.0,
                    1.0,
                    value[arm, replication],
                )
            )
    return pd.DataFrame(records, columns=[
        "run_id", "arm", "label", "replication", "seed", "twin_of", "muted_flow", "status",
        "error", "planned_cost", "realised_cost", "quarters_cut", "least_afforded",
        "net_present_value"])  # fmt: skip


def spending_table(replications: int, quarters: int) -> pd.DataFrame:
    """Return spending of every arm: an even stream on a mechanism and on human capital."""
    keys = [
        (arm, r, q, item)
        for arm in ARMS
        for r in range(replications)
        for q in range(1, quarters + 1)
        for item in ("fast_service", "invest_human")
    ]
    table = pd.DataFrame(keys, columns=["arm", "replication", "quarter", "item"])
    share = np.where(table["item"] == "invest_human", 0.25, 0.75)
    table["value"] = np.where(table["arm"] == "as_is", 0.0, share * PLANNED / quarters)
    table["present_value"] = table["value"] * 0.98 ** (table["quarter"] - 0.5)
    return table
