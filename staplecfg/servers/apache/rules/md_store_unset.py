"""mod_md keeps its responses in a directory that nobody chose.

What: `MDStapling on` is in effect, and `MDStoreDir` is not set, or is relative.

Why: the default is `md` below ServerRoot, which is /etc/apache2/md on Debian: a
directory that a server writes to, in /etc, where no backup, no package and no
security profile expects it. A relative path counts from ServerRoot too.

Fix: name a directory for data, once, outside every virtual host. Not if mod_md
manages certificates already: they are in the directory in use, and httpd would
start without them (see md-store-moved). So nothing is said then.

Correct:

    MDStoreDir /var/lib/apache2/md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.managed import domains, server_root, stores
from staplecfg.servers.apache.rules.subjects import by_mod_md

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding where mod_md staples and its store is below ServerRoot."""
    module = next((setting for _, setting in by_mod_md(facts)), None)
    if module is None or domains(facts.configuration):
        return
    given = stores(facts.configuration)
    text = given[-1].args[0] if given else "md"
    if text.startswith("/"):
        return
    root = server_root(facts.configuration, facts.installation.prefix)
    problem = f"mod_md keeps its responses in {root / text}"
    hint = "add `MDStoreDir` with a directory for data, such as /var/lib/apache2/md"
    yield RULE.finding(given[-1].location if given else module.location, problem, hint)


RULE = Rule("md-store-unset", Severity.WARNING, __doc__ or "", check)
