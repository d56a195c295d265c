"""Generators of ties, and ties as rows."""

from __future__ import annotations

import numpy as np
import pytest

from sim.adjacency import UNIT, assemble
from sim.arcs import Draws, Members, Ties
from sim.choosers import _binomial
from sim.networks import GENERATORS, HUB_LIMIT, layer_ties, place_of
from sim.rng import id_of, ids_of, slot_of
from sim.stakeholders import Layer


def layer(generator: str, **changes: object) -> Layer:
    spread = {"small_world": 0.1, "heavy_tail": 2.5}.get(generator, 0.0)
    settings: dict[str, object] = {
        "key": "talk",
        "label": "Talk",
        "generator": generator,
        "degree": 6.0,
        "contact": 0.2,
        "persuasion": 1.0,
        "speakers": (),
        "listeners": (),
        "homophily": 0.0,
        "group": "type" if generator == "blocks" else "none",
        "spread": spread,
        **changes,
    }
    return Layer(**settings)  # type: ignore[arg-type]


def members(n: int = 400, groups: int = 1, pools: int = 1, **changes: np.ndarray) -> Members:
    """Return n members in the order of their places, dealt to pools and groups in turn."""
    ids = ids_of("people", n)
    ids = ids[np.argsort(place_of(ids, 1, 0))]
    deal = np.arange(n)
    fields = {
        "rows": np.arange(n, dtype=np.int32),
        "ids": ids,
        "hears": np.ones(n, bool),
        "speaks": np.ones(n, bool),
        "pool": deal % pools,
        "group": deal % pools * groups + deal // pools % groups,
    }
    return Members(**{**fields, **changes})


def ties_of(chosen: Layer, who: Members, seed: int = 1) -> Ties:
    return layer_ties(chosen, who, Draws(seed, 0, slot_of(chosen.key)))


def pairs(ties: Ties) -> set[tuple[int, int]]:
    return set(zip(ties.target.tolist(), ties.source.tolist(), strict=True))


def heard(ties: Ties, n: int) -> np.ndarray:
    return np.bincount(ties.target, minlength=n)


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("n", [1, 2, 3, 7, 60])
@pytest.mark.parametrize("degree", [0.0, 1.5, 6.0, 100.0])
def test_nobody_hears_itself_or_anyone_twice(generator: str, n: int, degree: float) -> None:
    ties = ties_of(layer(generator, degree=degree), members(n))
    assert (ties.target != ties.source).all()
    assert len(pairs(ties)) == len(ties.target)


@pytest.mark.parametrize("generator", sorted(set(GENERATORS) - {"complete"}))
def test_the_mean_number_heard_is_the_degree(generator: str) -> None:
    n = 4000
    found = heard(ties_of(layer(generator, degree=6.5), members(n, groups=2)), n)
    assert found.mean() == pytest.approx(6.5, abs=4 * found.std() / np.sqrt(n) + 1e-9)


@pytest.mark.parametrize(
    "generator", sorted(set(GENERATORS) - {"complete", "heavy_tail", "blocks"})
)
def test_a_degree_above_the_number_of_others_means_hearing_all_of_them(generator: str) -> None:
    assert (heard(ties_of(layer(generator, degree=50), members(9)), 9) == 8).all()


@pytest.mark.parametrize("generator", GENERATORS)
def test_only_speakers_are_heard_and_only_listeners_hear(generator: str) -> None:
    number = np.arange(300)
    who = members(300, groups=5, hears=number % 3 > 0, speaks=number % 2 == 0)
    ties = ties_of(layer(generator), who)
    assert len(ties.target)
    assert (ties.target % 3 > 0).all()
    assert (ties.source % 2 == 0).all()


@pytest.mark.parametrize("generator", GENERATORS)
def test_nobody_hears_anybody_of_another_pool(generator: str) -> None:
    who = members(300, groups=2, pools=3)
    ties = ties_of(layer(generator), who)
    assert len(ties.target)
    assert (who.pool[ties.target] == who.pool[ties.source]).all()


