"""Ties as compressed rows: by receiver, with whole-number weights that add up in 32 bits.

A weight is stored as a whole number relative to the largest of its row. So that many weak ties
beside a strong one keep their sum, a tie more than `SPLIT` times as strong as the mean tie of its
row is stored as several that share its strength: what a stakeholder hears in all is rounded by less
than one part in a thousand, and a tie by less than that share of the whole row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sim.arcs import Ties
from sim.compiled import kernel
from sim.lanes import law

UNIT = 32_767  # largest whole-number weight
SPLIT = 32.0  # times the mean tie of the row; above, a tie is stored in parts
LARGEST_SUM = 2**31 - 1  # of the weights of a row, whatever is said
SHORT = LARGEST_SUM // UNIT  # so many ties of the largest weight fit
SHORT_ROW = 64  # of ties; inserting is fastest
MOST_HEARD = 4_000_000  # by one stakeholder; beyond, weights would lose their precision


class Adjacency(NamedTuple):
    """Ties by receiver, named and typed as in `sim.state.World`."""

    indptr: np.ndarray
    indices: np.ndarray
    contact: np.ndarray
    evidence: np.ndarray
    contact_scale: np.ndarray
    evidence_scale: np.ndarray
    layer: np.ndarray


def assemble(
    n: int,
    ties: Sequence[Ties],
    contact: Sequence[float],
    persuasion: Sequence[float],
    rank: np.ndarray,
) -> Adjacency:
    """Sort the ties of all layers into rows by target; within a row by source, then by layer.

    Parameters
    ----------
    n : int
        Number of stakeholders.
    ties : one per layer
        A tie's contact is the layer's contact x the size of its weight; its evidence is contact x
        persuasion, below zero where the weight is.
    contact, persuasion : one per layer
        As in `sim.stakeholders.Layer`.
    rank : int array (n,)
        Order of stakeholders that follows from their ids alone.

    Raises
    ------
    ValueError
        If a stakeholder hears more than MOST_HEARD ties.
    """
    told = np.asarray(contact, np.float32)
    persuades = np.multiply(contact, persuasion, dtype=np.float32)
    indptr, ties = _rows_of(n, ties, told, persuades)
    m = int(indptr[-1])
    found = Adjacency(
        indptr,
        np.empty(m, np.int32),
        np.empty(m, np.int16),
        np.empty(m, np.int16),
        np.zeros(n, np.float32),
        np.zeros(n, np.float32),
        np.empty(m, np.int8),
    )
    # Only where a tie has a weight of its own must weights be kept beside the ties.
    weight = np.empty(m if any(t.weight is not None for t in ties) else 0, np.float32)
    free = indptr[:-1].copy()
    for number, layer in enumerate(ties):
        own = np.empty(0, np.float32) if layer.weight is None else layer.weight
        _put(number, layer.target, layer.source, own, free, found.indices, found.layer, weight)
    row_of = np.empty(n, np.int64)
    row_of[rank] = np.arange(n)
    _sort_rows(indptr, rank, row_of, found.indices, found.layer, weight)
    _weigh(indptr, found.layer, weight, told, True, found.contact, found.contact_scale)
    _weigh(indptr, found.layer, weight, persuades, False, found.evidence, found.evidence_scale)
    return found


def _rows_of(
    n: int, ties: Sequence[Ties], told: np.ndarray, persuades: np.ndarray
) -> tuple[np.ndarray, list[Ties]]:
    """Return where each row begins and the ties, the strongest in parts."""
    length = np.zeros(n, np.int64)
    for layer in ties:
        length += np.bincount(layer.target, minlength=n)
    if length.max(initial=0) > MOST_HEARD:
        row = int(length.argmax())
        raise ValueError(
            f"stakeholder {row} (row of the world; people's own tables come first) hears "
            f"{length[row]} ties, more than {MOST_HEARD}; lower degree or use fewer ties"
        )
    parts = _parts(n, ties, length, told, persuades)
    split = [
        layer if many is None else _repeated(layer, many)
        for layer, many in zip(ties, parts, strict=True)
    ]
    for layer, many in zip(ties, parts, strict=True):
        if many is not None:
            length += np.bincount(layer.target, many - 1, minlength=n).astype(np.int64)
    return np.concatenate([[0], np.cumsum(length)]), split


def _parts(
    n: int, ties: Sequence[Ties], length: np.ndarray, told: np.ndarray, persuades: np.ndarray
) -> list[np.ndarray | None]:
    """Return into how many parts each tie of a layer goes; None where all stay whole."""
    found: list[np.ndarray | None] = [None] * len(ties)
    for strength in (told, persuades):
        total = np.zeros(n)
        for layer, each in zip(ties, strength, strict=True):
            size = None if layer.weight is None else np.abs(layer.weight)
            total += float(each) * np.bincount(layer.target, size, minlength=n)
        limit = SPLIT * total / np.maximum(length, 1)
        lowest = limit[length > 0].min(initial=np.inf)
        for number, (layer, each) in enumerate(zip(ties, strength, strict=True)):
            most = 1.0 if layer.weight is None else np.abs(layer.weight).max(initial=0)
            if each * most <= lowest:
                continue
            size = 1.0 if layer.weight is None else np.abs(layer.weight)
            times = np.ceil(float(each) * size / limit[layer.target])
            many = np.fmax(times, 1).astype(np.int64)
            before = found[number]
            many = many if before is None else np.maximum(many, before)
            found[number] = many if (many > 1).any() else None
    return found


def _repeated(layer: Ties, many: np.ndarray) -> Ties:
    """Return a layer with each tie in so many equal parts."""
    weight = np.ones(len(many), np.float32) if layer.weight is None else layer.weight
    return Ties(
        np.repeat(layer.target, many),
        np.repeat(layer.source, many),
        np.repeat((weight / many).astype(np.float32), many),
    )


@kernel
def _put(
    number: Any,
    target: Any,
    source: Any,
    own: Any,
    free: Any,
    indices: Any,
    layer: Any,
    weight: Any,
) -> None:
    """Put a layer's ties into the free places of their rows."""
    for t in range(len(target)):
        at = free[target[t]]
        free[target[t]] = at + 1
        indices[at] = source[t]
        layer[at] = number
        if len(weight):
            weight[at] = own[t] if len(own) else np.float32(1.0)


