"""The levers: every quantity of the laws that a mechanism can move, in one table.

A mechanism moves a lever of its firm for some stakeholder types. With output Y_k in [0, 1) of
mechanism k and size `by_k` a lever becomes

    open interval:   default + sum_k by_k Y_k          (negative by: times 1 - |by_k| Y_k)
    a share (0..1):  1 - (1 - default) prod_k (1 - by_k Y_k)

so that spending nothing leaves every lever at its default, exactly (MODEL A.9). An effect that
begins only `above` a share of full output reads max(0, Y_k - above) / (1 - above) in place of Y_k.

Levers of the law "sensing" change what management sees of the flows, never what is true: no law of
the world reads them. The lever of the law "governance" is read by the board alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.checks import nearest


@dataclass(frozen=True)
class Lever:
    """One row of the table: what a law reads, in which unit, what it is without any mechanism.

    A lever `of_firm` has one value for the firm, the others one for each stakeholder type.
    """

    key: str
    law: str
    unit: str
    default: float
    share: bool
    meaning: str
    source: str
    low: float = 0.0
    high: float = float("inf")
    of_firm: bool = False


def _share(key: str, law: str, default: float, meaning: str, source: str = "assumption") -> Lever:
    return Lever(key, law, "share", default, True, meaning, source, 0.0, 1.0)


def _firm_share(
    key: str, law: str, default: float, meaning: str, source: str = "assumption"
) -> Lever:
    return Lever(key, law, "share", default, True, meaning, source, 0.0, 1.0, of_firm=True)


TABLE: tuple[Lever, ...] = (
    Lever(
        "impressions",
        "outbound",
        "per capita per week",
        0.0,
        False,
        "messages of the firm that reach a stakeholder",
        "MODEL A.4",
    ),
    Lever(
        "credibility",
        "outbound",
        "factor",
        1.0,
        False,
        "how much a claim of the firm counts at neutral trust",
        "Hovland & Weiss (1951)",
    ),
    _share(
        "honesty",
        "outbound",
        0.0,
        "how far the promised quality is pulled to the delivered quality",
    ),
    _share(
        "rebuttal",
        "outbound",
        0.0,
        "share of rivals' claim evidence that is neutralized at the receiver",
    ),
    Lever(
        "talk_rate",
        "peer",
        "factor",
        1.0,
        False,
        "how often stakeholders speak about the firm",
        "MODEL A.6",
    ),
    Lever(
        "contact",
        "peer",
        "factor",
        1.0,
        False,
        "how much of what is said about the firm a stakeholder hears",
        "MODEL A.6",
    ),
    _share(
        "referral",
        "peer",
        0.0,
        "chance that a speaking promoter passes on a referral offer",
        "MODEL A.8",
    ),
    _share(
        "issue_response",
        "peer",
        0.0,
        "share of negative word of mouth about the firm that is answered where it is heard",
    ),
    Lever(
        "comparison",
        "peer",
        "factor",
        0.0,
        False,
        "own evidence placed where negative word of mouth about a rival is heard",
        "assumption",
    ),
    _share(
        "coverage",
        "inbound",
        0.05,
        "share of public voices about the firm that it hears",
        "MODEL A.13",
    ),
    _share("mining", "inbound", 0.0, "share of public voices about rivals that the firm hears"),
    Lever(
        "routing",
        "inbound",
        "share",
        0.0,
        True,
        "share of what is lost at silo walls that is passed on after all",
        "assumption",
        0.0,
        1.0,
        of_firm=True,
    ),
    _share(
        "absorption",
        "inbound",
        0.5,
        "share of delivered insight that the firm can use",
        "Cohen & Levinthal (1990)",
    ),
    Lever(
        "adaptation_rate",
        "inbound",
        "1/week",
        0.04,
        False,
        "speed at which the offering follows understood needs",
        "MODEL A.13",
    ),
    Lever(
        "ticket_capacity",
        "inbound",
        "tickets per week per 1,000 tied stakeholders",
        3.0,
        False,
        "complaints that can be handled",
        "assumption",
    ),
    _share(
        "complaint_ease",
        "inbound",
        0.2,
        "chance that an unhappy voice also reaches the firm as a complaint",
        "MODEL A.13",
    ),
    _share(
        "recovery",
        "inbound",
        0.4,
        "share of the satisfaction gap closed by a resolved complaint",
        "MODEL A.10",
    ),
    Lever(
        "conquest",
        "inbound",
        "utils",
        0.0,
        False,
        "pull on rivals' customers who have lately voiced a grievance",
        "assumption",
    ),
    Lever(
        "quality",
        "experience",
        "logit",
        0.0,
        False,
        "service and product execution, added to the firm's own",
        "assumption",
    ),
    Lever(
        "loyalty",
        "choice",
        "utils",
        0.0,
        False,
        "additional cost of leaving the firm",
        "assumption",
    ),
    Lever(
        "discount",
        "choice",
        "share of price",
        0.0,
        True,
        "price cut offered to the stakeholder",
        "assumption",
        0.0,
        1.0,
    ),
    Lever(
        "learning",
        "capability",
        "factor",
        1.0,
        False,
        "speed at which the firm's mechanisms mature",
        "assumption",
        of_firm=True,
    ),
    Lever(
        "strain",
        "experience",
        "logit",
        0.0,
        False,
        "what dealing with the firm takes out of people, off the quality that they experience",
        "assumption",
    ),
    _share(
        "price_erosion",
        "choice",
        0.0,
        "share of the list price that people get used to not paying, and miss when asked to",
        "Winer (1986)",
    ),
    _firm_share(
        "permission",
        "conduct",
        0.0,
        "share of breaches of what people accept that asking first prevents",
    ),
    *(
        _firm_share(
            f"sensing_{flow}",
            "sensing",
            {1: 0.6, 3: 0.3}.get(flow, 0.0),
            f"share of what happens on flow {flow} that management's readings cover",
            "assumption; flow 1 and a little of 3 are watched, Sheldrake (2011)",
        )
        for flow in range(1, 7)
    ),
    _firm_share(
        "reading_speed",
        "sensing",
        0.0,
        "share of the delay of management's readings that is saved",
    ),
    _firm_share(
        "reading_care",
        "sensing",
        0.0,
        "share of the noise of management's readings that is removed",
    ),
    _firm_share(
        "crisis_response",
        "outbound",
        0.0,
        "share of the evidence of a crisis about the firm that is neutralized",
    ),
    _firm_share(
        "patience",
        "governance",
        0.0,
        "share of a board's cut that managed expectations avert",
    ),
)

INDEX = {lever.key: i for i, lever in enumerate(TABLE)}


def lever(key: str) -> Lever:
    """Return the lever of that name.

    Raises
    ------
    KeyError
        If there is none; the message names the nearest.
    """
    if key not in INDEX:
        raise KeyError(f"unknown lever {key!r}{nearest(key, INDEX)}")
    return TABLE[INDEX[key]]
