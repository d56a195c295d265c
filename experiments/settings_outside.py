"""Shocks, the season and the pushes of a sheet, fitted to the market that runs.

Their files belong to no scenario: they speak of `customers` and of `last_competitor`, in the money
of the shelf. Here the words become the market's types, the money is scaled as mechanisms' is, and
whoever would be the customer of a firm that has not entered yet is with the other firms.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from experiments.designs import Push
from experiments.settings_errors import SettingsError, guarded, nearest
from experiments.settings_sheet import Sheet, firms_of
from sim.nudging import OURS, RIVALS
from sim.outside import FIRM_WORDS, Season, Shock
from sim.plans import Nudge
from sim.stakeholders import StakeholderType


def shocks_here(sheet: Sheet) -> tuple[Shock, ...]:
    """Return the shocks with audiences replaced by types and money in the market's scale.

    Raises
    ------
    SettingsError
        If one begins beyond the horizon, hits no firm or reaches nobody in this market.
    """
    found = []
    for key, shock in sheet.shocks.items():
        where = f"shocks.{key}"
        if shock.quarter > sheet.quarters:
            raise SettingsError(
                f"{where}.quarter={shock.quarter} lies beyond the horizon of {sheet.quarters} "
                "quarters",
                f"{where}.quarter",
            )
        words = [*FIRM_WORDS, *(firm.key for _, firm in firms_of(sheet))]
        if shock.firm not in words:
            raise SettingsError(
                f"{where}.firm={shock.firm!r} is unknown{nearest(shock.firm, words)}",
                f"{where}.firm",
            )
        kinds = _kinds(sheet, where, shock.to)
        cost = shock.cost * sheet.scenario.cost_scale
        found.append(dataclasses.replace(shock, to=kinds, cost=cost))
    return tuple(found)


def season_here(sheet: Sheet) -> Season:
    """Return the season with audiences replaced by the market's types."""
    return dataclasses.replace(sheet.season, to=_kinds(sheet, "season", sheet.season.to))


def pushes_here(sheet: Sheet) -> tuple[Push, ...]:
    """Return the pushes with audiences replaced by the market's types.

    Raises
    ------
    SettingsError
        If one names a firm that there is not, or reaches nobody in this market.
    """
    firms = [OURS, RIVALS, *(firm.key for _, firm in firms_of(sheet))]

    def here(where: str, nudge: Nudge) -> Nudge:
        if nudge.firm not in firms:
            raise SettingsError(
                f"{where}.firm={nudge.firm!r} is unknown{nearest(nudge.firm, firms)}",
                f"{where}.firm",
            )
        return dataclasses.replace(nudge, to=_kinds(sheet, where, nudge.to))

    return tuple(
        dataclasses.replace(
            push,
            nudges=tuple(
                here(f"pushes.{push.key}.nudges.{i}", nudge) for i, nudge in enumerate(push.nudges)
            ),
        )
        for push in sheet.pushes
    )


def stakeholders_here(sheet: Sheet) -> tuple[StakeholderType, ...]:
    """Return the types; shares of firms that have not entered go to the other firms.

    In proportion to what the others have, so that as many customers are tied as are written.
    """
    firms = [firm.key for _, firm in firms_of(sheet)]
    absent: set[str] = set()
    for shock in sheet.shocks.values():
        if shock.kind == "new_entrant" and shock.size > 0:
            absent |= _entrants(shock, firms)
    return tuple(
        guarded(
            f"stakeholders.{kind.key}",
            dataclasses.replace,
            kind,
            tied=_without(kind.tied, absent),
        )
        if kind.customer
        else kind
        for kind in sheet.stakeholders.values()
    )


def _entrants(shock: Shock, firms: list[str]) -> set[str]:
    """Return the competitors that an entrant's shock names, as keys."""
    rivals = firms[1:]
    by_word = {
        "competitors": rivals,
        "first_competitor": rivals[:1],
        "last_competitor": rivals[-1:],
    }
    return set(by_word.get(shock.firm, [shock.firm] if shock.firm in rivals else []))


def _without(tied: Mapping[str, float], absent: set[str]) -> dict[str, float]:
    """Return shares of the firms that are there, with what the absent had."""
    here = {key: share for key, share in tied.items() if key not in absent}
    rest, total = sum(here.values()), sum(tied.values())
    if rest == 0 or len(here) == len(tied):
        return here
    return {key: share * (total / rest) for key, share in here.items()}


def _kinds(sheet: Sheet, where: str, to: tuple[str, ...]) -> tuple[str, ...]:
    """Return the types behind words; empty means all, as it is written."""
    if not to:
        return ()
    known = [*sheet.audiences, *sheet.stakeholders]
    for word in to:
        if word not in known:
            raise SettingsError(
                f"{where}.to={word!r} is unknown{nearest(word, known)}", f"{where}.to"
            )
    kinds = [kind for word in to for kind in sheet.audiences.get(word, (word,))]
    if not kinds:
        raise SettingsError(
            f"{where}.to=[{', '.join(to)}] reaches nobody in this market", f"{where}.to"
        )
    return tuple(dict.fromkeys(kinds))
