"""What is given: stakeholder types, layers, firms, mechanisms, plans; frozen and checked.

Every number's unit, range and meaning stands in its field's metadata, where the settings list and
the error messages read it; the values stand in `configs/` alone. Money is in the scenario's
currency (`currency`, thousand euro in the shipped ones), rates are per week, plans are per quarter
(13 weeks).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from sim import levers
from sim.checks import check_fields, check_value, nearest, require_in, require_one_of

WEEKS_PER_QUARTER = 13
WEEKS_PER_YEAR = 52.0
EVERYBODY = "all"
MOST_FIRMS = 16
CAPITALS = ("human", "information", "organization")
MATURITY_LAWS = ("exponential", "logistic", "internal_bass")
REACHES = ("all", "tied")
TAGS = ("none", "permission", "privacy", "spin")
# What stakeholders hold of a firm, as far as nudges shift it: range and unit.
STATES: Mapping[str, tuple[float, float, str]] = MappingProxyType(
    {
        "salience": (0.0, 1.0, "probability"),
        "attitude": (-1.0, 1.0, "attitude"),
        "expectation": (0.0, 1.0, "quality"),
        "trust": (0.0, 1.0, "share"),
        "satisfaction": (-1.0, 1.0, "satisfaction"),
    }
)
WHOM = (EVERYBODY, "chance", "reach", "traced")
CODE = re.compile(r"[A-Z][A-Za-z0-9]{0,7}")
DELAY = 4  # weeks until a breach is known, where nothing else is said; assumption
# What `spread` is to a network generator, and its range there; None where it is not read.
SPREADS: Mapping[str, tuple[str, float, float] | None] = MappingProxyType(
    {
        "ring": None,
        "small_world": ("share of far ties", 0.0, 1.0),
        "random": None,
        "heavy_tail": ("exponent of the tail, 2 to 3 observed", 1.01, 100.0),
        "blocks": None,
        "broadcast": None,
        "complete": None,
    }
)
WITHOUT_GROUPS = ("broadcast", "complete")  # generators that keep nothing within a group
OF_GROUPS = ("blocks",)  # generators that are nothing without groups
# Where ties that a design lays anew lead: in proportion to staff or acts of the others.
TIE_PATTERNS = ("none", "by_staff", "by_acts")
DEPARTMENT_SHARES = ("acts", "hears", "staff")
FLOW_LABELS = tuple(str(flow) for flow in range(1, 7))
# Settings that a policy reads beside its budget, and what those it does not read must be.
POLICY_READS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "passive": (),
        "proportional": ("strength", "lag"),
        "reactive": ("strength", "lag"),
        "imitator": ("strength", "lag"),
        "best_response": ("strength", "lag"),
        "scripted": ("schedule",),
    }
)
POLICY_UNREAD: Mapping[str, Any] = MappingProxyType({"strength": 0, "lag": 1, "schedule": {}})
MOST_FACTOR = 100.0  # of today's effort, in a schedule
# Firms that a shock may name without knowing their keys.
FIRM_WORDS = (EVERYBODY, "organization", "competitors", "first_competitor", "last_competitor")


def number(
    low: float, high: float, unit: str, meaning: str, source: str = "", default: Any = MISSING
) -> Any:
    """Declare a number with its range, unit, meaning and (where it is a law's) source.

    What has a `default` may be left out.
    """
    return field(
        default=default,
        metadata={"low": low, "high": high, "unit": unit, "meaning": meaning, "source": source},
    )


def word(meaning: str, default: Any = MISSING) -> Any:
    """Declare a text, a switch or a group of settings; what has a `default` may be left out."""
    return field(default=default, metadata={"meaning": meaning})


def share_or_derived(meaning: str) -> Any:
    """Declare a share of a department that may be left to those it joins."""
    return field(
        default=None,
        metadata={"unit": "share", "meaning": f"{meaning} (0 to 1); null: from those it joins"},
    )


INF = float("inf")


@dataclass(frozen=True)
class ShockKind:
    """What a kind of shock does, in which unit, and what it reads beside size and time."""

    unit: str
    low: float
    high: float
    meaning: str
    reads: tuple[str, ...]


SHOCK_KINDS: Mapping[str, ShockKind] = MappingProxyType(
    {
        "recall": ShockKind(
            "logit", 0, 10, "loss of delivered quality", ("firm", "to", "weeks", "cost")
        ),
        "crisis": ShockKind(
            "1/week",
            0,
            10,
            "evidence of bad news about the firm",
            ("firm", "to", "weeks", "valence", "salience"),
        ),
        "endorsement": ShockKind(
            "1/week",
            0,
            10,
            "evidence of an opinion leader's praise",
            ("firm", "to", "weeks", "valence", "salience"),
        ),
        "price_move": ShockKind("share", -0.9, 10, "change of the firm's price", ("firm", "weeks")),
        "demand": ShockKind("share", -1, 10, "change of units bought", ("to", "weeks")),
        "need_jump": ShockKind("need", 0, 100, "how far needs move", ("to", "weeks")),
        "new_entrant": ShockKind("1 or 0", 0, 1, "the firm is absent until then", ("firm",)),
    }
)
SHOCK_UNREAD: Mapping[str, Any] = MappingProxyType(
    {"firm": EVERYBODY, "to": (), "weeks": None, "cost": 0, "valence": 0, "salience": 0}
)
VALENCES = MappingProxyType({"crisis": (-1.0, 0.0), "endorsement": (0.0, 1.0)})


@dataclass(frozen=True)
class Physics:
    """Coefficients of the laws (MODEL A.13): the world's, not ours to decide."""

    salience_decay: float = number(0, 1, "1/week", "forgetting of a firm", "Leone (1995)")
    goodwill_decay: float = number(0, 1, "1/week", "decay of the advertising stock", "Leone (1995)")
    salience_per_impression: float = number(
        0, 1, "1/impression", "hazard of coming to mind", "calibrated, MODEL A.13"
    )
    salience_per_message: float = number(
        0, 10, "1/message", "hazard of coming to mind", "calibrated, MODEL A.13"
    )
    salience_per_experience: float = number(
        0, 10, "1/experience", "hazard of coming to mind", "assumption"
    )
    anchor: float = number(
        0, 10, "1/week", "pull to the opening attitude", "Friedkin & Johnsen (1990)"
    )
    claim_persuasion: float = number(
        0, 10, "1/impression", "attitude evidence of a claim", "calibrated, MODEL A.13"
    )
    peer_persuasion: float = number(
        0, 10, "1/message", "attitude evidence of word of mouth", "calibrated, MODEL A.13"
    )
    experience_persuasion: float = number(
        0, 10, "1/experience", "attitude evidence of experience", "calibrated, MODEL A.13"
    )
    confidence: float = number(
        0, 2, "attitude", "hear only those this near (2 hears all)", "Deffuant et al. (2000)"
    )
    negativity: float = number(
        0,
        5,
        "factor",
        "weight of negative word of mouth at its receiver",
        "East, Hammond & Lomax (2008)",
    )
    news_doubt: float = number(
        0,
        1,
        "share",
        "how far full trust in a firm lowers the evidence of bad news about it, and none raises it",
        "Dawar & Pillutla (2000)",
    )
    talk_hazard: float = number(
        0, 10, "1/week", "speaking about a firm that is in mind", "MODEL A.13"
    )
    talk_base: float = number(0, 10, "factor", "talk without strong feeling", "Anderson (1998)")
    talk_positive: float = number(0, 10, "factor", "talk from positive feeling", "Anderson (1998)")
    talk_negative: float = number(0, 10, "factor", "talk from negative feeling", "Anderson (1998)")
    talk_untied: float = number(
        0, 1, "factor", "talk about a firm one is not tied to", "assumption"
    )
    performance_noise: float = number(0, 10, "logit", "spread of single experiences", "assumption")
    satisfaction_rate: float = number(
        0, 1, "share/experience", "update of satisfaction", "assumption"
    )
    disconfirmation: float = number(
        0, 10, "per unit", "satisfaction from surprise", "Oliver (1980)"
    )
    performance_effect: float = number(
        0, 10, "per unit", "satisfaction from performance", "assumption"
    )
    loss_aversion: float = number(
        0, 5, "factor", "weight of negative surprise", "Mittal, Ross & Baldasare (1998)"
    )
    expectation_rate: float = number(
        0, 1, "share/experience", "learning of what to expect", "Anderson, Fornell & Lehmann (1994)"
    )
    claim_expectation: float = number(
        0, 1, "1/impression", "claims raise expectations", "assumption"
    )
    trust_gain: float = number(0, 10, "1/experience", "kept promise", "Slovic (1993)")
    trust_loss: float = number(0, 10, "1/experience", "broken promise", "Slovic (1993)")
    trust_decay: float = number(0, 1, "1/week", "forgetting of evidence on trust", "Slovic (1993)")
    trust_prior: float = number(
        0.1, 100, "pseudo-count", "prior for and against trust", "MODEL A.12"
    )
    attitude_weight: float = number(0, 10, "utils", "attitude in choice", "MODEL A.13")
    expectation_weight: float = number(0, 10, "utils", "expected quality in choice", "MODEL A.13")
    expectation_reference: float = number(
        0, 1, "quality", "expected quality that counts 0", "assumption"
    )
    price_weight: float = number(0, 10, "utils", "log price in choice", "MODEL A.13")
    goodwill_weight: float = number(
        0, 10, "utils", "log(1 + goodwill) in choice", "MODEL A.12 (aliased with salience)"
    )
    switching_cost: float = number(0, 10, "utils", "staying with the provider", "MODEL A.13")
    none_utility: float = number(-10, 10, "utils", "staying without provider", "assumption")
    referral_offer: float = number(
        0, 10, "utils", "cut of switching cost by a referral offer", "assumption"
    )
    referral_weeks: int = number(0, 52, "weeks", "life of a referral offer", "assumption")
    grievance_weeks: int = number(
        0, 52, "weeks", "how long a voiced grievance is remembered", "assumption"
    )
    need_drift: float = number(0, 1, "1/sqrt(week)", "random walk of needs", "assumption")
    need_tolerance: float = number(0.01, 100, "need", "width of acceptable offerings", "assumption")
    need_uncertainty: float = number(
        0, 100, "need^2", "opening variance of the estimate", "assumption"
    )
    voice_noise: float = number(0, 100, "need", "spread of single voices about needs", "assumption")
    hearing_noise: float = number(0, 100, "need", "error of listening", "assumption")
    self_selection: float = number(-10, 10, "need", "bias of those who speak", "assumption")
    recovery_quiet: int = number(
        0, 52, "weeks", "silence about a firm after it made good", "assumption"
    )
    patience: int = number(0, 52, "weeks", "waiting before a complaint is abandoned", "assumption")
    abandonment: float = number(0, 1, "share", "loss of satisfaction when abandoned", "assumption")
    complementarity: float = number(
        -50, 1, "exponent", "bundling of capitals (1 additive)", "Kaplan & Norton (2004); CES"
    )
    maturity_decay: float = number(0, 1, "1/week", "loss of unfunded routines", "assumption")
    human_effect: float = number(0, 10, "logit", "human readiness on execution", "assumption")
    engagement_effect: float = number(
        0, 10, "logit", "employees' engagement on execution", "Harter, Schmidt & Hayes (2002)"
    )
    backlog_effect: float = number(
        0, 10, "logit", "pressure of waiting complaints on execution", "assumption"
    )
    hop_weeks: float = number(
        0.1, 52, "weeks", "delay per hand-over between departments", "assumption"
    )
    recommend_base: float = number(
        0, 10, "points", "likelihood to recommend at neutral feelings", "assumption"
    )
    recommend_satisfaction: float = number(
        0, 10, "points", "satisfaction on recommending", "assumption"
    )
    recommend_attitude: float = number(0, 10, "points", "attitude on recommending", "assumption")
    recommend_noise: float = number(0, 10, "points", "spread of answers", "assumption")
    experience_in_flow: bool = word("count experience as part of the outbound flow (MODEL R6)")

    def __post_init__(self) -> None:
        """Check every range."""
        check_fields(self)


@dataclass(frozen=True)
class StakeholderType:
    """A group of stakeholders with the same part in the market; also the segment of needs."""

    key: str = word("name in settings")
    label: str = word("name in reports")
    count: int = number(0, 10_000_000, "stakeholders", "how many there are")
    customer: bool = word("whether it chooses its provider; the others' tie to a firm is fixed")
    opportunity: float = number(0, 10, "1/week", "mean rate of occasions to choose")
    experience: float = number(0, 50, "1/week", "rate of experiences with the tied firm")
    voice: float = number(0, 1000, "factor", "mean talkativeness")
    spread: float = number(0, 3, "sd of log", "heterogeneity of talkativeness and opportunity")
    price: float = number(0, INF, "currency/unit", "reference price")
    units: float = number(0, INF, "units/week", "bought by one tied stakeholder")
    attitude_sd: float = number(0, 2, "attitude", "spread of opening attitudes")
    salience: float = number(0, 1, "probability", "opening salience")
    tied: Mapping[str, float] = word("share of the type tied to each firm at the start")
    turnover: float = number(
        0,
        10,
        "1/year",
        "rate at which they leave, and newcomers take their places",
        "assumption",
        default=0.0,
    )

    def __post_init__(self) -> None:
        """Check ranges and that the tied shares sum to at most one."""
        check_fields(self)
        freeze(self, "tied")
        if any(v < 0 for v in self.tied.values()) or sum(self.tied.values()) > 1 + 1e-9:
            raise ValueError(
                f"tied={dict(self.tied)} of {self.key}: shares must be >= 0 and sum to at most 1"
            )


@dataclass(frozen=True)
class Layer:
    """One layer of ties: who hears whom, how likely and how persuasive."""

    key: str = word("name in settings")
    label: str = word("name in reports")
    generator: str = word("network generator, see sim/networks.py")
    degree: float = number(0, 10_000, "ties", "mean number of stakeholders heard")
    contact: float = number(0, 1, "probability", "a message is heard over one tie", "Keller & Fay")
    persuasion: float = number(0, 10, "factor", "persuasion per message, relative")
    speakers: tuple[str, ...] = word("types that are heard; empty for all")
    listeners: tuple[str, ...] = word("types that hear; empty for all")
    homophily: float = number(0, 1, "share", "ties kept within one's own group")
    group: str = word("what homophily keeps to: none, type, department")
    spread: float = number(
        0, 100, "-", "rewiring share (small_world) or tail exponent (heavy_tail); 0 for the others"
    )

    def __post_init__(self) -> None:
        """Check ranges and that the generator reads what it is given."""
        check_fields(self)
        require_one_of("group", self.group, ("none", "type", "department"))
        require_one_of(f"layers.{self.key}.generator", self.generator, SPREADS)
        self._check_spread()
        if self.homophily > 0 and (self.group == "none" or self.generator in WITHOUT_GROUPS):
            raise ValueError(
                f"layers.{self.key}.homophily={self.homophily:g} has nothing to keep to: with "
                f"generator {self.generator!r} and group {self.group!r} it must be 0"
            )
        if self.generator in OF_GROUPS and self.group == "none":
            raise ValueError(
                f"layers.{self.key}.group='none': generator {self.generator!r} needs groups, type "
                "or department; use 'random' without"
            )

    def _check_spread(self) -> None:
        """Refuse a spread that the generator cannot use or would ignore."""
        read = SPREADS[self.generator]
        if read is not None:
            meaning, low, high = read
            name = f"layers.{self.key}.spread ({meaning}, generator {self.generator!r})"
            require_in(name, self.spread, low, high)
        elif self.spread != 0:
            readers = ", ".join(key for key, value in SPREADS.items() if value is not None)
            raise ValueError(
                f"layers.{self.key}.spread={self.spread:g} is not read by generator "
                f"{self.generator!r} (it is by {readers}): it must be 0"
            )


@dataclass(frozen=True)
class Department:
    """A department: it owns mechanisms, hears, acts on insight or passes it on.

    A firm of a single department, as a competitor seen from outside, runs every mechanism there.
    """

    key: str = word("name in settings")
    label: str = word("name in reports")
    acts: float = number(0, 1, "share", "of the insight it holds, what it turns into change")
    hears: float = number(0, 1, "share", "of what the firm hears, what arrives here first")
    staff: float = number(0, 1, "share", "of the firm's employees")

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


@dataclass(frozen=True)
class Effect:
    """One lever that a mechanism moves: for which types and by how much at full output."""

    lever: str = word("lever, see sim/levers.py")
    to: tuple[str, ...] = word("stakeholder types; empty or all for all")
    by: float = number(-1000, 1000, "lever's unit", "change at full output")
    above: float = number(
        0,
        0.99,
        "share",
        "of full output beyond which it begins",
        "convention: 0 acts from the first",
        default=0.0,
    )

    def __post_init__(self) -> None:
        """Check the lever's name and the size against the lever's kind."""
        check_fields(self)
        row = levers.lever(self.lever)
        if (row.share or self.by < 0) and not -1 <= self.by <= 1:
            raise ValueError(
                f"by={self.by:g} for lever {self.lever!r} is out of range: shares and "
                "reductions must lie in [-1, 1]"
            )
        if row.of_firm and self.to not in ((), (EVERYBODY,)):
            raise ValueError(
                f"to={list(self.to)} for lever {self.lever!r}: this lever has one value for the "
                "whole firm; write `to: all`"
            )


@dataclass(frozen=True)
class Acceptability:
    """What a mechanism leans on that people may not accept, and what a breach of it costs."""

    tag: str = word("what it leans on: none, permission, privacy or spin")
    breach: float = number(
        0,
        100,
        "1/quarter",
        "hazard of a breach at full output",
        "convention: 0 never breaches",
        default=0.0,
    )
    trust_cost: float = number(
        0,
        1000,
        "pseudo-count",
        "broken promises that everybody whom it concerns counts per breach",
        "Slovic (1993)",
        default=0.0,
    )
    delay: int = number(0, 52, "weeks", "until a breach is known", "assumption", default=DELAY)
    to: tuple[str, ...] = word("stakeholder types whom it concerns; empty or all for all", ())

    def __post_init__(self) -> None:
        """Check ranges and that nothing is said of breaches that never happen."""
        check_fields(self)
        require_one_of("tag", self.tag, TAGS)
        if self.tag == "none" and self.breach > 0:
            raise ValueError(
                f"breach={self.breach:g}: with tag 'none' there is nothing to breach: it must be 0"
            )
        if (self.breach > 0) != (self.trust_cost > 0):
            raise ValueError(
                f"breach={self.breach:g} and trust_cost={self.trust_cost:g} must both be above 0 "
                "or both be 0"
            )
        unread = "is not read without breach: it must be left out"
        if self.breach == 0 and self.delay != DELAY:
            raise ValueError(f"delay={self.delay} {unread}")
        if self.breach == 0 and self.to:
            raise ValueError(f"to={list(self.to)} {unread}")

    def concerns(self, key: str) -> bool:
        """Whether breaches concern a stakeholder type."""
        return self.breach > 0 and (self.to in ((), (EVERYBODY,)) or key in self.to)


@dataclass(frozen=True)
class Mechanism:
    """An influence mechanism: a programme that a firm can fund."""

    key: str = word("name in settings")
    label: str = word("name in reports")
    description: str = word("what is done, through which flow it works, when it disappoints")
    flows: tuple[int, ...] = word("the flows it acts on (1-6), seen from the firm that funds it")
    owner: str = word("department that runs it")
    needs: Mapping[str, float] = word("weight of human, information, organization readiness")
    setup: float = number(0, INF, "currency", "charged once, in the first funded quarter")
    running: float = number(
        0.001, INF, "currency/quarter", "reference effort (63 % of full output)"
    )
    half_life: float = number(0.1, 1000, "weeks", "to half maturity", "Schneiderman (1988)")
    maturity: str = word("maturity law: exponential, logistic or internal_bass")
    dip: float = number(
        0,
        100,
        "weeks",
        "implementation dip of the owner's other mechanisms",
        "Repenning & Sterman (2002)",
    )
    effects: tuple[Effect, ...] = word("the levers it moves")
    code: str = word("short name in the catalogue, such as M07; none for one's own", "")
    volume: float = number(
        0,
        INF,
        "currency/quarter",
        "cost of activity at full output, were everybody in the market reached",
        "convention: 0 where running cost covers it",
        default=0.0,
    )
    reach: str = word("whom activity is paid for: all of the types it addresses, or those tied",
                      "all")  # fmt: skip
    side_effects: tuple[Effect, ...] = word("levers it moves beside, mostly when overdone", ())
    acceptability: Acceptability = word("what it leans on that people may not accept",
                                        Acceptability("none"))  # fmt: skip

    def __post_init__(self) -> None:
        """Check ranges, flows, capital needs and the maturity law."""
        check_fields(self)
        freeze(self, "needs")
        if self.code and not CODE.fullmatch(self.code):
            raise ValueError(
                f"code={self.code!r} must be a capital letter and at most 7 letters or digits, "
                "such as M07"
            )
        require_one_of("reach", self.reach, REACHES)
        if self.volume == 0 and self.reach != REACHES[0]:
            raise ValueError(
                f"reach={self.reach!r} is not read without volume: it must be {REACHES[0]!r}"
            )
        require_one_of("maturity", self.maturity, MATURITY_LAWS)
        for flow in self.flows:
            if flow not in range(1, 7):
                raise ValueError(f"flows={list(self.flows)}: {flow!r} is no flow (1 to 6)")
        for capital, weight in self.needs.items():
            require_one_of("needs", capital, CAPITALS)
            if weight < 0:
                raise ValueError(f"needs.{capital}={weight:g} must be >= 0")
        if abs(sum(self.needs.values()) - 1) > 1e-6:
            raise ValueError(f"needs={dict(self.needs)} must sum to 1")

    @property
    def moves(self) -> tuple[Effect, ...]:
        """Effects and side effects, in this order."""
        return self.effects + self.side_effects

    def addresses(self, key: str) -> bool:
        """Whether its effects reach a stakeholder type, so that its activity is paid for there."""
        return any(
            e.to in ((), (EVERYBODY,)) or key in e.to
            for e in self.effects
            if not levers.lever(e.lever).of_firm
        )


@dataclass(frozen=True)
class Capital:
    """A stock of human, information or organization capital at the start."""

    stock: float = number(
        1e-6, INF, "currency", "opening stock (above 0: it is what the opening readiness stands on)"
    )
    readiness: float = number(0.01, 0.99, "share", "readiness that the opening stock gives")
    depreciation: float = number(
        0, 5, "1/year", "loss of the stock", "Corrado, Hulten & Sichel (2005)"
    )
    build_weeks: float = number(0.5, 520, "weeks", "mean time to build")
    investment: float = number(0, INF, "currency/quarter", "today's investment")

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


@dataclass(frozen=True)
class Programme:
    """What a firm does today about one mechanism."""

    effort: float = number(0, INF, "currency/quarter", "today's effort")
    maturity: float = number(0, 1, "share", "maturity reached so far")

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


@dataclass(frozen=True)
class Policy:
    """How a firm sets its budget each quarter, see sim/policies.py."""

    name: str = word("passive, proportional, reactive, imitator, best_response or scripted")
    strength: float = number(
        0, 5, "factor", "size of the response (0 never responds, as passive never does)"
    )
    lag: int = number(1, 8, "quarters", "delay of the response (1 where there is none: passive)")
    budget: float = number(
        0, INF, "currency/quarter", "most it can spend on mechanisms and capital"
    )
    schedule: Mapping[str, tuple[float, ...]] = field(
        default_factory=dict,
        metadata={
            "meaning": "factors on today's effort by mechanism, one per quarter from the first "
            "on, the last for all that follow (scripted)"
        },
    )

    def __post_init__(self) -> None:
        """Check ranges and that the policy reads what it is given."""
        check_fields(self)
        require_one_of("policy.name", self.name, POLICY_READS)
        freeze(self, "schedule")
        self._check_schedule()
        for name, unread in POLICY_UNREAD.items():
            value = getattr(self, name)
            if name not in POLICY_READS[self.name] and value != unread:
                readers = ", ".join(key for key, reads in POLICY_READS.items() if name in reads)
                shown = dict(value) if isinstance(value, Mapping) else f"{value:g}"
                raise ValueError(
                    f"policy.{name}={shown} is not read by policy {self.name!r} (it is by "
                    f"{readers}): it must be {unread}"
                )

    def _check_schedule(self) -> None:
        if self.name == "scripted" and not self.schedule:
            raise ValueError(
                "policy.schedule={}: policy 'scripted' needs factors for one mechanism at least"
            )
        for key, factors in self.schedule.items():
            if not factors:
                raise ValueError(f"policy.schedule.{key}=[] needs one factor at least")
            for quarter, factor in enumerate(factors):
                require_in(f"policy.schedule.{key}.{quarter}", factor, 0.0, MOST_FACTOR)


@dataclass(frozen=True)
class Firm:
    """The organization (index 0) or a competitor: everything that may differ between firms."""

    key: str = word("name in settings; its luck travels with it")
    label: str = word("name in reports")
    appeal: float = number(-10, 10, "utils", "preference that nothing else explains")
    price: float = number(0.01, 100, "factor", "price relative to the reference price")
    execution: float = number(-10, 10, "logit", "service execution without capital or engagement")
    claim: float = number(-1, 1, "attitude", "what its messages claim")
    claim_quality: float = number(0, 1, "quality", "the quality its messages promise")
    variable_cost: float = number(
        0, 1, "share of list price", "cost of goods sold; a price cut does not lower it"
    )
    fixed_cost: float = number(0, INF, "currency/week", "cost that does not vary")
    fixed_income: float = number(0, INF, "currency/week", "income without sale (grants, endowment)")
    ticket_cost: float = number(0, INF, "currency", "cost of one handled complaint")
    referral_reward: float = number(0, INF, "currency", "paid for one referred customer")
    departments: tuple[Department, ...] = word("its departments")
    capital: Mapping[str, Capital] = word("human, information, organization")
    programmes: Mapping[str, Programme] = word("what it does today, by mechanism")
    levers: Mapping[str, float] = word("lever defaults of this firm, where they differ")
    policy: Policy = word("how it answers the market")

    def __post_init__(self) -> None:
        """Check ranges, capitals, levers and that department shares sum to one."""
        check_fields(self)
        for name in ("capital", "programmes", "levers"):
            freeze(self, name)
        missing = set(CAPITALS) ^ set(self.capital)
        if missing:
            raise ValueError(
                f"capital of {self.key}: needs exactly {', '.join(CAPITALS)}; "
                f"wrong or missing: {', '.join(sorted(missing))}"
            )
        for key, value in self.levers.items():
            row = levers.lever(key)
            if not row.low <= value <= row.high:
                raise ValueError(
                    f"levers.{key}={value:g} of {self.key} is out of range: it must "
                    f"lie in [{row.low:g}, {row.high:g}]"
                )
        for key in self.policy.schedule:
            require_one_of("policy.schedule: a programme", key, self.programmes)
        names = [d.key for d in self.departments]
        if not names or len(set(names)) != len(names):
            raise ValueError(
                f"departments of {self.key}: at least one is needed and names must differ, "
                f"got {names}"
            )
        for share in ("hears", "staff"):
            total = sum(getattr(d, share) for d in self.departments)
            if abs(total - 1) > 1e-6:
                raise ValueError(f"departments of {self.key}: {share} must sum to 1, not {total:g}")


@dataclass(frozen=True)
class Unit:
    """A department of a design: several of today's joined, one of today's reshaped, or a new one.

    Left out, hears and staff are the sums over those it joins, and what is acted upon is what any
    of them acts upon: 1 - product of (1 - acts).
    """

    key: str = word("name in settings")
    label: str = word("name in reports")
    joins: tuple[str, ...] = field(
        default=(), metadata={"meaning": "today's departments that it is made of; none for a new"}
    )
    acts: float | None = share_or_derived("of the insight it holds, what it turns into change")
    hears: float | None = share_or_derived(
        "of what the organization hears, what arrives here first"
    )
    staff: float | None = share_or_derived("of the organization's employees")

    def __post_init__(self) -> None:
        """Check ranges, and that a new department says everything."""
        for name in DEPARTMENT_SHARES:
            value = getattr(self, name)
            if value is not None:
                require_in(f"departments.{self.key}.{name}", value, 0.0, 1.0)
            elif not self.joins:
                raise ValueError(
                    f"departments.{self.key}.{name} is missing: a department that joins none of "
                    "today's must say it (share, 0 to 1)"
                )


@dataclass(frozen=True)
class CrossTies:
    """How a design changes the ties between departments; people's own ties stay as they are."""

    anew: float = number(0, 1, "share", "of each department's ties to others, what is laid anew")
    pattern: str = word(
        "where new ties lead: by_staff (to other departments by their size), by_acts (by what they "
        "turn into change) or none"
    )
    made_good: float = number(
        0, 1, "share", "of what is lost at silo walls, what the design passes on after all"
    )

    def __post_init__(self) -> None:
        """Check ranges and that a pattern is given exactly where ties are laid anew."""
        check_fields(self)
        require_one_of("ties.pattern", self.pattern, TIE_PATTERNS)
        if (self.anew > 0) == (self.pattern == "none"):
            remedy = "say where they lead" if self.anew > 0 else "it must be none"
            raise ValueError(
                f"ties.pattern={self.pattern!r} with ties.anew={self.anew:g}: {remedy}"
            )


@dataclass(frozen=True)
class Design:
    """A way to organize the organization, and what it takes to get there.

    A mechanism goes to the department of `owners_by_mechanism`, else of its first flow in
    `owners_by_flow`, else of its owner of today in `owners`, else to the unit that its owner of
    today joined, else it stays.
    """

    key: str = word("name in settings")
    label: str = word("name in reports")
    description: str = word("one sentence")
    start: int = number(1, 80, "quarter", "in which it is introduced and paid (1 is the first)")
    cost: float = number(0, INF, "currency", "of reorganizing, charged once at the start")
    dip: float = number(
        0,
        100,
        "weeks",
        "of output that the departments touched lose while they settle",
        "Repenning & Sterman (2002)",
    )
    half_life: float = number(
        0.1, 1000, "weeks", "until half of the work goes the new way", "Schneiderman (1988)"
    )
    departments: tuple[Unit, ...] = word("departments that are joined, reshaped or added")
    owners: Mapping[str, str] = word("new owner by owner of today")
    owners_by_flow: Mapping[str, str] = word("new owner by a mechanism's first flow (1 to 6)")
    owners_by_mechanism: Mapping[str, str] = word("new owner by mechanism")
    ties: CrossTies = word("ties between departments")

    def __post_init__(self) -> None:
        """Check ranges, flows and that nothing is joined twice."""
        check_fields(self)
        for name in ("owners", "owners_by_flow", "owners_by_mechanism"):
            freeze(self, name)
        for flow in self.owners_by_flow:
            require_one_of("owners_by_flow", flow, FLOW_LABELS)
        keys = [unit.key for unit in self.departments]
        joined = [key for unit in self.departments for key in unit.joins]
        for what, names in (("departments", keys), ("departments.*.joins", joined)):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what}: {', '.join(twice)} twice")


