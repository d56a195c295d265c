"""What firms are given and what is true of them; arrays are float64 with lanes last."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim import levers
from sim.rng import Stream

DIMENSIONS = 2
WEEKS = 13
PERSON = int(Stream.PERSON)
SURE = 1e-6
N_LEVERS = len(levers.TABLE)
SHARES = np.array([row.share for row in levers.TABLE])
LOWEST = np.array([row.low for row in levers.TABLE])
HIGHEST = np.array([row.high for row in levers.TABLE])
_at = levers.INDEX
IMPRESSIONS, CREDIBILITY, HONESTY, REBUTTAL = (
    _at["impressions"],
    _at["credibility"],
    _at["honesty"],
    _at["rebuttal"],
)
TALK_RATE, CONTACT, REFERRAL = _at["talk_rate"], _at["contact"], _at["referral"]
ISSUE_RESPONSE, COMPARE = _at["issue_response"], _at["comparison"]
COVERAGE, MINING, ABSORPTION = _at["coverage"], _at["mining"], _at["absorption"]
ADAPTATION, CAPACITY, EASE = _at["adaptation_rate"], _at["ticket_capacity"], _at["complaint_ease"]
RECOVERY, CONQUER, QUALITY = _at["recovery"], _at["conquest"], _at["quality"]
LOYALTY, DISCOUNT, LEARNING = _at["loyalty"], _at["discount"], _at["learning"]
ROUTING, CRISIS_RESPONSE = _at["routing"], _at["crisis_response"]
STRAIN, PRICE_EROSION, PERMISSION = _at["strain"], _at["price_erosion"], _at["permission"]
BAD, GOOD = 0, 1  # news about a firm
NEVER = -1e9  # utils; of a firm that is not there


class Physics64(NamedTuple):
    """Coefficients of the laws that firms' weeks read, float64 (L,) each."""

    goodwill_decay: np.ndarray
    salience_per_impression: np.ndarray
    salience_per_message: np.ndarray
    claim_persuasion: np.ndarray
    peer_persuasion: np.ndarray
    talk_hazard: np.ndarray
    claim_expectation: np.ndarray
    price_weight: np.ndarray
    goodwill_weight: np.ndarray
    switching_cost: np.ndarray
    need_drift: np.ndarray
    need_tolerance: np.ndarray
    voice_noise: np.ndarray
    hearing_noise: np.ndarray
    self_selection: np.ndarray
    recovery_quiet: np.ndarray
    patience: np.ndarray
    abandonment: np.ndarray
    complementarity: np.ndarray
    maturity_decay: np.ndarray
    human_effect: np.ndarray
    engagement_effect: np.ndarray
    backlog_effect: np.ndarray
    experience_in_flow: np.ndarray


class Outside(NamedTuple):
    """What comes from outside this week, written by sim/shocks.py: F firms, K types."""

    present: np.ndarray  # (F,) 1 if the firm is there, else 0
    quality: np.ndarray  # (F, K) logit that delivered quality lacks
    price: np.ndarray  # (F,) factor
    cost: np.ndarray  # (F,) currency, paid this week
    news: np.ndarray  # (2, F, K) evidence of bad and of good news, 1/week
    valence: np.ndarray  # (2, F, K) what they say, attitude
    hazard: np.ndarray  # (F, K) of coming to mind, 1/week
    units: np.ndarray  # (K,) factor
    need: np.ndarray  # (K, DIMENSIONS) how far needs have jumped


