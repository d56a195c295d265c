"""Indicators of one audience each: resellers, suppliers, investors, the public, media, employees.

An audience that a scenario lacks gives no value; a talk that did not take place gives none either.
"""

from __future__ import annotations

import numpy as np

from sim import levers
from sim.closing import Close, counted, in_order, mean_of, score_of, summed
from sim.state import NEGATIVE, POSITIVE, add_up

INBOUND = 2
COVERAGE, IMPRESSIONS = levers.INDEX["coverage"], levers.INDEX["impressions"]


def audiences(close: Close, f: int) -> dict[str, np.ndarray]:
    """Return the indicators that are about an audience other than customers."""
    channel, suppliers = close.audience("channel"), close.audience("suppliers")
    investors, public = close.audience("investors"), close.audience("public")
    media, rivals = close.audience("media"), close.rivals(f)
    praise = counted(close, POSITIVE, channel)
    spoken = counted(close, POSITIVE, media) + counted(close, NEGATIVE, media)
    liked = mean_of(close, "attitude", channel)
    return {
        "channel_trust": mean_of(close, "trust", channel)[f],
        "channel_recommendation": praise[f] / in_order(close, praise),
        "channel_rival_attitude": liked[rivals].max(axis=0) if rivals else close.nothing,
        "supplier_trust": mean_of(close, "trust", suppliers)[f],
        "supplier_ideas_first": ideas_first(close, suppliers, f),
        "investor_trust": mean_of(close, "trust", investors)[f],
        "public_trust": mean_of(close, "trust", public)[f],
        "society_trust": mean_of(close, "trust", investors | public)[f],
        "public_sentiment": sentiment(close, public, [f]),
        "media_sentiment": sentiment(close, media, [f]),
        "media_share_of_voice": spoken[f] / in_order(close, spoken),
        "media_rival_sentiment": sentiment(close, media, rivals),
        "employee_advocacy": score_of(close, close.audience("employees"), [f]),
    }


def against_rivals(close: Close, f: int) -> dict[str, np.ndarray]:
    """Return customers' talk and trust, and messages, of us beside those of rivals."""
    customers, rivals = close.customer, close.rivals(f)
    good, bad = counted(close, POSITIVE, customers), counted(close, NEGATIVE, customers)
    n = max(1, close.type_counts[customers].sum())
    messages = summed_impressions(close)
    theirs = add_up(messages[rivals])
    for_us = good[f] + bad[rivals].sum(axis=0)
    talk = for_us + bad[f] + good[rivals].sum(axis=0)
    return {
        "negative_talk": bad[f] / n if close.lived else close.nothing,
        "switch_talk": for_us / talk if rivals else close.nothing,
        "rival_voice_share": theirs / (messages[f] + theirs),
        "rival_trust": (summed(close, "trust", customers)[rivals] / n).max(axis=0)
        if rivals
        else close.nothing,
    }


def summed_impressions(close: Close) -> np.ndarray:
    """Return impressions of all customers together in the last week by firm, (F, L)."""
    lever = close.firms.lever[IMPRESSIONS]
    weighted = (lever * close.type_counts[:, None])[:, close.customer]
    return add_up(weighted.swapaxes(0, 1)) * close.gates[0]


def sentiment(close: Close, kinds: np.ndarray, firms: list[int]) -> np.ndarray:
    """Return (positive - negative) / all voices of some types about some firms, (L,)."""
    good = counted(close, POSITIVE, kinds)[firms].sum(axis=0)
    bad = counted(close, NEGATIVE, kinds)[firms].sum(axis=0)
    return np.asarray((good - bad) / (good + bad))


def heard(close: Close, kinds: np.ndarray) -> np.ndarray:
    """Return how many voices of some types each firm is expected to have heard, (F, L)."""
    voices = close.counts[POSITIVE] + close.counts[NEGATIVE]
    caught = close.firms.lever[COVERAGE] * close.gates[INBOUND][:, None]
    return add_up((voices * caught)[:, kinds].swapaxes(0, 1))


def ideas_first(close: Close, kinds: np.ndarray, f: int) -> np.ndarray:
    """Return the share of what some types tell firms that reaches this firm, (L,)."""
    ideas = heard(close, kinds)
    return np.asarray(ideas[f] / in_order(close, ideas))
