"""What a client would make of one handshake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.probe import NotTestable, Served, Wrong
from staplecfg.model.verdict import Good
from staplecfg.pki.issuance import issuer_of
from staplecfg.pki.judge import Purpose, judge
from staplecfg.staples.handshake import PROTOCOL_VERSION, UNRECOGNIZED_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography.x509 import Certificate

    from staplecfg.model.probe import Refused, Tls, Verdict
    from staplecfg.model.settings import Floors


@dataclass(frozen=True, slots=True)
class Terms:
    """How a staple that came with a handshake is judged."""

    now: datetime
    floors: Floors
    allow_sha1: bool = False


def refusal(refused: Refused, version: Tls) -> Verdict:
    """Return what `refused` comes to: a server may well not speak TLS `version`."""
    if refused.alert == PROTOCOL_VERSION:
        return NotTestable(f"it does not speak {version.value}")
    if refused.alert == UNRECOGNIZED_NAME:
        return NotTestable("it rejects handshakes by that name")
    return refused


def judged(
    staple: bytes, leaf: Certificate, candidates: Iterable[Certificate], terms: Terms
) -> Verdict:
    """Return what `staple` is worth beside `leaf`, whose issuer is one of `candidates`."""
    issuer = issuer_of(leaf, candidates)
    if issuer is None:
        return NotTestable("the issuer of the certificate presented is not known")
    judgement = judge(
        staple,
        leaf,
        issuer,
        now=terms.now,
        floors=terms.floors,
        purpose=Purpose.SERVED,
        allow_sha1=terms.allow_sha1,
    )
    return Served(judgement.staple) if isinstance(judgement, Good) else Wrong(judgement.problem)
