"""The two lives of a story side by side, a row per week, with a dictionary of the columns."""

from __future__ import annotations

import math

import pandas as pd

from experiments.story import RUN, TWIN, Story, name_of
from sim.fields import WEEKS_PER_QUARTER
from sim.flows import ORGANIZATION
from sim.laws import outbound
from sim.trace import ATTITUDE_CAUSES, SALIENCE_CAUSES, SATISFACTION_CAUSES, Week

LIVES = {RUN: "run", TWIN: "twin"}
COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("provider", "-", "firm one is tied to at the week's end; empty for none"),
    ("salience", "probability", "that the organization is in mind, at the week's end"),
    *(
        (f"salience_{cause}", "probability", f"what {cause} added to it")
        for cause in SALIENCE_CAUSES
    ),
    ("attitude", "-1..1", "to the organization, at the week's end"),
    *((f"attitude_{cause}", "-1..1", f"what {cause} added to it") for cause in ATTITUDE_CAUSES),
    ("expectation", "quality", "that is expected of the organization"),
    ("trust", "share", "in the organization's claims"),
    ("satisfaction", "-1..1", "with the provider, at the week's end"),
    *(
        (f"satisfaction_{cause}", "-1..1", f"what {cause} added to it")
        for cause in SATISFACTION_CAUSES
    ),
    ("impressions", "impressions", "of the organization per head of the type"),
    ("expected", "quality", "before an experience of the provider; empty without one"),
    ("promised", "quality", "by the provider then"),
    ("performance", "quality", "that was met then"),
    ("heard", "messages", "about the organization"),
    ("heard_from", "-", "who (type, layer) said what about whom, and what it moved; ; between"),
    ("spoke", "-1..1", "what one said about the organization; empty for silence"),
    ("complained", "-", "1 if one complained to the provider"),
    ("served", "-", "what became of a complaint: resolved or abandoned"),
    ("values", "utils", "of each firm and of none at an occasion to choose, luck included"),
    ("chosen", "-", "at that occasion; none for nobody"),
)


def lives_table(story: Story) -> pd.DataFrame:
    """Return both lives: week, quarter, then every column of COLUMNS as run_ and as twin_."""
    rows = []
    for weeks in zip(*story.lives, strict=True):
        number = weeks[RUN].number
        row: dict[str, object] = {
            "week": number,
            "quarter": (number - 1) // WEEKS_PER_QUARTER + 1,
        }
        for life, name in LIVES.items():
            cells = _cells(story, weeks[life])
            row |= {f"{name}_{column}": cells[column] for column, _, _ in COLUMNS}
        rows.append(row)
    return pd.DataFrame(rows)


def lives_dictionary() -> pd.DataFrame:
    """Return unit and meaning of every column of the table of lives."""
    rows = [
        ("week", "weeks", "1 is the first of quarter 1"),
        ("quarter", "quarters", "in which the week lies"),
    ]
    rows += [
        (f"{name}_{column}", unit, f"{meaning} (in the {name})")
        for name in LIVES.values()
        for column, unit, meaning in COLUMNS
    ]
    return pd.DataFrame(rows, columns=["column", "unit", "meaning"])


def _cells(story: Story, week: Week) -> dict[str, object]:
    firms, f, after = story.plot.scenario.firms, ORGANIZATION, week.after

    def firm(number: int, nobody: str = "") -> str:
        return firms[number].key if number >= 0 else nobody

    met, occasion = week.experience, week.occasion
    cells: dict[str, object] = {
        "provider": firm(after.provider),
        "salience": after.salience[f],
        "attitude": after.attitude[f],
        "expectation": after.expectation[f],
        "trust": outbound.trust(after.kept[f], after.broken[f]),
        "satisfaction": after.satisfaction,
        "impressions": week.impressions[f],
        "expected": met.expected if met else math.nan,
        "promised": met.promised if met else math.nan,
        "performance": met.performance if met else math.nan,
        "heard": sum(message.firm == f for message in week.messages),
        "heard_from": heard_from(story, week),
        "spoke": week.spoke.get(f, math.nan),
        "complained": int(week.complained),
        "served": week.served,
        "values": "",
        "chosen": "",
    }
    if occasion is not None:
        values = [f"{one.key}={value:.3f}" for one, value in
                  zip(firms, occasion.values, strict=True)]  # fmt: skip
        cells["values"] = "; ".join([*values, f"none={occasion.none:.3f}"])
        cells["chosen"] = firm(after.provider, "none")
    cells |= {f"attitude_{cause}": part[f] for cause, part in week.attitude.items()}
    cells |= {f"salience_{cause}": part[f] for cause, part in week.salience.items()}
    cells |= {f"satisfaction_{cause}": part for cause, part in week.satisfaction.items()}
    return cells


def heard_from(story: Story, week: Week) -> str:
    """Return every voice heard in a week, in a few words each."""
    scenario, world = story.plot.scenario, story.plot.world
    return "; ".join(
        f"{name_of(scenario, one.speaker, one.ident)} "
        f"({scenario.stakeholders[world.kind[one.speaker]].key}, {scenario.layers[one.layer].key}) "
        f"{one.valence:+.2f} on {scenario.firms[one.firm].key}"
        f"{' with an offer' if one.offer else ''} moved {one.moved:+.4f}"
        for one in week.messages
    )
