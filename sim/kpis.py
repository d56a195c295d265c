"""Key performance indicators: what is true at a quarter's close, of the organization.

`TABLE` (see `sim/catalogue.py`) says what each means; here is how each is computed from the state.
An indicator is one row there and one entry in a function here or in the files beside it.
"""

from __future__ import annotations

import numpy as np

from sim import levers
from sim.catalogue import BOOKS, INDEX, PERSPECTIVES, TABLE, Kpi
from sim.closing import Close, Programmes, Start, average, counted, in_order, score_of, summed
from sim.kpis_audiences import against_rivals, audiences, heard
from sim.kpis_programmes import extraction, programmes
from sim.state import ADDS, LOSSES, NEGATIVE, POSITIVE, QUARTER, REFERRED, SUMS, add_up

__all__ = [
    "BOOKS",
    "INDEX",
    "MEASURES",
    "PERSPECTIVES",
    "TABLE",
    "Close",
    "Kpi",
    "Programmes",
    "Start",
    "indicators",
    "measures",
]

MEASURES = (
    "salience",
    "attitude",
    "expectation",
    "trust",
    "satisfaction",
    "tied",
    "positive_voices",
    "negative_voices",
)


def measures(close: Close) -> np.ndarray:
    """Return means per stakeholder, float64 (MEASURES, K, F, L); satisfaction over those tied."""
    people = np.maximum(close.type_counts, 1)[None, :, None]
    sums = {name: close.sums[i] for i, name in enumerate(SUMS)}
    with np.errstate(invalid="ignore", divide="ignore"):
        satisfaction = sums["satisfaction"] / sums["tied"]
    rows = [sums[name] / people for name in ("salience", "attitude", "expectation", "trust")]
    rows += [
        satisfaction,
        sums["tied"] / people,
        close.counts[POSITIVE] / people,
        close.counts[NEGATIVE] / people,
    ]
    table = np.stack(rows).transpose(0, 2, 1, 3)
    table[:, :, ~close.present] = np.nan
    return table


