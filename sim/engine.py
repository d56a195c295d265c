"""The engine: what happens in which order, and `simulate`, which runs arms side by side.

A run starts with its warm-up, lived as is and not counted, so that feelings and talk have settled
before the first quarter and its opening can be read.

A quarter, in which an arm's nudges, if any, push levers, capital and states first (nudging):
  1. governance manages the plan by what was read; policies set effort and            managing
     investment from what was seen; the budget scales them                            policies
  2. insight's way through the departments is worked out anew                        laws.routing
  3. thirteen weeks
  4. the close: sums over stakeholders, indicators, history                          kpis
  5. what management sees of them                                                    sensing

A week, everything reading what the stage before left:
  0. what comes from outside: shocks, seasons                                        shocks
  1. needs drift                                                                     firms
     newcomers take the places of those who leave                                    turnover
  2. capital is built and wears, mechanisms mature and give output, levers move      laws.capability
     breaches of what people accept happen, earlier ones become known                laws.conduct
  3. promises reach stakeholders and raise expectations (flows 1, 4)                 laws.outbound
  4. those tied to a firm experience it: satisfaction, expectation, trust            laws.experience
  5. stakeholders speak (flows 2, 5) and complain (flows 3, 6)                       laws.peer
  6. they hear each other; one relaxation of salience and of attitude with all of
     the week's evidence: messages, claims, experience, anchor                       laws.peer
  7. customers with an occasion choose a provider                                    laws.choice
  8. firms listen, learn needs, move their offering (flows 3, 6)                     laws.inbound
  9. complaints are queued, resolved or abandoned                                    firms
 10. money is booked                                                                 laws.finance

Arms of one replication are lanes of one pass: they share people, ties and every draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import fields
from typing import Protocol

import numpy as np

from sim import firm_kernels, firms, kernels, kpis, levers, managing, sensing, volume
from sim.arms import check_arms, check_world, funder
from sim.checks import require_whole
from sim.complaints import Queue
from sim.fields import CAPITALS, WEEKS_PER_QUARTER
from sim.firms import FirmState, Physics64
from sim.history import READING, History
from sim.laws import finance
from sim.nudging import CapitalNudges, Shift, shift_states, shifts, state_shifts
from sim.opening import (
    Facts,
    Luck,
    chance_to_choose,
    coefficients,
    given_firms,
    open_firms,
    open_state,
)
from sim.passes import Pass
from sim.plans import Arm
from sim.policies import Observed, afford, policy_named
from sim.population import build_world
from sim.reaching import Reaching
from sim.rng import slot_of
from sim.scenario import Scenario
from sim.shocks import Calendar
from sim.state import (
    ADDS,
    BLOCK,
    COUNTS,
    DRIVES,
    ENGAGEMENT_SCALE,
    LOSSES,
    NEGATIVE,
    POSITIVE,
    REFERRED,
    RESOLVED,
    REVENUE,
    SUM_SCALE,
    Layout,
    World,
    add_up,
)
from sim.structure import route, structures, todays_ways
from sim.turnover import arrive, newcomers

WIDTHS = (8, 16)  # lanes of vectors over arms
MOST_LANES = WIDTHS[-1]
MOST_THREADS = 1024
# More arms than that are quicker side by side, with lanes to spare, than one after the other.
MOST_ALONE = 4
PATIENCE = levers.INDEX["patience"]


def simulate(
    scenario: Scenario,
    arms: Sequence[Arm],
    seed: int,
    replication: int = 0,
    *,
    world: World | None = None,
    lanes: int = 16,
    threads: int = 1,
) -> History:
    """Run arms side by side on the luck of one replication.

    Parameters
    ----------
    seed, replication : int in [0, 2**32 - 1]
    world : World, optional
        The replication's world, where it is built already.
    lanes : int in [1, 16]
        Arms per pass; more arms take more passes. Changes no bit.
    threads : int in [1, 1024]
        Threads that share each week's stakeholders. Changes no bit.

    Raises
    ------
    ValueError
        If there are no arms, two arms share a key, a number is out of range, or the world is that
        of another scenario.
    """
    if not arms or len({arm.key for arm in arms}) != len(arms):
        raise ValueError(f"arms must have different keys, got {[arm.key for arm in arms]}")
    require_whole("lanes", lanes, 1, MOST_LANES)
    _check_luck(seed, replication)
    world = build_world(scenario, seed, replication) if world is None else world
    parts = [
        History(*run_arms(scenario, arms[i : i + lanes], seed, replication, world, threads))
        for i in range(0, len(arms), lanes)
    ]
    return History(
        *(
            np.concatenate([getattr(part, f.name) for part in parts], axis=-1)
            for f in fields(History)
        )
    )


def _check_luck(seed: int, replication: int) -> None:
    for name, value in (("seed", seed), ("replication", replication)):
        require_whole(name, value, 0, 2**32 - 1)


def run_arms(
    scenario: Scenario,
    arms: Sequence[Arm],
    seed: int,
    replication: int,
    world: World,
    threads: int = 1,
) -> tuple[np.ndarray, ...]:
    """Run at most 16 arms to the horizon and return the arrays of their history."""
    run = Run(scenario, arms, seed, replication, world, threads)
    try:
        for _ in range(scenario.quarters):
            run.advance_quarter()
    finally:
        run.stop()
    return tuple(np.stack(rows)[..., : len(arms)] for rows in run.rows)


class Observer(Protocol):
    """Looks on while a run goes on; it reads and changes nothing.

    What was said this week and what drove it stand in the run until the next week begins. Weeks of
    the warm-up are seen too; its end is the close of quarter 0.
    """

    def after_week(self, run: Run) -> None:
        """Take note of a week that has just been lived."""

    def after_close(self, run: Run) -> None:
        """Take note of a quarter's close, or of the opening of the books (quarter 0)."""


