"""Facts from a text: an Apache configuration, its files, and what else a rule may look at.

    observed = facts(conf(CACHE, vhost("SSLUseStapling on")), {"/etc/ssl/shop.pem": SHOP})
    assert told("fetch-during-handshake", observed) == ["7: httpd fetches ..."]

The main file's lines are known: `conf` has `Listen 443` in line 1 and what is handed
in from line 2 on; the lines of a `vhost` are `<VirtualHost>`, `ServerName`,
`SSLEngine on`, `SSLCertificateFile`, and what is handed in.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.checks.registry import GENERAL_RULES, run
from staplecfg.loading import certificates
from staplecfg.model.facts import Facts, Record, Running, Stored
from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.installation import Installation
from staplecfg.model.settings import Settings
from staplecfg.model.staple import Staple
from staplecfg.model.templates import Templates
from staplecfg.servers.apache.dialect import DIALECT
from staplecfg.servers.apache.rules.registry import APACHE_RULES
from tests.support.authority import Issued
from tests.support.facts import NOW, SHOP_PEM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.facts import Attempts
    from staplecfg.model.finding import Finding

MAIN = PurePosixPath("/etc/apache2/apache2.conf")
STATIC = "core.c mod_so.c mod_watchdog.c http_core.c mod_log_config.c mod_version.c mod_unixd.c"
"""What Debian's binary says of itself."""
ON = "SSLUseStapling on"
CACHE = "SSLStaplingCache shmcb:ssl_stapling(131072)"
RULES = (*GENERAL_RULES, *APACHE_RULES)


def vhost(
    *lines: str,
    name: str = "shop.example",
    certificate: str = SHOP_PEM,
    engine: str = "on",
) -> str:
    """Return a virtual host, a directive a line."""
    given = (f"ServerName {name}", f"SSLEngine {engine}", f"SSLCertificateFile {certificate}")
    inner = (f"    {line}" for line in (*given, *lines))
    return "\n".join(["<VirtualHost *:443>", *inner, "</VirtualHost>"])


def conf(*parts: str) -> str:
    """Return a main file."""
    return "\n".join(["Listen 443", *parts, ""])


def facts(
    text: str,
    files: Mapping[str, bytes | Issued],
    *,
    version: tuple[int, ...] = (2, 4, 71),
    static: str | None = STATIC,
    settings: Settings | None = None,
    stored: Mapping[Issued, Stored | Staple] | None = None,
    attempts: Mapping[Issued, Attempts] | None = None,
    record: Record | None = None,
) -> Facts:
    """Return the facts of a machine whose apache2.conf is `text`; `static` None is unknown."""
    contents = {p: c.fullchain if isinstance(c, Issued) else c for p, c in files.items()}
    disk = MemoryFilesystem.of({str(MAIN): text.encode(), **contents})
    details = {} if static is None else {"static-modules": static}
    installation = Installation(
        "apache", None, version, "Apache/2.4.71", MAIN, PurePosixPath("/etc/apache2"), details
    )
    settings = settings or Settings(server="apache")
    configuration = DIALECT.configuration(disk, installation, settings)
    return Facts(
        now=NOW,
        settings=settings,
        files=disk,
        installation=installation,
        configuration=configuration,
        templates=Templates({}),
        chains=certificates.chains(disk, configuration.sites, ()),
        roots=(),
        private_roots=(),
        stored={
            issued.sha256: Stored(one) if isinstance(one, Staple) else one
            for issued, one in (stored or {}).items()
        },
        attempts={issued.sha256: one for issued, one in (attempts or {}).items()},
        resolvers=(),
        running=Running(None),
        record=record or Record(),
    )


def findings(rule: str, observed: Facts) -> tuple[Finding, ...]:
    """Return what the rule with this id finds, as `check` would show it."""
    (known,) = [one for one in RULES if one.id == rule]
    return run([known], observed)


def told(rule: str, observed: Facts) -> list[str]:
    """Return the lines in the main file and the problems that the rule finds there."""
    return [_place(one) + one.problem for one in findings(rule, observed)]


def hints(rule: str, observed: Facts) -> list[str | None]:
    """Return what the rule says there is to do."""
    return [one.hint for one in findings(rule, observed)]


def _place(finding: Finding) -> str:
    where = finding.location
    return f"{where.line}: " if where.path == MAIN else f"{where}: "
