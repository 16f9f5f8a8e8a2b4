"""The store's side-cars: `Attempts`, how a failure changes them, as JSON and back.

They decide when to ask again and what to tell people, nothing else. So one that
makes no sense, in part or as a whole, is read as if that had never been noted.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from staplecfg.model.facts import Attempts
from staplecfg.model.verdict import Reason, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.verdict import Rejected

SCHEMA = 1
MOST_FAILURES = 10_000
LONGEST_TEXT = 2000


def attempts_to_json(attempts: Attempts) -> bytes:
    """Return `attempts` as the side-car's bytes; times are RFC 3339 in UTC."""
    document = {
        "schema": SCHEMA,
        "fingerprint": attempts.fingerprint,
        "last_try": _text(attempts.last_try),
        "last_success": _text(attempts.last_success),
        "failures": attempts.failures,
        "not_before": _text(attempts.not_before),
        "url": attempts.url,
        "error": attempts.error,
        "revoked_at": _text(attempts.revoked_at),
        "revoked_as_of": _text(attempts.revoked_as_of),
        "alone_at": _text(attempts.alone_at),
        "told": attempts.told,
        "told_at": _text(attempts.told_at),
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def attempts_from_json(data: bytes, fingerprint: str) -> Attempts:
    """Return what `data` says of the leaf `fingerprint`; what makes no sense counts as not said."""
    document = _document(data)
    if document.get("fingerprint") != fingerprint:
        return Attempts(fingerprint)
    return Attempts(
        fingerprint,
        last_try=_time(document.get("last_try")),
        last_success=_time(document.get("last_success")),
        failures=_count(document.get("failures")),
        not_before=_time(document.get("not_before")),
        url=_string(document.get("url")),
        error=_string(document.get("error")),
        revoked_at=_time(document.get("revoked_at")),
        revoked_as_of=_time(document.get("revoked_as_of")),
        alone_at=_time(document.get("alone_at")),
        told=_string(document.get("told")),
        told_at=_time(document.get("told_at")),
    )


def after_failure(
    before: Attempts, result: Rejected | Unreachable, *, now: datetime, next_try: datetime
) -> Attempts:
    """Return `before` with the failure `result` at `now` added, and when to ask again."""
    noted = replace(
        before,
        last_try=now,
        failures=before.failures + 1,
        not_before=next_try,
        error=result.problem,
    )
    if isinstance(result, Unreachable):
        return replace(noted, url=result.url or before.url)
    if result.reason is Reason.REVOKED:
        return replace(
            noted, revoked_at=result.revoked_at or now, revoked_as_of=result.revoked_as_of
        )
    return noted


def _document(data: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        # Python 3.10 does not read "Z".
        at = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return at.astimezone(timezone.utc) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return min(max(value, 0), MOST_FAILURES)


def _string(value: object) -> str | None:
    return value[:LONGEST_TEXT] if isinstance(value, str) else None
