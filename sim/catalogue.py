"""The catalogue of indicators: what each means, where it stands, whose it is and who senses it.

`TABLE` is the one list of indicators. Each names its perspective on the Balanced Scorecard, the
department whose silo it comes from and, where it has one, its flow and its audience, so that the
Influence Scorecard is a filter of the same list. What `sim/kpis.py` computes is the truth; how
management reads an indicator depends on `sensed_by` (see `sim/sensing.py`).
Sources: Kaplan & Norton (2004) for perspectives; Sheldrake (2011) for measures by flow and
stakeholder; definitions of the usual measures of marketing and service as commonly published.
"""

from __future__ import annotations

from dataclasses import dataclass

PERSPECTIVES = ("financial", "customer", "internal", "learning")
BOOKS = 0  # in place of a flow that senses: the firm's own books, exact and on time
EVERYBODY = ()
COUNTED = ("customer", "customers")  # nouns in units, which a market may have another word for


@dataclass(frozen=True)
class Kpi:
    """One indicator: where it stands on the scorecard and how it is read.

    Attributes
    ----------
    key, label : str
        Name in tables and in reports.
    perspective : str
        One of PERSPECTIVES.
    unit : str
        Of its values.
    direction : int
        1 where more is better, -1 where less is.
    leading : bool
        Whether it moves before the outcomes do.
    owner : str
        Department whose silo it comes from.
    flow : int or None
        Influence flow 1 to 6 that it belongs to.
    formula : str
        How it is computed, in words.
    audience : tuple of str
        Words of the scenario's `audiences` that it is about; empty for no audience of its own.
        An audience that a scenario lacks gives no value.
    sensed_by : int
        Flow whose sensing reads it; 0: the firm's own books, exact and on time.
    source : str
        Where the measure comes from.
    """

    key: str
    label: str
    perspective: str
    unit: str
    direction: int
    leading: bool
    owner: str
    flow: int | None
    formula: str
    audience: tuple[str, ...] = EVERYBODY
    sensed_by: int = BOOKS
    source: str = "assumption"


LEADING, LAGGING = True, False
UP, DOWN = 1, -1
USUAL = "usual definition"
BOARD = "Kaplan & Norton (2004)"
FLOWS = "Sheldrake (2011)"
OURS = "assumption: our operational meaning"


def _books(
    key: str,
    label: str,
    perspective: str,
    unit: str,
    direction: int,
    leading: bool,
    owner: str,
    flow: int | None,
    formula: str,
    *,
    audience: tuple[str, ...] = EVERYBODY,
    source: str = USUAL,
) -> Kpi:
    """Declare an indicator that stands in the firm's own books."""
    about = (key, label, perspective, unit, direction, leading, owner, flow, formula)
    return Kpi(*about, audience, BOOKS, source)


def _sensed(
    key: str,
    label: str,
    perspective: str,
    unit: str,
    direction: int,
    leading: bool,
    owner: str,
    flow: int | None,
    formula: str,
    *,
    audience: tuple[str, ...] = EVERYBODY,
    by: int = BOOKS,
    source: str = USUAL,
) -> Kpi:
    """Declare an indicator that must be sensed, by its own flow unless another is named."""
    about = (key, label, perspective, unit, direction, leading, owner, flow, formula)
    return Kpi(*about, audience, by or flow or BOOKS, source)


CUSTOMERS, EMPLOYEES, CHANNEL = ("customers",), ("employees",), ("channel",)
SUPPLIERS, INVESTORS, PUBLIC, MEDIA = ("suppliers",), ("investors",), ("public",), ("media",)
SOCIETY = ("investors", "public")

