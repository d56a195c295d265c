"""Who there is: scenario and seed (or people's own tables) make the World.

Shares of a type (the firm one is tied to, the department one works in) are exact quotas over a
random order of ids; firms and departments count in the order of their keys, so that listing firms
otherwise changes nobody's firm, ties or luck. Traits are lognormal with mean one (MODEL A.13).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sim import draws, rng
from sim.adjacency import assemble
from sim.arcs import Draws, Members, Ties
from sim.networks import layer_ties, place_of
from sim.scenario import Scenario
from sim.stakeholders import Layer, People
from sim.state import World

BY_SHARES = -2  # a firm or department that is still to be given out by shares
TIED, DEPARTMENT, TRAITS = range(3)  # blocks of the draws of an id
MOST_TRIES = 256  # draws until one falls inside [-1, 1]


def build_world(scenario: Scenario, seed: int, replication: int) -> World:
    """Return the world of one replication.

    Rows stand type by type, near neighbours side by side; those of people's own tables come first,
    in the order of the table.
    """
    rows = _generated(scenario, seed, replication)
    if scenario.people is not None:
        rows = _with_people(scenario, scenario.people, rows, seed, replication)
    rows = replace(rows, department=_departments(scenario, rows, seed, replication))
    rank = np.empty(len(rows.ids), np.int64)
    order = np.argsort(place_of(rows.ids, seed, replication), kind="stable")
    rank[order] = np.arange(len(order))
    ties = [
        _ties(scenario, number, rows, order, seed, replication)
        for number in range(len(scenario.layers))
    ]
    traits = traits_of(scenario, rows.ids, rows.kind, seed, replication)
    return World(
        ids=rows.ids,
        kind=rows.kind,
        tied=rows.tied,
        department=rows.department,
        **traits._asdict(),
        routing=_routing(scenario, rows, ties),
        **assemble(
            len(rank),
            ties,
            [layer.contact for layer in scenario.layers],
            [layer.persuasion for layer in scenario.layers],
            rank,
        )._asdict(),
    )


class Traits(NamedTuple):
    """What people bring with them: the arrays of these names in World."""

    voice: np.ndarray
    opportunity: np.ndarray
    opening_attitude: np.ndarray


def traits_of(
    scenario: Scenario, ids: np.ndarray, kind: np.ndarray, seed: int, replication: int
) -> Traits:
    """Return the traits of stakeholders by id, whoever else there is."""
    types = scenario.stakeholders
    key = draws.key_of(seed, replication, rng.Stream.INIT)
    drawn = draws.normal(key, ids, 2, block=TRAITS)
    occasions = [t.opportunity if t.customer else 0.0 for t in types]
    return Traits(
        _lognormal([t.voice for t in types], scenario, kind, drawn[:, 0]),
        _lognormal(occasions, scenario, kind, drawn[:, 1]),
        _attitudes(scenario, ids, kind, seed, replication),
    )


@dataclass(frozen=True)
class _Rows:
    """Stakeholders on the way into a World; `told` marks those from people's own tables."""

    ids: np.ndarray
    kind: np.ndarray
    tied: np.ndarray
    department: np.ndarray
    told: np.ndarray


def _generated(scenario: Scenario, seed: int, replication: int) -> _Rows:
    ids, kinds = [], []
    for number, kind in enumerate(scenario.stakeholders):
        mine = rng.ids_of(kind.key, kind.count)
        ids.append(mine[np.argsort(place_of(mine, seed, replication), kind="stable")])
        kinds.append(np.full(kind.count, number, np.int32))
    all_ids, kind_of = np.concatenate(ids), np.concatenate(kinds)
    unknown = np.full(len(all_ids), BY_SHARES, np.int32)
    tied = _tied(scenario, all_ids, kind_of, unknown, seed, replication)
    return _Rows(all_ids, kind_of, tied, unknown, np.zeros(len(all_ids), bool))


