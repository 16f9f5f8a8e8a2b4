"""Facts from a text: an nginx configuration, its files, and what else a rule may look at.

    observed = facts(http(server("ssl_stapling on;")), {"/etc/ssl/shop.pem": SHOP})
    assert told("lazy-gap", observed) == ["7: nginx fetches ..."]

The main file's lines are known: `http(server(...))` opens the server block in
line 3, has `ssl_certificate` in line 6 and what is handed in from line 7 on.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.checks.registry import GENERAL_RULES, run
from staplecfg.model.chain import NoChain
from staplecfg.model.errors import Unreadable
from staplecfg.model.facts import Attempts, Facts, Record, Running, Stored
from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.installation import Installation
from staplecfg.model.settings import Settings
from staplecfg.model.staple import CertStatus, Staple
from staplecfg.model.templates import Templates
from staplecfg.pki.chain import read_chain, with_issuer
from staplecfg.servers.nginx.dialect import DIALECT
from staplecfg.servers.nginx.rules.registry import NGINX_RULES
from tests.support.authority import Authority, Issued

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cryptography.x509 import Certificate

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import ResolverAnswer
    from staplecfg.model.finding import Finding
    from staplecfg.model.site import Configuration

NOW = datetime(2026, 1, 22, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
MAIN = PurePosixPath("/etc/nginx/nginx.conf")
STATE = "/var/lib/staplecfg/nginx"

AUTHORITY = Authority.create()
SHOP = AUTHORITY.leaf(["shop.example"], responders=["http://ocsp.example/"])
BLOG = AUTHORITY.leaf(["blog.example"], responders=["http://ocsp.example/"])
STRICT = AUTHORITY.leaf(["shop.example"], responders=["http://ocsp.example/"], must_staple=True)
PLAIN = AUTHORITY.leaf(["shop.example"])

SHOP_PEM = "/etc/ssl/shop.pem"
RULES = (*GENERAL_RULES, *NGINX_RULES)


def server(
    *lines: str,
    name: str = "shop.example",
    certificate: str = SHOP_PEM,
    listen: str = "443 ssl",
) -> str:
    """Return a server block, a directive a line."""
    given = (f"listen {listen};", f"server_name {name};", f"ssl_certificate {certificate};")
    return "\n".join(["server {", *(f"    {line}" for line in (*given, *lines)), "}"])


def http(*parts: str, context: str = "http") -> str:
    """Return a main file with `parts` in one `http` block."""
    return "\n".join(["events {}", f"{context} {{", *parts, "}", ""])


def facts(
    text: str,
    files: Mapping[str, bytes | Issued],
    *,
    version: tuple[int, ...] = (1, 22, 1),
    settings: Settings | None = None,
    roots: Iterable[Certificate] = (),
    stored: Mapping[Issued, Stored | Staple] | None = None,
    attempts: Mapping[Issued, Attempts] | None = None,
    resolvers: Iterable[ResolverAnswer] = (),
    record: Record | None = None,
    now: datetime = NOW,
) -> Facts:
    """Return the facts of a machine whose nginx.conf is `text`."""
    contents = {path: _bytes(content) for path, content in files.items()}
    disk = MemoryFilesystem.of({str(MAIN): text.encode(), **contents})
    installation = Installation(
        "nginx", None, version, "nginx", MAIN, PurePosixPath("/usr/share/nginx"), {}
    )
    settings = settings or Settings()
    configuration = DIALECT.configuration(disk, installation, settings)
    roots = tuple(roots)
    return Facts(
        now=now,
        settings=settings,
        files=disk,
        installation=installation,
        configuration=configuration,
        templates=Templates({}),
        chains=_chains(configuration, disk, roots),
        roots=roots,
        private_roots=(),
        stored={
            issued.sha256: Stored(one) if isinstance(one, Staple) else one
            for issued, one in (stored or {}).items()
        },
        attempts={issued.sha256: one for issued, one in (attempts or {}).items()},
        resolvers=tuple(resolvers),
        running=Running(None),
        record=record or Record(),
    )


def staple(
    issued: Issued,
    *,
    age: timedelta = DAY,
    life: timedelta = 7 * DAY,
    responder_expires: datetime | None = None,
) -> Staple:
    """Return a good staple that is `age` old at `NOW`, out of `life`."""
    begins = NOW - age
    return Staple(
        der=b"",
        fingerprint=issued.sha256,
        serial=issued.cert.serial_number,
        status=CertStatus.GOOD,
        produced_at=begins,
        this_update=begins,
        next_update=begins + life,
        responder_expires=responder_expires,
        signer="CN=Honest Intermediate",
    )


def tried(issued: Issued, **what: object) -> Attempts:
    """Return what asking for `issued` has come to."""
    return Attempts(issued.sha256, **what)  # type: ignore[arg-type]  # a test names the fields


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


def _bytes(content: bytes | Issued) -> bytes:
    return content.fullchain if isinstance(content, Issued) else content


def _chains(
    configuration: Configuration, disk: MemoryFilesystem, roots: tuple[Certificate, ...]
) -> dict[PurePosixPath, Chain | NoChain]:
    paths = {c.path for site in configuration.sites for c in site.certificates if c.path}
    return {path: _chain(path, disk, roots) for path in paths}


def _chain(
    path: PurePosixPath, disk: MemoryFilesystem, roots: tuple[Certificate, ...]
) -> Chain | NoChain:
    try:
        chain = read_chain(disk.read(path), path)
    except Unreadable as error:
        return NoChain(path, error.problem)
    return chain if isinstance(chain, NoChain) else with_issuer(chain, roots)