@dataclass(frozen=True)
class Patience:
    """How long a board or its investors bear a margin below the opening's, and what they do then.

    Kaplan & Norton's strategic expenditure is what goes first when a quarter disappoints.
    """

    after: int = number(1, 80, "quarters", "below the reference in a row until the board cuts")
    tolerance: float = number(0, 1, "share of revenue", "margin below the opening's that it bears")
    cut: float = number(
        0, 1, "share", "of the plan's effort and investment cut until the margin is back; 0 never"
    )

    def __post_init__(self) -> None:
        """Check ranges and that a board that never cuts is given nothing to read."""
        check_fields(self)
        if self.cut == 0 and (self.after, self.tolerance) != (1, 0):
            raise ValueError(
                f"board.after={self.after} and board.tolerance={self.tolerance:g} are not read "
                "where board.cut=0: they must be 1 and 0"
            )


class Goal(Protocol):
    """What one indicator shall reach, as management reads it (`sim.scorecard.Target` is one)."""

    @property
    def kpi(self) -> str:
        """Return the indicator."""

    @property
    def weight(self) -> float:
        """Return how much it counts beside others."""

    def path(self, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return goal and red flag per quarter, (quarters + 1,), from the opening repeated."""


# What each loop reads of a governance, and what stands where it is not read.
LOOPS = {
    "none": (),
    "single": ("cadence", "step", "indicators"),
    "double": ("cadence", "step", "headline", "doubt", "error", "memory"),
}
GOVERNANCE_UNREAD: dict[str, Any] = {
    "cadence": 1, "step": 0, "indicators": (), "headline": "", "doubt": 0, "error": 1, "memory": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Governance:
    """How the organization manages: what its reviews change, on what evidence, for how long.

    The rules stand in sim/governance.py. They move money within the plan's total of each quarter.
    """

    key: str = word("name in settings")
    label: str = word("name in reports")
    description: str = word("one sentence")
    loop: str = word("what reviews change: none, single (defects) or double (assumptions)")
    cadence: int = number(1, 80, "quarters", "from one review to the next; 1 where none is held")
    step: float = number(
        0,
        1,
        "share",
        "of the plan's effort that a review moves (single), of the way to what is estimated best "
        "(double)",
    )
    indicators: tuple[str, ...] = word(
        "indicators that reviews look at; empty for all that have targets (single)"
    )
    headline: str = word("indicator whose change is to be explained; '' for none (double)")
    doubt: float = number(
        0, 100, "factor", "standard deviation of the first belief, as a multiple of it (double)"
    )
    error: float = number(
        0.001, 1000, "goal's steps", "change of the headline that effort does not explain (double)"
    )
    memory: float = number(
        0.1, 1, "factor/quarter", "weight that evidence keeps (double)", "Ljung & Soderstrom (1983)"
    )
    maturity: float = number(
        0, 1, "share", "of a mature Balanced Scorecard: reports on time, exact and acted upon"
    )
    late: float = number(0, 8, "quarters", "by which reports come later at maturity 0")
    noise: float = number(
        0, 1, "share", "error of reports at maturity 0, of the spread of a single answer"
    )
    unacted: float = number(0, 1, "share", "of what is decided that nobody does at maturity 0")
    shown: tuple[str, ...] = word("indicators that people are judged by, if effort drifts")
    drift: float = number(
        0, 1, "share", "of the plan's effort that goes to whatever moves what is shown"
    )
    board: Patience = word("the board's patience")

    def __post_init__(self) -> None:
        """Check ranges and that nothing is written that is not read."""
        check_fields(self)
        require_one_of("loop", self.loop, LOOPS)
        for name, unread in GOVERNANCE_UNREAD.items():
            value = getattr(self, name)
            if name not in LOOPS[self.loop] and value != unread:
                readers = ", ".join(key for key, reads in LOOPS.items() if name in reads)
                raise ValueError(
                    f"{name}={value!r} is not read by loop {self.loop!r} (it is by {readers}): it "
                    f"must be {unread!r}"
                )
        reported = self.loop != "none" or self.board.cut > 0
        if not reported and self.maturity < 1:
            raise ValueError(
                f"maturity={self.maturity:g}: without reviews and a board that cuts nobody reads "
                "reports: it must be 1"
            )
        for name in ("late", "noise", "unacted"):
            if self.maturity == 1 and getattr(self, name) != 0:
                raise ValueError(
                    f"{name}={getattr(self, name):g} is not read at maturity 1: it must be 0"
                )
        if (self.drift > 0) != bool(self.shown):
            raise ValueError(
                f"drift={self.drift:g} and shown={list(self.shown)}: what people are judged by "
                "and how much they drift to it go together"
            )

    @property
    def acts(self) -> bool:
        """Whether it can change anything of a plan."""
        return (self.loop != "none" and self.step > 0) or self.drift > 0 or self.board.cut > 0


@dataclass(frozen=True)
class Shock:
    """Something that happens to the market, whatever anybody does; the same in every arm.

    A shock of size 0 does not happen, and neither does one with a chance below 1 in the
    replications whose draw says so.
    """

    key: str = word("name in settings; its luck travels with it")
    kind: str = word("recall, crisis, endorsement, price_move, demand, need_jump or new_entrant")
    firm: str = word(
        "whom it hits: a firm, organization, competitors, first_competitor, last_competitor or all"
    )
    quarter: int = number(1, 80, "quarter", "in which it begins (1 is the first)")
    week: int = number(1, WEEKS_PER_QUARTER, "week", "of that quarter, in which it begins")
    weeks: int | None = word("how many weeks it lasts; null for good")
    size: float = number(-1, 100, "", "how strong it is, in the unit of its kind; 0 never happens")
    chance: float = number(0, 1, "probability", "that it happens, drawn once per replication")
    cost: float = field(
        default=0.0,
        metadata={
            "low": 0,
            "high": INF,
            "unit": "currency",
            "meaning": "paid once in its first week by each firm it hits (recall)",
        },
    )
    valence: float = field(
        default=0.0,
        metadata={
            "low": -1,
            "high": 1,
            "unit": "attitude",
            "meaning": "what the news says (crisis below 0, endorsement above)",
        },
    )
    salience: float = field(
        default=0.0,
        metadata={
            "low": 0,
            "high": 10,
            "unit": "1/week",
            "meaning": "hazard that the news brings the firm to mind (crisis, endorsement)",
        },
    )
    to: tuple[str, ...] = field(
        default=(), metadata={"meaning": "stakeholder types it reaches; empty or all for all"}
    )

    def __post_init__(self) -> None:
        """Check the kind, the ranges that go with it, and that it reads what it is given."""
        check_fields(self)
        require_one_of(f"{self.key}.kind", self.kind, SHOCK_KINDS)
        kind = SHOCK_KINDS[self.kind]
        name = f"{self.key}.size ({kind.meaning}, kind {self.kind!r}, {kind.unit})"
        require_in(name, self.size, kind.low, kind.high)
        for name, unread in SHOCK_UNREAD.items():
            value = getattr(self, name)
            if name not in kind.reads and value != unread:
                readers = ", ".join(key for key, k in SHOCK_KINDS.items() if name in k.reads)
                must = {"to": "all", "weeks": "null"}.get(name, unread)
                raise ValueError(
                    f"{self.key}.{name}={_plain(value)} is not read by kind {self.kind!r} (it is "
                    f"by {readers}): it must be {must}"
                )
        if self.weeks is not None and (type(self.weeks) is not int or not 1 <= self.weeks <= 1040):
            raise ValueError(
                f"{self.key}.weeks={self.weeks!r} must be a whole number from 1 to 1040, or null"
            )
        low, high = VALENCES.get(self.kind, (0.0, 0.0))
        if low != high and (self.valence == 0 or not low <= self.valence <= high):
            raise ValueError(
                f"{self.key}.valence={self.valence:g}: kind {self.kind!r} needs one "
                f"{'below' if low < 0 else 'above'} 0, in [{low:g}, {high:g}]"
            )
        if self.kind == "new_entrant" and (self.size not in (0, 1) or self.week != 1):
            raise ValueError(
                f"{self.key}: a firm enters with a quarter's first week: size must be 1 (0 never "
                f"happens) and week 1, not size={self.size:g} and week={self.week}"
            )


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else f"{value!r}"


@dataclass(frozen=True)
class Season:
    """The course of a year: a cosine around 1 with its highest point in the week `peak`."""

    demand: float = number(0, 1, "share", "units bought at the peak beyond the year's mean")
    occasions: float = number(
        0, 1, "share", "rate of occasions to choose at the peak beyond the year's mean"
    )
    peak: int = number(1, 52, "week", "of the year with the highest; the first counted week is 1")
    to: tuple[str, ...] = field(
        default=(), metadata={"meaning": "customers it concerns; empty or all for all"}
    )

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


NO_SEASON = Season(0.0, 0.0, 1)


@dataclass(frozen=True)
class Finance:
    """How money is counted."""

    discount_rate: float = number(0, 1, "1/year", "discount rate")
    market_growth: float = number(-0.5, 1, "1/year", "growth of units per stakeholder")
    cost_growth: float = number(-0.5, 1, "1/year", "growth of fixed cost")
    start_cash: float = number(0, INF, "currency", "opening cash")

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


@dataclass(frozen=True)
class Sensing:
    """How readings differ from the truth, see sim/sensing.py; no stakeholder's law reads it."""

    threshold: float = number(
        0, 1, "share", "coverage of a flow below which it gives no data", "assumption"
    )
    sample: float = number(
        1, 1e9, "answers", "counted or asked in a quarter at full coverage", "assumption"
    )
    delay: float = number(
        0, 104, "weeks", "from what happens to its reading without quick reporting", "assumption"
    )

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


@dataclass(frozen=True)
class People:
    """Stakeholders and ties from people's own tables, as arrays (sim reads no files).

    Attributes
    ----------
    ids : tuple of str
        One id per stakeholder.
    kind : int array (n,)
        Index into the scenario's stakeholder types.
    tied : int array (n,)
        Firm index or -1; -2 where the table leaves it to the type's shares.
    department : int array (n,)
        Index into the tied firm's departments, or -1; -2 where the firm's shares of staff decide.
    source, target : int arrays (m,)
        Rows of ids: the target hears the source.
    layer : int array (m,)
        Index into the scenario's layers.
    weight : float array (m,)
        Strength in (0, 1].
    replaced : tuple of str
        Layers on which these people have the ties of the tables and no generated ones.
    beside : tuple of (type, firm)
        The generated of a type that the tables name give way to the tables' people, but for those
        tied to these firms (the competitors' employees beside one's own).
    """

    ids: tuple[str, ...]
    kind: np.ndarray
    tied: np.ndarray
    department: np.ndarray
    source: np.ndarray
    target: np.ndarray
    layer: np.ndarray
    weight: np.ndarray
    replaced: tuple[str, ...]
    beside: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One market: everything a run needs but the plan and the luck."""

    key: str = word("name in settings")
    label: str = word("name in reports")
    brief: str = word("one paragraph for the reader")
    currency: str = word("what money is counted in")
    quarters: int = number(1, 80, "quarters", "horizon")
    warm_up: int = number(0, 20, "quarters", "lived as is before the first quarter, not counted")
    stakeholders: tuple[StakeholderType, ...] = word("the types")
    layers: tuple[Layer, ...] = word("the layers of ties")
    firms: tuple[Firm, ...] = word("the organization first, then its competitors")
    mechanisms: tuple[Mechanism, ...] = word("every mechanism a firm may fund")
    physics: Physics = word("coefficients of the laws")
    finance: Finance = word("how money is counted")
    sensing: Sensing = word("how readings differ from the truth")
    audiences: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict,
        metadata={"meaning": "stakeholder types behind a word; of a word left out there are none"},
    )
    people: People | None = field(default=None, metadata={"meaning": "own tables, if any"})
    shocks: tuple[Shock, ...] = field(default=(), metadata={"meaning": "what will happen"})
    season: Season = field(default=NO_SEASON, metadata={"meaning": "the course of a year"})

    def __post_init__(self) -> None:
        """Check that everything named exists and that nothing is named twice."""
        check_fields(self)
        freeze(self, "audiences")
        for group in ("stakeholders", "firms", "layers", "mechanisms", "shocks"):
            keys = [item.key for item in getattr(self, group)]
            if len(set(keys)) != len(keys):
                raise ValueError(f"{group}: names must differ, got {keys}")
        if not self.firms or not self.stakeholders or not self.mechanisms:
            raise ValueError(
                "a scenario needs at least one firm, one stakeholder type and one mechanism"
            )
        if len(self.firms) > MOST_FIRMS:
            raise ValueError(f"firms: {len(self.firms)} are too many, at most {MOST_FIRMS}")
        self._check_stakeholders()
        self._check_layers()
        self._check_mechanisms()
        self._check_shocks()

    def _check_stakeholders(self) -> None:
        for kind in self.stakeholders:
            if not kind.customer and kind.opportunity > 0:
                raise ValueError(
                    f"stakeholders.{kind.key}.opportunity={kind.opportunity:g}: only customers "
                    "choose; set it to 0 or customer to true"
                )
            for key in kind.tied:
                require_one_of(f"stakeholders.{kind.key}.tied", key, [f.key for f in self.firms])
        for word_, kinds in self.audiences.items():
            for key in kinds:
                require_one_of(f"audiences.{word_}", key, [t.key for t in self.stakeholders])

    def _check_layers(self) -> None:
        customer = {kind.key: kind.customer for kind in self.stakeholders}
        for layer in self.layers:
            for key in (*layer.speakers, *layer.listeners):
                require_one_of(f"layers.{layer.key}", key, customer)
                if layer.group == "department" and customer[key]:
                    raise ValueError(
                        f"layers.{layer.key}: {key!r} are customers and work in no department: "
                        "they cannot live on a layer whose group is 'department'"
                    )

    def _check_mechanisms(self) -> None:
        """Check whom mechanisms reach and that every firm has a department to run each."""
        kinds, keys = [t.key for t in self.stakeholders], [m.key for m in self.mechanisms]
        for mechanism in self.mechanisms:
            for effect in mechanism.moves:
                for key in effect.to:
                    require_one_of(f"mechanism.{mechanism.key}.{effect.lever}.to", key, kinds)
            for key in mechanism.acceptability.to:
                require_one_of(f"mechanism.{mechanism.key}.acceptability.to", key, kinds)
        for firm in self.firms:
            for key in firm.programmes:
                require_one_of(f"firms.{firm.key}.programmes", key, keys)
            if len(firm.departments) == 1:
                continue
            for mechanism in self.mechanisms:
                require_one_of(
                    f"mechanism.{mechanism.key}.owner (department of {firm.key})",
                    mechanism.owner,
                    [d.key for d in firm.departments],
                )

    def _check_shocks(self) -> None:
        """Check whom shocks and seasons reach and that nobody is the customer of an absent firm."""
        customer = {kind.key: kind.customer for kind in self.stakeholders}
        for key in self.season.to:
            require_one_of("season.to", key, [k for k in customer if customer[k]])
        for shock in self.shocks:
            where = f"shocks.{shock.key}"
            for key in shock.to:
                require_one_of(f"{where}.to", key, customer)
            require_one_of(f"{where}.firm", shock.firm, [*FIRM_WORDS, *(f.key for f in self.firms)])
            hit = self.hit(shock)
            if not hit:
                raise ValueError(f"{where}.firm={shock.firm!r}: there is no competitor to hit")
            if shock.kind != "new_entrant" or shock.size == 0:
                continue
            if 0 in hit:
                raise ValueError(
                    f"{where}.firm={shock.firm!r}: the organization is there from the start; only "
                    "competitors enter"
                )
            for f in hit:
                self._check_entrant(where, f)

    def _check_entrant(self, where: str, f: int) -> None:
        """Refuse customers at the start of a firm that is not there yet."""
        key = self.firms[f].key
        for kind in self.stakeholders:
            if kind.customer and kind.tied.get(key, 0.0) > 0:
                raise ValueError(
                    f"stakeholders.{kind.key}.tied.{key}={kind.tied[key]:g}: nobody can be the "
                    f"customer of a firm that is absent until {where}; it must be 0"
                )
        if self.people is not None:
            customer = np.array([kind.customer for kind in self.stakeholders], bool)
            theirs = customer[self.people.kind] & (self.people.tied == f)
            if theirs.any():
                raise ValueError(
                    f"people: {self.people.ids[int(theirs.argmax())]!r} is a customer of {key}, "
                    f"which is absent until {where}"
                )

    def hit(self, shock: Shock) -> tuple[int, ...]:
        """Return the firms that a shock hits, as indices."""
        rivals = tuple(range(1, len(self.firms)))
        keys = [firm.key for firm in self.firms]
        by_word = {
            EVERYBODY: (0, *rivals),
            "organization": (0,),
            "competitors": rivals,
            "first_competitor": rivals[:1],
            "last_competitor": rivals[-1:],
        }
        return by_word[shock.firm] if shock.firm in by_word else (keys.index(shock.firm),)

    def mechanism(self, key: str) -> int:
        """Return the index of a mechanism; KeyError names the nearest."""
        keys = [m.key for m in self.mechanisms]
        if key not in keys:
            raise KeyError(f"unknown mechanism {key!r}{nearest(key, keys)}")
        return keys.index(key)


@dataclass(frozen=True)
class Plan:
    """What the organization funds beyond today, per quarter, in currency.

    Attributes
    ----------
    effort : float array (n_mechanisms, quarters), >= 0
        Money per quarter on each mechanism, on top of today's programmes.
    investment : float array (3, quarters), >= 0
        Money per quarter into human, information and organization capital, on top of today's.
    """

    effort: np.ndarray
    investment: np.ndarray

    def __post_init__(self) -> None:
        """Check shapes and signs."""
        self.check()

    def check(self) -> None:
        """Raise ValueError unless every number is finite and at least 0."""
        for name in ("effort", "investment"):
            array = getattr(self, name)
            if array.ndim != 2 or not np.isfinite(array).all() or (array < 0).any():
                raise ValueError(f"plan.{name} must be finite, >= 0 and of shape (rows, quarters)")

    @staticmethod
    def nothing(n_mechanisms: int, quarters: int) -> Plan:
        """Return the plan that changes nothing."""
        return Plan(np.zeros((n_mechanisms, quarters)), np.zeros((len(CAPITALS), quarters)))


@dataclass(frozen=True)
class Nudge:
    """A small push from outside at one place of a firm, to see what follows; it costs nothing.

    A lever is shifted for as long as the nudge lasts and stays within its range. A capital is
    raised by a share of its stock; `once` lets the addition wear, else it is kept up. A state of
    stakeholders about the firm is shifted at the start of each quarter in which the nudge lasts,
    and goes its way from there; `whom` and `share` say of which of them.
    """

    by: float = number(
        -1e6,
        1e6,
        "lever's unit, share of the stock, or state's unit",
        "how far it is pushed: a lever and a state by so much, a capital by that share of it",
        "assumption",
    )
    lever: str = word("lever that is shifted, see sim/levers.py", default="")
    capital: str = word("capital that is raised in place of a lever", default="")
    state: str = word(
        "what stakeholders hold of the firm that is shifted in place of a lever: salience, "
        "attitude, expectation, trust or, of those tied to it, satisfaction",
        default="",
    )
    firm: str = word(
        "whose: organization, rivals (every one of them) or a firm's name", default="organization"
    )
    to: tuple[str, ...] = word("stakeholder types; none named: all of them", default=())
    whom: str = word(
        "which stakeholders of those types a state is shifted of: all, or a share of them: by "
        "chance, by reach (heard by most) or traced (whose words moved attitudes to the firm most "
        "in the warm-up)",
        default=EVERYBODY,
    )
    share: float = number(
        0, 1, "share", "of those types, above 0; 1 where whom is all", "assumption", default=1.0
    )
    quarter: int = number(
        1, 80, "quarter", "first one with it (1 is the first)", "convention", default=1
    )
    once: bool = word("whether it lasts one quarter only", default=False)

    def __post_init__(self) -> None:
        """Check that it pushes one thing, by a number that makes sense."""
        check_fields(self)
        if sum(map(bool, (self.lever, self.capital, self.state))) != 1:
            raise ValueError(
                f"a nudge moves one lever, one capital or one state, got lever={self.lever!r}, "
                f"capital={self.capital!r} and state={self.state!r}"
            )
        if self.state:
            self._check_state()
            return
        for name, value, usual in (("whom", self.whom, EVERYBODY), ("share", self.share, 1.0)):
            if value != usual:
                raise ValueError(
                    f"nudge of {self.lever or self.capital}: {name}={value!r} has no meaning, "
                    "stakeholders are chosen for a state alone"
                )
        if self.lever:
            require_one_of("nudge: lever", self.lever, levers.INDEX)
            if self.to and levers.TABLE[levers.INDEX[self.lever]].of_firm:
                raise ValueError(
                    f"nudge of {self.lever}: to={list(self.to)} has no meaning, the lever has one "
                    "value for the whole firm"
                )
            return
        require_one_of("nudge: capital", self.capital, CAPITALS)
        if self.to:
            raise ValueError(f"nudge of {self.capital} capital: to={list(self.to)} has no meaning")
        if self.by <= -1:
            raise ValueError(f"nudge of {self.capital} capital: by={self.by!r} must be above -1")

    def _check_state(self) -> None:
        require_one_of("nudge: state", self.state, STATES)
        require_one_of("nudge: whom", self.whom, WHOM)
        low, high, _ = STATES[self.state]
        require_in(f"nudge of {self.state}: by", self.by, low - high, high - low)
        if self.whom == EVERYBODY and self.share != 1:
            raise ValueError(
                f"nudge of {self.state}: share={self.share!r} has no meaning where whom is all; "
                f"choose whom of {', '.join(WHOM[1:])}"
            )
        if self.share == 0:
            raise ValueError(f"nudge of {self.state}: share=0 must be above 0, it reaches nobody")


@dataclass(frozen=True)
class Arm:
    """One variant run side by side with others on the same luck.

    Attributes
    ----------
    key, label : str
        Name in tables and in reports.
    plan : Plan
        What is funded beyond today.
    gates : float array (3, n_firms) in [0, 1]
        Openness of outbound, peer and inbound influence per firm, see sim/flows.py.
    physics : mapping
        Coefficients of the laws that differ from the scenario's.
    design : Design, optional
        How the organization is designed; None leaves it as it is.
    nudges : tuple of Nudge
        Pushes from outside; none changes no bit.
    governance : Governance, optional
        How the organization manages its plan; None carries it out as it stands.
    goals : tuple of Goal
        What its management reads against; the opening is their reference.
    firm : str
        Who funds the plan: organization, or a competitor by name. Indicators stay the
        organization's.
    """

    key: str
    label: str
    plan: Plan
    gates: np.ndarray
    physics: Mapping[str, float] = field(default_factory=dict)
    design: Design | None = None
    nudges: tuple[Nudge, ...] = ()
    governance: Governance | None = None
    goals: tuple[Goal, ...] = ()
    firm: str = "organization"

    def __post_init__(self) -> None:
        """Check gates and the names of coefficients."""
        freeze(self, "physics")
        for name, value in self.physics.items():
            require_one_of(f"arm {self.key}: physics", name, Physics.__dataclass_fields__)
            check_value(f"arm {self.key}: physics.{name}", value, Physics, name)
        self.check()

    def check(self) -> None:
        """Raise ValueError unless every gate lies in [0, 1]."""
        if not ((self.gates >= 0) & (self.gates <= 1)).all():
            raise ValueError(f"gates of arm {self.key!r} must lie in [0, 1]")


def freeze(owner: object, name: str) -> None:
    """Replace a mapping field by a read-only copy (frozen does not freeze a dict)."""
    object.__setattr__(owner, name, MappingProxyType(dict(getattr(owner, name))))
