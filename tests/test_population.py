"""Scenario and seed make the World: quotas, traits, symmetry, identities, people's own tables."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from village import employees, firm, kind, scenario

from sim.organization import Department
from sim.population import build_world
from sim.rng import id_of, ids_of
from sim.scenario import Scenario
from sim.stakeholders import Layer, People
from sim.state import World


def layers() -> tuple[Layer, ...]:
    """Return one layer per generator, so that every one is put to every test."""
    common = {
        "label": "",
        "degree": 4.0,
        "contact": 0.25,
        "persuasion": 1.0,
        "speakers": (),
        "listeners": (),
        "homophily": 0.0,
        "group": "none",
        "spread": 0.0,
    }
    special: dict[str, dict[str, object]] = {
        "ring": {},
        "small_world": {"spread": 0.2, "homophily": 0.5, "group": "type"},
        "random": {
            "homophily": 0.6,
            "group": "department",
            "speakers": ("employees",),
            "listeners": ("employees",),
        },
        "heavy_tail": {"spread": 2.5},
        "blocks": {"homophily": 0.5, "group": "type"},
        "broadcast": {"speakers": ("employees",), "degree": 2.0},
        "complete": {"degree": 1.0},
    }
    return tuple(
        Layer(key=name, generator=name, **{**common, **changes})  # type: ignore[arg-type]
        for name, changes in special.items()
    )


def market(**changes: object) -> Scenario:
    return scenario(
        **{"stakeholders": (kind(count=90), employees(60)), "layers": layers(), **changes}
    )


def ties_by_id(world: World) -> list[tuple[int, int, int, float, float]]:
    """Return (hears, heard, layer, contact, evidence) of every tie by id, sorted."""
    row = np.repeat(np.arange(len(world.ids)), np.diff(world.indptr))
    return sorted(
        zip(
            world.ids[row].tolist(),
            world.ids[world.indices].tolist(),
            world.layer.tolist(),
            (world.contact * world.contact_scale[row]).tolist(),
            (world.evidence * world.evidence_scale[row]).tolist(),
            strict=True,
        )
    )


def by_id(world: World, values: np.ndarray) -> dict[int, object]:
    return dict(zip(world.ids.tolist(), values.tolist(), strict=True))


def test_the_same_seed_makes_the_same_world_and_another_replication_another() -> None:
    one, same, other = (build_world(market(), 7, r) for r in (0, 0, 1))
    for field in fields(one):
        values, again = (np.ravel(getattr(world, field.name)) for world in (one, same))
        assert np.array_equal(values, again), field.name
    assert ties_by_id(one) != ties_by_id(other)
    assert by_id(one, one.voice) != by_id(other, other.voice)


def test_every_array_has_the_shape_and_type_that_state_promises() -> None:
    world = build_world(market(), 1, 0)
    n, m = 150, len(world.indices)
    expected = {
        "ids": (np.uint64, (n,)),
        "kind": (np.int32, (n,)),
        "tied": (np.int32, (n,)),
        "department": (np.int32, (n,)),
        "voice": (np.float32, (n,)),
        "opportunity": (np.float32, (n,)),
        "opening_attitude": (np.float32, (n, 2)),
        "indptr": (np.int64, (n + 1,)),
        "indices": (np.int32, (m,)),
        "contact": (np.int16, (m,)),
        "evidence": (np.int16, (m,)),
        "contact_scale": (np.float32, (n,)),
        "evidence_scale": (np.float32, (n,)),
        "layer": (np.int8, (m,)),
    }
    for name, (dtype, shape) in expected.items():
        array = getattr(world, name)
        assert (array.dtype, array.shape) == (np.dtype(dtype), shape), name


def test_types_are_counted_and_named_by_their_own_ids() -> None:
    world = build_world(market(), 1, 0)
    assert np.bincount(world.kind).tolist() == [90, 60]
    assert set(world.ids[world.kind == 1]) == set(ids_of("employees", 60))


def test_shares_tied_to_a_firm_are_exact_quotas() -> None:
    people = (kind(count=101, tied={"ours": 0.4, "theirs": 0.25}), employees(60))
    world = build_world(market(stakeholders=people), 1, 0)
    tied = world.tied[world.kind == 0]
    assert [(tied == f).sum() for f in (0, 1, -1)] == [40, 26, 35]


def test_departments_get_their_shares_of_staff_and_customers_have_none() -> None:
    three = (
        Department("back", "A", 0.5, 0.5, 0.5),
        Department("front", "B", 0.5, 0.5, 0.3),
        Department("side", "C", 0.5, 0.0, 0.2),
    )
    world = build_world(market(firms=(firm("ours", departments=three), firm("theirs"))), 1, 0)
    assert (world.department[world.kind == 0] == -1).all()
    ours = world.department[(world.kind == 1) & (world.tied == 0)]
    assert np.bincount(ours).tolist() == [15, 9, 6]


def test_nobody_has_a_department_where_no_layer_lies_inside_firms() -> None:
    world = build_world(market(layers=layers()[:1]), 1, 0)
    assert (world.department == -1).all()
    assert all((matrix == 0).all() for matrix in world.routing)


def test_people_of_one_firm_only_hear_each_other_inside() -> None:
    world = build_world(market(), 1, 0)
    row = np.repeat(np.arange(len(world.ids)), np.diff(world.indptr))
    inside = world.layer == 2
    assert inside.sum() > 100
    assert (world.tied[row[inside]] == world.tied[world.indices[inside]]).all()
    assert (world.department[row[inside]] >= 0).all()


def test_traits_have_the_mean_of_the_type_and_its_spread() -> None:
    people = (kind(count=40_000, voice=2.0, opportunity=0.1, spread=0.5), employees(10))
    world = build_world(market(stakeholders=people, layers=layers()[:1]), 1, 0)
    for values, mean in (
        (world.voice[world.kind == 0], 2.0),
        (world.opportunity[world.kind == 0], 0.1),
    ):
        assert values.mean() == pytest.approx(mean, rel=0.015)
        assert np.log(values).std() == pytest.approx(0.5, rel=0.02)
    assert np.corrcoef(world.voice[:40_000], world.opportunity[:40_000])[0, 1] == pytest.approx(
        0, abs=0.03
    )
    assert (world.opportunity[world.kind == 1] == 0).all()


def test_without_spread_everybody_is_alike() -> None:
    people = (kind(voice=3.0, spread=0.0), employees(4))
    world = build_world(market(stakeholders=people), 1, 0)
    assert (world.voice[world.kind == 0] == 3.0).all()


def test_opening_attitudes_are_normal_and_cut_to_their_range() -> None:
    people = (kind(count=20_000, attitude_sd=0.25), kind("bold", 20_000, attitude_sd=2.0))
    world = build_world(market(stakeholders=people, layers=layers()[:1]), 1, 0)
    mild, bold = (world.opening_attitude[world.kind == k] for k in (0, 1))
    assert np.abs(world.opening_attitude).max() <= 1
    assert (np.abs(bold) < 1).all()
    assert mild.mean(axis=0) == pytest.approx([0, 0], abs=0.01)
    assert mild.std(axis=0) == pytest.approx([0.25, 0.25], rel=0.02)
    # A normal of sd 2 cut to [-1, 1] has sd 0.5658 (exact); clipped it would be 0.88.
    assert bold.std(axis=0) == pytest.approx([0.5658, 0.5658], rel=0.02)
    assert abs(np.corrcoef(mild.T)[0, 1]) < 0.03


def test_swapping_two_firms_swaps_nothing_but_their_numbers() -> None:
    different = firm(
        "theirs",
        departments=(
            Department("back", "X", 0.5, 0.4, 0.2),
            Department("front", "Y", 0.5, 0.4, 0.3),
            Department("side", "Z", 0.5, 0.2, 0.5),
        ),
    )
    here = build_world(market(firms=(firm("ours"), different)), 3, 1)
    there = build_world(market(firms=(different, firm("ours"))), 3, 1)
    assert ties_by_id(here) == ties_by_id(there)
    swapped = np.where(there.tied >= 0, 1 - there.tied, -1)
    assert np.array_equal(here.ids, there.ids)
    assert np.array_equal(here.tied, swapped)
    assert np.array_equal(here.department, there.department)
    assert np.array_equal(here.opening_attitude, there.opening_attitude[:, ::-1])
    assert all(np.array_equal(a, b) for a, b in zip(here.routing, there.routing[::-1], strict=True))


def test_listing_departments_otherwise_moves_nobody() -> None:
    first, second = firm().departments
    here = build_world(market(), 3, 1)
    there = build_world(
        market(
            firms=(
                firm("ours", departments=(second, first)),
                firm("theirs", departments=(second, first)),
            )
        ),
        3,
        1,
    )
    assert ties_by_id(here) == ties_by_id(there)
    works = here.department >= 0
    assert np.array_equal(here.department[works], 1 - there.department[works])


def test_listing_a_types_firms_otherwise_changes_nobodys_firm() -> None:
    shares = {"ours": 0.4, "theirs": 0.3}
    here, there = (
        build_world(market(stakeholders=(kind(tied=dict(listed)), employees())), 3, 1)
        for listed in (shares.items(), reversed(shares.items()))
    )
    assert np.array_equal(here.tied, there.tied)


def test_a_type_that_joins_leaves_everybody_elses_firm_traits_and_closed_layers_alone() -> None:
    newcomers = kind("newcomers", 30, customer=False, opportunity=0.0)
    kept = tuple(
        replace(layer, speakers=("customers", "employees"), listeners=("customers", "employees"))
        if not layer.speakers
        else layer
        for layer in layers()
        if layer.key != "broadcast"
    )
    before = build_world(market(layers=kept), 3, 0)
    after = build_world(market(layers=kept, stakeholders=(newcomers, *market().stakeholders)), 3, 0)
    assert ties_by_id(before) == ties_by_id(after)
    for name in ("tied", "department", "voice", "opportunity", "opening_attitude"):
        late = by_id(after, getattr(after, name))
        assert all(late[i] == v for i, v in by_id(before, getattr(before, name)).items()), name


def test_routing_is_the_share_of_a_departments_ties_to_each_other_by_hand() -> None:
    """Front speaks to back once; back to front twice at half strength and to the cellar once."""
    three = tuple(Department(k, k, 0.5, 1 / 3, 1 / 3) for k in ("front", "back", "cellar"))
    world = build_world(
        told(
            ids=("f", "b", "c", "f2"),
            kind=[1, 1, 1, 1],
            tied=[0, 0, 0, 0],
            department=[0, 1, 2, 0],
            ties=[
                ("f", "b", 1.0),
                ("f", "f2", 1.0),
                ("b", "f", 0.5),
                ("b", "f2", 0.5),
                ("b", "c", 1.0),
            ],
            firms=(firm("ours", departments=three), firm("theirs")),
        ),
        1,
        0,
    )
    assert world.routing[0].tolist() == [[0, 1, 0], [0.5, 0, 0.5], [0, 0, 0]]


def told(
    ids: tuple[str, ...],
    kind: list[int],
    tied: list[int],
    department: list[int],
    ties: list[tuple[str, str, float]],
    beside: tuple[tuple[int, int], ...] = (),
    **changes: object,
) -> Scenario:
    """Return a market whose people are told; ties are (source, target, weight) of layer random."""
    row = {name: i for i, name in enumerate(ids)}
    people = People(
        ids,
        np.array(kind),
        np.array(tied),
        np.array(department),
        np.array([row[s] for s, _, _ in ties], np.int64),
        np.array([row[t] for _, t, _ in ties], np.int64),
        np.full(len(ties), 2),
        np.array([w for _, _, w in ties]),
        ("random",) if ties else (),
        beside,
    )
    return market(**changes, people=people)


def test_told_people_replace_their_type_and_have_only_the_ties_they_are_told() -> None:
    world = build_world(told(("ann", "bob"), [1, 1], [0, 0], [0, 1], [("ann", "bob", 0.5)]), 1, 0)
    assert np.bincount(world.kind).tolist() == [90, 2]
    assert world.ids[:2].tolist() == [id_of("ann"), id_of("bob")]
    assert world.department[:2].tolist() == [0, 1]
    inside = np.flatnonzero(world.layer == 2)
    row = np.repeat(np.arange(len(world.ids)), np.diff(world.indptr))
    assert [(row[i], world.indices[i]) for i in inside] == [(1, 0)]
    assert world.contact[inside[0]] * world.contact_scale[1] == pytest.approx(0.125, rel=1e-4)
    assert ((row < 2) & (world.layer == 0)).sum() > 0  # on other layers they have generated ties


def test_other_firms_employees_stay_beside_the_told_ones_as_they_were() -> None:
    without = build_world(market(), 1, 0)
    with_ = build_world(
        told(("ann", "bob"), [1, 1], [0, 0], [0, 1], [("ann", "bob", 0.5)], beside=((1, 1),)), 1, 0
    )
    theirs = (with_.kind == 1) & (with_.tied == 1)
    assert set(with_.ids[theirs]) == set(without.ids[(without.kind == 1) & (without.tied == 1)])
    row = np.repeat(np.arange(len(with_.ids)), np.diff(with_.indptr))
    assert ((with_.layer == 2) & theirs[row]).sum() > 50
    assert (with_.routing[1] > 0).any()


def test_told_people_without_firm_or_department_get_them_by_shares() -> None:
    names = tuple(f"p{i}" for i in range(40))
    world = build_world(told(names, [1] * 40, [-2] * 40, [-2] * 40, []), 1, 0)
    assert np.bincount(world.tied[:40]).tolist() == [20, 20]
    assert np.bincount(world.department[:40]).tolist() == [20, 20]


def test_told_people_may_be_stored_in_any_order() -> None:
    rng = np.random.default_rng(2)
    names = [f"p{i}" for i in range(30)]
    ties = [(a, b, 0.5) for a in names[:10] for b in names[5:20] if a != b]
    tied, department = rng.integers(0, 2, 30), rng.integers(0, 2, 30)
    worlds = []
    for order in (np.arange(30), rng.permutation(30)):
        mixed = [ties[i] for i in rng.permutation(len(ties))]
        worlds.append(
            build_world(
                told(
                    tuple(names[i] for i in order),
                    [1] * 30,
                    tied[order].tolist(),
                    department[order].tolist(),
                    mixed,
                ),
                1,
                0,
            )
        )
    one, other = worlds
    assert ties_by_id(one) == ties_by_id(other)
    assert not np.array_equal(one.ids, other.ids)
    for name in ("tied", "department", "voice", "opening_attitude"):
        assert by_id(one, getattr(one, name)) == by_id(other, getattr(other, name)), name
    assert all(np.array_equal(a, b) for a, b in zip(one.routing, other.routing, strict=True))


def test_two_people_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="share an id"):
        build_world(told(("ann", "ann"), [1, 1], [0, 0], [0, 1], []), 1, 0)
