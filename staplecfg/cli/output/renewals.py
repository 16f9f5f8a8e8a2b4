"""What asking the responders came to, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.verdict import Good, Reason, Rejected, Unreachable
from staplecfg.staples.schedule import NotDue
from staplecfg.staples.store import Kept

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.staples.renew import Renewal


def detail(renewal: Renewal) -> str:
    """Return what came of asking about one certificate, in words."""
    outcome = renewal.outcome
    if isinstance(outcome, Good):
        return f"good until {outcome.staple.expires:%Y-%m-%d %H:%M} UTC"
    if isinstance(outcome, Kept | NotDue):
        return outcome.why
    return outcome.problem


def json(renewal: Renewal) -> dict[str, object]:
    """Return one renewal as the schema has it."""
    return {
        "certificate": str(renewal.chain.path),
        "fingerprint": renewal.chain.fingerprint,
        "outcome": _word(renewal),
        "detail": detail(renewal),
    }


def warnings(renewals: Iterable[Renewal]) -> tuple[str, ...]:
    """Return a line for each certificate whose responder had no staple to give."""
    return tuple(
        f"{renewal.chain.path}: {_failed(renewal.outcome)}; {_kept(renewal)}"
        for renewal in renewals
        if isinstance(renewal.outcome, Rejected | Unreachable)
    )


def revoked(renewal: Renewal) -> bool:
    """Say whether the responder has said that the certificate is revoked."""
    outcome = renewal.outcome
    return isinstance(outcome, Rejected) and outcome.reason is Reason.REVOKED


def _failed(outcome: Rejected | Unreachable) -> str:
    if isinstance(outcome, Rejected):
        return f"the response was rejected: {outcome.problem}"
    return f"no response: {outcome.problem}" + (f" ({outcome.hint})" if outcome.hint else "")


def _kept(renewal: Renewal) -> str:
    staple = renewal.stored.staple
    if staple is None:
        return "there is no staple to serve"
    return f"the staple in the store is good until {staple.expires:%Y-%m-%d %H:%M} UTC"


def _word(renewal: Renewal) -> str:
    words: dict[type, str] = {
        Good: "stored",
        Kept: "unchanged",
        NotDue: "not-due",
        Rejected: "rejected",
        Unreachable: "unreachable",
    }
    return words[type(renewal.outcome)]