TABLE: tuple[Kpi, ...] = (
    # ---- financial
    _books("net_present_value", "Net present value to date", "financial", "currency", UP, LAGGING,
           "strategy", None,
           "sum over weeks so far of (profit - investment), discounted"),
    _books("value_with_customers", "Net present value with customer base", "financial", "currency",
           UP, LAGGING, "strategy", None,
           "net present value to date + discounted lifetime value of the customers tied now, at "
           "the quarter's contribution and the last four quarters' retention",
           source="Gupta & Lehmann (2003)"),
    _books("quarter_value", "Value of the quarter", "financial", "currency/quarter", UP, LAGGING,
           "strategy", None,
           "discounted (profit - investment) of the quarter alone", source=FLOWS),
    _books("revenue", "Revenue", "financial", "currency/quarter", UP, LAGGING, "sales", None,
           "units bought x price paid + fixed income, summed over the quarter"),
    _sensed("growth_against_market", "Growth against the market", "financial", "%/quarter", UP,
            LAGGING, "sales", None,
            "100 x (our revenue / ours of the quarter before - all firms' revenue / theirs of the "
            "quarter before)", by=4),
    _books("operating_margin", "Operating margin", "financial", "share", UP, LAGGING, "strategy",
           None, "profit / revenue of the quarter"),
    _books("profit", "Profit", "financial", "currency/quarter", UP, LAGGING, "strategy", None,
           "revenue - variable cost - mechanisms - tickets - referrals - fixed cost - recalls"),
    _books("cash_in_hand", "Cash in hand", "financial", "currency", UP, LAGGING, "strategy", None,
           "opening cash + sum of (profit - investment) so far, not discounted"),
    _books("lifetime_value", "Lifetime value of a customer", "financial", "currency/customer", UP,
           LAGGING, "sales", None,
           "yearly contribution per customer x retention / (1 + discount rate - retention), at the "
           "quarter's contribution and the last four quarters' retention",
           audience=CUSTOMERS, source="Gupta & Lehmann (2003)"),
    _books("acquisition_cost", "Cost of a new customer", "financial", "currency/customer", DOWN,
           LEADING, "marketing", 1,
           "money on mechanisms that act on flow 1 or 2 in the quarter / new customers",
           audience=CUSTOMERS),
    _books("programme_spending", "Spending on mechanisms and capital", "financial",
           "currency/quarter", DOWN, LEADING, "strategy", None,
           "mechanisms + investment of the quarter"),
    _books("programme_share", "Programmes' share of revenue", "financial", "share", DOWN, LEADING,
           "strategy", None, "(mechanisms + investment) / revenue of the quarter", source=BOARD),
    _books("spending_customer", "Spending on stakeholders' side", "financial", "currency/quarter",
           DOWN, LEADING, "strategy", None,
           "money on mechanisms that act on flow 1, 2, 4 or 5: what stakeholders meet",
           source=OURS),
    _books("spending_internal", "Spending on internal processes", "financial", "currency/quarter",
           DOWN, LEADING, "strategy", None,
           "money on mechanisms that act on flow 3 or 6 alone: what the firm hears and changes",
           source=OURS),
    _books("spending_learning", "Spending on learning and growth", "financial", "currency/quarter",
           DOWN, LEADING, "strategy", None,
           "investment in the three capitals + money on mechanisms that act on no flow",
           source=OURS),
    # ---- stakeholders
    _sensed("market_share", "Market share", "customer", "share", UP, LAGGING, "sales", None,
            "customers tied to us / customers tied to any firm", audience=CUSTOMERS, by=1),
    _books("retention", "Retention", "customer", "share/quarter", UP, LAGGING, "sales", None,
           "1 - customers lost in the quarter / customers at its start", audience=CUSTOMERS),
    _books("gross_adds", "New customers", "customer", "customers/quarter", UP, LEADING, "sales", 1,
           "customers who chose us in the quarter and were not ours", audience=CUSTOMERS),
    _sensed("trust", "Trust of customers", "customer", "share", UP, LEADING, "public_relations", 1,
            "mean of kept promises / (kept + broken promises), customers", audience=CUSTOMERS),
    _sensed("quality_surprise", "Quality beyond what is expected", "customer", "-1..1", UP, LEADING,
            "operations", 1,
            "delivered quality - quality that customers expect of us, customers' mean",
            audience=CUSTOMERS, source="Oliver (1980)"),
    _sensed("salience", "Salience among customers", "customer", "probability", UP, LEADING,
            "marketing", 1, "mean probability that we are in mind, customers", audience=CUSTOMERS),
    _sensed("preference", "Preference share", "customer", "share", UP, LEADING, "marketing", 1,
            "customers whose attitude to us is the highest / customers", audience=CUSTOMERS,
            source=FLOWS),
    _sensed("satisfaction", "Satisfaction of our customers", "customer", "-1..1", UP, LEADING,
            "customer_service", None, "mean satisfaction of customers tied to us",
            audience=CUSTOMERS, by=3),
    _sensed("net_promoter_score", "Net promoter score", "customer", "points", UP, LEADING,
            "customer_service", 2, "100 x (promoters - detractors) / our customers",
            audience=CUSTOMERS),
    _sensed("net_sentiment", "Net sentiment of talk about us", "customer", "-1..1", UP, LEADING,
            "public_relations", 2,
            "(positive - negative) / all voices about us in the quarter"),
    _sensed("negative_talk", "Negative talk about us per customer", "customer", "voices/quarter",
            DOWN, LEADING, "public_relations", 2,
            "customers' negative voices about us in the quarter / customers", audience=CUSTOMERS),
    _sensed("share_of_voice", "Share of voice", "customer", "share", UP, LEADING,
            "public_relations", 2, "voices about us / voices about any firm in the quarter"),
    _books("referral_share", "Referred share of new customers", "customer", "share", UP, LEADING,
           "marketing", 2, "new customers with a live referral offer / new customers",
           audience=CUSTOMERS),
    _sensed("channel_trust", "Trust of resellers", "customer", "share", UP, LEADING, "sales", 1,
            "mean of kept promises / (kept + broken promises), resellers", audience=CHANNEL),
    _sensed("channel_recommendation", "Resellers' recommendations that are ours", "customer",
            "share", UP, LEADING, "sales", 2,
            "resellers' positive voices about us / their positive voices about any firm in the "
            "quarter", audience=CHANNEL, source=FLOWS),
    _sensed("supplier_trust", "Trust of suppliers", "customer", "share", UP, LEADING,
            "procurement", 1,
            "mean of kept promises / (kept + broken promises), suppliers", audience=SUPPLIERS),
    _sensed("supplier_ideas_first", "Suppliers' ideas that we hear", "customer", "share", UP,
            LEADING, "procurement", 3,
            "suppliers' voices about us x our coverage of them / the same summed over all firms, "
            "in the quarter", audience=SUPPLIERS, source=FLOWS),
    _sensed("investor_trust", "Trust of investors", "customer", "share", UP, LEADING, "strategy",
            1, "mean of kept promises / (kept + broken promises), investors", audience=INVESTORS),
    _sensed("public_trust", "Trust of the public", "customer", "share", UP, LEADING,
            "public_relations", 1,
            "mean of kept promises / (kept + broken promises), the public", audience=PUBLIC),
    _sensed("society_trust", "Trust of investors and the public", "customer", "share", UP, LEADING,
            "strategy", 1,
            "mean of kept promises / (kept + broken promises), investors and the public together",
            audience=SOCIETY),
    _sensed("public_sentiment", "Net sentiment of the public's talk", "customer", "-1..1", UP,
            LEADING, "public_relations", 2,
            "(positive - negative) / all voices of the public about us in the quarter",
            audience=PUBLIC),
    _sensed("media_sentiment", "Net sentiment of the media", "customer", "-1..1", UP, LEADING,
            "public_relations", 2,
            "(positive - negative) / all voices of the media about us in the quarter",
            audience=MEDIA),
    _sensed("media_share_of_voice", "Our share of the media's voice", "customer", "share", UP,
            LEADING, "public_relations", 2,
            "voices of the media about us / about any firm in the quarter", audience=MEDIA),
    _books("win_share", "Won of won and lost customers", "customer", "share", UP, LAGGING, "sales",
           4, "new customers / (new + lost customers) of the quarter", audience=CUSTOMERS,
           source=FLOWS),
    _sensed("rival_attitude", "Attitude to the best-liked rival", "customer", "-1..1", DOWN,
            LEADING, "marketing", 4, "highest of the rivals' mean attitudes, customers",
            audience=CUSTOMERS),
    _sensed("rival_trust", "Trust in the most trusted rival", "customer", "share", DOWN, LEADING,
            "public_relations", 4,
            "highest of the rivals' mean of kept promises / (kept + broken promises), customers",
            audience=CUSTOMERS),
    _sensed("channel_rival_attitude", "Resellers' attitude to the best-liked rival", "customer",
            "-1..1", DOWN, LEADING, "sales", 4,
            "highest of the rivals' mean attitudes, resellers", audience=CHANNEL),
    _sensed("rival_sentiment", "Net sentiment of talk about rivals", "customer", "-1..1", DOWN,
            LEADING, "public_relations", 5,
            "(positive - negative) / all voices about rivals in the quarter"),
    _sensed("switch_talk", "Talk that speaks for coming to us", "customer", "share", UP, LEADING,
            "marketing", 5,
            "customers' voices that are good about us or bad about rivals / all their voices in "
            "the quarter", audience=CUSTOMERS, source=FLOWS),
    _sensed("media_rival_sentiment", "Net sentiment of the media about rivals", "customer",
            "-1..1", DOWN, LEADING, "public_relations", 5,
            "(positive - negative) / all voices of the media about rivals in the quarter",
            audience=MEDIA),
    _sensed("relative_advocacy", "Net promoter score against rivals", "customer", "points", UP,
            LEADING, "marketing", 5,
            "our net promoter score - that of all rivals' customers", audience=CUSTOMERS,
            source=FLOWS),
    # ---- internal processes
    _sensed("execution", "Service execution", "internal", "share", UP, LEADING, "operations", 1,
            "logistic of human readiness, engagement, quality mechanisms and backlog",
            audience=CUSTOMERS),
    _sensed("listening_coverage", "Voices heard", "internal", "share", UP, LEADING, "marketing", 3,
            "voices about us that we heard / voices about us in the quarter", source=FLOWS),
    _sensed("relationship_memory", "Customers' voices known where needed", "internal", "share", UP,
            LEADING, "information_technology", 3,
            "share of customers' voices about us that we hear x share of what is heard that "
            "reaches a department that acts", audience=CUSTOMERS, source=OURS),
    _sensed("insight_delivered", "Insight that reaches action", "internal", "share", UP, LEADING,
            "strategy", 3, "share of heard insight delivered to a department that acts",
            source=FLOWS),
    _sensed("insight_weeks", "Weeks from insight to change", "internal", "weeks", DOWN, LEADING,
            "strategy", 3, "mean hand-overs x weeks per hand-over", source=FLOWS),
    _sensed("idea_to_change", "Heard ideas that change the offering", "internal", "share", UP,
            LEADING, "product", 3,
            "insight that reaches action x share of it that product can absorb, customers' mean",
            audience=CUSTOMERS, source=FLOWS),
    _sensed("offering_fit", "Fit of the offering to needs", "internal", "share", UP, LEADING,
            "product", 3, "exp(-distance^2 / (2 tolerance^2)), customers' mean",
            audience=CUSTOMERS),
    _sensed("fit_gain", "Gain of fit in the quarter", "internal", "-1..1", UP, LEADING, "product",
            3, "fit of the offering now - at the quarter's start, customers' mean",
            audience=CUSTOMERS, source=FLOWS),
    _books("complaints_resolved", "Complaints resolved", "internal", "share", UP, LEADING,
           "customer_service", 3, "resolved / (resolved + abandoned) in the quarter"),
    _books("loop_closed", "Complaints answered of all that came", "internal", "share", UP, LEADING,
           "customer_service", 3,
           "resolved / (resolved + abandoned + given up by leaving + still waiting)", source=FLOWS),
    _books("first_reply", "Weeks to the first reply", "internal", "weeks", DOWN, LEADING,
           "customer_service", 3, "mean weeks in the queue of the complaints that left it"),
    _books("backlog_weeks", "Weeks of work in the queue", "internal", "weeks", DOWN, LEADING,
           "customer_service", 3, "waiting complaints / complaints that can be handled in a week"),
    _sensed("rival_pressure", "Rivals' messages", "internal", "impressions/week", DOWN, LEADING,
            "marketing", 4, "impressions per customer and week of all rivals", audience=CUSTOMERS),
    _sensed("rival_voice_share", "Rivals' share of messages", "internal", "share", DOWN, LEADING,
            "marketing", 4,
            "impressions per customer of all rivals / of all firms, last week of the quarter",
            audience=CUSTOMERS, source=FLOWS),
    _sensed("attention_share", "Share of feedback that we hear", "internal", "share", UP, LEADING,
            "marketing", 6, "voices heard by us / voices heard by any firm in the quarter",
            source=FLOWS),
    _sensed("rival_fit", "Fit of the rivals' offerings", "internal", "share", DOWN, LEADING,
            "product", 6, "best rival's fit of the offering to customers' needs",
            audience=CUSTOMERS),
    _books("flow_coverage", "Flows that we sense", "internal", "share", UP, LEADING, "strategy",
           None, "flows whose sensing covers at least the threshold / 6", source=FLOWS),
    _books("flow_balance", "Balance of spending over flows", "internal", "share", UP, LEADING,
           "strategy", None,
           "1 - Gini coefficient of money by flow, a mechanism's money divided equally among the "
           "flows it acts on; 1 all alike, 1/6 all on one", source=FLOWS),
    _books("silo_extraction", "Influence indicators out of their silos", "internal", "share", UP,
           LEADING, "strategy", None,
           "indicators that have a flow, a value and a reading / those that have a flow and a "
           "value", source=FLOWS),
    # ---- learning and growth
    _sensed("engagement", "Engagement of employees", "learning", "-1..1", UP, LEADING,
            "human_resources", 1, "mean attitude of our employees to us", audience=EMPLOYEES,
            source="Harter, Schmidt & Hayes (2002)"),
    _sensed("employee_advocacy", "Employees' net promoter score", "learning", "points", UP,
            LEADING, "human_resources", 2,
            "100 x (promoters - detractors) / our employees", audience=EMPLOYEES),
    _books("human_readiness", "Readiness of human capital", "learning", "share", UP, LEADING,
           "human_resources", None, "1 - exp(-stock / reference stock)", source=BOARD),
    _books("information_readiness", "Readiness of information capital", "learning", "share", UP,
           LEADING, "information_technology", None, "1 - exp(-stock / reference stock)",
           source=BOARD),
    _books("organization_readiness", "Readiness of organization capital", "learning", "share", UP,
           LEADING, "strategy", None, "1 - exp(-stock / reference stock)", source=BOARD),
    _books("bundled_readiness", "Bundled readiness of funded mechanisms", "learning", "share", UP,
           LEADING, "strategy", None,
           "mean over funded mechanisms, weighted by their money, of the bundle of capitals each "
           "needs", source=BOARD),
    _books("maturity", "Maturity of funded mechanisms", "learning", "share", UP, LEADING,
           "strategy", None, "mean maturity of mechanisms funded this quarter"),
    _books("programme_output", "Output of funded mechanisms", "learning", "share", UP, LEADING,
           "strategy", None,
           "mean over funded mechanisms of maturity x readiness x (1 - exp(-effort / running)), "
           "less the dip of what is being learnt"),
    _books("reading_weeks", "Weeks until a reading is known", "learning", "weeks", DOWN, LEADING,
           "information_technology", None,
           "delay of readings x (1 - what quick reporting takes off)", source=OURS),
)  # fmt: skip

INDEX = {kpi.key: i for i, kpi in enumerate(TABLE)}
