"""Governance: how the organization manages, as pure rules; `sim/managing.py` carries them out.

Each quarter a plan gives effort to mechanisms, shares s_m of the sum M. Rules move money between
them, never adding any. Single-loop reviews place shares h_m >= 0 with sum H <= 1 elsewhere,
double-loop reviews weigh the plan by what money is worth at each mechanism, w_m >= 0:

    effort_m = M ((1 - H) s_m + h_m)            effort_m = M s_m w_m / sum_k s_k w_k

Single-loop learning holds the plan's assumptions constant and takes departures from targets for
defects to remedy; double-loop learning changes the assumptions about cause and effect themselves
(Argyris & Schon 1978; Kaplan & Norton 2001 ask for the latter as strategic learning). What a
mechanism is believed to move follows from its levers (`AIMS`): that is the strategy map as
management carries it in its head, right or wrong. A Balanced Scorecard that is not lived reports
late and inexactly and leaves decisions unacted; Sheldrake (2011) makes a disciplined one the
prerequisite of an Influence Scorecard. That people serve what they are measured by is Goodhart's
law (Goodhart 1975). Sizes are assumptions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sim.mechanisms import Effect, Mechanism

# Which indicators a lever is believed to move, where a mechanism raises it; assumption.
AIMS: Mapping[str, tuple[str, ...]] = {
    "impressions": ("salience", "rival_voice_share"),
    "credibility": ("preference",),
    "honesty": ("trust", "quality_surprise"),
    "rebuttal": ("rival_attitude",),
    "talk_rate": ("share_of_voice",),
    "contact": ("share_of_voice", "net_sentiment"),
    "referral": ("referral_share", "gross_adds"),
    "issue_response": ("net_sentiment", "negative_talk"),
    "comparison": ("switch_talk", "relative_advocacy"),
    "coverage": ("listening_coverage", "attention_share"),
    "mining": ("rival_fit",),
    "routing": ("insight_delivered", "insight_weeks"),
    "absorption": ("idea_to_change",),
    "adaptation_rate": ("offering_fit", "fit_gain"),
    "ticket_capacity": ("complaints_resolved", "loop_closed", "first_reply", "backlog_weeks"),
    "complaint_ease": ("negative_talk",),
    "recovery": ("satisfaction", "net_promoter_score"),
    "conquest": ("win_share", "market_share"),
    "quality": ("execution", "satisfaction"),
    "loyalty": ("retention",),
    "discount": ("gross_adds", "market_share"),
    "learning": ("maturity", "programme_output"),
    "strain": (),
    "price_erosion": (),
    "permission": ("trust",),
    "sensing_1": ("flow_coverage", "silo_extraction"),
    "sensing_2": ("flow_coverage", "silo_extraction"),
    "sensing_3": ("flow_coverage", "silo_extraction"),
    "sensing_4": ("flow_coverage", "silo_extraction"),
    "sensing_5": ("flow_coverage", "silo_extraction"),
    "sensing_6": ("flow_coverage", "silo_extraction"),
    "reading_speed": ("reading_weeks",),
    "reading_care": (),
    "crisis_response": (),
    "patience": (),
}


def aims_at(mechanisms: Sequence[Mechanism], indicators: Sequence[str]) -> np.ndarray:
    """Return which mechanism is believed to move which indicator, bool (M, I).

    By its effects that raise a lever; nobody plans side effects.
    """
    return np.array(
        [[_aims(m.effects, key) for key in indicators] for m in mechanisms], bool
    ).reshape(len(mechanisms), len(indicators))


def _aims(effects: Sequence[Effect], indicator: str) -> bool:
    return any(e.by > 0 and indicator in AIMS[e.lever] for e in effects)


def shortfall(goal: np.ndarray, red_flag: np.ndarray, reading: np.ndarray) -> np.ndarray:
    """Return how far readings fall short of targets: 0 at the goal, 1 at the red flag or beyond.

    Works for either direction: a goal below its red flag means that less is better. What is not
    read, or has no red flag, asks for nothing: 0.
    """
    width = goal - red_flag
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.clip((goal - reading) / width, 0.0, 1.0)
    return np.nan_to_num(np.where(width == 0, np.nan, gap), nan=0.0)


def remedies(gap: np.ndarray, weight: np.ndarray, aims: np.ndarray) -> np.ndarray:
    """Return the shares of what is moved that each mechanism gets, (M,): single-loop learning.

    In proportion to the weighted shortfall of the indicators that it is believed to move; all 0
    where nothing that anybody could move falls short.

    Parameters
    ----------
    gap, weight : float (I,)
        Shortfall and weight of each indicator.
    aims : bool (M, I)
        Who may get money and is believed to move what.
    """
    return normalized(aims @ (gap * weight))


def normalized(worth: np.ndarray) -> np.ndarray:
    """Return shares in proportion to `worth` >= 0, all 0 where all are."""
    total = float(worth.sum())
    return worth / total if total > 0 else np.zeros_like(worth, dtype=float)


def learn(
    belief: np.ndarray,
    doubt: np.ndarray,
    cause: np.ndarray,
    change: float,
    error: float,
    memory: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return belief and doubt after one more quarter: recursive least squares with forgetting.

    A change y of the headline is explained by causes x, y = x' b + e with e of variance r. With
    memory l (1 never forgets), belief b and doubt P, the covariance of b:

        k = P x / (l r + x' P x),   b <- b + k (y - x' b),   P <- (P - k x' P) / l

    which with l = 1 is Bayes' rule for normal beliefs, the first belief being the prior.
    Source: Plackett (1950); forgetting after Ljung & Soderstrom (1983).

    Parameters
    ----------
    belief, cause : float (n,)
    doubt : float (n, n)
    change, error : float
        y and the square root of r, in the same unit.
    memory : float in (0, 1]
    """
    spread = doubt @ cause
    gain = spread / (memory * error**2 + float(cause @ spread))
    belief = belief + gain * (change - float(cause @ belief))
    doubt = (doubt - np.outer(gain, spread)) / memory
    return belief, (doubt + doubt.T) / 2.0


