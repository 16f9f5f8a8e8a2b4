"""nginx's commands as data, and what its binary says of itself. Its relatives are nginx too."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.installation import Installation
from staplecfg.servers.interface import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.finding import Finding
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Configuration
    from staplecfg.servers.interface import Commands

# nginx, openresty/1.25.3.1, Tengine/3.1.0, Angie/1.11.0, freenginx/1.27.0
_BANNER = re.compile(
    r"^(?:nginx|tengine|angie|freeangie|freenginx|openresty) version: (?P<banner>\S+/\S+.*?)\s*$",
    re.MULTILINE | re.IGNORECASE,
)

# Tengine and Angie say which nginx they are on a line of their own or, older
# Tengine, in parentheses; OpenResty puts it before its own number.
_CORE = re.compile(r"(?:nginx|openresty)/(\d+\.\d+\.\d+)")
_BUILT_WITH = re.compile(r"^(?:built|running) with (.+?)\s*$", re.MULTILINE)
_ARGUMENTS = re.compile(r"^configure arguments:(.*)$", re.MULTILINE)

TEST_COMMAND = "test-command"
RELOAD_COMMAND = "reload-command"
"""Details that hold what the settings say in place of nginx's own commands, as for a shell."""

BUILT_WITH = "built-with"
"""The detail that names the TLS library: `OpenSSL 3.0.17 1 Jul 2025`, `BoringSSL`."""

_PACKAGED = {"prefix": "/etc/nginx", "conf-path": "/etc/nginx/nginx.conf"}
"""Where distributions keep it: for a binary that cannot be asked, under another root."""

_COMPILED_IN = {"prefix": "/usr/local/nginx", "conf-path": "conf/nginx.conf"}
"""nginx's own defaults (auto/options), where its configure arguments are silent."""


@dataclass(frozen=True, slots=True)
class NginxCommands:
    """How nginx is asked about itself, tested and reloaded."""

    @property
    def programs(self) -> tuple[str, ...]:
        """See `Commands.programs`."""
        return ("nginx",)

    def main_files(self, settings: Settings) -> tuple[PurePosixPath, ...]:
        """See `Commands.main_files`."""
        return (_installation("", (), _PACKAGED, settings, None).config,)

    def describe(self, settings: Settings) -> tuple[Command, ...]:
        """See `Commands.describe`."""
        return (Command((str(settings.binary or self.programs[0]), "-V")),)

    def installation(
        self,
        outputs: Sequence[str],
        settings: Settings,
        binary: PurePosixPath | None,
        files: Filesystem,  # noqa: ARG002 - nginx has no environment to read
    ) -> Installation:
        """See `Commands.installation`."""
        output = "".join(outputs)
        if binary is None and not output.strip():
            return _installation("", (), _PACKAGED, settings, None)
        banner = _BANNER.search(output)
        if banner is None:
            first = output.strip().partition("\n")[0]
            raise NotUnderstood(
                f'{binary or "nginx"} -V does not say which nginx it is: "{first}"',
                hint="name nginx's binary with --binary",
            )
        core = _CORE.search(output)
        version = tuple(map(int, core[1].split("."))) if core is not None else ()
        details = {**_COMPILED_IN, **_configured(output)}
        return _installation(banner["banner"], version, details, settings, binary)

    def notes(
        self,
        installation: Installation,  # noqa: ARG002 - its own words are all there is
        settings: Settings,  # noqa: ARG002
        files: Filesystem,  # noqa: ARG002
    ) -> tuple[Finding, ...]:
        """See `Commands.notes`."""
        return ()

    def test(self, installation: Installation) -> Command:
        """See `Commands.test`."""
        return _command(installation, TEST_COMMAND, "-t")

    def reload(self, installation: Installation) -> Command:
        """See `Commands.reload`."""
        return _command(installation, RELOAD_COMMAND, "-s", "reload")

    def start(self, installation: Installation) -> Command:
        """See `Commands.start`."""
        return _own(installation)

    def stop(self, installation: Installation) -> Command:
        """See `Commands.stop`."""
        return _own(installation, "-s", "quit")

    def evidence(self, installation: Installation) -> Command | None:  # noqa: ARG002 - see there
        """See `Commands.evidence`: the second reader is crossplane."""
        return None

    def started_otherwise(
        self,
        argv: Sequence[str],  # noqa: ARG002 - it writes its title over them
        installation: Installation,  # noqa: ARG002
    ) -> tuple[str, str] | None:
        """See `Commands.started_otherwise`."""
        return None

    def bears(self, installation: Installation) -> PurePosixPath | None:  # noqa: ARG002 - see there
        """See `Commands.bears`."""
        return None

    def pid_file(self, configuration: Configuration, installation: Installation) -> PurePosixPath:
        """See `Commands.pid_file`."""
        written = configuration.globals.get("pid", ())
        said = next((each.args[0] for each in written if each.args), None)
        return installation.prefix / (
            said or installation.details.get("pid-path", "logs/nginx.pid")
        )


COMMANDS: Commands = NginxCommands()


def _installation(
    banner: str,
    version: tuple[int, ...],
    details: dict[str, str],
    settings: Settings,
    binary: PurePosixPath | None,
) -> Installation:
    prefix = settings.prefix or PurePosixPath(details["prefix"])
    # nginx makes both relative to the prefix: its own path, and that of -c.
    config = prefix / (settings.config or details["conf-path"])
    own = {
        TEST_COMMAND: shlex.join(settings.test_command),
        RELOAD_COMMAND: shlex.join(settings.reload_command),
    }
    chosen = {name: command for name, command in own.items() if command}
    return Installation("nginx", binary, version, banner, config, prefix, {**details, **chosen})


def _configured(output: str) -> dict[str, str]:
    """Return the configure arguments, by name without dashes; flags have an empty value."""
    details: dict[str, str] = {}
    built_with = _BUILT_WITH.search(output)
    if built_with is not None:
        details[BUILT_WITH] = built_with[1]
    arguments = _ARGUMENTS.search(output)
    for argument in _split(arguments[1]) if arguments is not None else ():
        name, _, value = argument.lstrip("-").partition("=")
        details[name] = value
    return details


def _split(arguments: str) -> list[str]:
    try:
        return shlex.split(arguments)
    except ValueError:
        # configure does not escape what it was given; paths have no quotes in them.
        return arguments.split()


def _command(installation: Installation, chosen: str, *action: str) -> Command:
    if chosen in installation.details:
        return Command(tuple(shlex.split(installation.details[chosen])))
    return _own(installation, *action)


def _own(installation: Installation, *action: str) -> Command:
    if installation.binary is None:
        raise ValueError("nothing is executed under another root")
    # Both always: whoever started the server may have given them, and without
    # them -s reload would signal another one.
    prefix, config = str(installation.prefix), str(installation.config)
    return Command((str(installation.binary), *action, "-p", prefix, "-c", config))
