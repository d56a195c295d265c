"""The page about the links of a strategy map: which hold in the simulation, how strongly, how soon.

It stands in the house style of the report, without scripts or requests, and has no decision: the
map is what is judged here, not portfolios.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from experiments import figures, report_parts
from experiments.link_strength import ABSENT, GIVEN, NUDGE, OPPOSITE, SUPPORTED, UNTRIED
from experiments.links import Trial
from experiments.report_scorecard import badge
from experiments.sheet import Sheet
from experiments.strategy_map_drawing import Stroke, draw
from experiments.strategy_map_routing import CrowdedMapError
from sim import scorecard
from sim.strategy_map import RIVALS, StrategyMap

TEMPLATE = Path(__file__).with_name("report_template.html")
REPORT, FIGURES, FIGURE = "report.html", "figures", "strategy_map_links"
THINNEST, WIDEST = 1.6, 8.0
HEADINGS = {
    SUPPORTED: "Supported: the head follows the tail as drawn",
    OPPOSITE: "Opposite: the head follows, but against the sign that is drawn",
    ABSENT: "Not supported by the simulation",
    GIVEN: "True by definition, so not tried",
    UNTRIED: "Not tried",
}


@dataclass(frozen=True)
class LinkResults:
    """What the page reads.

    Attributes
    ----------
    question, scenario, brief, portfolio : str
        What is asked, of which market, carried on how.
    quarters, replications : int
        Horizon and planned replications.
    strategy_map, trials
        What is drawn, and how each link was tried, in the same order.
    names : mapping
        What each indicator is called.
    links, link_quarters : DataFrame
        Tables of `link_strength.links_table`.
    provenance : mapping
        Command, seed, commit and versions.
    changed : tuple of str
        Settings, as `key=value`, that make the market another one than the shipped.
    """

    question: str
    scenario: str
    brief: str
    portfolio: str
    quarters: int
    replications: int
    strategy_map: StrategyMap
    trials: Sequence[Trial]
    names: Mapping[str, str]
    links: pd.DataFrame
    link_quarters: pd.DataFrame
    provenance: Mapping[str, Any]
    changed: tuple[str, ...] = ()

    def label(self, key: str) -> str:
        """Return an objective's name."""
        return "Rivals" if key == RIVALS else self.strategy_map.objective(key).label

    @property
    def counts(self) -> dict[str, int]:
        """Return how many links have each verdict."""
        return {verdict: int((self.links["verdict"] == verdict).sum()) for verdict in HEADINGS}


def write_report(results: LinkResults, folder: Path) -> Path:
    """Write the page and the map; return the page's path."""
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    sheet, excuse = drawing(results)
    if sheet is not None:
        figures.save(sheet, folder / FIGURES / FIGURE)
    path = folder / REPORT
    path.write_text(page(results, sheet, excuse), encoding="utf-8")
    return path


def drawing(results: LinkResults) -> tuple[Sheet | None, str]:
    """Return the map with a width for every link, or why it cannot be drawn."""
    rows = results.links.to_dict("records")
    told = (SUPPORTED, OPPOSITE)
    sizes = [abs(row["standardized_strength"]) for row in rows if row["verdict"] in told]
    largest = max((size for size in sizes if math.isfinite(size)), default=0.0)
    strokes = {
        trial.link: _stroke(row, largest) for trial, row in zip(results.trials, rows, strict=True)
    }
    lights = {objective.key: scorecard.NO_TARGET for objective in results.strategy_map.objectives}
    try:
        return draw(
            results.strategy_map,
            lights,
            {},
            f"Strategy map as simulated: {results.strategy_map.label}",
            f"{results.scenario}, {results.portfolio.lower()}, {results.replications} "
            "replications. Width: how strongly the head follows the tail; dotted: not supported.",
            strokes=strokes,
        ), ""
    except CrowdedMapError as error:
        return None, str(error)


def _stroke(row: Mapping[Any, Any], largest: float) -> Stroke:
    if row["verdict"] == GIVEN:
        return Stroke(THINNEST, "def")
    if row["verdict"] not in (SUPPORTED, OPPOSITE):
        return Stroke(2.1, pale=True)
    size = abs(row["standardized_strength"])
    share = math.sqrt(size / largest) if math.isfinite(size) and largest > 0 else 0.0
    against = "!" if row["verdict"] == OPPOSITE else ""
    return Stroke(THINNEST + (WIDEST - THINNEST) * share, f"q{row['lag']:.0f}{against}")


