"""What a scenario refuses: names that lead nowhere and settings that nothing would read."""

from __future__ import annotations

from dataclasses import replace

import pytest
import village

from sim.networks import GENERATORS
from sim.opening import owner_of
from sim.organization import POLICY_READS, Department, Policy
from sim.policies import POLICIES
from sim.stakeholders import SPREADS, Layer

LAYER = village.LAYERS[1]
UNREAD = sorted(key for key, meaning in SPREADS.items() if meaning is None)


def layer(generator: str, **changes: object) -> Layer:
    group = "type" if generator == "blocks" else "none"
    given = {"generator": generator, "spread": 0.0, "homophily": 0.0, "group": group, **changes}
    return replace(LAYER, speakers=(), listeners=(), **given)  # type: ignore[arg-type]


def test_every_generator_and_policy_on_the_shelf_says_what_it_reads() -> None:
    assert set(SPREADS) == set(GENERATORS)
    assert set(POLICY_READS) == set(POLICIES)


@pytest.mark.parametrize("generator", UNREAD)
def test_a_spread_that_the_generator_does_not_read_is_refused(generator: str) -> None:
    assert layer(generator).spread == 0
    with pytest.raises(
        ValueError,
        match=rf"internal\.spread=0\.3 is not read by generator '{generator}' "
        r"\(it is by small_world, heavy_tail\): it must be 0",
    ):
        layer(generator, spread=0.3)


@pytest.mark.parametrize(
    ("generator", "spread", "meaning", "allowed"),
    [
        ("small_world", 1.5, "share of far ties", r"\[0, 1\]"),
        ("heavy_tail", 1.0, "exponent of the tail", r"\[1.01, 100\]"),
        ("heavy_tail", 0.0, "exponent of the tail", r"\[1.01, 100\]"),
    ],
)
def test_a_spread_that_means_nothing_to_its_generator_is_refused(
    generator: str, spread: float, meaning: str, allowed: str
) -> None:
    with pytest.raises(ValueError, match=rf"internal\.spread \({meaning}.*must lie in {allowed}"):
        layer(generator, spread=spread)


@pytest.mark.parametrize(
    ("generator", "changes", "message"),
    [
        ("random", {"homophily": 0.5, "group": "none"}, r"internal\.homophily=0\.5 .*must be 0"),
        ("broadcast", {"homophily": 0.5, "group": "type"}, "nothing to keep to"),
        ("complete", {"homophily": 0.5, "group": "type"}, "nothing to keep to"),
        ("blocks", {"group": "none"}, "needs groups"),
    ],
)
def test_groups_that_a_generator_cannot_use_are_refused(
    generator: str, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        layer(generator, **changes)


@pytest.mark.parametrize(("name", "value", "unread"), [("strength", 0.5, 0), ("lag", 3, 1)])
def test_what_a_passive_policy_does_not_read_is_refused(
    name: str, value: float, unread: float
) -> None:
    given = {"name": "passive", "strength": 0.0, "lag": 1, "budget": 10.0}
    with pytest.raises(
        ValueError,
        match=rf"policy\.{name}={value} is not read by policy 'passive' "
        rf"\(it is by proportional, reactive, imitator, best_response\): it must be {unread}",
    ):
        Policy(**{**given, name: value})  # type: ignore[arg-type]
    for answering in ("proportional", "reactive", "imitator"):
        kept = Policy(**{**given, "name": answering, name: value})  # type: ignore[arg-type]
        assert getattr(kept, name) == value


def test_customers_cannot_live_on_a_layer_inside_firms() -> None:
    inside = replace(LAYER, listeners=("employees", "customers"))
    with pytest.raises(ValueError, match=r"layers\.internal: 'customers' are customers and work"):
        village.scenario(layers=(inside,))
    open_to_all = replace(LAYER, listeners=(), speakers=())
    assert village.scenario(layers=(open_to_all,)).layers == (open_to_all,)


def departments(*keys: str) -> tuple[Department, ...]:
    return tuple(Department(key, key, 0.5, 1 / len(keys), 1 / len(keys)) for key in keys)


@pytest.mark.parametrize("place", [0, 1])
def test_a_mechanism_that_no_department_of_a_firm_runs_is_refused(place: int) -> None:
    firms = [village.firm(), village.firm("theirs")]
    firms[place] = replace(firms[place], departments=departments("front", "bach"))
    with pytest.raises(
        ValueError,
        match=rf"mechanism\.listening\.owner \(department of {firms[place].key}\)='back' is "
        "unknown; did you mean 'bach'",
    ):
        village.scenario(firms=tuple(firms))


def test_a_firm_of_a_single_department_runs_everything_there() -> None:
    whole = replace(village.firm("theirs"), departments=departments("all"))
    assert village.scenario(firms=(village.firm(), whole)).firms[1] == whole
    assert [owner_of(whole.departments, m.owner) for m in village.MECHANISMS] == [0] * 6
    by_name = [owner_of(village.DEPARTMENTS, m.owner) for m in village.MECHANISMS]
    assert by_name == [0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize("keys", [(), ("front", "front")])
def test_departments_need_names_of_their_own(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"departments of ours: .*names must differ"):
        village.firm(departments=departments(*keys))
