"""A command line as systemd's units and cron's tables must have it written."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from staplecfg.model.errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAIN = re.compile(r"[A-Za-z0-9_./:@=,+-]+")


def for_systemd(argv: Sequence[str]) -> str:
    """Return `argv` for `ExecStart=` (systemd.service(5), "Command lines")."""
    return " ".join(_systemd_word(word) for word in argv)


def path_for_systemd(path: str) -> str:
    """Return `path` for a list of paths; `%` would be a specifier (systemd.unit(5))."""
    return _systemd_word(path, dollar="$")


def watched_by_systemd(path: str) -> str | None:
    """Return `path` for `PathChanged=`, which knows no quotes; None where it cannot be written."""
    odd = path != path.strip() or path.endswith("\\") or not path.isprintable()
    return None if odd else path.replace("%", "%%")


def for_shell(argv: Sequence[str]) -> str:
    """Return `argv` for a line of a shell script."""
    _require_one_line(argv)
    return shlex.join(argv)


def for_cron(argv: Sequence[str]) -> str:
    """Return `argv` for a line of a cron table, where `%` ends the command (crontab(5))."""
    _require_one_line(argv)
    return shlex.join(argv).replace("%", "\\%")


def _systemd_word(word: str, *, dollar: str = "$$") -> str:
    _require_one_line([word])
    if PLAIN.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + escaped.replace("$", dollar) + '"'


def _require_one_line(argv: Sequence[str]) -> None:
    for word in argv:
        if not word or any(character < " " for character in word):
            raise UsageProblem(
                "a schedule cannot hold a command line with an empty word or a line break in it",
                hint="schedule `staplecfg warm` yourself, and say --unscheduled",
            )
