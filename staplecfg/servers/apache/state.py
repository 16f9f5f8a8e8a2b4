"""What httpd knows at the place it has read up to: conditions and variables depend on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.servers.apache.globs import absolute
from staplecfg.servers.apache.modules import Modules
from staplecfg.servers.apache.variables import Variables

if TYPE_CHECKING:
    from staplecfg.model.directive import Directive
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.installation import Installation
    from staplecfg.servers.apache.macros import Macro

TELLING = frozenset({"Define", "UnDefine", "LoadModule", "LoadFile", "ServerRoot"})
"""Carried out at once, and of interest to whoever looks at the server as a whole."""

_MOST = {"Define": 2, "UnDefine": 1}


@dataclass(slots=True)
class State:
    """Changed by `Define`, `LoadModule`, `ServerRoot` and `<Macro>` while they are read.

    They do so at once, in whatever section they stand, and for all that follows.
    """

    files: Filesystem
    version: tuple[int, ...]
    server_root: PurePosixPath
    variables: Variables
    modules: Modules
    macros: dict[str, Macro] = field(default_factory=dict)
    """By name in lower case."""

    @classmethod
    def of(cls, files: Filesystem, installation: Installation) -> State:
        """Return what holds before the first line of the main file."""
        return cls(
            files,
            installation.version,
            installation.prefix,
            Variables.of(installation.details),
            Modules.of(
                installation.details.get("static-modules"),
                installation.details.get("loadable-modules", ""),
            ),
        )

    def learn(self, directive: Directive) -> bool:
        """Carry out one of `TELLING`; False where httpd would refuse it, and nothing is changed."""
        name, args = directive.name, directive.args
        if name in _MOST:
            if not 1 <= len(args) <= _MOST[name] or ":" in args[0]:
                return False
            if name == "UnDefine":
                self.variables.undefine(args[0])
            else:
                self.variables.define(args[0], args[1] if len(args) > 1 else None)
        elif name == "LoadModule":
            if len(args) != 2:  # noqa: PLR2004 - identifier and path
                return False
            self.modules.load(*args)
        elif name == "ServerRoot":
            if len(args) != 1 or not args[0].startswith("/"):
                return False
            self.server_root = PurePosixPath(absolute(self.server_root, args[0]))
        return True