def _with_people(
    scenario: Scenario, people: People, generated: _Rows, seed: int, replication: int
) -> _Rows:
    """Put the tables' people in place of the generated ones of their types."""
    ids = np.array([rng.id_of(text) for text in people.ids], np.uint64)
    kind = people.kind.astype(np.int32)
    tied = _tied(scenario, ids, kind, people.tied.astype(np.int32), seed, replication)
    keep = ~np.isin(generated.kind, kind)
    for kept_kind, firm in people.beside:
        keep |= (generated.kind == kept_kind) & (generated.tied == firm)
    rows = _Rows(
        *(
            np.concatenate([own, other[keep]])
            for own, other in (
                (ids, generated.ids),
                (kind, generated.kind),
                (tied, generated.tied),
                (people.department.astype(np.int32), generated.department),
                (np.ones(len(ids), bool), generated.told),
            )
        )
    )
    if len(np.unique(rows.ids)) < len(rows.ids):
        raise ValueError("two stakeholders share an id: ids in people's tables must differ")
    return rows


def _tied(
    scenario: Scenario,
    ids: np.ndarray,
    kind: np.ndarray,
    tied: np.ndarray,
    seed: int,
    replication: int,
) -> np.ndarray:
    """Give those whose firm is open a firm by their type's shares, the rest none."""
    tied = tied.copy()
    firms = {firm.key: number for number, firm in enumerate(scenario.firms)}
    for number, of_type in enumerate(scenario.stakeholders):
        who = np.flatnonzero((kind == number) & (tied == BY_SHARES))
        shares = {firms[key]: of_type.tied[key] for key in sorted(of_type.tied)}
        tied[who] = _quotas(ids[who], shares, seed, replication, TIED)
    return tied


def _departments(scenario: Scenario, rows: _Rows, seed: int, replication: int) -> np.ndarray:
    """Give those who live on a layer inside firms a department, by the firm's shares of staff."""
    department = rows.department.copy()
    inside = _inside_types(scenario)
    for number, kind in enumerate(scenario.stakeholders):
        for f, firm in enumerate(scenario.firms):
            open_ = (rows.kind == number) & (rows.tied == f) & (department == BY_SHARES)
            who = np.flatnonzero(open_)
            keys = {d.key: i for i, d in enumerate(firm.departments)}
            shares = {keys[key]: firm.departments[keys[key]].staff for key in sorted(keys)}
            if kind.key in inside:
                department[who] = _quotas(rows.ids[who], shares, seed, replication, DEPARTMENT)
    department[department == BY_SHARES] = -1
    return department


def _quotas(
    ids: np.ndarray, shares: dict[int, float], seed: int, replication: int, purpose: int
) -> np.ndarray:
    """Return one of the keys of `shares` per id, in exact numbers (rounded sums), the rest -1."""
    given = np.full(len(ids), -1, np.int32)
    key = draws.key_of(seed, replication, rng.Stream.INIT)
    drawn = draws.words(key, ids, block=purpose, columns=1)[:, 0]
    order = np.lexsort((ids, drawn))
    ends = np.rint(np.cumsum([0.0, *shares.values()]) * len(ids)).astype(np.int64)
    for value, start, end in zip(shares, ends[:-1], ends[1:], strict=True):
        given[order[start:end]] = value
    return given


def _inside_types(scenario: Scenario) -> set[str]:
    """Return the types that live on a layer inside firms; customers never do."""
    fixed = [t.key for t in scenario.stakeholders if not t.customer]
    named: set[str] = set()
    for layer in scenario.layers:
        if layer.group == "department":
            named |= set(layer.speakers or fixed) | set(layer.listeners or fixed)
    return named & set(fixed)


def _ties(
    scenario: Scenario, number: int, rows: _Rows, order: np.ndarray, seed: int, replication: int
) -> Ties:
    """Return the ties of one layer, generated and from people's own tables."""
    layer = scenario.layers[number]
    luck = Draws(seed, replication, rng.slot_of(layer.key))
    people = scenario.people
    told = people is not None and layer.key in people.replaced
    members = _members(scenario, layer, rows, order[~rows.told[order]] if told else order)
    ties = layer_ties(layer, members, luck)
    if people is None or not (people.layer == number).any():
        return ties
    mine = people.layer == number
    own = Ties(
        people.target[mine].astype(np.int32),
        people.source[mine].astype(np.int32),
        people.weight[mine].astype(np.float32),
    )
    return Ties(
        *(
            np.concatenate(pair)
            for pair in (
                (own.target, ties.target),
                (own.source, ties.source),
                (_weight(own), _weight(ties)),
            )
        )
    )