def page(results: LinkResults, sheet: Sheet | None, excuse: str) -> str:
    """Return the page; `excuse` says why the map is not drawn."""
    picture = f"<p>The map cannot be drawn: {escape(excuse)}.</p>"
    if sheet is not None:
        picture = report_parts.figure(
            sheet, "Strategy map with the strength of every link; the numbers are in the tables."
        )
    sections = [
        ("map", "The map as simulated", picture),
        ("links", "Link by link", "".join(_group(results, verdict) for verdict in HEADINGS)),
        ("how", "How a link is tried", _how(results)),
        ("reproduce", "How to reproduce this", _reproduce(results)),
    ]
    body = "".join(f'<section id="{k}"><h2>{title}</h2>{html}</section>'
                   for k, title, html in sections)  # fmt: skip
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        question=escape(results.question),
        scenario=escape(results.scenario),
        brief=escape(results.brief),
        changed=report_parts.changed(results.changed),
        contents=" ".join(f'<a href="#{key}">{title}</a>' for key, title, _ in sections),
        body=_summary(results) + body,
    )


def in_short(results: LinkResults) -> list[str]:
    """Return what came out, in sentences without markup."""
    counts, drawn = results.counts, len(results.links)
    tried = drawn - counts[UNTRIED] - counts[GIVEN]
    said = [
        f"Of {drawn} links that the map draws, {tried} could be tried. Supported by the "
        f"simulation: {counts[SUPPORTED]}; against the sign that is drawn: {counts[OPPOSITE]}; "
        f"not supported: {counts[ABSENT]}."
    ]
    sure = results.links[results.links["verdict"].isin([SUPPORTED, OPPOSITE])]
    if len(sure) and sure["standardized_strength"].notna().any():
        best = sure.loc[sure["standardized_strength"].abs().idxmax()]
        said.append(
            f"Strongest: “{results.label(best['tail'])}” to “{results.label(best['head'])}”, "
            f"{_number(best['standardized_strength'])} standard deviations of the head per "
            f"{_unit(best)}; largest in quarter {best['lag']:.0f} after the nudge's first."
        )
    return said


def terminal_summary(results: LinkResults) -> str:
    """Return every link's verdict for a terminal of 100 columns."""
    lines = [f"\n{results.scenario}: {results.question}", ""]
    lines += [f"{'link':46} {'strength, sd':>24} {'lag':>4}  verdict", "-" * 96]
    for row in results.links.to_dict("records"):
        band = ""
        if math.isfinite(row["standardized_strength"]):
            ends = (_number(row[f"standardized_{end}"]) for end in ("low", "high"))
            band = f"{_number(row['standardized_strength'])} ({' to '.join(ends)})"
        lag = "" if math.isnan(row["lag"]) else f"q{row['lag']:.0f}"
        reason = f": {row['why']}" if row["why"] else ""
        lines.append(f"{row['link'][:46]:46} {band:>24} {lag:>4}  {row['verdict']}{reason}")
    return "\n".join([*lines, "", *in_short(results), ""])


def _summary(results: LinkResults) -> str:
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in in_short(results))
    return f'<section class="decision" id="decision"><h2>In short</h2>{said}</section>'


def _group(results: LinkResults, verdict: str) -> str:
    rows = results.links[results.links["verdict"] == verdict].to_dict("records")
    if not rows:
        return ""
    title = f"<h3>{HEADINGS[verdict]} ({len(rows)})</h3>"
    if verdict == GIVEN:
        return title + _names(results, rows, "What the head is computed from; no nudge is needed.")
    if verdict == UNTRIED:
        return title + _names(results, rows, "Nothing can be said about these.")
    if verdict == ABSENT:
        title += (
            "<p>The head cannot be told from unmoved when the tail is pushed: the link may be "
            "absent from the simulated world, slower than the horizon, or too weak for so many "
            "replications. Where the interval is narrow, a strong link is ruled out here.</p>"
        )
    head = "".join(
        f'<th scope="col" class="{kind}">{text}</th>'
        for text, kind in (
            ("From", "text"), ("To", "text"), ("Flow", "text"),
            ("Strength<br><small>standard deviations, 95 % interval</small>", ""),
            ("Strength<br><small>head's unit per tail's unit</small>", ""),
            ("Largest after<br><small>quarters; first told from 0</small>", ""),
            ("p<br><small>Holm</small>", ""), ("What was pushed", "text"),
        )
    )  # fmt: skip
    rows = sorted(rows, key=lambda row: -abs(row["standardized_strength"]))
    return title + report_parts.table(head, [_line(results, row) for row in rows])


