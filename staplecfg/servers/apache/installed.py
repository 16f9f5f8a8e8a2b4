"""What Apache's binary says of itself, with what its distribution starts it with."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.installation import Installation
from staplecfg.servers.apache.environment import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.settings import Settings

NAME = "apache"

HTTPD_ROOT = "HTTPD_ROOT"
CONFIG_FILE = "SERVER_CONFIG_FILE"
"""Details by the names -V has for what is compiled in: ServerRoot, and the main file in it."""
STATIC_MODULES = "static-modules"
"""The detail that names the modules that are compiled in, as `-l` does: `core.c mod_so.c`."""
LOADABLE_MODULES = "loadable-modules"
"""The detail that names the modules that need a `LoadModule`, where the others are not known."""
DEFINES = "defines"
"""The detail that holds the names given by -D, between blanks: `SSL`, or `NAME=VALUE`."""
VARIABLE = "env:"
"""What begins the details that are the service's environment variables: `env:APACHE_RUN_DIR`."""
PID_FILE = "pid-file"
"""The detail that says where the pid file is if no directive does."""
TEST_COMMAND = "test-command"
RELOAD_COMMAND = "reload-command"
"""Details that hold what the settings say in place of Apache's own commands, as for a shell."""

OLDEST = (2, 4)

_BANNER = re.compile(
    r"^Server version: (?P<banner>Apache/(?P<version>[\d.]+).*?)\s*$", re.MULTILINE
)
_COMPILED = re.compile(r'^ -D (?P<name>[A-Z_]+)="(?P<value>.*)"$', re.MULTILINE)
_MODULE = re.compile(r"^\s+(\w+\.c)$", re.MULTILINE)

LAYOUTS = (
    ("/etc/apache2/apache2.conf", "/etc/apache2", "/var/run/apache2/apache2.pid"),
    ("/etc/httpd/conf/httpd.conf", "/etc/httpd", "run/httpd.pid"),
    ("/etc/apache2/httpd.conf", "/etc/apache2", "/run/apache2.pid"),
    ("/usr/local/apache2/conf/httpd.conf", "/usr/local/apache2", "logs/httpd.pid"),
)
"""Main file, ServerRoot and pid file of Debian, Red Hat, Gentoo with SUSE and Alpine, upstream:
for a machine whose binary cannot be asked."""


def described(
    version: str,
    compiled_in: str,
    settings: Settings,
    binary: PurePosixPath,
    files: Filesystem,
) -> Installation:
    """Read what `binary` prints for -V and for -l; raises `NotUnderstood` where it is no Apache."""
    banner = _BANNER.search(version)
    if banner is None:
        first = version.strip().partition("\n")[0]
        raise NotUnderstood(
            f'{binary} -V does not say which Apache it is: "{first}"',
            hint="name Apache's binary with --binary",
        )
    numbers = tuple(int(part) for part in banner["version"].split(".") if part)
    if numbers < OLDEST:
        raise NotUnderstood(
            f"{binary} is {banner['banner']}, which is older than Apache 2.4",
            hint="stapling came with 2.4; name another binary with --binary",
        )
    said = {match["name"]: match["value"] for match in _COMPILED.finditer(version)}
    details = {
        HTTPD_ROOT: said.get(HTTPD_ROOT, "/usr/local/apache2"),
        CONFIG_FILE: said.get(CONFIG_FILE, "conf/httpd.conf"),
        PID_FILE: said.get("DEFAULT_PIDLOG", "logs/httpd.pid"),
        STATIC_MODULES: " ".join(_MODULE.findall(compiled_in)),
    }
    return _installation(banner["banner"], numbers, details, settings, binary, files)


def packaged(settings: Settings, files: Filesystem) -> Installation:
    """Return what the main file that is there says of the layout, where nothing is executed."""
    known = {PurePosixPath(main): (root, pid) for main, root, pid in LAYOUTS}
    there = (main for main in known if files.exists(main))
    main = settings.config or next(there, next(iter(known)))
    root, pid = known.get(main, (str(main.parent), "logs/httpd.pid"))
    details = {HTTPD_ROOT: root, CONFIG_FILE: str(main), PID_FILE: pid}
    # Debian's: what has a file by which it is loaded is not compiled in.
    there = (PurePosixPath(name) for name in files.listing(main.parent / "mods-available"))
    details[LOADABLE_MODULES] = " ".join(each.stem for each in there if each.suffix == ".load")
    return _installation("", (), details, settings, None, files)


def _installation(
    banner: str,
    version: tuple[int, ...],
    details: Mapping[str, str],
    settings: Settings,
    binary: PurePosixPath | None,
    files: Filesystem,
) -> Installation:
    prefix = settings.prefix or _root(settings, details, files)
    # httpd makes both relative to the ServerRoot of -d: its own path, and that of -f.
    config = prefix / (settings.config or details[CONFIG_FILE])
    started = environment(files, config, prefix, settings.apache.envvars)
    own = {
        TEST_COMMAND: shlex.join(settings.test_command),
        RELOAD_COMMAND: shlex.join(settings.reload_command),
        DEFINES: " ".join(dict.fromkeys((*started.defines, *settings.apache.defines))),
    }
    chosen = {name: value for name, value in own.items() if value}
    variables = {f"{VARIABLE}{name}": value for name, value in started.variables.items()}
    return Installation(
        NAME, binary, version, banner, config, prefix, {**details, **variables, **chosen}
    )


def _root(settings: Settings, details: Mapping[str, str], files: Filesystem) -> PurePosixPath:
    """Return the ServerRoot: of Debian's further instances, the directory with their envvars."""
    default = PurePosixPath(details[HTTPD_ROOT])
    config = settings.config
    if config is None or config.name != PurePosixPath(details[CONFIG_FILE]).name:
        return default
    return config.parent if files.exists(config.parent / "envvars") else default
