"""Random markets, arms and coefficients for tests of what holds in every setting.

A market is a function of a seed, so that a failing test names it. About half of the coefficients
keep the village's values, so that much happens; the others lie anywhere in their declared ranges,
often at an end. `test_metamorphic.py` checks that the first of them are eventful.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import village
from hypothesis import strategies as st

from sim.organization import Firm, Policy, Programme
from sim.physics import Physics
from sim.plans import Arm, Plan
from sim.scenario import Scenario

SEEDS = st.integers(0, 2**32 - 1)
KEYS = ("ours", "theirs", "others")
NARROW = {"complementarity": (-20.0, 1.0), "trust_prior": (0.1, 20.0), "price_weight": (0.0, 5.0)}
# Between what a test sets a lever.
FARTHEST = {
    "impressions": (0.0, 5.0),
    "credibility": (0.0, 3.0),
    "honesty": (0.0, 1.0),
    "rebuttal": (0.0, 1.0),
    "talk_rate": (0.0, 4.0),
    "contact": (0.0, 3.0),
    "referral": (0.0, 1.0),
    "issue_response": (0.0, 1.0),
    "comparison": (0.0, 2.0),
    "coverage": (0.0, 1.0),
    "mining": (0.0, 1.0),
    "routing": (0.0, 1.0),
    "absorption": (0.0, 1.0),
    "adaptation_rate": (0.0, 0.5),
    "ticket_capacity": (0.0, 90.0),
    "complaint_ease": (0.0, 1.0),
    "recovery": (0.0, 1.0),
    "conquest": (0.0, 3.0),
    "quality": (0.0, 1.0),
    "loyalty": (0.0, 2.0),
    "discount": (0.0, 0.5),
    "learning": (0.2, 3.0),
}


def coefficients(rng: np.random.Generator, share: float = 1.0) -> dict[str, float]:
    """Return coefficients anywhere in their declared ranges, each with probability `share`."""
    chosen: dict[str, float] = {}
    for item in fields(Physics):
        if "low" not in item.metadata:
            continue
        low, high = NARROW.get(item.name, (item.metadata["low"], item.metadata["high"]))
        part = rng.choice([0.0, 1.0, rng.uniform(), rng.uniform() ** 4])
        value = low + (high - low) * part
        if rng.uniform() < share:
            chosen[item.name] = round(value) if item.type == "int" else float(value)
    return chosen


def market_of(seed: int, quarters: int = 1) -> Scenario:
    """Return a market of 1 to 3 firms, customers and employees with everything at random."""
    rng = np.random.default_rng(seed)
    keys = KEYS[: int(rng.integers(1, 4))]
    mechanisms = tuple(
        replace(
            m,
            maturity=str(rng.choice(["exponential", "logistic", "internal_bass"])),
            half_life=float(rng.uniform(2, 60)),
            dip=float(rng.choice([0.0, rng.uniform(0, 10)])),
            setup=float(rng.uniform(0, 30)),
            owner=str(rng.choice(["front", "back"])),
        )
        for m in village.MECHANISMS
    )
    people = (
        village.kind(
            count=int(rng.integers(20, 70)),
            tied=_shares(rng, keys),
            voice=float(rng.uniform(1, 12)),
            opportunity=float(rng.choice([1 / 13, rng.uniform(0, 1)])),
            experience=float(rng.choice([1.0, rng.uniform(0, 3)])),
            attitude_sd=float(rng.uniform(0, 0.8)),
            salience=float(rng.uniform(0.1, 1)),
        ),
        replace(
            village.employees(int(rng.integers(6, 20))),
            tied=_shares(rng, keys),
            voice=float(rng.uniform(0, 6)),
        ),
    )
    physics = replace(village.PHYSICS, talk_hazard=0.4)
    physics = replace(
        physics,
        **coefficients(rng, float(rng.uniform(0, 0.5))),
        experience_in_flow=bool(rng.integers(2)),
    )
    return village.scenario(
        quarters=quarters,
        stakeholders=people,
        layers=tuple(replace(x, contact=float(rng.uniform(0, 1))) for x in village.LAYERS),
        firms=tuple(_firm(rng, key) for key in keys),
        mechanisms=mechanisms,
        physics=physics,
    )


def arms_of(market: Scenario, seed: int, n: int) -> list[Arm]:
    """Return n arms with plans, gates and coefficients at random."""
    rng = np.random.default_rng((seed, 1))
    n_firms, n_mechanisms = len(market.firms), len(market.mechanisms)
    made = []
    for i in range(n):
        gates = rng.choice([0.0, 0.5, 1.0, 1.0], (3, n_firms))
        effort = rng.choice([0.0, 5.0, 30.0], (n_mechanisms, market.quarters))
        plan = Plan(effort, rng.choice([0.0, 50.0], (3, market.quarters)))
        physics = coefficients(rng, 0.1)
        made.append(Arm(f"arm{i}", f"arm{i}", plan, gates, physics))
    return made


def _shares(rng: np.random.Generator, keys: tuple[str, ...]) -> dict[str, float]:
    shares = rng.dirichlet(np.ones(len(keys) + 1))
    return {key: 0.999 * float(share) for key, share in zip(keys, shares, strict=False)}


def _firm(rng: np.random.Generator, key: str) -> Firm:
    programmes = {
        m.key: Programme(effort=float(rng.uniform(0, 30)), maturity=float(rng.uniform()))
        for m in village.MECHANISMS
        if rng.uniform() < 0.6
    }
    levers = {
        name: float(rng.uniform(low, high))
        for name, (low, high) in FARTHEST.items()
        if rng.uniform() < 0.4
    }
    name = str(rng.choice(["passive", "proportional", "reactive", "imitator"]))
    policy = Policy(
        name=name,
        strength=0.0 if name == "passive" else float(rng.uniform(0.1, 1)),
        lag=1,
        budget=float(rng.choice([1e9, rng.uniform(50, 400)])),
    )
    return village.firm(
        key,
        programmes=programmes,
        levers=levers,
        policy=policy,
        appeal=float(rng.uniform(-1, 1)),
        price=float(rng.uniform(0.5, 2)),
        execution=float(rng.uniform(-1, 1)),
        claim=float(rng.uniform(-1, 1)),
        claim_quality=float(rng.uniform()),
    )