@kernel
def _sort_rows(indptr: Any, rank: Any, row_of: Any, indices: Any, layer: Any, weight: Any) -> None:
    """Sort each row by its sources' rank, then by layer; `row_of` turns a rank into a row."""
    keys = np.empty(SHORT_ROW, np.int64)
    for i in range(len(indptr) - 1):
        begin, size = indptr[i], indptr[i + 1] - indptr[i]
        if size > len(keys):
            keys = np.empty(size, np.int64)
        for j in range(size):
            keys[j] = rank[indices[begin + j]] << 8 | layer[begin + j]
        if len(weight):
            order = np.argsort(keys[:size], kind="mergesort")
            weight[begin : begin + size] = weight[begin : begin + size][order]
        _sort(keys, size)
        for j in range(size):
            indices[begin + j] = row_of[keys[j] >> 8]
            layer[begin + j] = keys[j] & 255


@law
def _sort(keys: Any, size: Any) -> None:
    """Sort the first `size` keys; inserting is fastest where there are few."""
    if size > SHORT_ROW:
        keys[:size].sort()
        return
    for j in range(1, size):
        key, at = keys[j], j
        while at > 0 and keys[at - 1] > key:
            keys[at] = keys[at - 1]
            at -= 1
        keys[at] = key


@kernel
def _weigh(
    indptr: Any, layer: Any, weight: Any, strength: Any, unsigned: Any, whole: Any, scale: Any
) -> None:
    """Write whole-number weights relative to the largest of each row, and the rows' scales.

    A weight that is not 0 stays at least 1. Where a row is so long that its sum could overflow, its
    unit is larger.
    """
    for i in range(len(indptr) - 1):
        begin, end = indptr[i], indptr[i + 1]
        largest, total = np.float32(0.0), 0.0
        for t in range(begin, end):
            w = weight[t] if len(weight) else np.float32(1.0)
            size = abs(w * strength[layer[t]])
            largest = max(largest, size)
            total += size
        unit = largest / np.float32(UNIT)
        if end - begin > SHORT:
            unit = max(unit, np.float32(total / (LARGEST_SUM - 2.0 * (end - begin))))
        scale[i] = unit
        if unit == 0.0:
            unit = np.float32(1.0)
        for t in range(begin, end):
            w = weight[t] if len(weight) else np.float32(1.0)
            w = w * strength[layer[t]]
            if unsigned:
                w = abs(w)
            rounded = np.int16(np.rint(w / unit))
            if rounded == 0 and w != 0.0:
                rounded = np.int16(1) if w > 0.0 else np.int16(-1)
            whole[t] = rounded