def _members(scenario: Scenario, layer: Layer, rows: _Rows, order: np.ndarray) -> Members:
    """Return who hears and speaks on a layer, in the order of places."""
    kinds = np.array(
        [
            [not names or t.key in names for t in scenario.stakeholders]
            for names in (layer.listeners, layer.speakers)
        ]
    )
    hears, speaks = (part[rows.kind[order]] for part in kinds)
    pool = group = np.zeros(len(order), np.int64)
    if layer.group == "type":
        group = _ranks([t.key for t in scenario.stakeholders])[rows.kind[order]]
    if layer.group == "department":
        works = rows.department[order] >= 0
        hears, speaks = hears & works, speaks & works
        pool = rows.tied[order].astype(np.int64)
        size = max(len(f.departments) for f in scenario.firms)
        labels = np.zeros((len(scenario.firms), size), np.int64)
        for f, firm in enumerate(scenario.firms):
            labels[f, : len(firm.departments)] = _ranks([d.key for d in firm.departments])
        group = pool * size + labels[rows.tied[order], rows.department[order]]
    taking = hears | speaks
    return Members(
        order[taking].astype(np.int32),
        rows.ids[order[taking]],
        hears[taking],
        speaks[taking],
        pool[taking],
        group[taking],
    )


def _ranks(keys: list[str]) -> np.ndarray:
    ranked = sorted(keys)
    return np.array([ranked.index(key) for key in keys], np.int64)


def _weight(ties: Ties) -> np.ndarray:
    return np.ones(len(ties.target), np.float32) if ties.weight is None else ties.weight


def _routing(scenario: Scenario, rows: _Rows, ties: list[Ties]) -> tuple[np.ndarray, ...]:
    """Return per firm the shares of each department's ties that lead to each other department."""
    inside = [
        t for layer, t in zip(scenario.layers, ties, strict=True) if layer.group == "department"
    ]
    found = []
    for f, firm in enumerate(scenario.firms):
        size = len(firm.departments)
        count = np.zeros((size, size))
        mine = np.where(rows.tied == f, rows.department, -1)
        for layer_ in inside:
            start, end = mine[layer_.source], mine[layer_.target]
            leads = (start >= 0) & (end >= 0) & (start != end)
            # Whole numbers, so that the sum does not depend on the order of ties.
            whole = np.rint(_weight(layer_)[leads] * 2.0**20)
            count += np.bincount(start[leads] * size + end[leads], whole, size * size).reshape(
                size, size
            )
        total = count.sum(axis=1, keepdims=True)
        found.append(count / np.where(total > 0, total, 1))
    return tuple(found)


def _lognormal(
    mean: list[float], scenario: Scenario, kind: np.ndarray, normal: np.ndarray
) -> np.ndarray:
    """Return lognormal traits with the type's mean and its spread as sd of the logarithm."""
    spread = np.array([t.spread for t in scenario.stakeholders])[kind]
    drawn = np.exp(spread * normal.astype(np.float64) - spread**2 / 2)
    return (np.array(mean)[kind] * drawn).astype(np.float32)


def _attitudes(
    scenario: Scenario, ids: np.ndarray, kind: np.ndarray, seed: int, replication: int
) -> np.ndarray:
    """Return opening attitudes: normal, cut to [-1, 1] by drawing again."""
    spread = np.array([t.attitude_sd for t in scenario.stakeholders], np.float32)[kind]
    attitude = np.empty((len(ids), len(scenario.firms)), np.float32)
    for f, firm in enumerate(scenario.firms):
        key = draws.key_of(seed, replication, rng.Stream.INIT, rng.slot_of(firm.key))
        missing = np.arange(len(ids))
        for number in range(MOST_TRIES):
            block, column = divmod(number, 4)
            drawn = draws.normal(key, ids[missing], column + 1, block)[:, column]
            drawn = spread[missing] * drawn
            attitude[missing, f] = np.clip(drawn, -1, 1)
            missing = missing[np.abs(drawn) > 1]
            if not len(missing):
                break
    return attitude
