"""The site key: the name of a site's directory in state, made of its certificate paths alone.

Not of the real path, for `live/` moves at every renewal; not of the certificate,
for then `/etc` would change with it. The rule is a promise to whoever writes the
include line with a configuration manager: docs/site-key.md.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staplecfg.model.site import Site

LONGEST_SLUG = 48
DIGITS = 8

ODD = re.compile(rb"[^a-z0-9._-]+")


def of(site: Site) -> str:
    """Return the key of `site`, whatever way its staples come."""
    return site_key(
        [str(one.path) if one.path is not None else one.text for one in site.certificates]
    )


def site_key(paths: Sequence[str]) -> str:
    """Return the key of a site whose certificates are `paths`, in the order configured."""
    first = PurePosixPath(paths[0]) if paths else PurePosixPath()
    name = f"{first.parent.name}-{first.stem}".encode("utf-8", "surrogateescape")
    # bytes.lower() knows ASCII only, as every language's rule can be made to.
    slug = ODD.sub(b"-", name.lower())[:LONGEST_SLUG].decode("ascii")
    digest = hashlib.sha256("\n".join(paths).encode("utf-8", "surrogateescape"))
    return f"{slug}-{digest.hexdigest()[:DIGITS]}"
