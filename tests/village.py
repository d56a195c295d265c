"""A village for tests: a small symmetric market, made by hand, with everything adjustable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sim.flows import open_gates
from sim.mechanisms import Effect, Mechanism
from sim.organization import Capital, CrossTies, Department, Design, Firm, Policy, Programme, Unit
from sim.physics import Physics
from sim.plans import Arm, Plan
from sim.scenario import Finance, Scenario, Sensing
from sim.stakeholders import Layer, StakeholderType
from sim.state import World

PHYSICS = Physics(
    salience_decay=0.075,
    goodwill_decay=0.07,
    salience_per_impression=0.014,
    salience_per_message=0.9,
    salience_per_experience=0.5,
    anchor=0.02,
    claim_persuasion=0.005,
    peer_persuasion=0.22,
    experience_persuasion=0.06,
    confidence=2.0,
    negativity=1.0,
    news_doubt=0.5,
    talk_hazard=0.12,
    talk_base=0.15,
    talk_positive=1.0,
    talk_negative=1.1,
    talk_untied=0.3,
    performance_noise=1.0,
    satisfaction_rate=0.35,
    disconfirmation=1.6,
    performance_effect=0.8,
    loss_aversion=1.5,
    expectation_rate=0.1,
    claim_expectation=0.05,
    trust_gain=0.05,
    trust_loss=0.1,
    trust_decay=0.02,
    trust_prior=2.0,
    attitude_weight=1.5,
    expectation_weight=2.0,
    expectation_reference=0.6,
    price_weight=1.0,
    goodwill_weight=0.0,
    switching_cost=3.2,
    none_utility=0.0,
    referral_offer=1.0,
    referral_weeks=4,
    grievance_weeks=4,
    need_drift=0.02,
    need_tolerance=1.0,
    need_uncertainty=0.01,
    voice_noise=1.0,
    hearing_noise=0.5,
    self_selection=0.0,
    recovery_quiet=4,
    patience=3,
    abandonment=0.2,
    complementarity=-1.0,
    maturity_decay=0.01,
    human_effect=1.0,
    engagement_effect=0.5,
    backlog_effect=1.0,
    hop_weeks=2.0,
    recommend_base=6.5,
    recommend_satisfaction=2.0,
    recommend_attitude=1.0,
    recommend_noise=1.2,
    experience_in_flow=False,
)

NEEDS = {"human": 0.4, "information": 0.3, "organization": 0.3}


def kind(key: str = "customers", count: int = 60, **changes: object) -> StakeholderType:
    """Return a stakeholder type of the village."""
    return replace(
        StakeholderType(
            key=key,
            label=key,
            count=count,
            customer=True,
            opportunity=1 / 13,
            experience=1.0,
            voice=1.0,
            spread=0.5,
            price=1.0,
            units=1.0,
            attitude_sd=0.25,
            salience=0.5,
            tied={"ours": 0.4, "theirs": 0.4},
        ),
        **changes,
    )


def employees(count: int = 20) -> StakeholderType:
    """Return the people who work for either firm."""
    return kind(
        "employees",
        count,
        customer=False,
        opportunity=0.0,
        units=0.0,
        tied={"ours": 0.5, "theirs": 0.5},
    )


def mechanism(key: str, *effects: Effect, **changes: object) -> Mechanism:
    """Return a mechanism that moves the given levers."""
    return replace(
        Mechanism(
            key=key,
            label=key,
            description=key,
            flows=(1,),
            owner="front",
            needs=NEEDS,
            setup=10.0,
            running=13.0,
            half_life=13.0,
            maturity="exponential",
            dip=4.0,
            effects=effects,
        ),
        **changes,
    )


MECHANISMS = (
    mechanism("advertising", Effect("impressions", ("customers",), 3.0)),
    mechanism(
        "service", Effect("ticket_capacity", (), 30.0), Effect("recovery", (), 0.3), flows=(3,)
    ),
    mechanism(
        "listening",
        Effect("coverage", (), 0.5),
        Effect("adaptation_rate", (), 0.1),
        flows=(3,),
        owner="back",
        maturity="logistic",
    ),
    mechanism("referral", Effect("referral", ("customers",), 0.3), flows=(2,)),
    mechanism("rebuttal", Effect("rebuttal", (), 0.5), Effect("comparison", (), 0.5), flows=(4, 5)),
    mechanism(
        "mining",
        Effect("mining", (), 0.5),
        Effect("conquest", (), 0.5),
        flows=(6,),
        maturity="internal_bass",
    ),
)

DEPARTMENTS = (
    Department(key="front", label="Front", acts=0.2, hears=0.8, staff=0.5),
    Department(key="back", label="Back", acts=0.6, hears=0.2, staff=0.5),
)


def firm(key: str = "ours", **changes: object) -> Firm:
    """Return a firm of the village; all are alike but for what is changed."""
    capital = Capital(
        stock=1000.0, readiness=0.5, depreciation=0.4, build_weeks=26.0, investment=100.0
    )
    return replace(
        Firm(
            key=key,
            label=key,
            appeal=0.0,
            price=1.0,
            execution=0.4,
            claim=0.5,
            claim_quality=0.65,
            variable_cost=0.5,
            fixed_cost=1.0,
            fixed_income=0.0,
            ticket_cost=0.1,
            referral_reward=0.2,
            departments=DEPARTMENTS,
            capital={"human": capital, "information": capital, "organization": capital},
            programmes={
                "advertising": Programme(effort=13.0, maturity=0.8),
                "service": Programme(effort=6.5, maturity=0.5),
            },
            levers={},
            policy=Policy(name="passive", strength=0.0, lag=1, budget=1e9),
        ),
        **changes,
    )


LAYERS = (
    Layer(
        key="strong",
        label="Strong ties",
        generator="small_world",
        degree=4,
        contact=0.25,
        persuasion=1.0,
        speakers=(),
        listeners=(),
        homophily=0.0,
        group="none",
        spread=0.1,
    ),
    Layer(
        key="internal",
        label="Colleagues",
        generator="random",
        degree=4,
        contact=0.25,
        persuasion=1.0,
        speakers=("employees",),
        listeners=("employees",),
        homophily=0.5,
        group="department",
        spread=0.0,
    ),
)


def scenario(**changes: object) -> Scenario:
    """Return the village: two firms alike, customers and employees."""
    return replace(
        Scenario(
            key="village",
            label="Village",
            brief="A village.",
            currency="coin",
            quarters=4,
            warm_up=0,
            stakeholders=(kind(), employees()),
            layers=LAYERS,
            firms=(firm(), firm("theirs")),
            mechanisms=MECHANISMS,
            physics=PHYSICS,
            finance=Finance(
                discount_rate=0.1, market_growth=0.03, cost_growth=0.0, start_cash=100.0
            ),
            sensing=Sensing(threshold=0.05, sample=400.0, delay=6.5),
        ),
        **changes,
    )


def plan(market: Scenario, **efforts: float) -> Plan:
    """Return a plan that spends a constant effort per quarter on the named mechanisms."""
    effort = np.zeros((len(market.mechanisms), market.quarters))
    for key, money in efforts.items():
        effort[market.mechanism(key)] = money
    return Plan(effort, np.zeros((3, market.quarters)))


def arm(
    market: Scenario,
    key: str = "as_is",
    gates: np.ndarray | None = None,
    physics: dict[str, float] | None = None,
    **efforts: float,
) -> Arm:
    """Return an arm of the village."""
    open_ = open_gates(len(market.firms)) if gates is None else gates
    return Arm(key=key, label=key, plan=plan(market, **efforts), gates=open_, physics=physics or {})


def joined(key: str = "joined") -> Design:
    """Return a design that joins both departments in the first quarter, at a price."""
    return Design(
        key=key,
        label=key,
        description=key,
        start=1,
        cost=5.0,
        dip=4.0,
        half_life=13.0,
        departments=(Unit(key="all", label="All", joins=("front", "back")),),
        owners={},
        owners_by_flow={},
        owners_by_mechanism={},
        ties=CrossTies(anew=0.0, pattern="none", made_good=0.0),
    )


def reordered(world: World, order: np.ndarray, shuffle: np.random.Generator | None = None) -> World:
    """Return the same people and ties stored in another order (ids unchanged)."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    degree = np.diff(world.indptr)[order]
    indptr = np.concatenate([[0], np.cumsum(degree)])
    ties = []
    for row in order:
        own = np.arange(world.indptr[row], world.indptr[row + 1])
        ties.append(own if shuffle is None else shuffle.permutation(own))
    at = np.concatenate(ties) if ties else np.zeros(0, np.int64)
    rows = {
        name: getattr(world, name)[order]
        for name in (
            "ids",
            "kind",
            "tied",
            "department",
            "voice",
            "opportunity",
            "opening_attitude",
            "contact_scale",
            "evidence_scale",
        )
    }
    return replace(
        world,
        **rows,
        indptr=indptr,
        indices=place[world.indices[at]].astype(np.int32),
        contact=world.contact[at],
        evidence=world.evidence[at],
        layer=world.layer[at],
    )


def permuted(world: World, order: list[int]) -> World:
    """Return the world with firm order[i] at place i, and nothing else changed."""
    place = np.empty(len(order) + 1, np.int32)
    place[order] = np.arange(len(order))
    place[-1] = -1
    return replace(
        world,
        tied=place[world.tied],
        opening_attitude=np.ascontiguousarray(world.opening_attitude[:, order]),
        routing=tuple(world.routing[f] for f in order),
    )
