"""What an `Include` line leads to, in the order httpd reads it, and the trouble on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from staplecfg.model.errors import Unreadable
from staplecfg.servers.apache import trouble
from staplecfg.servers.apache.globs import absolute, expand
from staplecfg.servers.apache.scan import walk as descend

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.model.source import Location
    from staplecfg.servers.apache.frame import Frame
    from staplecfg.servers.apache.sources import Sources, Text
    from staplecfg.servers.apache.state import State
    from staplecfg.servers.apache.trouble import Trouble

NAMES = ("Include", "IncludeOptional")

MOST = 128
"""AP_MAX_INCLUDE_DEPTH: how many includes may lead from one to the next."""


@dataclass(slots=True)
class Includes:
    """`patterns` are all arguments met so far, made absolute, and links to directories in them."""

    sources: Sources
    trouble: Trouble
    patterns: dict[str, None] = field(default_factory=dict)

    def texts(self, directive: Directive, frame: Frame, state: State) -> Iterator[Text]:
        """Yield what `directive` includes. Raises `Halt` where includes lead back without end."""
        at = frame.text.at(directive)
        if len(directive.args) != 1:
            self.trouble.blind(
                trouble.UNREADABLE,
                at,
                f"`{directive.name}` takes exactly one path",
                "name one path",
            )
            return
        if frame.includes == MOST:
            self.trouble.blind(
                trouble.CYCLE,
                at,
                f"includes {directive.args[0]}, from which this line itself is read",
                "httpd would read in circles and not start; take this include out",
            )
            raise trouble.Halt
        pattern = absolute(state.server_root, directive.args[0])
        self.patterns[pattern] = None
        optional = directive.name == "IncludeOptional"
        try:
            named = expand(self.sources.files, pattern, optional=optional)
        except Unreadable as error:
            self._unreadable(pattern, at, error)
            return
        self.patterns.update(dict.fromkeys(map(str, named.linked)))
        for path in named.paths:
            text = self._text(path, at)
            if text is not None:
                yield text
        if named.problem is not None:
            self._unreadable(pattern, at, Unreadable(named.problem))

    def passed_over(self, directives: Iterable[Directive], state: State) -> None:
        """Note the includes of a section that is not read: it may be, after the next change."""
        for each in descend(directives):
            if each.name in NAMES and each.args:
                text = each.args[0].encode("utf-8", "surrogateescape")
                wanted = state.variables.expand(text).decode("utf-8", "surrogateescape")
                self.patterns[absolute(state.server_root, wanted)] = None

    def _text(self, path: PurePosixPath, at: Location) -> Text | None:
        try:
            text = self.sources.included(path, at)
        except Unreadable as error:
            if error.problem != "is a directory":  # an empty one, and httpd is content
                self._unreadable(str(path), at, error)
            return None
        if text.trouble is not None:
            self.trouble.known(text.trouble)
        return text

    def _unreadable(self, wanted: str, at: Location, error: Unreadable) -> None:
        self.trouble.blind(
            trouble.UNREADABLE,
            at,
            f"includes {wanted}, which cannot be read: {error.problem}",
            error.hint or "httpd will not start; put the file there, or take the include out",
        )