class Given(NamedTuple):
    """What firms are given: F firms, M mechanisms, K types, E effects, L lanes."""

    now: Outside
    order: np.ndarray  # int64 (F,): firms in the order of their keys
    gates: np.ndarray  # (3, F, L)
    lever_default: np.ndarray  # (N_LEVERS, F)
    shift: np.ndarray  # (N_LEVERS, F, K, L): how far nudges shift levers this quarter
    effect_mechanism: np.ndarray  # int64 (E,)
    effect_lever: np.ndarray  # int64 (E,)
    effect_by: np.ndarray  # (E,)
    effect_above: np.ndarray  # (E,) share of full output
    effect_to: np.ndarray  # bool (E, K)
    owner: np.ndarray  # int64 (F, M, L): department that runs a mechanism
    settling: np.ndarray  # (F, L) weeks to half of a new structure; 0 where none is introduced
    unsettled: np.ndarray  # (F, D, L) weeks of output that departments lose while it settles
    needs: np.ndarray  # (M, 3)
    running: np.ndarray  # (M,)
    setup: np.ndarray  # (M,)
    half_life: np.ndarray  # (M,)
    form: np.ndarray  # int64 (M,)
    dip: np.ndarray  # (M,)
    volume: np.ndarray  # (M,) currency per week and stakeholder reached at full output
    reached: np.ndarray  # (M, K) stakeholders, whoever they are tied to
    reached_tied: np.ndarray  # bool (M, K): types of which those tied are reached
    breach: np.ndarray  # (M,) 1/quarter at full output
    breach_cost: np.ndarray  # (M,) pseudo-counts
    breach_delay: np.ndarray  # int64 (M,) weeks
    breach_to: np.ndarray  # bool (M, K)
    depreciation: np.ndarray  # (F, 3) 1/week
    build_rate: np.ndarray  # (F, 3) 1/week
    reference: np.ndarray  # (F, 3)
    firm: np.ndarray  # (F, 10): see FIRM_NUMBERS
    experience: np.ndarray  # (K,) 1/week
    price: np.ndarray  # (K,)
    units: np.ndarray  # (K,)
    growth: float
    cost_growth: float
    discount: float


FIRM_NUMBERS = (
    "appeal",
    "price",
    "execution",
    "claim",
    "claim_quality",
    "variable_cost",
    "fixed_cost",
    "fixed_income",
    "ticket_cost",
    "referral_reward",
)
(
    APPEAL,
    PRICE,
    EXECUTION,
    CLAIMS,
    CLAIM_QUALITY,
    VARIABLE_COST,
    FIXED_COST,
    FIXED_INCOME,
    TICKET_COST,
    REFERRAL_REWARD,
) = range(len(FIRM_NUMBERS))


class FirmState(NamedTuple):
    """Quantities of firms in every lane, float64 unless said."""

    stock: np.ndarray  # (F, 3, L) currency
    building: np.ndarray  # (F, 3, 3, L) currency
    depreciated: np.ndarray  # (F, 3, L) currency so far
    invested: np.ndarray  # (F, 3, L) currency so far
    ready: np.ndarray  # (F, 3, L) share
    maturity: np.ndarray  # (F, M, L) share
    opened: np.ndarray  # (F, M, L) 1 once set up
    effort: np.ndarray  # (F, M, L) currency per quarter
    investment: np.ndarray  # (F, 3, L) currency per quarter
    due: np.ndarray  # (F, M, L) set-up charged this quarter
    reorganization: np.ndarray  # (F, L) cost of a new structure charged this quarter
    settled: np.ndarray  # (F, L) share of a new structure that has settled
    output: np.ndarray  # (F, M, L) share
    lever: np.ndarray  # (N_LEVERS, F, K, L)
    goodwill: np.ndarray  # (F, K, L) impressions per capita
    quality: np.ndarray  # (F, K, L) delivered quality
    execution: np.ndarray  # (F, K, L)
    fit: np.ndarray  # (F, K, L)
    offering: np.ndarray  # (F, K, DIMENSIONS, L)
    estimate: np.ndarray  # (F, K, DIMENSIONS, L)
    way: np.ndarray  # (F, K, DIMENSIONS, 3, L) insight under way
    variance: np.ndarray  # (F, K, L)
    delivered: np.ndarray  # (F, L) share of insight that reaches action
    delay: np.ndarray  # (F, L) weeks
    engagement: np.ndarray  # (F, L) attitude
    waiting: np.ndarray  # (F, L) open complaints
    capacity: np.ndarray  # (F, L) tickets per week
    credit: np.ndarray  # (F, L) capacity carried over, below one ticket
    tied: np.ndarray  # (F, K, L) stakeholders
    cash: np.ndarray  # (F, L)
    worth: np.ndarray  # (F, L) discounted (profit - investment) so far
    quarter: np.ndarray  # (len(QUARTER), F, L) sums of the quarter
    volume: np.ndarray  # (F, M, L) currency, volume cost of the quarter so far
    worn: np.ndarray  # (F, K, L) share of price that people are used to not paying
    known: np.ndarray  # (F, K, D, L) pseudo-counts of breaches known now, next week ... in D - 1
