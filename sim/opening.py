"""The opening of a run: facts, luck, state and firms before the first week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from sim import firms, kernels, levers
from sim.fields import CAPITALS, WEEKS_PER_QUARTER, WEEKS_PER_YEAR
from sim.firms import FirmState, Given
from sim.laws import capability
from sim.memory import aligned
from sim.organization import Department
from sim.physics import Physics
from sim.plans import Arm
from sim.rng import Stream, id_of, normal, uniform
from sim.scenario import Scenario
from sim.shocks import nothing_new
from sim.state import (
    ATTITUDE,
    BLOCK,
    BROKEN,
    EXPECTATION,
    FIRM_FIELDS,
    KEPT,
    PROVIDER,
    QUARTER,
    SALIENCE,
    Layout,
    State,
    World,
)
from sim.structure import most_departments

INSIGHT_BLOCK = 1 << 31
# Their attitudes are summed in 32-bit integers.
MOST_EMPLOYEES = 500_000
FORMS = {
    "exponential": capability.EXPONENTIAL,
    "logistic": capability.LOGISTIC,
    "internal_bass": capability.INTERNAL_BASS,
}


class Facts:
    """Facts of a world in the shapes that the kernels read, in whole blocks.

    Rows that fill up the last block hear nobody, say nothing, choose nothing and are not counted.
    `ids` and traits are those of who is there now (sim.turnover).
    """

    def __init__(self, scenario: Scenario, world: World, layout: Layout) -> None:
        n, n_firms = world.n_stakeholders, world.n_firms
        self.n_blocks = -(-n // BLOCK)
        self.rows = layout.rows
        self.ids, self.opportunity = world.ids.copy(), world.opportunity.copy()
        self.low, self.high = (self.filled(half) for half in halves(world.ids))
        self.present = self.filled(np.ones(n, np.int32))
        self.kind = self.filled(world.kind, world.kind[-1])
        self.voice = self.filled(world.voice)
        self.chooses = self.filled(chance_to_choose(world.opportunity))
        self.contact_scale = self.filled(world.contact_scale)
        self.evidence_scale = self.filled(world.evidence_scale)
        self.opening = np.concatenate(
            [self.filled(world.opening_attitude[:, f]) for f in range(n_firms)]
        )
        works = np.where(world.department >= 0, world.tied, -1).astype(np.int32)
        self.works = self.filled(works, -1)
        if (works >= 0).sum() > MOST_EMPLOYEES:
            raise ValueError(
                f"{(works >= 0).sum()} employees are too many, at most {MOST_EMPLOYEES}"
            )
        self.indptr = np.concatenate(
            [world.indptr, np.full(self.rows - n, world.indptr[-1], world.indptr.dtype)]
        )
        self.most_ties = int(np.diff(self.indptr[::BLOCK]).max(initial=0))
        self.staff = np.bincount(works[works >= 0], minlength=n_firms)
        self.type_counts = np.bincount(world.kind, minlength=len(scenario.stakeholders))
        self.customer = np.array([t.customer for t in scenario.stakeholders], bool)

    def replace(
        self,
        rows: np.ndarray,
        ids: np.ndarray,
        voice: np.ndarray,
        opportunity: np.ndarray,
        opening_attitude: np.ndarray,
    ) -> None:
        """Put newcomers in the places of those who were there; the world stays as it was."""
        self.ids[rows], self.opportunity[rows] = ids, opportunity
        self.low[rows], self.high[rows] = halves(ids)
        self.voice[rows] = voice
        self.chooses[rows] = chance_to_choose(opportunity)
        for f, attitude in enumerate(opening_attitude.T):
            self.opening[f * self.rows + rows] = attitude

    def opening_attitude(self, row: int) -> np.ndarray:
        """Return the opening attitude of who is there now, float32 (F,), a copy."""
        return self.opening[row :: self.rows].copy()

    def filled(self, values: np.ndarray, rest: float = 0) -> np.ndarray:
        """Return values that begin with a cache line, filled up to whole blocks."""
        whole = aligned((self.rows,), values.dtype)
        whole[: len(values)], whole[len(values) :] = values, rest
        return whole


class Luck:
    """The draws of firms: needs' random walk and what listening catches, per week."""

    def __init__(self, scenario: Scenario, seed: int, replication: int, slots: np.ndarray) -> None:
        weeks = np.arange(1, (scenario.warm_up + scenario.quarters) * WEEKS_PER_QUARTER + 1)
        ids = np.array([id_of(t.key) for t in scenario.stakeholders], np.uint64)
        address = (seed, replication)
        steps = normal(*address, Stream.NEEDS, ids[None], week=weeks[:, None])
        self.walk = np.zeros((len(weeks) + 1, len(ids), firms.DIMENSIONS))
        np.cumsum(steps[..., : firms.DIMENSIONS], axis=0, dtype=np.float64, out=self.walk[1:])
        at = weeks[:, None, None]
        by = slots[None, :, None]
        self._uniform = np.stack(
            [
                uniform(*address, Stream.LISTEN, ids[None, None], week=at, block=about, slot=by)[
                    ..., 0
                ].astype(np.float64)
                for about in slots
            ],
            axis=2,
        )
        names = np.array([id_of(m.key) for m in scenario.mechanisms], np.uint64)
        self._breach = uniform(*address, Stream.BREACH, names[None, None], week=at, slot=by)[
            ..., 0
        ].astype(np.float64)
        self._normal = normal(
            *address, Stream.LISTEN, ids[None, None], week=at, block=INSIGHT_BLOCK, slot=by
        )[..., : firms.DIMENSIONS].astype(np.float64)

    def listening(self, week: int) -> tuple[np.ndarray, np.ndarray]:
        """Return uniforms (listener, about, type) and normals (listener, type, dimension)."""
        return self._uniform[week - 1], self._normal[week - 1]

    def conduct(self, week: int) -> np.ndarray:
        """Return uniforms (firm, mechanism): whether a mechanism goes too far."""
        return self._breach[week - 1]


