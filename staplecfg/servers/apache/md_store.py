"""mod_md's store of OCSP responses: where it is, whose, and how a response stands in it.

A file for each certificate, `<store>/ocsp/other/ocsp-<SHA-1 of its DER>.json`, read
at every start and reload and written anew by mod_md's own renewals (mod_md 2.6,
md_ocsp.c). mod_md verifies nothing that it finds there.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from email.utils import format_datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.servers.apache.managed import domains, server_root, stores

if TYPE_CHECKING:
    from staplecfg.model.site import Configuration
    from staplecfg.model.staple import Staple

UNMANAGED = PurePosixPath("ocsp/other")
"""Where the responses of certificates are that mod_md does not manage."""

DIRECTORY = PurePosixPath("apache/md")
"""Our own store, in the state directory: for where mod_md has none."""


def own(state_dir: PurePosixPath) -> PurePosixPath:
    """Return the store that we name where nobody else has named one."""
    return state_dir / DIRECTORY


def store(configuration: Configuration, state_dir: PurePosixPath) -> PurePosixPath:
    """Return the store in effect, or the one that we would put into effect.

    A relative one counts from ServerRoot. One that manages domains without
    naming its store has it in `md` there.
    """
    root = server_root(configuration, configuration.main.parent)
    named = [each.args[0] for each in stores(configuration) if each.args]
    if named:
        return root / named[-1]
    return root / "md" if domains(configuration) else own(state_dir)


def user(configuration: Configuration) -> str | None:
    """Return the name or `#number` of the user that httpd's processes run as, None if unsaid."""
    said = [each.args[0] for each in configuration.globals.get("User", ()) if each.args]
    return said[-1] if said else None


def path(directory: PurePosixPath, leaf: bytes) -> PurePosixPath:
    """Return the file in the store `directory` that is about the certificate of DER `leaf`."""
    name = hashlib.sha1(leaf, usedforsecurity=False).hexdigest()
    return directory / UNMANAGED / f"ocsp-{name}.json"


def written(staple: Staple) -> bytes:
    """Return `staple` as mod_md reads it: base64 for URLs without padding, dates of RFC 7231."""
    encoded = urlsafe_b64encode(staple.der).rstrip(b"=").decode("ascii")
    valid = {
        "from": format_datetime(staple.this_update, usegmt=True),
        "until": format_datetime(staple.expires, usegmt=True),
    }
    body = {"response": encoded, "status": staple.status.value, "valid": valid}
    return json.dumps(body, indent=2).encode("ascii") + b"\n"


def response(data: bytes) -> bytes | None:
    """Return the DER response in a file of the store; None where mod_md could use none of it."""
    try:
        body = json.loads(data)
        encoded = body["response"]
        return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return None