def indicators(close: Close, firm: int = 0) -> np.ndarray:
    """Return the indicators of `TABLE` seen from a firm, float64 (len(TABLE), L); nan undefined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {
            **_money(close, firm),
            **_market(close, firm),
            **_talk(close, firm),
            **_service(close, firm),
            **_inside(close, firm),
            **_rivals(close, firm),
            **against_rivals(close, firm),
            **audiences(close, firm),
            **programmes(close, firm),
        }
        values["silo_extraction"] = extraction(close, firm, values, TABLE)
    lanes = close.sums.shape[-1]
    return np.stack([np.broadcast_to(values[kpi.key], (lanes,)).astype(float) for kpi in TABLE])


def _customers(close: Close, name: str) -> np.ndarray:
    """Sum over customers by firm, (F, L)."""
    return summed(close, name, close.customer)


def _counted(close: Close, which: int) -> np.ndarray:
    return counted(close, which, close.customer)


def _retention(close: Close, firm: int) -> np.ndarray:
    start = close.start.tied[firm, close.customer].sum(axis=0)
    lost = _counted(close, LOSSES)[firm]
    if not close.lived:
        return close.nothing
    return np.where(start > 0, np.maximum(0.0, 1.0 - lost / start), np.nan)


def _money(close: Close, f: int) -> dict[str, np.ndarray]:
    # Imported late: whoever only reads the list of indicators does without the compiler.
    from sim.laws.finance import lifetime_value

    total = {name: close.firms.quarter[i, f] for i, name in enumerate(QUARTER)}
    customers = _customers(close, "tied")[f]
    lost, start = close.year[:, f]
    yearly = np.where(start > 0, np.maximum(0.0, 1.0 - lost / start), 0.0) ** 4
    margin = np.where(customers > 0, 4.0 * total["contribution"] / customers, 0.0)
    each = lifetime_value(margin, yearly, close.discount)
    spent = total["mechanisms"] + total["investment"]
    revenue = close.firms.quarter[QUARTER.index("revenue")]
    grown = in_order(close, revenue) / in_order(close, close.start.revenue)
    attracting = close.programmes.acts_on[:, :2].any(axis=1)
    wooing = add_up((close.firms.effort[f] + close.firms.due[f])[attracting])
    adds = _counted(close, ADDS)[f]
    growth = 100.0 * (revenue[f] / close.start.revenue[f] - grown)
    of_the_quarter = {
        "value_with_customers": close.firms.worth[f] + customers * each * close.today,
        "quarter_value": total["value"],
        "revenue": total["revenue"],
        "growth_against_market": np.where(np.isfinite(growth), growth, np.nan),
        "operating_margin": _ratio(total["profit"], total["revenue"]),
        "profit": total["profit"],
        "lifetime_value": np.where(customers > 0, each, np.nan),
        "acquisition_cost": wooing / np.where(adds > 0, adds, np.nan),
        "programme_spending": spent,
        "programme_share": _ratio(spent, total["revenue"]),
    }
    if not close.lived:
        of_the_quarter = dict.fromkeys(of_the_quarter, close.nothing)
    return {
        "net_present_value": close.firms.worth[f],
        "cash_in_hand": close.firms.cash[f],
        **of_the_quarter,
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, nan where there is no whole."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


def _market(close: Close, f: int) -> dict[str, np.ndarray]:
    tied = _customers(close, "tied")
    n = max(1, close.type_counts[close.customer].sum())
    adds, losses = _counted(close, ADDS)[f], _counted(close, LOSSES)[f]
    score = score_of(close, close.customer, [f])
    surprise = average(close, close.firms.quality[f]) - _customers(close, "expectation")[f] / n
    return {
        "market_share": tied[f] / in_order(close, tied),
        "retention": _retention(close, f),
        "gross_adds": adds.astype(float) if close.lived else close.nothing,
        "win_share": adds / (adds + losses),
        "trust": _customers(close, "trust")[f] / n,
        "quality_surprise": surprise,
        "salience": _customers(close, "salience")[f] / n,
        "preference": _customers(close, "preferring")[f] / n,
        "satisfaction": _customers(close, "satisfaction")[f] / tied[f],
        "net_promoter_score": score,
        "referral_share": _counted(close, REFERRED)[f] / adds,
        "relative_advocacy": score - score_of(close, close.customer, close.rivals(f)),
    }


def _talk(close: Close, f: int) -> dict[str, np.ndarray]:
    good, bad = close.counts[POSITIVE].sum(axis=1), close.counts[NEGATIVE].sum(axis=1)
    rivals = close.rivals(f)
    theirs_good, theirs_bad = good[rivals].sum(axis=0), bad[rivals].sum(axis=0)
    caught, voices = close.firms.quarter[QUARTER.index("heard")], good[f] + bad[f]
    of_customers = _counted(close, POSITIVE)[f] + _counted(close, NEGATIVE)[f]
    return {
        "net_sentiment": (good[f] - bad[f]) / voices,
        "share_of_voice": voices / (voices + theirs_good + theirs_bad),
        "rival_sentiment": (theirs_good - theirs_bad) / (theirs_good + theirs_bad),
        "listening_coverage": caught[f] / voices,
        "relationship_memory": heard(close, close.customer)[f]
        / of_customers
        * close.firms.delivered[f],
        "attention_share": caught[f] / in_order(close, caught),
    }


def _service(close: Close, f: int) -> dict[str, np.ndarray]:
    """Return what became of complaints."""
    state = close.firms
    done, given_up, left, waited = (
        state.quarter[QUARTER.index(name), f]
        for name in ("resolved", "abandoned", "left", "waited")
    )
    waiting, capacity = state.waiting[f], state.capacity[f]
    return {
        "complaints_resolved": done / (done + given_up),
        "loop_closed": done / (done + given_up + left + waiting),
        "first_reply": waited / (done + given_up + left),
        "backlog_weeks": waiting / np.where(capacity > 0, capacity, np.nan),
    }


def _inside(close: Close, f: int) -> dict[str, np.ndarray]:
    state = close.firms
    funded = state.effort[f] > 0
    absorbed = average(close, state.lever[levers.INDEX["absorption"], f])
    fit = average(close, state.fit[f])
    return {
        "insight_delivered": state.delivered[f],
        "insight_weeks": state.delay[f],
        "idea_to_change": state.delivered[f] * absorbed,
        "offering_fit": fit,
        "fit_gain": fit - average(close, close.start.fit[f]) if close.lived else close.nothing,
        "execution": average(close, state.execution[f]),
        "engagement": state.engagement[f],
        "human_readiness": state.ready[f, 0],
        "information_readiness": state.ready[f, 1],
        "organization_readiness": state.ready[f, 2],
        "maturity": add_up(np.where(funded, state.maturity[f], 0.0)) / funded.sum(axis=0),
    }


def _rivals(close: Close, f: int) -> dict[str, np.ndarray]:
    rivals = close.rivals(f)
    if not rivals:
        return {
            "rival_pressure": np.zeros(close.nothing.shape),
            "rival_attitude": close.nothing,
            "rival_fit": close.nothing,
        }
    messages = close.firms.lever[levers.INDEX["impressions"]]
    attitude = _customers(close, "attitude") / max(1, close.type_counts[close.customer].sum())
    fits = np.stack([average(close, close.firms.fit[c]) for c in rivals])
    return {
        "rival_pressure": add_up(np.stack([average(close, messages[c]) for c in rivals])),
        "rival_attitude": attitude[rivals].max(axis=0),
        "rival_fit": fits.max(axis=0),
    }
