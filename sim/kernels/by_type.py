"""Tables by stakeholder type: what a vector meets of firms, and where its counts are booked.

Among arms a vector is of one type, and its place in a table by type is that of the type. Among
people each lane has a type of its own: what they meet is looked up, and what they count is booked,
whenever the types of a block are not those of the block before. Rows of generated worlds are sorted
by type, so that is rarely; any order is right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.memory import either, scratch

# Types side by side in a table that vectors read, and the place of a stakeholder's own.
types_in = either(lambda across, n_kinds: n_kinds, lambda across, n_kinds: 1)
type_at = either(lambda across, kind, i: kind[i], lambda across, kind, i: 0)


def _change_of_people(across: Any, width: Any, kind: Any, start: Any) -> Any:
    lanes = len(width)
    changes = False
    for lane in range(lanes):
        changes |= kind[start + lane] != kind[start - lanes + lane]
    return changes


# Whether the types of the block from `start` on are not those of the block before.
types_change = either(lambda across, width, kind, start: False, _change_of_people)


def _met_by_people(across: Any, width: Any, drive: Any, n_kinds: Any) -> Any:
    return scratch(len(drive) // n_kinds * len(width), np.float32)


# A table of what is met in which vectors can be looked up.
met_by = either(lambda across, width, drive, n_kinds: drive, _met_by_people)


def _look_up_people(
    across: Any, width: Any, met: Any, drive: Any, kind: Any, start: Any, n_kinds: Any
) -> None:
    lanes = len(width)
    for plane in range(len(drive) // n_kinds):
        for lane in range(lanes):
            met[plane * lanes + lane] = drive[plane * n_kinds + kind[start + lane]]


# Look up what the block from `start` on meets.
look_up = either(lambda across, width, met, drive, kind, start, n_kinds: None, _look_up_people)


def _book_arms(across: Any, width: Any, totals: Any, part: Any, kind: Any, i: Any, n: Any) -> None:
    for s in range(len(part)):
        totals[s] += part[s]
        part[s] = 0


def _book_people(
    across: Any, width: Any, totals: Any, part: Any, kind: Any, start: Any, n_kinds: Any
) -> None:
    lanes = len(width)
    for plane in range(len(part) // lanes):
        for lane in range(lanes):
            totals[plane * n_kinds + kind[start + lane]] += part[plane * lanes + lane]
            part[plane * lanes + lane] = 0


# Add what vectors counted, the last of them from `start` on, to the totals, and count anew.
book = either(_book_arms, _book_people)


def _add_up_arms(across: Any, width: Any, totals: Any, part: Any) -> None:
    for s in range(len(part)):
        totals[s] += part[s]


def _add_up_people(across: Any, width: Any, totals: Any, part: Any) -> None:
    lanes = len(width)
    for s in range(len(part)):
        totals[s // lanes] += part[s]


# The same for what is not told apart by type.
add_up = either(_add_up_arms, _add_up_people)
