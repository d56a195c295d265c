"""Composes the settings of one command; the only module that knows Hydra.

Hydra composes the groups of `configs/` (and of a user's own folder) and what the command line
changes. Its own messages never reach the user: some advise to add keys that would then be ignored.
The shelves (every mechanism, every portfolio) are laid below what it composes: their files are
many, and none of them is a choice.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.settings_errors import SettingsError, nearest
from experiments.settings_files import (
    GLOBAL_GROUPS,
    GROUPS,
    MANY,
    SHELVES,
    Written,
    files_of,
    listed_in,
    names_in,
    read_yaml,
)


def split(text: str) -> tuple[str, str]:
    """Return key and value of one `key=value`; refuse whatever is not of that form."""
    key, mark, value = (part.strip() for part in text.partition("="))
    if key.startswith("+"):
        raise SettingsError(f"{text!r}: settings are changed, never added: "
                            f"write {key.lstrip('+')}=value", key)  # fmt: skip
    if key.startswith("~"):
        raise SettingsError(f"{text!r}: settings cannot be removed: write "
                            f"{key.lstrip('~')}=value", key)  # fmt: skip
    if not mark or not key:
        raise SettingsError(f"{text!r} is not of the form key=value")
    if any(part.startswith("_") for part in key.split(".")) or "${" in value:
        raise SettingsError(f"{text!r}: settings are plain data; keys that start with '_' and "
                            "'${...}' are not allowed", key)  # fmt: skip
    if not re.fullmatch(r"\w+(\.\w+)*", key):
        raise SettingsError(f"{text!r}: {key!r} is no name of a setting", key)
    return key, value


def quoted(text: str) -> str:
    """Return a text in quotes, so that Hydra reads it as it is; null stays nothing."""
    if text == "null" or (len(text) > 1 and text[0] == text[-1] and text[0] in "'\""):
        return text
    # Hydra takes a backslash for an escape only before a quote.
    inner = re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), text)
    return f"'{inner}'"


def check_choice(key: str, value: str, folders: Sequence[Path]) -> None:
    """Refuse an unknown choice of a group, and a choice among what is loaded as a whole."""
    if key in GROUPS:
        options = names_in(key, folders)
        for name in chosen_names(key, value):
            if name not in options:
                raise SettingsError(
                    f"{key}={value}: there is no such {key}{nearest(name, options)}", key
                )
    elif key in SHELVES:
        remedy = f"; choose with {key}s=[name, ...]" if key != "mechanism" else ""
        raise SettingsError(f"{key}={value}: every {key} on the shelf is loaded{remedy}", key)


def chosen_names(group: str, value: str) -> list[str]:
    """Return the files that a choice names: one, or a list of them where several are allowed."""
    inner = re.fullmatch(r"\[(.*)\]", value.strip())
    if inner is None or group not in MANY:
        return [value]
    names = [name.strip() for name in inner[1].split(",") if name.strip()]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SettingsError(f"{group}={value}: {min(twice)!r} is named twice", group)
    return names


def compose(
    pairs: Sequence[tuple[str, str]],
    shelves: Mapping[str, Mapping[str, Written]],
    folders: Sequence[Path],
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return the composed settings as plain data and which files were chosen for each group.

    Parameters
    ----------
    pairs : sequence of (key, value)
        What the command line changes; their keys are known to be settings.
    shelves : mapping
        The files of which every one is loaded, by group and name.
    """
    resolved, choices = _composed(pairs, folders)
    _check_all_chosen(choices, folders)
    for group, shelf in shelves.items():
        below = {name: written.content for name, written in shelf.items()}
        resolved[group] = _laid_over(below, resolved.get(group, {}), group)
    return resolved, choices


def _check_all_chosen(choices: Mapping[str, Sequence[str]], folders: Sequence[Path]) -> None:
    """Refuse a scenario whose defaults leave out a group."""
    missing = [group for group in GROUPS if group not in MANY and group not in choices]
    if not missing:
        return
    [name] = choices["scenario"]
    file = next(file for file in files_of("scenario", folders) if file.stem == name)
    lines = ", ".join(f"'- /{group}: NAME'" for group in missing)
    first = missing[0]
    raise SettingsError(
        f"{file}: its defaults choose no {' and no '.join(missing)}: below 'defaults:' write "
        f"{lines} (for {first}: {', '.join(names_in(first, folders))}), or "
        "'- village' for all that the village has"
    )


