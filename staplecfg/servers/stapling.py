"""What a site does about stapling, whoever wrote it: the same questions for every server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePosixPath

    from staplecfg.model.site import Setting


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in which the server keeps the response about one certificate, and serves it from.

    `response` returns the DER response in the file's bytes, or None where the
    server could use none of it.
    """

    path: PurePosixPath
    response: Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class Stapling:
    """The stapling directives in effect in one site, as the server takes them.

    `on` is what `switch` comes to, or the server's default. `responder` is asked
    in the place of the certificates' own. `file` and `path` are the response
    that is served as it is. `withdrawn` says that it is our own hand that keeps
    staples back, until there is one.
    """

    switch: Setting | None
    on: bool
    responder: Setting | None = None
    file: Setting | None = None
    path: PurePosixPath | None = None
    withdrawn: bool = False
    inert: bool = False
    """No handshake here could ever carry a staple, whatever is set."""
    module: Setting | None = None
    """What hands stapling to a module that keeps responses itself (Apache: mod_md)."""

    @property
    def fetches(self) -> bool:
        """Say whether the server asks a responder itself."""
        return self.on and self.file is None and not self.withdrawn and not self.inert

    @property
    def decided_off(self) -> Setting | None:
        """Return the directive that turns stapling off in words, or None."""
        return None if self.on else self.switch