def reweighted(planned: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Return effort (M,) in proportion to the plan's times what money is worth there.

    Double-loop learning: `worth` (M,) >= 0 follows the gain per money that is estimated. The plan
    was drawn up as if money gained the same wherever it went, so that estimates all alike leave it
    as it is; where nothing planned is worth anything it stays as well. The sum stays.
    """
    shares = normalized(planned * worth)
    return planned.sum() * shares if shares.any() else planned


def worth_now(before: np.ndarray, gain: np.ndarray, step: float) -> np.ndarray:
    """Return what money is worth after a review that goes a `step` of the way to `gain`.

    What is estimated to lose is worth nothing.
    """
    return np.asarray((1.0 - step) * before + step * np.maximum(gain, 0.0))


def managed(planned: np.ndarray, moved: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return effort per mechanism (M,) when shares `moved` of it stand elsewhere than planned.

    Where a mechanism is not `allowed` now, its part goes back to the plan. The sum stays.
    """
    held = np.where(allowed, moved, 0.0)
    return np.asarray((1.0 - held.sum()) * planned + held * planned.sum())


def drifted(effort: np.ndarray, shown: np.ndarray, drift: float) -> np.ndarray:
    """Return effort (M,) of which a share `drift` goes to what moves the indicators shown.

    Parameters
    ----------
    shown : float (M,) >= 0
        How many of the indicators shown each mechanism is believed to move; all 0: none drifts.
    """
    towards = normalized(shown)
    if not towards.any():
        return effort
    return np.asarray((1.0 - drift) * effort + drift * effort.sum() * towards)


def quarters_below(before: int, margin: float, reference: float, tolerance: float) -> int:
    """Return for how many quarters in a row the margin reads below what the board bears.

    A margin that is not read (nan) changes nothing.
    """
    if np.isnan(margin) or np.isnan(reference):
        return before
    return before + 1 if margin < reference - tolerance else 0


def board_cut(below: int, after: int, cut: float, patience: float) -> float:
    """Return the share of the plan's money that the board takes, in [0, 1].

    From `after` quarters below on, until the margin is back. Managed expectations (the lever
    `patience`, a share) avert their part of it. Assumption.
    """
    return cut * (1.0 - patience) if below >= after else 0.0