def halves(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and the upper 32 bits of ids, int32, as kernels draw by them."""
    low, high = ids & np.uint64(0xFFFFFFFF), ids >> np.uint64(32)
    return low.astype(np.uint32).view(np.int32), high.astype(np.uint32).view(np.int32)


def chance_to_choose(opportunity: np.ndarray) -> np.ndarray:
    """Return the weekly chance of an occasion to choose, float32, from its rate per week."""
    return np.asarray((-np.expm1(-opportunity.astype(np.float64))).astype(np.float32))


def coefficients(scenario: Scenario, arms: Sequence[Arm]) -> np.ndarray:
    """Return the laws' coefficients per lane, float64 (n_coefficients, L)."""
    return np.array(
        [
            [float(arm.physics.get(f.name, getattr(scenario.physics, f.name))) for arm in arms]
            for f in fields(Physics)
        ]
    )


def open_state(
    scenario: Scenario, world: World, layout: Layout, coefficient: np.ndarray, present: np.ndarray
) -> State:
    """Return the stakeholders' state before the first week.

    `present` is bool (F,): nobody has heard of a firm that is not there yet.
    """
    state = State(layout, world.n_firms)
    everybody = (slice(None), world.kind, world.tied, world.opening_attitude)
    open_rows(scenario, state, *everybody, coefficient, present)
    return state


def open_rows(
    scenario: Scenario,
    state: State,
    rows: slice | np.ndarray,
    kind: np.ndarray,
    tied: np.ndarray,
    attitude: np.ndarray,
    coefficient: np.ndarray,
    present: np.ndarray,
) -> None:
    """Write the state of stakeholders who have just come, in every arm.

    `kind` int (n,), `tied` int (n,) and `attitude` float32 (n, F) are theirs; `present` bool (F,).
    """
    at = kernels.COEFFICIENTS.index
    opening = np.array([t.salience for t in scenario.stakeholders], np.float32)[kind]
    prior = coefficient[at("trust_prior")].astype(np.float32)
    for f in range(state.n_firms):
        for field, values in (
            (SALIENCE, opening[:, None] * np.float32(present[f])),
            (ATTITUDE, attitude[:, f, None]),
            (EXPECTATION, coefficient[at("expectation_reference")].astype(np.float32)),
            (KEPT, prior),
            (BROKEN, prior),
        ):
            state.people[rows, f * FIRM_FIELDS + field] = values
    state.people[rows, FIRM_FIELDS * state.n_firms] = 0.0
    state.marks[rows] = 0
    state.marks[rows, PROVIDER] = tied[:, None]


def given_firms(
    scenario: Scenario, arms: Sequence[Arm], order: np.ndarray, counts: np.ndarray
) -> Given:
    """Return what firms are given, as arrays for the kernels; designs have not begun yet.

    `counts` are stakeholders by type.
    """
    types, mechanisms = scenario.stakeholders, scenario.mechanisms
    effects = [(m, e) for m, mech in enumerate(mechanisms) for e in mech.moves]
    capitals = [[firm.capital[c] for c in CAPITALS] for firm in scenario.firms]
    addressed = np.array([[m.addresses(t.key) for t in types] for m in mechanisms])
    tied_only = np.array([m.reach == "tied" for m in mechanisms])
    return Given(
        now=nothing_new(len(scenario.firms), len(types)),
        order=order,
        gates=np.ascontiguousarray(np.stack([arm.gates for arm in arms], axis=-1)),
        lever_default=np.array(
            [
                [firm.levers.get(row.key, row.default) for firm in scenario.firms]
                for row in levers.TABLE
            ]
        ),
        shift=np.zeros((len(levers.TABLE), len(scenario.firms), len(types), len(arms))),
        effect_mechanism=np.array([m for m, _ in effects], np.int64),
        effect_lever=np.array([levers.INDEX[e.lever] for _, e in effects], np.int64),
        effect_by=np.array([e.by for _, e in effects], float),
        effect_above=np.array([e.above for _, e in effects], float),
        effect_to=np.array(
            [[not e.to or t.key in e.to for t in types] for _, e in effects]
        ).reshape(len(effects), len(types)),
        owner=np.repeat(
            np.array(
                [
                    [owner_of(firm.departments, m.owner) for m in mechanisms]
                    for firm in scenario.firms
                ],
                np.int64,
            )[..., None],
            len(arms),
            axis=-1,
        ),
        settling=np.zeros((len(scenario.firms), len(arms))),
        unsettled=np.zeros((len(scenario.firms), most_departments(scenario, arms), len(arms))),
        needs=np.array([[m.needs.get(c, 0.0) for c in CAPITALS] for m in mechanisms]),
        running=np.array([m.running for m in mechanisms]),
        setup=np.array([m.setup for m in mechanisms]),
        half_life=np.array([m.half_life for m in mechanisms]),
        form=np.array([FORMS[m.maturity] for m in mechanisms], np.int64),
        dip=np.array([m.dip for m in mechanisms]),
        volume=np.array(
            [m.volume / WEEKS_PER_QUARTER / max(1, counts.sum()) for m in mechanisms], float
        ),
        reached=addressed * counts,
        reached_tied=addressed & tied_only[:, None],
        breach=np.array([m.acceptability.breach for m in mechanisms], float),
        breach_cost=np.array([m.acceptability.trust_cost for m in mechanisms], float),
        breach_delay=np.array([m.acceptability.delay for m in mechanisms], np.int64),
        breach_to=np.array([[m.acceptability.concerns(t.key) for t in types] for m in mechanisms]),
        depreciation=np.array([[c.depreciation / WEEKS_PER_YEAR for c in row] for row in capitals]),
        build_rate=np.array(
            [[np.log1p(capability.STAGES / c.build_weeks) for c in row] for row in capitals]
        ),
        reference=np.array(
            [[capability.reference_stock(c.stock, c.readiness) for c in row] for row in capitals]
        ),
        firm=np.array(
            [[getattr(firm, name) for name in firms.FIRM_NUMBERS] for firm in scenario.firms], float
        ),
        experience=np.array([t.experience for t in types], float),
        price=np.array([t.price for t in types], float),
        units=np.array([t.units for t in types], float),
        growth=float(scenario.finance.market_growth),
        cost_growth=float(scenario.finance.cost_growth),
        discount=float(scenario.finance.discount_rate),
    )


def owner_of(departments: Sequence[Department], key: str) -> int:
    """Return the department that runs a mechanism: the one of that name; a single one runs all.

    A scenario is refused where a firm of several departments has none of that name.
    """
    keys = [department.key for department in departments]
    return 0 if len(keys) == 1 else keys.index(key)


def open_firms(
    scenario: Scenario, world: World, given: Given, uncertainty: np.ndarray
) -> FirmState:
    """Return the firms' state before the first week: stocks in their steady state of today.

    `uncertainty` is the opening variance of the estimates of needs, float64 (L,).
    """
    lanes = len(uncertainty)
    n_firms, n_types = len(scenario.firms), len(scenario.stakeholders)
    n_mechanisms = len(scenario.mechanisms)

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros((*shape, lanes))

    def spread(values: np.ndarray) -> np.ndarray:
        return np.repeat(np.asarray(values, float)[..., None], lanes, axis=-1)

    capitals = [[firm.capital[c] for c in CAPITALS] for firm in scenario.firms]
    stock = np.array([[c.stock for c in row] for row in capitals], float)
    inflow = np.array([[c.investment for c in row] for row in capitals]) / WEEKS_PER_QUARTER
    leaving = 1.0 - np.exp(-given.build_rate)
    stage = inflow / leaving - inflow
    today = [[firm.programmes.get(m.key) for m in scenario.mechanisms] for firm in scenario.firms]
    maturity = np.array([[0.0 if p is None else p.maturity for p in row] for row in today])
    opened = np.array([[p is not None for p in row] for row in today], float)
    tied = np.zeros((n_firms, n_types))
    np.add.at(tied, (world.tied[world.tied >= 0], world.kind[world.tied >= 0]), 1)
    dimensions = firms.DIMENSIONS
    return FirmState(
        stock=spread(stock),
        building=spread(np.repeat(stage[:, :, None], 3, axis=2)),
        depreciated=zeros(n_firms, 3),
        invested=zeros(n_firms, 3),
        ready=spread(1.0 - np.exp(-stock / given.reference)),
        maturity=spread(maturity.reshape(n_firms, n_mechanisms)),
        opened=spread(opened.reshape(n_firms, n_mechanisms)),
        effort=zeros(n_firms, n_mechanisms),
        investment=zeros(n_firms, 3),
        due=zeros(n_firms, n_mechanisms),
        reorganization=zeros(n_firms),
        settled=zeros(n_firms),
        output=zeros(n_firms, n_mechanisms),
        lever=spread(np.repeat(given.lever_default[:, :, None], n_types, axis=2)),
        goodwill=zeros(n_firms, n_types),
        quality=zeros(n_firms, n_types),
        execution=zeros(n_firms, n_types),
        fit=zeros(n_firms, n_types),
        offering=zeros(n_firms, n_types, dimensions),
        estimate=zeros(n_firms, n_types, dimensions),
        way=zeros(n_firms, n_types, dimensions, 3),
        variance=np.broadcast_to(uncertainty, (n_firms, n_types, lanes)).copy(),
        delivered=zeros(n_firms),
        delay=zeros(n_firms),
        engagement=zeros(n_firms),
        waiting=zeros(n_firms),
        capacity=zeros(n_firms),
        credit=zeros(n_firms),
        tied=spread(tied),
        cash=np.full((n_firms, lanes), float(scenario.finance.start_cash)),
        worth=zeros(n_firms),
        quarter=zeros(len(QUARTER), n_firms),
        volume=zeros(n_firms, n_mechanisms),
        worn=zeros(n_firms, n_types),
        known=zeros(n_firms, n_types, given.breach_delay.max() + 1),
    )
