"""The server blocks of one context that speak TLS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from staplecfg.model.finding import Finding, Severity
from staplecfg.model.site import Certificate, Listen, Site
from staplecfg.model.source import Location
from staplecfg.servers.nginx.listens import address, read_listen, share_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.site import Setting
    from staplecfg.servers.nginx.contexts import Placed

LISTEN_INVALID = "listen-invalid"

_NOT_A_FILE = ("data:", "engine:", "store:")

_HTTP_PORT = 80
"""Where an http server without `listen` listens, and a `listen` without a port (as root)."""


class Evaluated(NamedTuple):
    """A server block, and what is in effect in it."""

    opened: Placed
    settings: Mapping[str, tuple[Setting, ...]]

    @property
    def location(self) -> Location:
        """Where the block opens."""
        return Location(self.opened.source.path, self.opened.directive.line)

    def is_on(self, name: str) -> bool:
        """Say whether the flag `name` is on; nginx compares without regard to case."""
        return any(each.args and each.args[0].lower() == "on" for each in self._last(name))

    def starts_tls(self) -> bool:
        """Say whether mail clients may or must ask for TLS on the open connection."""
        return any(each.args[:1] in {("on",), ("only",)} for each in self._last("starttls"))

    def _last(self, name: str) -> tuple[Setting, ...]:
        return self.settings.get(name, ())[-1:]


def sites_of(
    blocks: Sequence[Evaluated], *, server: str, context: str, main: PurePosixPath
) -> tuple[list[Site], list[Finding]]:
    """Return those of `blocks`, all of one `context`, that speak TLS, and what is wrong."""
    findings: list[Finding] = []
    heard = [_listens(block, context, findings) for block in blocks]
    together = share_options(listen for listens in heard for listen in listens)
    sites: list[Site] = []
    for block, listens in zip(blocks, heard, strict=True):
        speaking = tuple(
            replace(
                listen,
                tls=together[address(listen)].tls or block.is_on("ssl"),
                proxy_protocol=together[address(listen)].proxy_protocol,
            )
            for listen in listens
        )
        if any(listen.tls for listen in speaking) or block.starts_tls():
            sites.append(_site(block, speaking, server=server, context=context, main=main))
    return sites, findings


def certificate_path(text: str, main: PurePosixPath) -> PurePosixPath | None:
    """Return the file that `ssl_certificate` `text` names, or None where only nginx can say.

    Relative to the directory of the main file, wherever the directive stands
    (ngx_conf_full_name with conf_prefix).
    """
    if "$" in text or not text or text.startswith(_NOT_A_FILE):
        return None
    return main.parent / text


def _site(
    block: Evaluated,
    listens: tuple[Listen, ...],
    *,
    server: str,
    context: str,
    main: PurePosixPath,
) -> Site:
    named = block.settings.get("server_name", ())
    return Site(
        server=server,
        context=context,
        names=tuple(name for each in named for name in each.args),
        location=block.location,
        file=block.opened.source.file,
        block=block.opened.directive,
        certificates=tuple(
            Certificate(each.args[0], certificate_path(each.args[0], main), each.location)
            for each in block.settings.get("ssl_certificate", ())
            if each.args
        ),
        listens=listens,
        settings=block.settings,
    )


def _listens(block: Evaluated, context: str, findings: list[Finding]) -> list[Listen]:
    default_port = _HTTP_PORT if context == "http" else None
    written = block.settings.get("listen", ())
    if not written and default_port is not None:
        return [Listen("", default_port, block.location, tls=False)]
    found: list[Listen] = []
    for each in written:
        listens = read_listen(each.args, each.location, default_port)
        if not listens:
            findings.append(_invalid(each))
        found += listens
    return found


def _invalid(listen: Setting) -> Finding:
    return Finding(
        LISTEN_INVALID,
        Severity.ERROR,
        listen.location,
        f"`listen {' '.join(listen.args)}` is no address nginx can listen at",
        "write listen [ADDRESS:]PORT, or listen unix:PATH",
    )
