"""Settings that cannot be used: what is said about them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

FEW = 8  # names that are listed in full
NEAREST = 4  # of more names so many are shown
SPOKEN_OF = re.compile(r"[a-z_]\w*(\.\w+)*(?=[ =:])")
# What the model calls otherwise than the settings.
GROUP_OF = {"layers": "network"}
LISTED = re.compile(r"(?:; did you mean '([^']+)'\?)? \(allowed: ([^()]+)\)")


class SettingsError(ValueError):
    """A setting that cannot be used: the message says which, its value and what is allowed.

    Attributes
    ----------
    path : str
        Full path of the setting, empty where the error is not about one.
    missing : bool
        Whether it ought to be written and is not.
    """

    def __init__(self, message: str, path: str = "", *, missing: bool = False) -> None:
        """Keep the message and what it is about."""
        super().__init__(message)
        self.path = path
        self.missing = missing


def guarded(path: str, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a checked function; its ValueError or KeyError becomes a SettingsError with the path."""
    try:
        return function(*args, **kwargs)
    except SettingsError:
        raise
    except (ValueError, KeyError) as error:
        text = shortened(str(error.args[0]) if error.args else str(error))
        text = _renamed(path, text)
        if path and not text.startswith(path):
            raise SettingsError(f"{path}: {text}", _inner(path, text)) from None
        raise SettingsError(text, _inner("", text)) from None


def _renamed(path: str, text: str) -> str:
    """Return a message of the model with the full path of the settings it begins with."""
    first, _, rest = text.partition(".")
    text = f"{GROUP_OF.get(first, first)}.{rest}" if rest else text
    above, _, last = path.rpartition(".")
    return f"{above}.{text}" if above and text.startswith(f"{last}.") else text


def _inner(path: str, text: str) -> str:
    """Return the path of what a message begins with, within `path`."""
    found = SPOKEN_OF.match(text)
    return ".".join(filter(None, (path, found[0] if found else "")))


def nearest(word: str, allowed: Iterable[str], listed: str = "") -> str:
    """Return '; did you mean X? (allowed: ...)' for an unknown word.

    Of many names only the nearest are shown, and the pattern with which `influence settings` lists
    them all.
    """
    names = sorted(set(allowed))
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{hint} ({_allowed(word, names, listed)})"


def shortened(text: str) -> str:
    """Return a message of the model with a long list of allowed names cut to the nearest few."""
    found = LISTED.search(text)
    if found is None:
        return text
    names = [name for name in found[2].split(", ") if not name.endswith("...")]
    said = f"; did you mean {found[1]!r}?" if found[1] else ""
    return text.replace(found[0], f"{said} ({_allowed(found[1] or '', names, '')})")


def _allowed(word: str, names: list[str], listed: str) -> str:
    if len(names) <= FEW:
        return f"allowed: {', '.join(names) or 'nothing'}"
    shown = difflib.get_close_matches(word, names, n=NEAREST, cutoff=0.0)
    where = f": influence settings '{listed}'" if listed else ""
    return f"allowed: {', '.join(shown)} ... {len(names)} in all{where}"
