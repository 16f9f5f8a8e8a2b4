"""mod_md manages certificates, and looks for them where they are not.

What: there is an `MDomain`; the directory that `MDStoreDir` names holds no
domains, and another one that it named, or the default, does.

Why: the certificates, their keys and the account with the authority are in the
store. With another `MDStoreDir` mod_md finds none of them at the next reload: the
sites get a self-signed certificate and answer 503 until new ones are issued, if
they are. staplecfg never sets the line where there is an `MDomain`.

Fix: before anything reloads, put the old directory back, or move the store with
the server stopped:

    mv /etc/apache2/md /var/lib/apache2/md

Problematic:

    MDStoreDir /var/lib/apache2/md      # new, for stapling
    MDomain shop.example                # its certificate is in /etc/apache2/md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.errors import Unreadable
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.managed import domains, server_root, stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

DEFAULT = "md"
"""Relative to ServerRoot."""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding where the store in effect is empty and an earlier one is not."""
    given = stores(facts.configuration)
    if not given or not domains(facts.configuration):
        return
    root = server_root(facts.configuration, facts.installation.prefix)
    used = root / given[-1].args[0]
    others = [root / text for text in (*(s.args[0] for s in given), DEFAULT)]
    full = next((other for other in others if other != used and _holds(other, facts)), None)
    if full is not None and not _holds(used, facts):
        problem = f"mod_md looks for its certificates in {used}, and they are in {full}"
        hint = f"name {full} again, or move it to {used} while httpd is stopped"
        yield RULE.finding(given[-1].location, problem, hint)


def _holds(store: PurePosixPath, facts: Facts) -> bool:
    """Say whether there are domains in `store`; what may not be listed is taken to have some."""
    try:
        return bool(facts.files.listing(store / "domains"))
    except Unreadable:
        return True


RULE = Rule("md-store-moved", Severity.ERROR, __doc__ or "", check)
