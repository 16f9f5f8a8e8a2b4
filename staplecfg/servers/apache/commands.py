"""Apache's commands as data, and what its binary says of itself.

The binary itself is run, with the variables and flags of the service: a wrapper
(apachectl) differs by distribution, and some start the server for a word they
do not know. Without -t, `-D DUMP_...` starts it too (httpd 2.4), so no command
here has the one without the other.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.servers.apache.environment import environment, options
from staplecfg.servers.apache.installed import (
    DEFINES,
    LAYOUTS,
    PID_FILE,
    RELOAD_COMMAND,
    TEST_COMMAND,
    VARIABLE,
    described,
    packaged,
)
from staplecfg.servers.interface import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.finding import Finding
    from staplecfg.model.installation import Installation
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Configuration
    from staplecfg.servers.interface import Commands

EVIDENCE = ("DUMP_VHOSTS", "DUMP_INCLUDES", "DUMP_RUN_CFG")

_NOWHERE = PurePosixPath("/dev/null")


@dataclass(frozen=True, slots=True)
class ApacheCommands:
    """How Apache is asked about itself, tested, reloaded and started."""

    @property
    def programs(self) -> tuple[str, ...]:
        """See `Commands.programs`."""
        return ("apache2", "httpd")

    def main_files(self, settings: Settings) -> tuple[PurePosixPath, ...]:
        """See `Commands.main_files`."""
        named = (settings.config,) if settings.config is not None else ()
        return named or tuple(PurePosixPath(main) for main, *_ in LAYOUTS)

    def describe(self, settings: Settings) -> tuple[Command, ...]:
        """See `Commands.describe`.

        With a module for its processes to be loaded, -V reads a configuration:
        an empty one is quick, and ends in status 1 after all is said.
        """
        binary = str(settings.binary or self.programs[0])
        described = Command((binary, "-V", "-f", str(_NOWHERE)), good=frozenset({0, 1}))
        return (described, Command((binary, "-l")))

    def installation(
        self,
        outputs: Sequence[str],
        settings: Settings,
        binary: PurePosixPath | None,
        files: Filesystem,
    ) -> Installation:
        """See `Commands.installation`."""
        if binary is None:
            return packaged(settings, files)
        version, compiled_in, *_ = (*outputs, "", "")
        return described(version, compiled_in, settings, binary, files)

    def notes(
        self, installation: Installation, settings: Settings, files: Filesystem
    ) -> tuple[Finding, ...]:
        """See `Commands.notes`."""
        return environment(
            files, installation.config, installation.prefix, settings.apache.envvars
        ).findings

    def test(self, installation: Installation) -> Command:
        """See `Commands.test`: it runs no module's own start, so much passes that cannot start."""
        return _command(installation, TEST_COMMAND, "-t")

    def reload(self, installation: Installation) -> Command:
        """See `Commands.reload`."""
        return _command(installation, RELOAD_COMMAND, "-k", "graceful")

    def start(self, installation: Installation) -> Command:
        """See `Commands.start`."""
        return _own(installation, "-k", "start")

    def stop(self, installation: Installation) -> Command:
        """See `Commands.stop`: new connections are no longer accepted, the others end in peace."""
        return _own(installation, "-k", "graceful-stop")

    def evidence(self, installation: Installation) -> Command | None:
        """See `Commands.evidence`."""
        dumps = (word for name in EVIDENCE for word in ("-D", name))
        return _own(installation, "-t", *dumps)

    def started_otherwise(
        self, argv: Sequence[str], installation: Installation
    ) -> tuple[str, str] | None:
        """See `Commands.started_otherwise`: Apache leaves its arguments as they were given."""
        given = list(options(argv[1:]))
        defined = {value for option, value in given if option == "-D"}
        known = set(installation.details.get(DEFINES, "").split())
        if defined != known:
            hint = f"say so in the settings: apache.defines = {sorted(defined)!r}"
            return f"it runs with {_flags(defined)}, and is read with {_flags(known)}", hint
        said = next((each for each in given if each[0] in {"-C", "-c"}), None)
        if said is not None:
            hint = "put the directive into a configuration file, and start it without"
            return f"it was started with a directive on its command line: {said[1]}", hint
        return None

    def bears(self, installation: Installation) -> PurePosixPath | None:
        """See `Commands.bears`."""
        return installation.binary

    def pid_file(self, configuration: Configuration, installation: Installation) -> PurePosixPath:
        """See `Commands.pid_file`; a relative one counts from ServerRoot (2.4.71, tried)."""
        root = installation.prefix / _said(configuration, "ServerRoot", str(installation.prefix))
        default = installation.details.get(PID_FILE, "logs/httpd.pid")
        return root / _said(configuration, "PidFile", default)


COMMANDS: Commands = ApacheCommands()


def _flags(names: Iterable[str]) -> str:
    return " ".join(f"-D {name}" for name in sorted(names)) or "no -D"


def _said(configuration: Configuration, name: str, default: str) -> str:
    written = configuration.globals.get(name, ())
    return next((each.args[0] for each in reversed(written) if each.args), default)


def _command(installation: Installation, chosen: str, *action: str) -> Command:
    if chosen in installation.details:
        return Command(tuple(shlex.split(installation.details[chosen])))
    return _own(installation, *action)


def _own(installation: Installation, *action: str) -> Command:
    if installation.binary is None:
        raise ValueError("nothing is executed under another root")
    defines = installation.details.get(DEFINES, "").split()
    flags = (word for name in defines for word in ("-D", name))
    where = ("-d", str(installation.prefix), "-f", str(installation.config))
    variables = {
        name.removeprefix(VARIABLE): value
        for name, value in installation.details.items()
        if name.startswith(VARIABLE)
    }
    return Command((str(installation.binary), *action, *where, *flags), variables)
