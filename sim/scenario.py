"""What is given: stakeholder types, layers, firms, mechanisms, plans; frozen and checked.

Every number's unit, range and meaning stands in its field's metadata, where the settings list and
the error messages read it; the values stand in `configs/` alone. Money is in the scenario's
currency (`currency`, thousand euro in the shipped ones), rates are per week, plans are per quarter
(13 weeks).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from sim import levers
from sim.checks import check_fields, check_value, nearest, require_in, require_one_of

WEEKS_PER_QUARTER = 13
WEEKS_PER_YEAR = 52.0
EVERYBODY = "all"
MOST_FIRMS = 16
CAPITALS = ("human", "information", "organization")
MATURITY_LAWS = ("exponential", "logistic", "internal_bass")
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
# Settings that a policy reads beside its budget, and what those it does not read must be.
POLICY_READS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "passive": (),
        "proportional": ("strength", "lag"),
        "reactive": ("strength", "lag"),
        "imitator": ("strength", "lag"),
    }
)
POLICY_UNREAD = MappingProxyType({"strength": 0, "lag": 1})


def number(low: float, high: float, unit: str, meaning: str, source: str = "") -> Any:
    """Declare a number with its range, unit, meaning and (where it is a law's) source."""
    return field(
        metadata={"low": low, "high": high, "unit": unit, "meaning": meaning, "source": source}
    )


def word(meaning: str) -> Any:
    """Declare a text, a switch or a group of settings."""
    return field(metadata={"meaning": meaning})


INF = float("inf")


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
class Mechanism:
    """An influence mechanism: a programme that a firm can fund."""

    key: str = word("name in settings")
    label: str = word("name in reports")
    description: str = word("one sentence")
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

    def __post_init__(self) -> None:
        """Check ranges, flows, capital needs and the maturity law."""
        check_fields(self)
        freeze(self, "needs")
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

    name: str = word("passive, proportional, reactive or imitator")
    strength: float = number(
        0, 5, "factor", "size of the response (0 never responds, as passive never does)"
    )
    lag: int = number(1, 8, "quarters", "delay of the response (1 where there is none: passive)")
    budget: float = number(
        0, INF, "currency/quarter", "most it can spend on mechanisms and capital"
    )

    def __post_init__(self) -> None:
        """Check ranges and that the policy reads what it is given."""
        check_fields(self)
        require_one_of("policy.name", self.name, POLICY_READS)
        for name, unread in POLICY_UNREAD.items():
            value = getattr(self, name)
            if name not in POLICY_READS[self.name] and value != unread:
                readers = ", ".join(key for key, reads in POLICY_READS.items() if name in reads)
                raise ValueError(
                    f"policy.{name}={value:g} is not read by policy {self.name!r} (it is by "
                    f"{readers}): it must be {unread}"
                )


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

    def __post_init__(self) -> None:
        """Check that everything named exists and that nothing is named twice."""
        check_fields(self)
        freeze(self, "audiences")
        for group in ("stakeholders", "firms", "layers", "mechanisms"):
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
            for effect in mechanism.effects:
                for key in effect.to:
                    require_one_of(f"mechanism.{mechanism.key}.{effect.lever}.to", key, kinds)
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
class Arm:
    """One variant run side by side with others on the same luck.

    Attributes
    ----------
    key, label : str
        Name in tables and in reports.
    plan : Plan
        What the organization funds beyond today.
    gates : float array (3, n_firms) in [0, 1]
        Openness of outbound, peer and inbound influence per firm, see sim/flows.py.
    physics : mapping
        Coefficients of the laws that differ from the scenario's.
    """

    key: str
    label: str
    plan: Plan
    gates: np.ndarray
    physics: Mapping[str, float] = field(default_factory=dict)

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