@pytest.mark.parametrize("generator", GENERATORS)
def test_pools_may_be_numbered_otherwise_without_changing_a_tie(generator: str) -> None:
    who = members(240, groups=2, pools=3)
    other = members(240, groups=2, pools=3, pool=2 - who.pool, group=5 - who.group)
    mixed = (
        {} if generator in ("broadcast", "complete") else {"homophily": 0.5, "group": "department"}
    )
    chosen = layer(generator, **mixed)
    assert pairs(ties_of(chosen, who)) == pairs(ties_of(chosen, other))


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_pool_that_joins_leaves_the_ties_of_the_others_alone(generator: str) -> None:
    both = members(200, groups=2, pools=2)
    first = both.pool == 0
    alone = Members(
        *(
            getattr(both, name)[first]
            for name in ("rows", "ids", "hears", "speaks", "pool", "group")
        )
    )
    kept = {pair for pair in pairs(ties_of(layer(generator), both)) if pair[0] % 2 == 0}
    assert kept == pairs(ties_of(layer(generator), alone))


@pytest.mark.parametrize("generator", sorted(set(GENERATORS) - {"ring", "complete"}))
def test_another_seed_draws_other_ties(generator: str) -> None:
    who = members(300, groups=2)
    assert pairs(ties_of(layer(generator), who)) != pairs(ties_of(layer(generator), who, seed=2))


def test_a_ring_of_degree_two_hears_the_two_neighbours() -> None:
    n = 12
    expected = {(i, (i + d) % n) for i in range(n) for d in (-1, 1)}
    assert pairs(ties_of(layer("ring", degree=2), members(n))) == expected


def test_ties_of_a_ring_are_mutual() -> None:
    found = pairs(ties_of(layer("ring", degree=6), members(100)))
    assert {(b, a) for a, b in found} == found


def test_a_small_world_rewires_the_share_it_is_told() -> None:
    n = 4000
    ties = ties_of(layer("small_world", degree=8, spread=0.25), members(n))
    distance = np.minimum((ties.source - ties.target) % n, (ties.target - ties.source) % n)
    assert (heard(ties, n) == 8).all()
    assert (distance > 4).mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / (8 * n)))


def test_far_ties_of_a_small_world_reach_all_the_others_alike() -> None:
    n, spread = 41, 1.0
    count = np.zeros(n)
    for seed in range(60):
        ties = ties_of(layer("small_world", degree=4, spread=spread), members(n), seed)
        count += np.bincount((ties.source - ties.target) % n, minlength=n)
    assert (count[[0, 1, 2, n - 2, n - 1]] == 0).all()
    far = count[3:-2]
    assert ((far - far.mean()) ** 2 / far.mean()).sum() < 80  # chi-square, 35 degrees, p = 2e-5


def test_random_ties_are_binomial_in_number() -> None:
    n = 20_000
    found = heard(ties_of(layer("random", degree=5), members(n)), n)
    assert found.var() == pytest.approx(5 * (1 - 5 / (n - 1)), rel=0.05)
    assert (found == 0).mean() == pytest.approx(np.exp(-5), rel=0.3)


def test_binomial_numbers_are_the_exact_quantiles() -> None:
    u = np.array([0.1, 0.5, 0.51, 0.9, 0.999])
    assert _binomial(np.full(5, 2), 1.0, u).tolist() == [0, 1, 1, 2, 2]
    assert _binomial(np.full(5, 4), 3.0, u).tolist() == [4, 3, 3, 2, 0]
    assert _binomial(np.full(5, 3), 9.0, u).tolist() == [3] * 5
    large = _binomial(np.full(5, 10**6), 5000.0, np.array([0.02275, 0.5, 0.5, 0.5, 0.97725]))
    assert large.tolist() == [4859, 5000, 5000, 5000, 5141]


def test_random_listeners_choose_every_pair_of_speakers_alike() -> None:
    """Four others, two heard: six pairs, equally often."""
    seen: dict[tuple[int, ...], int] = {}
    for seed in range(600):
        ties = ties_of(layer("broadcast", degree=2), members(5), seed)
        for i in range(5):
            key = tuple(sorted((ties.source[ties.target == i] - i) % 5))
            seen[key] = seen.get(key, 0) + 1
    counts = np.array(list(seen.values()))
    assert len(counts) == 6
    assert ((counts - 500) ** 2 / 500).sum() < 25  # chi-square, 5 degrees of freedom, p = 1.4e-4


