"""The undo journal as a value and as JSON: what an apply under way does to which path."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from staplecfg.machine.attributes import Attributes
from staplecfg.model.change import Kind
from staplecfg.model.errors import NotUnderstood

SCHEMA = 1
NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one change does to `path`; every path is this machine's.

    `before` and `after` are fingerprints. `aside` is where what was there
    before keeps a name meanwhile, where it can. `backup` names the file in the
    journal with the bytes before, `link` is the target before, `attributes`
    are those before; None where there are none. `mode` is the mode given, None
    where it is kept.
    """

    path: Path
    kind: Kind
    before: str
    after: str
    temporary: Path
    aside: Path
    backup: str | None
    link: str | None
    attributes: Attributes | None
    mode: int | None


@dataclass(frozen=True, slots=True)
class Journal:
    """An apply under way: its `entries` in the order they are carried out.

    `created` are the directories that were not there before, outermost first.
    """

    directory: Path
    entries: tuple[Entry, ...]
    created: tuple[Path, ...]


def encode(journal: Journal) -> bytes:
    """Return `journal` as JSON, undecodable names in it by surrogateescape."""
    text = json.dumps(
        {
            "schema": SCHEMA,
            "created": [str(path) for path in journal.created],
            "entries": [_entry_to_json(entry) for entry in journal.entries],
        },
        indent=1,
    )
    return text.encode()


def decode(data: bytes, directory: Path) -> Journal:
    """Return the journal in `directory` that `data` is; raises `NotUnderstood`."""
    try:
        said = json.loads(data)
        if said["schema"] != SCHEMA:
            raise NotUnderstood(f"schema {said['schema']} is not known to this version")
        return Journal(
            directory,
            tuple(_entry_from_json(entry) for entry in said["entries"]),
            tuple(Path(path) for path in said["created"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotUnderstood(f"is no journal of staplecfg ({error})") from error


def _entry_to_json(entry: Entry) -> dict[str, object]:
    had = entry.attributes
    return {
        "path": str(entry.path),
        "kind": entry.kind.value,
        "before": entry.before,
        "after": entry.after,
        "temporary": str(entry.temporary),
        "aside": str(entry.aside),
        "backup": entry.backup,
        "link": entry.link,
        "mode": entry.mode,
        "attributes": None
        if had is None
        else {
            "mode": had.mode,
            "owner": had.owner,
            "group": had.group,
            "extended": {
                name: base64.b64encode(value).decode() for name, value in had.extended.items()
            },
        },
    }


def _entry_from_json(said: dict[str, Any]) -> Entry:
    had = said["attributes"]
    return Entry(
        path=Path(said["path"]),
        kind=Kind(said["kind"]),
        before=said["before"],
        after=said["after"],
        temporary=Path(said["temporary"]),
        aside=Path(said["aside"]),
        backup=said["backup"],
        link=said["link"],
        mode=said["mode"],
        attributes=None
        if had is None
        else Attributes(
            had["mode"],
            had["owner"],
            had["group"],
            {name: base64.b64decode(value) for name, value in had["extended"].items()},
        ),
    )
