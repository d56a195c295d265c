"""Key performance indicators: what is true at a quarter's close, of the organization.

`TABLE` is the one list of indicators; each names its perspective on the Balanced Scorecard, the
department whose silo it comes from and, where it has one, its flow and stakeholder type, so that
the Influence Scorecard is a filter of the same list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim import levers
from sim.state import ADDS, LOSSES, NEGATIVE, POSITIVE, QUARTER, REFERRED, SUMS, add_up

if TYPE_CHECKING:
    from sim.firms import FirmState

PERSPECTIVES = ("financial", "customer", "internal", "learning")
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


@dataclass(frozen=True)
class Kpi:
    """One indicator: where it stands on the scorecard and how it is read."""

    key: str
    label: str
    perspective: str
    unit: str
    direction: int
    leading: bool
    owner: str
    flow: int | None
    formula: str


def _row(
    key: str,
    label: str,
    perspective: str,
    unit: str,
    direction: int,
    leading: bool,
    owner: str,
    flow: int | None,
    formula: str,
) -> Kpi:
    return Kpi(key, label, perspective, unit, direction, leading, owner, flow, formula)


TABLE: tuple[Kpi, ...] = (
    _row(
        "net_present_value",
        "Net present value to date",
        "financial",
        "currency",
        1,
        False,
        "strategy",
        None,
        "sum over weeks so far of (profit - investment), discounted",
    ),
    _row(
        "value_with_customers",
        "Net present value with customer base",
        "financial",
        "currency",
        1,
        False,
        "strategy",
        None,
        "net present value to date + discounted lifetime value of the customers tied now, at the "
        "quarter's contribution and the last four quarters' retention",
    ),
    _row(
        "revenue",
        "Revenue",
        "financial",
        "currency/quarter",
        1,
        False,
        "sales",
        None,
        "units bought x price paid + fixed income, summed over the quarter",
    ),
    _row(
        "operating_margin",
        "Operating margin",
        "financial",
        "share",
        1,
        False,
        "strategy",
        None,
        "profit / revenue of the quarter",
    ),
    _row(
        "profit",
        "Profit",
        "financial",
        "currency/quarter",
        1,
        False,
        "strategy",
        None,
        "revenue - variable cost - mechanisms - tickets - referrals - fixed cost",
    ),
    _row(
        "programme_spending",
        "Spending on mechanisms and capital",
        "financial",
        "currency/quarter",
        -1,
        True,
        "strategy",
        None,
        "mechanisms + investment of the quarter",
    ),
    _row(
        "market_share",
        "Market share",
        "customer",
        "share",
        1,
        False,
        "sales",
        None,
        "customers tied to us / customers tied to any firm",
    ),
    _row(
        "retention",
        "Retention",
        "customer",
        "share/quarter",
        1,
        False,
        "sales",
        None,
        "1 - customers lost in the quarter / customers at its start",
    ),
    _row(
        "gross_adds",
        "New customers",
        "customer",
        "customers/quarter",
        1,
        True,
        "sales",
        1,
        "customers who chose us in the quarter and were not ours",
    ),
    _row(
        "trust",
        "Trust of customers",
        "customer",
        "share",
        1,
        True,
        "public_relations",
        1,
        "mean of kept promises / (kept + broken promises), customers",
    ),
    _row(
        "salience",
        "Salience among customers",
        "customer",
        "probability",
        1,
        True,
        "marketing",
        1,
        "mean probability that we are in mind, customers",
    ),
    _row(
        "preference",
        "Preference share",
        "customer",
        "share",
        1,
        True,
        "marketing",
        1,
        "customers whose attitude to us is the highest / customers",
    ),
    _row(
        "satisfaction",
        "Satisfaction of our customers",
        "customer",
        "-1..1",
        1,
        True,
        "customer_service",
        None,
        "mean satisfaction of customers tied to us",
    ),
    _row(
        "net_promoter_score",
        "Net promoter score",
        "customer",
        "points",
        1,
        True,
        "customer_service",
        2,
        "100 x (promoters - detractors) / our customers",
    ),
    _row(
        "net_sentiment",
        "Net sentiment of talk about us",
        "customer",
        "-1..1",
        1,
        True,
        "public_relations",
        2,
        "(positive - negative) / all voices about us in the quarter",
    ),
    _row(
        "share_of_voice",
        "Share of voice",
        "customer",
        "share",
        1,
        True,
        "public_relations",
        2,
        "voices about us / voices about any firm in the quarter",
    ),
    _row(
        "referral_share",
        "Referred share of new customers",
        "customer",
        "share",
        1,
        True,
        "marketing",
        2,
        "new customers with a live referral offer / new customers",
    ),
    _row(
        "listening_coverage",
        "Voices heard",
        "internal",
        "share",
        1,
        True,
        "marketing",
        3,
        "voices about us that we heard / voices about us in the quarter",
    ),
    _row(
        "insight_delivered",
        "Insight that reaches action",
        "internal",
        "share",
        1,
        True,
        "strategy",
        3,
        "share of heard insight delivered to a department that acts",
    ),
    _row(
        "insight_weeks",
        "Weeks from insight to change",
        "internal",
        "weeks",
        -1,
        True,
        "strategy",
        3,
        "mean hand-overs x weeks per hand-over",
    ),
    _row(
        "offering_fit",
        "Fit of the offering to needs",
        "internal",
        "share",
        1,
        True,
        "product",
        3,
        "exp(-distance^2 / (2 tolerance^2)), customers' mean",
    ),
    _row(
        "complaints_resolved",
        "Complaints resolved",
        "internal",
        "share",
        1,
        True,
        "customer_service",
        3,
        "resolved / (resolved + abandoned) in the quarter",
    ),
    _row(
        "execution",
        "Service execution",
        "internal",
        "share",
        1,
        True,
        "operations",
        1,
        "logistic of human readiness, engagement, quality mechanisms and backlog",
    ),
    _row(
        "rival_pressure",
        "Rivals' messages",
        "internal",
        "impressions/week",
        -1,
        True,
        "marketing",
        4,
        "impressions per customer and week of all rivals",
    ),
    _row(
        "rival_attitude",
        "Attitude to the best-liked rival",
        "customer",
        "-1..1",
        -1,
        True,
        "marketing",
        4,
        "highest of the rivals' mean attitudes, customers",
    ),
    _row(
        "rival_sentiment",
        "Net sentiment of talk about rivals",
        "customer",
        "-1..1",
        -1,
        True,
        "public_relations",
        5,
        "(positive - negative) / all voices about rivals in the quarter",
    ),
    _row(
        "relative_advocacy",
        "Net promoter score against rivals",
        "customer",
        "points",
        1,
        True,
        "marketing",
        5,
        "our net promoter score - that of all rivals' customers",
    ),
    _row(
        "attention_share",
        "Share of feedback that we hear",
        "internal",
        "share",
        1,
        True,
        "marketing",
        6,
        "voices heard by us / voices heard by any firm in the quarter",
    ),
    _row(
        "rival_fit",
        "Fit of the rivals' offerings",
        "internal",
        "share",
        -1,
        True,
        "product",
        6,
        "best rival's fit of the offering to customers' needs",
    ),
    _row(
        "engagement",
        "Engagement of employees",
        "learning",
        "-1..1",
        1,
        True,
        "human_resources",
        1,
        "mean attitude of our employees to us",
    ),
    _row(
        "human_readiness",
        "Readiness of human capital",
        "learning",
        "share",
        1,
        True,
        "human_resources",
        None,
        "1 - exp(-stock / reference stock)",
    ),
    _row(
        "information_readiness",
        "Readiness of information capital",
        "learning",
        "share",
        1,
        True,
        "information_technology",
        None,
        "1 - exp(-stock / reference stock)",
    ),
    _row(
        "organization_readiness",
        "Readiness of organization capital",
        "learning",
        "share",
        1,
        True,
        "strategy",
        None,
        "1 - exp(-stock / reference stock)",
    ),
    _row(
        "maturity",
        "Maturity of funded mechanisms",
        "learning",
        "share",
        1,
        True,
        "strategy",
        None,
        "mean maturity of mechanisms funded this quarter",
    ),
)

INDEX = {kpi.key: i for i, kpi in enumerate(TABLE)}


class Close(NamedTuple):
    """What is known at a quarter's close; F firms, K stakeholder types, L lanes.

    `lived` is whether a quarter has been lived, be it only of the warm-up.
    `sums` float64 (SUMS, F, K, L) over stakeholders; `counts` int64 (COUNTS, F, K, L) of the
    quarter; `start_tied` float64 (F, K, L) at its start; `year` float64 (2, F, L) customers lost
    and customers at the start, both summed over the last four quarters; `firms` a FirmState;
    `today` the discount factor of this week.
    """

    lived: bool
    order: np.ndarray
    sums: np.ndarray
    type_counts: np.ndarray
    customer: np.ndarray
    counts: np.ndarray
    start_tied: np.ndarray
    year: np.ndarray
    firms: FirmState
    discount: float
    today: float


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
    return np.stack(rows).transpose(0, 2, 1, 3)


def indicators(close: Close, firm: int = 0) -> np.ndarray:
    """Return the indicators of `TABLE` seen from a firm, float64 (len(TABLE), L); nan undefined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {
            **_money(close, firm),
            **_market(close, firm),
            **_talk(close, firm),
            **_inside(close, firm),
            **_rivals(close, firm),
        }
    lanes = close.sums.shape[-1]
    return np.stack([np.broadcast_to(values[kpi.key], (lanes,)).astype(float) for kpi in TABLE])


