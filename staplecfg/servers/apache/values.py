"""What httpd makes of the arguments of its stapling directives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staplecfg.model.site import Setting

LONGEST = 2**31 - 1
"""Seconds are kept in a C int."""

_ATOI = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)", re.ASCII)
_SECONDS = re.compile(r"[0-9]+", re.ASCII)

LOCAL = re.compile(r"http://(127\.[0-9.]+|\[::1\]|localhost)(:[0-9]+)?(/.*)?", re.ASCII)


def flag(setting: Setting | None, *, default: bool = False) -> bool:
    """Return an On/Off directive's value, in any case of letters (AP_INIT_FLAG)."""
    return default if setting is None else [arg.lower() for arg in setting.args] == ["on"]


def number(text: str) -> int:
    """Return what C's `atoi` makes of `text`: `500ms` is 500, `abc` is 0, `-t` minds neither."""
    found = _ATOI.match(text)
    return int(found[1]) if found else 0


def is_seconds(text: str) -> bool:
    """Say whether `text` is a number of seconds and nothing else, and fits a C int."""
    return _SECONDS.fullmatch(text) is not None and int(text) <= LONGEST


def is_local(url: str) -> bool:
    """Say whether the responder `url` is on this machine: where it fails, it fails at once."""
    return LOCAL.fullmatch(url) is not None