def test_a_heavy_tail_makes_hubs_that_are_heard_and_hear_much() -> None:
    n = 20_000
    ties = ties_of(layer("heavy_tail", degree=6, spread=2.5), members(n))
    hears, is_heard = heard(ties, n), np.bincount(ties.source, minlength=n)
    assert np.corrcoef(hears, is_heard)[0, 1] > 0.8
    least = np.quantile(hears, 0.2)
    assert 0.5 * HUB_LIMIT < hears.max() / least <= HUB_LIMIT + 1
    # Of a density falling with power 2.5, twice the degree is 2 ** 1.5 times as rare.
    middle = np.quantile(hears, 0.5)
    ratio = (hears >= 2 * middle).mean() / (hears >= middle).mean()
    assert ratio == pytest.approx(2**-1.5, abs=0.08)


def test_both_ways_of_choosing_by_prominence_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Racing clocks and drawing again are the same law: audiences must match but for luck."""
    who, audiences = members(3000, pools=20), []
    for dense in (0, 1000):
        monkeypatch.setattr("sim.choosers.DENSE", dense)
        ties = ties_of(layer("heavy_tail", degree=9.0), who)
        audiences.append(np.bincount(ties.source, minlength=3000))
    drawn, raced = audiences
    assert not np.array_equal(drawn, raced)
    noise = (drawn - raced) ** 2 / np.maximum(drawn + raced, 1)
    assert noise.mean() < 1.05
    hubs = drawn + raced > 60
    assert hubs.sum() > 50
    assert drawn[hubs].sum() / raced[hubs].sum() == pytest.approx(1, abs=0.1)  # three errors


def test_prominence_decides_who_is_chosen_first() -> None:
    """With one tie each, a speaker is chosen in proportion to prominence; by hand over seeds."""
    n, found, expected = 30, np.zeros(30), np.zeros(30)
    who = members(n)
    luck = Draws(1, 0, slot_of("talk"))
    u = luck.uniform(who.ids, 3)[:, 0]
    weight = (1 - u * (1 - HUB_LIMIT**-1.5)) ** (-1 / 1.5)
    listeners = np.arange(400)
    ids = np.concatenate([ids_of("listeners", 400), who.ids])
    ids_sorted = np.argsort(place_of(ids, 1, 0))
    crowd = Members(
        ids_sorted.astype(np.int32),
        ids[ids_sorted],
        ids_sorted < 400,
        ids_sorted >= 400,
        np.zeros(430, np.int64),
        np.zeros(430, np.int64),
    )
    ties = ties_of(layer("heavy_tail", degree=1.0), crowd)
    first_only = np.isin(ties.target, listeners) & (heard(ties, 430)[ties.target] == 1)
    found += np.bincount(ties.source[first_only] - 400, minlength=n)
    expected += first_only.sum() * weight / weight.sum()
    assert ((found - expected) ** 2 / expected).sum() < 65  # chi-square, 29 degrees, p = 1e-4


def test_homophily_keeps_its_share_within_the_group() -> None:
    n = 6000
    who = members(n, group=np.random.default_rng(5).integers(0, 4, n))
    for generator, within in (
        ("random", 0.7 + 0.3 / 4),
        ("small_world", 0.7 + 0.3 / 4),
        ("heavy_tail", 0.7 + 0.3 / 4),
        ("blocks", 0.7),
    ):
        ties = ties_of(layer(generator, homophily=0.7, group="type"), who)
        share = (who.group[ties.target] == who.group[ties.source]).mean()
        assert share == pytest.approx(within, abs=0.01), generator
        assert len(ties.target) / n == pytest.approx(6, abs=0.1), generator


@pytest.mark.parametrize("generator", ["ring", "small_world", "random", "heavy_tail", "blocks"])
def test_full_homophily_is_a_silo(generator: str) -> None:
    who = members(300, groups=3)
    ties = ties_of(layer(generator, homophily=1.0, group="type"), who)
    assert len(ties.target)
    assert (who.group[ties.target] == who.group[ties.source]).all()


def test_blocks_without_homophily_reach_only_other_groups() -> None:
    who = members(300, groups=3)
    ties = ties_of(layer("blocks", homophily=0.0, group="type"), who)
    assert len(ties.target)
    assert (who.group[ties.target] != who.group[ties.source]).all()


def test_a_complete_layer_weighs_its_ties_to_the_degree_in_sum() -> None:
    ties = ties_of(layer("complete", degree=1.0), members(5))
    assert pairs(ties) == {(i, j) for i in range(5) for j in range(5) if i != j}
    assert ties.weight == pytest.approx(np.full(20, 0.25))


def test_a_broadcast_gives_every_listener_its_number_of_few_speakers() -> None:
    n = 1000
    ties = ties_of(layer("broadcast", degree=3), members(n, speaks=np.arange(n) < 20))
    assert (heard(ties, n) == 3).all()
    audience = np.bincount(ties.source, minlength=n)
    assert (audience[:20] > 100).all()
    assert (audience[20:] == 0).all()


def test_an_unknown_generator_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match="did you mean 'small_world'"):
        ties_of(layer("smallworld"), members(3))


@pytest.mark.parametrize(
    ("generator", "changes", "message"),
    [
        ("small_world", {"spread": 1.5}, "share of far ties"),
        ("heavy_tail", {"spread": 1.0}, "exponent of the tail"),
        ("random", {"homophily": 0.5}, "nothing to keep to"),
        ("blocks", {"group": "none"}, "needs groups"),
        ("broadcast", {"homophily": 0.5, "group": "type"}, "nothing to keep to"),
    ],
)
def test_settings_that_a_generator_cannot_use_are_refused(
    generator: str, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ties_of(layer(generator, **changes), members(10))


def test_a_complete_layer_too_large_to_store_is_refused_before_it_is_built() -> None:
    with pytest.raises(ValueError, match="use generator 'random'"):
        ties_of(layer("complete"), members(20_000))


def test_rows_are_assembled_as_worked_out_by_hand() -> None:
    """Three people, two layers of contact .5 and .25; the second persuades thrice as much."""
    first = Ties(np.array([2, 0], np.int32), np.array([1, 2], np.int32))
    second = Ties(
        np.array([0, 0], np.int32), np.array([1, 2], np.int32), np.array([1.0, -0.5], np.float32)
    )
    found = assemble(3, [first, second], [0.5, 0.25], [1.0, 3.0], np.array([2, 1, 0]))
    assert found.indptr.tolist() == [0, 3, 3, 4]
    assert found.indices.tolist() == [2, 2, 1, 1]
    assert found.layer.tolist() == [0, 1, 1, 0]
    assert found.contact.tolist() == [UNIT, UNIT // 4 + 1, UNIT // 2 + 1, UNIT]
    row = np.repeat(np.arange(3), np.diff(found.indptr))
    assert found.contact * found.contact_scale[row] == pytest.approx([0.5, 0.125, 0.25, 0.5], 1e-4)
    assert found.evidence * found.evidence_scale[row] == pytest.approx(
        [0.5, -0.375, 0.75, 0.5], 1e-4
    )


def test_the_order_in_which_ties_come_changes_no_row() -> None:
    ties = ties_of(layer("random"), members(200))
    mixed = np.random.default_rng(3).permutation(len(ties.target))
    rank = np.random.default_rng(4).permutation(200)
    one = assemble(200, [ties], [0.2], [1.0], rank)
    other = assemble(200, [Ties(ties.target[mixed], ties.source[mixed])], [0.2], [1.0], rank)
    for name, array in one._asdict().items():
        assert np.array_equal(array, getattr(other, name)), name


def test_rows_come_out_the_same_from_any_size_of_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> list[np.ndarray]:
        ties = [ties_of(layer(name), members(300, groups=2)) for name in GENERATORS]
        return list(assemble(300, ties, [0.2] * len(ties), [1.0] * len(ties), np.arange(300)))

    whole = build()
    monkeypatch.setattr("sim.networks.CHUNK", 77)
    assert all(np.array_equal(a, b) for a, b in zip(whole, build(), strict=True))


def test_a_faint_tie_beside_a_strong_one_does_not_vanish() -> None:
    ties = Ties(np.zeros(2, np.int32), np.array([1, 2], np.int32), np.array([1, 1e-6], np.float32))
    assert assemble(3, [ties], [1.0], [1.0], np.arange(3)).contact.tolist() == [UNIT, 1]


def test_a_layer_without_contact_carries_nothing() -> None:
    ties = Ties(np.zeros(1, np.int32), np.ones(1, np.int32))
    found = assemble(2, [ties], [0.0], [1.0], np.arange(2))
    assert (found.contact * found.contact_scale[0]).tolist() == [0.0]


def test_places_belong_to_ids_and_not_to_positions() -> None:
    ids = np.array([id_of("a"), id_of("b"), id_of("c")], np.uint64)
    assert np.array_equal(place_of(ids, 1, 0)[::-1], place_of(ids[::-1], 1, 0))
    assert not np.array_equal(place_of(ids, 1, 0), place_of(ids, 1, 1))