def _customers(close: Close, name: str) -> np.ndarray:
    """Sum over customers by firm, (F, L)."""
    return close.sums[SUMS.index(name)][:, close.customer].sum(axis=1)


def _counted(close: Close, which: int) -> np.ndarray:
    return close.counts[which][:, close.customer].sum(axis=1)


def _retention(close: Close, firm: int) -> np.ndarray:
    start = close.start_tied[firm, close.customer].sum(axis=0)
    lost = _counted(close, LOSSES)[firm]
    if not close.lived:
        return np.full(start.shape, np.nan)
    return np.where(start > 0, np.maximum(0.0, 1.0 - lost / start), np.nan)


def _money(close: Close, f: int) -> dict[str, np.ndarray]:
    # Imported late: whoever only reads the list of indicators does without the compiler.
    from sim.laws.finance import lifetime_value

    total = {name: close.firms.quarter[i, f] for i, name in enumerate(QUARTER)}
    nothing = np.full(total["revenue"].shape, np.nan)
    opened = close.lived
    customers = _customers(close, "tied")[f]
    lost, start = close.year[:, f]
    yearly = np.where(start > 0, np.maximum(0.0, 1.0 - lost / start), 0.0) ** 4
    margin = np.where(customers > 0, 4.0 * total["contribution"] / customers, 0.0)
    base = customers * lifetime_value(margin, yearly, close.discount) * close.today
    return {
        "net_present_value": close.firms.worth[f],
        "value_with_customers": close.firms.worth[f] + base if opened else nothing,
        "revenue": total["revenue"] if opened else nothing,
        "operating_margin": _ratio(total["profit"], total["revenue"]) if opened else nothing,
        "profit": total["profit"] if opened else nothing,
        "programme_spending": total["mechanisms"] + total["investment"] if opened else nothing,
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, nan where there is no whole."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


def _market(close: Close, f: int) -> dict[str, np.ndarray]:
    tied = _customers(close, "tied")
    n = max(1, close.type_counts[close.customer].sum())
    adds = _counted(close, ADDS)[f]
    nps = _promoter_score(close)
    return {
        "market_share": tied[f] / _in_order(close, tied),
        "retention": _retention(close, f),
        "gross_adds": adds.astype(float) if close.lived else np.full(adds.shape, np.nan),
        "trust": _customers(close, "trust")[f] / n,
        "salience": _customers(close, "salience")[f] / n,
        "preference": _customers(close, "preferring")[f] / n,
        "satisfaction": _customers(close, "satisfaction")[f] / tied[f],
        "net_promoter_score": nps[f],
        "referral_share": _counted(close, REFERRED)[f] / adds,
        "relative_advocacy": nps[f] - _rivals_score(close, f),
    }


def _in_order(close: Close, by_firm: np.ndarray) -> np.ndarray:
    """Sum over firms in the order of their keys, so that numbering them changes no bit."""
    return by_firm[close.order].sum(axis=0)


def _average(close: Close, by_type: np.ndarray) -> np.ndarray:
    """Average (K, L) over customers, types weighted by their numbers."""
    n = close.type_counts[close.customer]
    return add_up(by_type[close.customer] * (n / max(1, n.sum()))[:, None])


def _promoter_score(close: Close) -> np.ndarray:
    gap = _customers(close, "promoters") - _customers(close, "detractors")
    return 100.0 * gap / _customers(close, "tied")


def _rivals_score(close: Close, f: int) -> np.ndarray:
    rivals = [c for c in close.order if c != f]
    gap = _customers(close, "promoters") - _customers(close, "detractors")
    return 100.0 * gap[rivals].sum(axis=0) / _customers(close, "tied")[rivals].sum(axis=0)


def _talk(close: Close, f: int) -> dict[str, np.ndarray]:
    good, bad = close.counts[POSITIVE].sum(axis=1), close.counts[NEGATIVE].sum(axis=1)
    rivals = [c for c in close.order if c != f]
    theirs_good, theirs_bad = good[rivals].sum(axis=0), bad[rivals].sum(axis=0)
    heard, voices = close.firms.quarter[QUARTER.index("heard")], good[f] + bad[f]
    return {
        "net_sentiment": (good[f] - bad[f]) / voices,
        "share_of_voice": voices / (voices + theirs_good + theirs_bad),
        "rival_sentiment": (theirs_good - theirs_bad) / (theirs_good + theirs_bad),
        "listening_coverage": heard[f] / voices,
        "attention_share": heard[f] / _in_order(close, heard),
    }


def _inside(close: Close, f: int) -> dict[str, np.ndarray]:
    state = close.firms
    done, given_up = (state.quarter[QUARTER.index(name), f] for name in ("resolved", "abandoned"))
    funded = state.effort[f] > 0
    return {
        "insight_delivered": state.delivered[f],
        "insight_weeks": state.delay[f],
        "offering_fit": _average(close, state.fit[f]),
        "complaints_resolved": done / (done + given_up),
        "execution": _average(close, state.execution[f]),
        "engagement": state.engagement[f],
        "human_readiness": state.ready[f, 0],
        "information_readiness": state.ready[f, 1],
        "organization_readiness": state.ready[f, 2],
        "maturity": add_up(np.where(funded, state.maturity[f], 0.0)) / funded.sum(axis=0),
    }


def _rivals(close: Close, f: int) -> dict[str, np.ndarray]:
    rivals = [c for c in close.order if c != f]
    lanes = close.sums.shape[-1]
    if not rivals:
        nothing = np.full(lanes, np.nan)
        return {"rival_pressure": np.zeros(lanes), "rival_attitude": nothing, "rival_fit": nothing}
    messages = close.firms.lever[levers.INDEX["impressions"]]
    attitude = _customers(close, "attitude") / max(1, close.type_counts[close.customer].sum())
    fits = np.stack([_average(close, close.firms.fit[c]) for c in rivals])
    return {
        "rival_pressure": add_up(np.stack([_average(close, messages[c]) for c in rivals])),
        "rival_attitude": attitude[rivals].max(axis=0),
        "rival_fit": fits.max(axis=0),
    }
