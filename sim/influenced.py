"""Who counts as influenced: what the ledger asks of everybody, and how far two lives must differ.

Philip Sheldrake (The Business of Influence, Wiley 2011): somebody has been influenced who thinks or
does something they otherwise wouldn't have thought or done. *Think* is attitude and salience, *do*
is whom one buys from, whether one would recommend, whether one spoke and how, and, for those who
work for the organization, engagement; all towards the organization. More is what speaks for it,
less what speaks against it, other what does neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.checks import check_fields
from sim.fields import number

THINK = ("attitude", "salience")
DO = ("provider", "advocacy", "voice", "engagement")
ANYTHING = "anything"
ENTRIES = tuple(
    (sphere, what)
    for sphere, names in (("think", THINK), ("do", DO))
    for what in (*names, ANYTHING)
)
SIGNS = ("more", "less", "other")
SAME, MORE, LESS, OTHER = range(4)


@dataclass(frozen=True)
class Thresholds:
    """How far two lives must differ before somebody counts as thinking or feeling otherwise."""

    attitude: float = number(0, 2, "attitude", "smallest difference that counts as thinking so")
    salience: float = number(
        0, 1, "probability", "smallest difference of being in mind that counts as thinking so"
    )
    engagement: float = number(
        0, 2, "attitude", "smallest difference of an employee's engagement that counts as doing so"
    )

    def __post_init__(self) -> None:
        """Check ranges."""
        check_fields(self)


def whole(signs: Sequence[int]) -> int:
    """Return the sign of several differences taken together."""
    if not any(signs):
        return SAME
    good, bad = MORE in signs, LESS in signs
    return OTHER if good == bad else MORE if good else LESS
