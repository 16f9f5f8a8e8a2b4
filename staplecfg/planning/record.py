"""Our memory of our own hand, as JSON that a person can read too.

Bytes that are no UTF-8 survive: text is decoded by surrogateescape, and JSON
writes a lone surrogate as an escape.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.facts import Inserted, Made, Record, Replaced

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "record.json"
"""The record's file, in the state directory."""

SCHEMA = 1


def encode(record: Record) -> bytes:
    """Return `record` as JSON; equal records give equal bytes."""
    body = {
        "schema": SCHEMA,
        "inserted": [
            {"file": str(each.file), "key": each.key, "words": [list(w) for w in each.words]}
            for each in record.inserted
        ],
        "replaced": [
            {
                "file": str(each.file),
                "key": each.key,
                "text": each.text.decode("utf-8", "surrogateescape"),
                "by": list(each.by),
            }
            for each in record.replaced
        ],
        "units": [str(path) for path in record.units],
    }
    if record.directories:
        body["directories"] = [str(path) for path in record.directories]
    if record.made:
        body["made"] = [
            {
                "config": str(each.config),
                "path": str(each.path),
                "digest": each.digest,
                "words": [list(w) for w in each.words],
            }
            for each in record.made
        ]
    return json.dumps(body, indent=2).encode("ascii") + b"\n"


def decode(data: bytes) -> Record:
    """Return the record that `data` holds; raises `NotUnderstood` where it holds none."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise NotUnderstood("not JSON") from None
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        raise NotUnderstood(f"not a record of schema {SCHEMA}")
    try:
        return Record(
            inserted=tuple(_inserted(each) for each in body["inserted"]),
            replaced=tuple(_replaced(each) for each in body["replaced"]),
            units=tuple(_path(each) for each in body["units"]),
            directories=tuple(_path(each) for each in body.get("directories", ())),
            # Records from before there was such a thing have no such member.
            made=tuple(_made(each) for each in body.get("made", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotUnderstood("a record with a member missing or of the wrong kind") from None


def _inserted(body: Mapping[str, object]) -> Inserted:
    words = body["words"]
    if not isinstance(words, list):
        raise TypeError
    return Inserted(_path(body["file"]), _text(body["key"]), tuple(_words(each) for each in words))


def _replaced(body: Mapping[str, object]) -> Replaced:
    text = _text(body["text"]).encode("utf-8", "surrogateescape")
    return Replaced(_path(body["file"]), _text(body["key"]), text, _words(body["by"]))


def _made(body: Mapping[str, object]) -> Made:
    words = body["words"]
    if not isinstance(words, list) or not isinstance(body["digest"], str):
        raise TypeError
    lines = tuple(_words(each) for each in words)
    return Made(_path(body["config"]), _path(body["path"]), body["digest"], lines)


def _words(body: object) -> tuple[str, ...]:
    if not isinstance(body, list) or not body:
        raise TypeError
    return tuple(_text(each) for each in body)


def _path(body: object) -> PurePosixPath:
    path = PurePosixPath(_text(body))
    if not path.is_absolute():
        raise ValueError
    return path


def _text(body: object) -> str:
    if not isinstance(body, str):
        raise TypeError
    return body
