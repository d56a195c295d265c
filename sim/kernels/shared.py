"""What the passes over the stakeholders share: names of coefficients, and the draws."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sim.lanes import law, select
from sim.memory import fill_int, load_int, store_int, width_of
from sim.physics import Physics
from sim.rng import Stream, threefry
from sim.state import BLOCK, COUNTS, SUMS

COEFFICIENTS = tuple(f.name for f in fields(Physics))
_at = COEFFICIENTS.index
WIDE = width_of(BLOCK)
PERSON, FIRM, RECOMMEND = int(Stream.PERSON), int(Stream.FIRM), int(Stream.RECOMMEND)
TIE = 65536
HEARD = 6
TURN = 32768.0 / 32766.0
N_COUNTS, N_SUMS = len(COUNTS), len(SUMS)

SALIENCE_DECAY, SALIENCE_PER_EXPERIENCE = _at("salience_decay"), _at("salience_per_experience")
ANCHOR, EXPERIENCE_PERSUASION = _at("anchor"), _at("experience_persuasion")
CONFIDENCE, NEGATIVITY = _at("confidence"), _at("negativity")
TALK_BASE, TALK_POSITIVE, TALK_NEGATIVE = (
    _at("talk_base"),
    _at("talk_positive"),
    _at("talk_negative"),
)
TALK_UNTIED, NOISE, SATISFACTION_RATE = (
    _at("talk_untied"),
    _at("performance_noise"),
    _at("satisfaction_rate"),
)
DISCONFIRMATION, PERFORMANCE_EFFECT = _at("disconfirmation"), _at("performance_effect")
LOSS_AVERSION, EXPECTATION_RATE = _at("loss_aversion"), _at("expectation_rate")
TRUST_GAIN, TRUST_LOSS = _at("trust_gain"), _at("trust_loss")
TRUST_DECAY, TRUST_PRIOR = _at("trust_decay"), _at("trust_prior")
ATTITUDE_WEIGHT, EXPECTATION_WEIGHT = _at("attitude_weight"), _at("expectation_weight")
REFERENCE, NONE_UTILITY = _at("expectation_reference"), _at("none_utility")
OFFER_VALUE, OFFER_WEEKS = _at("referral_offer"), _at("referral_weeks")
GRIEVANCE_WEEKS = _at("grievance_weeks")
NEWS_DOUBT = _at("news_doubt")
RECOMMEND_BASE, RECOMMEND_SATISFACTION = _at("recommend_base"), _at("recommend_satisfaction")
RECOMMEND_ATTITUDE, RECOMMEND_NOISE = _at("recommend_attitude"), _at("recommend_noise")


@law
def draw(
    low: Any, high: Any, i: Any, week: Any, block: Any, key: Any, stream: Any, slot: Any
) -> Any:
    """Return four words for each of 16 stakeholders from row i on."""
    return threefry(
        load_int(WIDE, low, i),
        load_int(WIDE, high, i),
        fill_int(WIDE, week),
        fill_int(WIDE, block),
        fill_int(WIDE, key[0]),
        fill_int(WIDE, key[1]),
        fill_int(WIDE, stream),
        fill_int(WIDE, slot),
    )


@law
def last_block(first: Any, last: Any) -> Any:
    """Return the row with which the last block of rows first..last-1 begins."""
    return first + (last - 1 - first) // BLOCK * BLOCK


@law
def count(width: Any, counted: Any, at: Any, truths: Any) -> None:
    """Add one in every lane in which something is true."""
    store_int(counted, at, load_int(width, counted, at) + select(truths, fill_int(width, 1), 0))