def _composed(
    pairs: Sequence[tuple[str, str]], folders: Sequence[Path]
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    import hydra
    import yaml
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    # An override is forced in because its path is checked already: a mapping such as a firm's
    # programmes may gain a member.
    texts = [f"{key}={value}" if key in GROUPS else f"++{key}={value}" for key, value in pairs]
    for folder in folders[1:]:
        texts.append(f"hydra.searchpath=[{quoted(f'file://{folder}')}]")
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(config_dir=str(folders[0]), version_base=None):
            composed = hydra.compose("config", texts, return_hydra_config=True)
        choices = dict(composed.hydra.runtime.choices)
        plain = OmegaConf.to_container(composed, resolve=False)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise _explained(error, pairs, folders) from None
    resolved = typing.cast(dict[str, Any], plain)
    del resolved["hydra"]
    files = {group: [choices[group]] for group in GROUPS if group in choices}
    for group in MANY:
        resolved.setdefault(group, {})  # of an empty list nothing is composed
        if group not in files:  # Hydra does not say which files it took of a list
            files[group] = _listed(group, pairs, files, folders)
    return resolved, files


def _listed(
    group: str,
    pairs: Sequence[tuple[str, str]],
    files: Mapping[str, Sequence[str]],
    folders: Sequence[Path],
) -> list[str]:
    """Return the files of a list: the command line's, else the experiment's or the scenario's."""
    for key, value in reversed(pairs):
        if key == group:
            return chosen_names(group, value)
    for source in reversed(GLOBAL_GROUPS):
        names = listed_in(source, files[source][0], group, folders)
        if names:
            return names
    return []


def _laid_over(below: Any, above: Any, path: str) -> Any:
    """Return what is written above, completed by what lies below, member by member."""
    if isinstance(above, dict) and isinstance(below, list) and _are_places(above):
        kept = dict(enumerate(below))
        for place in above:
            if int(place) not in kept:
                raise SettingsError(
                    f"{path}.{place}: there are {len(below)}, counted from 0", f"{path}.{place}"
                )
        changed = {int(place): value for place, value in above.items()}
        return list(_laid_over(kept, changed, path).values())
    if not (isinstance(above, dict) and isinstance(below, dict)):
        return above
    both = {
        key: _laid_over(below[key], above[key], f"{path}.{key}") if key in above else below[key]
        for key in below
    }
    return both | {key: value for key, value in above.items() if key not in below}


def _are_places(mapping: Mapping[Any, Any]) -> bool:
    """Whether all keys are places in a list, as in items.0.share=0.5."""
    return bool(mapping) and all(str(key).isdecimal() for key in mapping)


def _explained(
    error: Exception, pairs: Sequence[tuple[str, str]], folders: Sequence[Path]
) -> SettingsError:
    """Return our own words for a composition that failed: the value, the file or the name."""
    found = next(filter(None, (_unreadable(key, value) for key, value in pairs)), None)
    if found is not None:
        return found
    for folder in folders:
        for file in sorted(folder.rglob("*.yaml")):
            try:
                read_yaml(file)
            except SettingsError as refused:
                return refused
    missing = re.search(r"[Cc]ould not (?:find|load) '([\w/]+)'", str(error))
    if missing:
        group, _, name = missing[1].rpartition("/")
        _, slash, last = group.rpartition("/")
        if slash and last in GROUPS:
            return SettingsError(
                f"a defaults list says '{last}: {name}': put a slash in front, '- /{last}: {name}'",
                last,
            )
        return SettingsError(
            f"{group}: {name}: a defaults list names a file that does not exist"
            f"{nearest(name, names_in(group, folders))}",
            group,
        )
    line = next((text for text in str(error).splitlines() if text and "+" not in text), "")
    return SettingsError(f"the settings do not fit together: {line}")


def _unreadable(key: str, value: str) -> SettingsError | None:
    """Return what is wrong with the value of one `key=value`, if anything is."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        parsed = OverridesParser.create().parse_override(f"{key}={value}")
    except HydraException:
        return SettingsError(
            f"{key}={value}: the value cannot be read; put text with signs in quotes", key
        )
    if parsed.is_sweep_override():
        return SettingsError(f"{key}={value}: one value is needed; write a list as [a, b]", key)
    return None
