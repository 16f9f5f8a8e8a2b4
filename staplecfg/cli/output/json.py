"""One JSON document on standard output: `docs/schema.json` describes it, schema 1."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from pathlib import PurePath
from typing import TYPE_CHECKING

from staplecfg import __version__
from staplecfg.model.errors import ExitStatus

if TYPE_CHECKING:
    from staplecfg.cli.output.result import Result
    from staplecfg.model.change import Change, Content
    from staplecfg.model.errors import StaplecfgError
    from staplecfg.model.finding import Finding
    from staplecfg.model.installation import Installation

SCHEMA = 1


def document(command: str, result: Result) -> str:
    """Return `result` of `command` as JSON text."""
    body = {
        "changed": result.changed,
        "changes": [_change(change) for change in result.changes],
        "findings": [finding(each) for each in result.findings],
        "sites": list(result.sites),
        "staples": list(result.staples),
        "server": _server(result.installation),
        "warnings": list(result.warnings),
        "error": None,
        "outcome": result.outcome,
        **(result.extra or {}),
    }
    return _text(command, int(result.status), body)


def failure(command: str, error: StaplecfgError, status: int) -> str:
    """Return the document of a command that ended in `error`."""
    body: dict[str, object] = {
        "changed": False,
        "changes": [],
        "findings": [],
        "sites": [],
        "staples": [],
        "server": None,
        "warnings": [],
        "error": problem(error),
        "outcome": "undo-failed" if status == ExitStatus.UNDO_FAILED else "failed",
    }
    return _text(command, status, body)


def problem(error: StaplecfgError) -> dict[str, object]:
    """Return one error as the schema has it."""
    return {
        "code": error.code,
        "message": error.problem,
        "file": None if error.at is None else str(error.at.path),
        "line": None if error.at is None else error.at.line,
        "hint": error.hint,
        "state": error.state,
    }


def time(moment: datetime | None) -> str | None:
    """Return `moment` as RFC 3339 in UTC, to the second."""
    if moment is None:
        return None
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def finding(each: Finding) -> dict[str, object]:
    """Return one finding as the schema has it."""
    return {
        "rule": each.rule,
        "severity": each.severity.value,
        "file": str(each.location.path),
        "line": each.location.line,
        "problem": each.problem,
        "hint": each.hint,
        "site": each.site,
    }


def _text(command: str, status: int, body: dict[str, object]) -> str:
    frame = {"schema": SCHEMA, "command": command, "version": __version__, "status": status}
    return json.dumps(frame | body, indent=2, default=_plain, ensure_ascii=True) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return time(value)
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in the JSON document")


def _change(change: Change) -> dict[str, object]:
    return {
        "path": str(change.path),
        "kind": change.kind.value,
        "op": change.op,
        "before": _content(change, change.before),
        "after": _content(change, change.after),
    }


def _content(change: Change, content: Content | None) -> object:
    if content is None:
        return None
    if content.link is not None:
        return {"link": content.link}
    if change.kind.value == "staple":
        return _staple(content.data)
    return {"text": content.data.decode("utf-8", "backslashreplace")}


def _staple(der: bytes) -> dict[str, object]:
    """Return what `der` says, believing nothing: a file there before may hold anything."""
    # Only here: the help and a usage error do without what decoding takes.
    from staplecfg.pki.about import about  # noqa: PLC0415

    return {
        "size": len(der),
        "sha256": hashlib.sha256(der).hexdigest(),
        "answers": [
            {
                "serial": f"{answer.serial:x}",
                "cert_status": answer.status.value,
                "this_update": time(answer.this_update),
                "next_update": time(answer.next_update),
            }
            for answer in about(der).answers
        ],
    }


def _server(installation: Installation | None) -> object:
    if installation is None:
        return None
    return {
        "name": installation.server,
        "banner": installation.banner,
        "version": ".".join(map(str, installation.version)) or None,
        "binary": None if installation.binary is None else str(installation.binary),
        "config": str(installation.config),
        "prefix": str(installation.prefix),
    }
