"""What a good response should not have: nothing a client refuses, everything a person may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.pki.anatomy import UNREADABLE
from staplecfg.pki.digests import BY_OID, SHA1
from staplecfg.pki.scheme import scheme
from staplecfg.pki.times import unusual

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cryptography.x509 import Certificate

    from staplecfg.model.staple import Staple
    from staplecfg.pki.response import Basic, Single

MOST_SERVED = 10_240
"""mod_ssl (MAX_STAPLING_DER) and Traffic Server staple nothing longer."""


def oddities(
    staple: Staple, basic: Basic, about: Sequence[Single], leaf: Certificate
) -> Iterator[str]:
    """Yield a warning for each thing that is odd in `basic`, whose answers `about` are good."""
    yield from unusual(staple.this_update, staple.next_update, _end(leaf))
    if len(staple.der) > MOST_SERVED:
        yield f"it is {len(staple.der)} bytes long, mod_ssl staples at most {MOST_SERVED}"
    if len(basic.singles) > 1:
        yield f"it holds {len(basic.singles)} answers, HAProxy refuses more than one"
    # Accepted all the same: RFC 9919 wants SHA-256, and clients that look up
    # by SHA-1 alone are no worse off than without a staple.
    if not any(BY_OID.get(single.certid.hash_oid) is SHA1 for single in about):
        yield "it names the certificate by no SHA-1 hash, many clients will not find their answer"
    if _is_sha1_signed(basic):
        yield "it is signed with SHA-1, most clients refuse it"


def _end(leaf: Certificate) -> datetime | None:
    try:
        return leaf.not_valid_after_utc
    except UNREADABLE:
        return None


def _is_sha1_signed(basic: Basic) -> bool:
    return scheme(basic.algorithm).digest == SHA1.name