def _line(results: LinkResults, row: Mapping[Any, Any]) -> str:
    def end(key: str) -> str:
        label = results.names[row[f"{key}_kpi"]]
        return f"{escape(results.label(row[key]))}<br><small>{escape(label)}</small>"

    def band(prefix: str, name: str) -> str:
        ends = f"{_number(row[f'{prefix}low'])} to {_number(row[f'{prefix}high'])}"
        return f'{_number(row[name])}<br><small class="nowrap">{ends}</small>'

    unit = "<br><small>per nudge</small>" if row["tail_unit"] == NUDGE else ""
    lag, first = ("–" if math.isnan(row[k]) else f"{row[k]:.0f}" for k in ("lag", "first"))
    flow = badge(row["flow"]) if row["flow"] else "cause and effect"
    p = "–" if math.isnan(row["p_holm"]) else f"{row['p_holm']:.3f}"
    p = "&lt; 0.001" if p == "0.000" else p
    return (
        f'<tr><th scope="row">{end("tail")}</th><td class="text">{end("head")}</td>'
        f'<td class="text">{flow}<br><small>drawn {"+" if row["sign"] > 0 else "−"}</small></td>'
        f"<td>{band('standardized_', 'standardized_strength')}{unit}</td>"
        f"<td>{band('', 'strength')}</td><td>{lag}<br><small>{first}</small></td>"
        f'<td>{p}</td><td class="text"><small>{escape(row["nudge"])}</small></td></tr>'
    )


def _names(results: LinkResults, rows: Sequence[Mapping[Any, Any]], said: str) -> str:
    items = []
    for row in rows:
        flow = f" (flow {row['flow']:.0f})" if row["flow"] else ""
        why = f": {row['why']}" if row["why"] else ""
        ends = f"{results.label(row['tail'])} → {results.label(row['head'])}"
        items.append(f"<li>{escape(f'{ends}{flow}{why}')}</li>")
    return f"<p>{said}</p><ul>{''.join(items)}</ul>"


def _how(results: LinkResults) -> str:
    points = [
        "<strong>A nudge</strong> is a small push from outside at one place of the organization "
        "or of its rivals: a little more capital, a little more of what a mechanism could move. It "
        "costs nothing and nobody decides it. The same people live the same weeks on the same luck "
        "with and without it; whatever differs follows from it.",
        "<strong>Strength</strong> is how far the head moved divided by how far the tail moved, "
        f"each averaged over the quarters from the nudge to quarter {results.quarters}, in the "
        "direction that is better. The interval is Fieller's for a ratio of paired means. To "
        "compare links, both ends are also measured in standard deviations between replications; "
        "where replications do not differ, as for capital, the tail's unit is the whole nudge.",
        "<strong>Supported</strong> means: the head follows with the sign that is drawn, and p "
        "stays below 5 % after Holm's correction over all links that were tried.",
        "<strong>More ways than one.</strong> A nudge may reach the head by ways that do not "
        "lead through the tail. The ratio then counts them as well: it is what follows from moving "
        "the tail <em>so</em>, and an upper bound of the link alone where the ways agree.",
        "<strong>A link by its flow alone.</strong> Where several links join the same two "
        "objectives, each is tried by muting its flow: the head's response with the flow open "
        "beyond that with the flow muted. So is a link from an objective to itself, as a share of "
        "the response with the flow muted.",
        "<strong>Lag</strong> counts quarters after the nudge's first quarter: 0 is that quarter "
        "itself. The strength of every quarter is in link_quarters.csv.",
        "<strong>The simulation is not the world.</strong> A link that it does not support may "
        "hold in your market; a link that it supports holds under the stated assumptions.",
    ]
    return f"<ul>{''.join(f'<li>{point}</li>' for point in points)}</ul>"


def _reproduce(results: LinkResults) -> str:
    facts = dict(results.provenance)
    command, versions = escape(str(facts.pop("command"))), facts.pop("versions", {})
    items = [(key.replace("_", " ").capitalize(), str(value)) for key, value in facts.items()]
    items.append(("Versions", ", ".join(f"{name} {number}" for name, number in versions.items())))
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in items)
    return f'<pre>{command}</pre><dl class="facts">{rows}</dl>'


def _unit(row: Mapping[Any, Any]) -> str:
    return "nudge" if row["tail_unit"] == NUDGE else "one of the tail"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    if value != 0 and not 1e-3 <= abs(value) < 1e7:
        return f"{value:+.1e}".replace("-", "−")
    text = f"{value:+.3g}" if abs(value) < 1000 else f"{value:+,.0f}"
    return "0" if value == 0 else text.replace("-", "−")
