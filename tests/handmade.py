"""Worlds made by hand for tests: who there is, who hears whom and how much, to the last digit."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import village

from sim.engine import History, Run
from sim.firms import FirmState
from sim.flows import open_gates
from sim.plans import Arm
from sim.rng import ids_of
from sim.scenario import Scenario
from sim.state import ATTITUDE, FIRM_FIELDS, World

# Nothing moves by itself: no forgetting, no anchor, no experience, no drift, no talk of neutral
# feeling. A test switches on what it is about.
STILL: dict[str, float] = {
    "salience_decay": 0.0,
    "goodwill_decay": 0.0,
    "salience_per_impression": 0.0,
    "salience_per_message": 0.0,
    "salience_per_experience": 0.0,
    "anchor": 0.0,
    "claim_persuasion": 0.0,
    "peer_persuasion": 0.0,
    "experience_persuasion": 0.0,
    "claim_expectation": 0.0,
    "trust_decay": 0.0,
    "need_drift": 0.0,
    "switching_cost": 0.0,
    "none_utility": 0.0,
    "talk_hazard": 0.0,
    "talk_untied": 1.0,
    "negativity": 1.0,
    "confidence": 2.0,
    "referral_offer": 0.0,
}
# Everybody speaks about everything every week: voice times these is far beyond any draw.
EVERYBODY_SPEAKS = {"talk_hazard": 10.0, "talk_base": 10.0}
LOUD = 1e4


def world(n: int, n_firms: int = 2, **given: object) -> World:
    """Return n stakeholders of type 0, untied, silent, without ties but for what is given.

    `contact` and `evidence` are dense (n, n) arrays, row = who hears, or absent; other names are
    fields of a World.
    """
    nobody = np.zeros((n, 0))
    contact = np.asarray(given.pop("contact", given.get("evidence", nobody)), float)
    evidence = np.asarray(given.pop("evidence", contact), float)
    rows, columns = np.nonzero(evidence)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))]).astype(np.int64)
    contacts, contact_scale = _integers(np.abs(contact), rows, columns)
    evidences, evidence_scale = _integers(evidence, rows, columns)
    fields: dict[str, object] = {
        "ids": ids_of("handmade", n),
        "kind": np.zeros(n, np.int32),
        "tied": np.full(n, -1, np.int32),
        "department": np.full(n, -1, np.int32),
        "voice": np.full(n, LOUD, np.float32),
        "opportunity": np.zeros(n, np.float32),
        "opening_attitude": np.zeros((n, n_firms), np.float32),
        "indptr": indptr,
        "indices": columns.astype(np.int32),
        "contact": contacts,
        "evidence": evidences,
        "contact_scale": contact_scale,
        "evidence_scale": evidence_scale,
        "layer": np.zeros(len(columns), np.int8),
        "routing": tuple(np.array([[0.0, 1.0], [1.0, 0.0]]) for _ in range(n_firms)),
    }
    for name, value in given.items():
        like = fields[name]
        fields[name] = np.asarray(value, like.dtype) if isinstance(like, np.ndarray) else value
    return World(**fields)  # type: ignore[arg-type]


def _integers(
    weight: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    largest = np.abs(weight).max(axis=1, initial=0.0)
    scale = np.where(largest > 0, largest / 32767.0, 1.0)
    whole = np.rint(weight[rows, columns] / scale[rows])
    return whole.astype(np.int16), scale.astype(np.float32)


def still(n: int = 3, n_firms: int = 1, quarters: int = 1, **physics: float) -> Scenario:
    """Return a market of n customers in which nothing happens but for the given coefficients."""
    market = village.scenario()
    firms = tuple(village.firm(f"firm{f}", programmes={}) for f in range(n_firms))
    people = village.kind(count=n, experience=0.0, salience=1.0, tied={}, opportunity=0.0)
    return replace(
        market,
        quarters=quarters,
        stakeholders=(people,),
        layers=(),
        firms=firms,
        physics=replace(market.physics, **{**STILL, **physics}),
    )


def arm(
    market: Scenario, key: str = "as_is", gates: np.ndarray | None = None, **physics: float
) -> Arm:
    """Return an arm that plans nothing."""
    gates = open_gates(len(market.firms)) if gates is None else gates
    return village.arm(market, key, gates=gates, physics=physics)


def started(market: Scenario, people: World, *arms: Arm, seed: int = 7, threads: int = 1) -> Run:
    """Return a run before its first week."""
    return Run(market, arms or (arm(market),), seed, 0, people, threads)


def advanced(
    market: Scenario,
    people: World,
    *arms: Arm,
    weeks: int | None = None,
    seed: int = 7,
    threads: int = 1,
) -> Run:
    """Return a run after so many weeks of its first quarter, or after all quarters."""
    run = started(market, people, *arms, seed=seed, threads=threads)
    if weeks is None:
        for _ in range(market.quarters):
            run.advance_quarter()
    else:
        run.quarter = 1
        run.plan_quarter()
        run.route_insight()
        for week in range(weeks):
            run.advance_week(opens=week == 0)
    run.stop()
    return run


def field(run: Run, which: int, firm: int = 0, lane: int = 0) -> np.ndarray:
    """Return a quantity of everybody about a firm, (N,)."""
    return run.state.people[:, firm * FIRM_FIELDS + which, lane]


def attitude(run: Run, firm: int = 0, lane: int = 0) -> np.ndarray:
    """Return everybody's attitude to a firm, (N,)."""
    return field(run, ATTITUDE, firm, lane)


def satisfaction(run: Run, lane: int = 0) -> np.ndarray:
    """Return everybody's satisfaction with the provider, (N,)."""
    return run.state.people[:, -1, lane]


def bits(run: Run, lanes: int | None = None) -> dict[str, np.ndarray]:
    """Return everything a run holds, by name, of its first lanes."""
    keep = slice(lanes)
    everything = {"people": run.state.people[..., keep], "marks": run.state.marks[..., keep]}
    everything |= {
        name: array[..., keep] for name, array in zip(FirmState._fields, run.firms, strict=True)
    }
    for name, rows in zip([field.name for field in fields(History)], run.rows, strict=True):
        if rows:
            everything[name] = np.stack(rows)[..., keep]
    return everything


def differing(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> list[str]:
    """Return the names under which two runs differ in any bit (nan is nan)."""
    assert one.keys() == other.keys()
    return [
        name
        for name in one
        if not np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
    ]
