"""Plans for Apache machines that exist in memory, and the machines as the plans leave them.

`debian()` is a small tree of Debian's shape; `machine` takes any.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.loading import certificates
from staplecfg.model.facts import Facts, Record, Running, Stored
from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.installation import Installation
from staplecfg.model.plan import Goal, Plan
from staplecfg.model.settings import Settings
from staplecfg.model.staple import Staple
from staplecfg.planning import planner, record, targets
from staplecfg.servers.apache.server import APACHE
from tests.support.authority import Issued
from tests.support.facts import NOW, SHOP, SHOP_PEM, staple
from tests.support.planned import RECORD, STATE_DIR, after, shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.change import Change

DEBIAN = PurePosixPath("/etc/apache2/apache2.conf")
STATIC = "core.c mod_so.c mod_watchdog.c http_core.c mod_log_config.c mod_version.c mod_unixd.c"
SITE = "/etc/apache2/sites-available/shop.conf"
CONF = PurePosixPath("/etc/apache2/conf-available/staplecfg.conf")
LINK = PurePosixPath("/etc/apache2/conf-enabled/staplecfg.conf")
OWNED = Running(4121, unit="apache2.service", systemd=True)
MODULES = ("ssl", "socache_shmcb", "md")
_MAIN = """\
User www-data
IncludeOptional mods-enabled/*.load
IncludeOptional mods-enabled/*.conf
Listen 443
IncludeOptional conf-enabled/*.conf
IncludeOptional sites-enabled/*.conf
"""


def vhost(*lines: str, name: str = "shop.example", certificate: str = SHOP_PEM) -> str:
    given = (f"ServerName {name}", "SSLEngine on", f"SSLCertificateFile {certificate}", *lines)
    return "\n".join(
        ["<VirtualHost *:443>", *(f"    {line}" for line in given), "</VirtualHost>\n"]
    )


def debian(
    site: str,
    *,
    more: Mapping[str, str | bytes | Issued] | None = None,
    enabled: tuple[str, ...] = ("ssl", "socache_shmcb"),
    main: str = _MAIN,
    **facts: object,
) -> Facts:
    """Return a machine of Debian's shape, with one file of `site`s."""
    files: dict[str, str | bytes | Issued] = {str(DEBIAN): main, SITE: site, SHOP_PEM: SHOP}
    links = {"/etc/apache2/sites-enabled/shop.conf": "../sites-available/shop.conf"}
    for name in MODULES:
        path = f"/etc/apache2/mods-available/{name}.load"
        files[path] = f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
    for name in enabled:
        links[f"/etc/apache2/mods-enabled/{name}.load"] = f"../mods-available/{name}.load"
    return machine({**files, **(more or {})}, links=links, **facts)  # type: ignore[arg-type]  # a test names them


def machine(
    files: Mapping[str, str | bytes | Issued],
    *,
    main: PurePosixPath = DEBIAN,
    prefix: PurePosixPath | None = None,
    links: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    stored: Mapping[Issued, Stored | Staple] | None = None,
    version: tuple[int, ...] = (2, 4, 71),
    running: Running = OWNED,
) -> Facts:
    """Return the facts of a machine that holds `files`; its record is read from them."""
    contents = {path: _bytes(content) for path, content in files.items()}
    disk = MemoryFilesystem.of(contents, links)
    installation = Installation(
        "apache",
        PurePosixPath("/usr/sbin/apache2"),
        version,
        "Apache/2.4.71",
        main,
        prefix or main.parent,
        {"static-modules": STATIC},
    )
    given = {SHOP: staple(SHOP)} if stored is None else stored
    blank = Facts(
        now=NOW,
        settings=settings or Settings(server="apache"),
        files=disk,
        installation=installation,
        configuration=APACHE.dialect.configuration(disk, installation, Settings()),
        templates=shipped(),
        chains={},
        roots=(),
        private_roots=(),
        stored={
            issued.sha256: Stored(held) if isinstance(held, Staple) else held
            for issued, held in given.items()
        },
        attempts={},
        resolvers=(),
        running=running,
        record=Record(),
    )
    return again(blank, disk)


def again(seen: Facts, files: MemoryFilesystem) -> Facts:
    """Return what is observed of `files` on the machine of `seen`."""
    configuration = APACHE.dialect.configuration(files, seen.installation, seen.settings)
    kept = files.files.get(PurePosixPath(RECORD))
    return replace(
        seen,
        files=files,
        configuration=configuration,
        chains=certificates.chains(files, configuration.sites, ()),
        record=record.decode(kept) if kept else Record(),
        targets=targets.load(files, STATE_DIR),
    )


def plan(seen: Facts, goal: Goal = Goal.PRESENT) -> Plan:
    return planner.plan(seen, APACHE, goal, warm_command=("/usr/bin/staplecfg", "warm"))


def carried_out(seen: Facts, goal: Goal = Goal.PRESENT) -> Facts:
    return again(seen, after(seen, plan(seen, goal)))


def with_files(
    seen: Facts,
    files: Mapping[str, str | bytes | None],
    links: Mapping[str, str | None] | None = None,
) -> Facts:
    """Return the machine of `seen` after somebody wrote `files` and `links`; None takes away."""
    assert isinstance(seen.files, MemoryFilesystem)
    contents, known = dict(seen.files.files), dict(seen.files.links)
    for path, content in files.items():
        contents.pop(PurePosixPath(path), None)
        if content is not None:
            contents[PurePosixPath(path)] = _bytes(content)
    for path, target in (links or {}).items():
        known.pop(PurePosixPath(path), None)
        if target is not None:
            known[PurePosixPath(path)] = target
    return again(seen, MemoryFilesystem(contents, known))


def in_etc(made: Plan) -> list[str]:
    """Return what becomes of which path in /etc/apache2, in the order of the plan."""
    return [f"{each.op} {each.path}" for each in made.changes if _configures(each)]


def tree(seen: Facts) -> object:
    """Return every file and link outside the state directory and systemd's."""
    assert isinstance(seen.files, MemoryFilesystem)
    ours = (str(STATE_DIR), "/etc/systemd")
    return (
        {p: d for p, d in seen.files.files.items() if not str(p).startswith(ours)},
        {p: d for p, d in seen.files.links.items() if not str(p).startswith(ours)},
    )


def _configures(change: Change) -> bool:
    return str(change.path).startswith(("/etc/apache2", "/etc/httpd", "/usr/local/apache2"))


def _bytes(content: str | bytes | Issued) -> bytes:
    if isinstance(content, Issued):
        return content.fullchain
    return content.encode() if isinstance(content, str) else content