class Run:
    """A run under way: world, state, firms and luck, advanced quarter by quarter.

    `state` and `firms` are the only truth; whoever looks at them sees what the kernels see.
    """

    def __init__(
        self,
        scenario: Scenario,
        arms: Sequence[Arm],
        seed: int,
        replication: int,
        world: World,
        threads: int = 1,
        observer: Observer | None = None,
    ) -> None:
        _check_luck(seed, replication)
        require_whole("threads", threads, 1, MOST_THREADS)
        check_world(world, scenario)
        check_arms(arms, scenario)
        self.scenario, self.world = scenario, world
        self.arms = pad(arms)
        self.n_lanes = len(self.arms)
        self.funder = np.array([funder(arm.firm, scenario, arm.key) for arm in self.arms])
        self.key = (np.uint32(seed).view(np.int32), np.uint32(replication).view(np.int32))
        self.slots = np.array([slot_of(f.key) for f in scenario.firms], np.int32)
        self.order = np.array(
            sorted(range(len(scenario.firms)), key=lambda f: scenario.firms[f].key), np.int64
        )
        self.week, self.quarter = 0, 0
        self.observer = observer
        self.coefficients = coefficients(scenario, self.arms)
        self.before = scenario.warm_up * WEEKS_PER_QUARTER
        layout = Layout(world.n_stakeholders, self.n_lanes, self.n_lanes <= MOST_ALONE)
        self.facts = Facts(scenario, world, layout)
        self.calendar = Calendar(scenario, seed, replication)
        self.newcomers = newcomers(scenario, world, seed, replication)
        present = self.calendar.present(-self.before)
        self.state = open_state(scenario, world, layout, self.coefficients, present)
        self.given = given_firms(scenario, self.arms, self.order, self.facts.type_counts)
        self.physics = Physics64(
            *(self.coefficients[kernels.COEFFICIENTS.index(name)] for name in Physics64._fields)
        )
        uncertainty = self.coefficients[kernels.COEFFICIENTS.index("need_uncertainty")]
        self.firms = open_firms(scenario, world, self.given, uncertainty)
        self.nudged_capital = CapitalNudges(scenario, self.arms)
        self.reaching = Reaching(scenario, self.arms, world, seed, replication)
        self.shifted: list[Shift] = []  # of states, at the start of this quarter
        self.gates = np.ones_like(self.given.gates)  # of the quarter lived last
        self.luck = Luck(scenario, seed, replication, self.slots)
        self.lens = sensing.Lens(
            scenario.sensing, kpis.TABLE, (seed, replication), self.slots, scenario.quarters
        )
        self.management = managing.Management(
            scenario, self.arms, (seed, replication), int(self.slots[0])
        )
        self.audiences = {
            word: np.array([kind.key in kinds for kind in scenario.stakeholders])
            for word, kinds in scenario.audiences.items()
        }
        self.programmes = kpis.Programmes(
            needs=self.given.needs,
            acts_on=np.array(
                [[flow in m.flows for flow in range(1, 7)] for m in scenario.mechanisms]
            ),
            complementarity=self.physics.complementarity,
        )
        n_firms, n_kinds = len(scenario.firms), len(scenario.stakeholders)
        planes = (n_firms, n_kinds, self.n_lanes)
        self.drive = np.zeros((len(DRIVES) - 1 + n_firms, *planes), np.float32)
        self.counts = np.zeros((len(COUNTS), *planes), np.int64)
        self.seen: list[tuple[np.ndarray, ...]] = []
        self.churn: list[np.ndarray] = []
        self.passes = self._passes()
        self.queue = Queue(n_firms, self.n_lanes)
        self.threads = threads
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self.structures = structures(scenario, self.arms, world.routing[0])
        self.ways = [
            todays_ways(firm.departments, ties)
            for firm, ties in zip(scenario.firms, world.routing, strict=True)
        ]
        self.rows: tuple[list[np.ndarray], ...] = tuple([] for _ in fields(History))
        self._live_warm_up()
        self._open_books()

    def _passes(self) -> list[Pass]:
        """Return the passes that work on this run's state."""
        n_kinds = len(self.scenario.stakeholders)
        given = (self.world, self.facts, self.state, self.key, self.slots, self.order, n_kinds)
        return [Pass(number, *given) for number in range(self.state.layout.n_passes)]

    def _live_warm_up(self) -> None:
        """Live the quarters before the first, as is: plans wait, flows are open, nothing counts."""
        gates = self.given.gates.copy()
        if self.scenario.warm_up:
            self.given.gates[:] = 1.0
        self.start = self._start()
        self.plan_quarter()
        self.route_insight()
        for _ in range(self.scenario.warm_up):
            self._live_quarter()
            self._note_churn()
        self.given.gates[:] = gates

    def _open_books(self) -> None:
        """Start counting money and note the opening, quarter 0."""
        self.firms.worth[:] = 0.0
        self.firms.cash[:] = self.scenario.finance.start_cash
        if self.week:
            self.close()
            return
        opening = FirmState(*(array.copy() for array in self.firms))
        self.calendar.turn(self.week, self.given.now)
        firm_kernels.capability_week(
            self.given, self.physics, opening, self.luck.walk[0], self.drive
        )
        self.close(opening)

    def copy(self) -> Run:
        """Return a run that stands where this one stands and goes on by itself to the same bits.

        A checkpoint: keep the copy, advance either, at any week. Facts (scenario, world, luck,
        structures) are shared, all that changes is copied. The copy has threads of its own: `stop`
        it as well.
        """
        shared = (
            self.scenario,
            self.world,
            self.arms,
            self.structures,
            self.newcomers,
            self.luck,
            self.state,
            self.passes,
            self.pool,
            *(() if len(self.newcomers.row) else (self.facts,)),
        )
        other = Run.__new__(Run)
        other.__dict__.update(deepcopy(self.__dict__, {id(x): x for x in shared}))
        other.state = self.state.copy()
        other.passes = other._passes()
        other.pool = ThreadPoolExecutor(self.threads) if self.threads > 1 else None
        return other

    def stop(self) -> None:
        """Let go of the threads."""
        if self.pool is not None:
            self.pool.shutdown()

    def advance_quarter(self) -> None:
        """Run one quarter: policies, thirteen weeks, the close."""
        self.quarter += 1
        self._live_quarter()
        self._note_churn()
        seen = self._senses(self.firms)
        self.seen.append(
            (
                self.firms.quarter[REVENUE].copy(),
                self.lens.read_messages(self._impressions(), self.quarter, seen),
                self.firms.maturity.copy(),
                self.firms.effort.copy(),
                seen.sensed[:, sensing.RIVALS_MESSAGES],
            )
        )
        self.close()

    def _start(self) -> kpis.Start:
        """Note what a quarter starts from."""
        state = self.firms
        return kpis.Start(state.quarter[REVENUE].copy(), state.fit.copy(), state.tied.copy())

    def _senses(self, state: FirmState) -> sensing.Senses:
        """Return how well firms sense now."""
        return sensing.senses(self.scenario.sensing, state.lever, state.ready[:, 1])

    def _live_quarter(self) -> None:
        self.gates = self.given.gates.copy()
        self.start = self._start()
        self.firms.quarter[:] = 0.0
        self.firms.volume[:] = 0.0
        self.counts[:] = 0
        self._nudge()
        self.plan_quarter()
        self.route_insight()
        for week in range(WEEKS_PER_QUARTER):
            self.advance_week(opens=week == 0)

    def _note_churn(self) -> None:
        customer = self.facts.customer
        lost = self.counts[LOSSES][:, customer].sum(axis=1)
        self.churn.append(np.stack([lost, self.start.tied[:, customer].sum(axis=1)]).astype(float))

    def _nudge(self) -> None:
        """Push levers, capital and states where arms say so, before anybody plans the quarter."""
        if any(arm.nudges for arm in self.arms):
            at = (self.scenario, self.arms, self.quarter)
            self.given.shift[:] = shifts(*at)
            self.nudged_capital.push(*at, self.firms.stock, self.given.depreciation)
            present = self.calendar.present(self.week + 1 - self.before)
            ids = self.facts.ids
            self.shifted = state_shifts(
                *at, present, lambda nudge, f, lane: self.reaching.rows(nudge, f, lane, ids)
            )
            shift_states(self.state, self.shifted)

    def plan_quarter(self) -> None:
        """Let every firm's policy and plan set this quarter's money, within its budget."""
        scenario, state = self.scenario, self.firms
        self._introduce_structures()
        base = np.stack([self._today(f) for f in range(len(scenario.firms))])
        more = np.zeros((len(CAPITALS), self.n_lanes))
        present = self.calendar.present(self.week + 1 - self.before)
        if self.quarter:
            effort, more = self._manage_plan(base[0])
            for f in range(len(base)):
                base[f] += np.where(self.funder == f, effort, 0.0)
        afforded = []
        for f, firm in enumerate(scenario.firms):
            wish = policy_named(firm.policy.name)(f, firm.policy, self._observed(f, base))
            wish = np.maximum(wish, 0.0) * present[f]
            starts = (wish > 0) & (state.opened[f] == 0)
            due = np.where(starts, self.given.setup[:, None], 0.0)
            money = np.array([[firm.capital[c].investment] for c in CAPITALS])
            money = np.repeat(money, self.n_lanes, axis=1) * present[f]
            money = money + np.where(self.funder == f, more, 0.0)
            left = np.maximum(firm.policy.budget - state.reorganization[f], 0.0)
            activity = volume.of_wish(self.given, self.physics, state, f, wish)
            effort, due, money, share = afford(wish, due, money, left, activity)
            state.effort[f], state.due[f], state.investment[f] = effort, due, money
            state.opened[f] = np.maximum(state.opened[f], (effort > 0) | (due > 0))
            afforded.append(share)
        if self.quarter:
            afforded[0] = afforded[0] * self.left_by_board
        self.afforded = np.stack(afforded)

    def _manage_plan(self, today: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the plan's effort (M, L) and investment (3, L) as governance leaves them."""
        state, q = self.firms, self.quarter - 1
        planned = (
            np.stack([arm.plan.effort[:, q] for arm in self.arms], axis=-1),
            np.stack([arm.plan.investment[:, q] for arm in self.arms], axis=-1),
        )

        def activity(effort: np.ndarray) -> np.ndarray:
            return volume.of_wish(self.given, self.physics, state, 0, today + effort)

        effort, more, cut = self.management.govern(
            self.quarter,
            planned,
            self.rows[READING],
            (state.maturity[0], state.opened[0], state.lever[PATIENCE, 0, 0]),
            activity,
        )
        self.managed, self.board_cut = np.concatenate([effort, more]), cut
        capital = self.scenario.firms[0].capital
        wished = add_up(today) + sum(capital[c].investment for c in CAPITALS)
        wished = wished + add_up(planned[0]) + add_up(planned[1])
        taken = cut * (add_up(planned[0]) + add_up(planned[1]))
        self.left_by_board = np.where(cut > 0, 1.0 - taken / np.where(cut > 0, wished, 1.0), 1.0)
        return effort, more

    def _introduce_structures(self) -> None:
        """Give mechanisms to the owners of designs that have begun; charge those that begin now."""
        self.firms.reorganization[:] = 0.0
        for lane, structure in enumerate(self.structures):
            if structure is None or structure.design.start > self.quarter:
                continue
            structure.take_effect(self.given, lane)
            if structure.design.start == self.quarter:
                self.firms.reorganization[0, lane] = structure.design.cost

    def _observed(self, f: int, base: np.ndarray) -> Observed:
        """Return what a firm knows: its own past, and of rivals what it senses of flow 4."""
        state = self.firms
        keys = tuple(m.key for m in self.scenario.mechanisms)
        outbound = np.array([1 in m.flows for m in self.scenario.mechanisms], bool)
        now = (outbound, self.quarter, keys)
        if not self.seen:
            none = [np.zeros((0, *x.shape)) for x in (state.worth, state.maturity)]
            return Observed(self.order, base, none[0], none[0], none[1], none[1], *now)
        revenue, read, maturity, effort, sensed = (
            np.stack(x) for x in zip(*self.seen, strict=True)
        )
        known = np.repeat(sensed[:, [f]], len(self.slots), axis=1)
        known[:, f] = True
        maturity = np.where(known[:, :, None], maturity, 0.0)
        return Observed(self.order, base, revenue, read[:, f], maturity, effort, *now)

    def _today(self, firm: int) -> np.ndarray:
        given = self.scenario.firms[firm].programmes
        effort = [given[m.key].effort if m.key in given else 0.0 for m in self.scenario.mechanisms]
        return np.repeat(np.array(effort, float)[:, None], self.n_lanes, axis=1)

    def _impressions(self) -> np.ndarray:
        lever = self.firms.lever[firms.IMPRESSIONS] * self.given.now.present[:, None, None]
        total = sum(
            self.facts.type_counts[k] * lever[:, k]
            for k in range(lever.shape[1])
            if self.facts.customer[k]
        )
        return np.asarray(total / max(1, self.facts.type_counts[self.facts.customer].sum()))

    def route_insight(self) -> None:
        """Work out how much insight arrives where something is done, and after how long."""
        weeks = self.coefficients[kernels.COEFFICIENTS.index("hop_weeks")]
        begun = [
            None if s is None or s.design.start > self.quarter else s.ways for s in self.structures
        ]
        nothing = [None] * self.n_lanes
        travelled = [
            route(self.firms, f, ways, nothing if f else begun, weeks)
            for f, ways in enumerate(self.ways)
        ]
        self.insight = travelled[0]

    def advance_week(self, opens: bool) -> None:
        """Run one week; `opens` marks the first of a quarter."""
        self.week += 1
        week, state, facts = self.week, self.firms, self.facts
        walk = self.luck.walk[week]
        self.calendar.turn(week - self.before, self.given.now)
        left = self._arrive()
        firm_kernels.capability_week(self.given, self.physics, state, walk, self.drive)
        firm_kernels.conduct_week(
            self.given, self.physics, state, self.luck.conduct(week), self.drive
        )
        counts, engagement = self._people_week()
        counts[LOSSES] += left
        self.counts += counts
        state.engagement[:] = np.divide(
            engagement / ENGAGEMENT_SCALE,
            facts.staff[:, None],
            out=np.zeros_like(state.engagement),
            where=facts.staff[:, None] > 0,
        )
        firm_kernels.listening_week(
            self.given,
            self.physics,
            state,
            walk,
            counts[POSITIVE] + counts[NEGATIVE],
            *self.luck.listening(week),
        )
        before = state.quarter[RESOLVED].copy()
        self._serve()
        firm_kernels.finance_week(
            self.given,
            state,
            week - self.before,
            opens,
            counts[[ADDS, LOSSES, REFERRED]],
            state.quarter[RESOLVED] - before,
        )
        if self.observer is not None:
            self.observer.after_week(self)

    def _serve(self) -> None:
        """Take in this week's complaints and serve the queues."""
        self.queue.serve(
            self.state,
            self.firms,
            self.physics,
            self.week,
            self.key,
            self.facts.ids,
            self.world.kind,
        )

    def _arrive(self) -> np.ndarray | int:
        """Let this week's newcomers take their places; return customers lost, int64 (F, K, L)."""
        come = self.newcomers.of(self.week)
        if not len(come.row):
            return 0
        present = self.given.now.present > 0
        return arrive(
            come, self.scenario, self.world, self.facts, self.state, self.coefficients, present
        )

    def _chooses(self) -> np.ndarray:
        """Return everybody's chance of an occasion to choose this week, float32 (rows,).

        Customers who have just come look for a provider.
        """
        season, chances = self.calendar.occasions(self.week - self.before), self.facts.chooses
        if season is not None:
            now = self.facts.opportunity * season[self.world.kind]
            chances = self.facts.filled(chance_to_choose(now))
        come = self.newcomers.of(self.week).row
        if len(come):
            chances = chances.copy()
            chances[come[self.facts.customer[self.world.kind[come]]]] = 1.0
        return chances

    def _people_week(self) -> tuple[np.ndarray, np.ndarray]:
        """Let the stakeholders meet and hear, in parts of whole blocks, and add up the parts.

        Returns counts int64 (len(COUNTS), F, K, L) and what employees feel, int64 (F, L).
        """
        layout, facts = self.state.layout, self.facts
        n, n_parts = self.world.n_stakeholders, min(self.threads, facts.n_blocks)
        cuts = [min(n, BLOCK * (facts.n_blocks * j // n_parts)) for j in range(n_parts + 1)]
        shape = (layout.n_passes, n_parts)
        size = layout.lanes_of_pass
        counts = np.zeros((*shape, *self.counts.shape[:-1], size), np.int32)
        engagement = np.zeros((*shape, len(self.slots), size), np.int32)
        chooses = self.chooses = self._chooses()

        def meet(number: int, j: int) -> None:
            counted = counts[number, j].reshape(-1)
            self.passes[number].meet(self.week, cuts[j], cuts[j + 1], counted)

        def hear(number: int, j: int) -> None:
            self.passes[number].hear(
                self.week,
                cuts[j],
                cuts[j + 1],
                chooses,
                counts[number, j].reshape(-1),
                engagement[number, j].reshape(-1),
            )

        self._prepare()
        self._each(meet, shape)
        if not self.quarter and self.reaching.moved:
            self.reaching.trace(self.state, facts.ids, self.drive, self.coefficients)
        self._each(hear, shape)
        return (
            np.concatenate(counts.sum(axis=1, dtype=np.int64), axis=-1),
            np.concatenate(engagement.sum(axis=1, dtype=np.int64), axis=-1),
        )

    def _prepare(self) -> None:
        for one in self.passes:
            one.prepare(self.drive, self.coefficients, self.bounded)

    def _each(self, stage: Callable[[int, int], None], shape: tuple[int, int]) -> None:
        if self.pool is None:
            for place in np.ndindex(shape):
                stage(*place)
        else:
            list(self.pool.map(lambda place: stage(*place), np.ndindex(shape)))

    @property
    def bounded(self) -> bool:
        """Whether any lane hears only those of similar attitude."""
        return bool((self.coefficients[kernels.CONFIDENCE] < 2.0).any())

    def close(self, state: FirmState | None = None) -> None:
        """Sum up the stakeholders and note what is true at the quarter's end."""
        state = self.firms if state is None else state
        facts = self.facts
        self._prepare()
        present = self.given.now.present > 0
        # Who is liked best is looked for in this order: nobody prefers a firm that is not there.
        order = np.where(present[self.order], self.order, self.order[present[self.order]][0])
        sums = np.concatenate([one.close(self.week, order) for one in self.passes], axis=-1)
        customer = facts.customer
        year = np.zeros((2, *self.firms.worth.shape))
        seen = self._senses(state)
        at_close = kpis.Close(
            lived=self.week > 0,
            order=self.order,
            present=present,
            sums=sums / SUM_SCALE,
            type_counts=facts.type_counts,
            customer=customer,
            counts=self.counts,
            start=self.start,
            year=add_up(np.stack([year, *self.churn[-4:]])),
            firms=state,
            gates=self.gates,
            audiences=self.audiences,
            programmes=self.programmes,
            sensed=seen.sensed,
            reading_weeks=seen.weeks,
            discount=self.given.discount,
            today=finance.discount(self.week - self.before, self.given.discount),
        )
        kpi, measures, spending, spending_worth, afforded, reorganization, insight, reading = (
            self.rows[: READING + 1]
        )
        kpi.append(kpis.indicators(at_close))
        reading.append(self.lens.read(kpi, self.quarter, seen))
        measures.append(kpis.measures(at_close))
        insight.append(self.insight)
        if self.quarter:
            weeks = np.arange(-WEEKS_PER_QUARTER, 0) + 1.0 + self.week - self.before
            worth = finance.discount(weeks, self.given.discount)
            running = self.firms.effort[0] + self.firms.volume[0]
            evenly = np.concatenate([running, self.firms.investment[0]])
            at_once = np.concatenate([self.firms.due[0], np.zeros_like(self.firms.investment[0])])
            spending.append(evenly + at_once)
            spending_worth.append(evenly * worth.mean() + at_once * worth[0])
            afforded.append(self.afforded)
            reorganization.append(self.firms.reorganization[0].copy())
            managed, board_cut = self.rows[READING + 1 :]
            managed.append(self.managed)
            board_cut.append(self.board_cut)
        if self.observer is not None:
            self.observer.after_close(self)


def width_for(n_arms: int) -> int:
    """Return the lanes of vectors over so many arms; 1 where arms run one after the other."""
    return 1 if n_arms <= MOST_ALONE else next(width for width in WIDTHS if width >= n_arms)


def pad(arms: Sequence[Arm]) -> list[Arm]:
    """Fill up the lanes of vectors over arms with the last arm; few arms stay as they are."""
    return list(arms) + [arms[-1]] * (width_for(len(arms)) - len(arms))
