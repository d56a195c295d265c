"""Coefficients of the laws (MODEL A.13)."""

from __future__ import annotations

from dataclasses import dataclass

from sim.checks import check_fields
from sim.fields import number, word


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
