"""The virtual hosts that speak TLS, and the main server where it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.directive import whole
from staplecfg.model.site import Certificate, Origin, Site
from staplecfg.servers.apache import effect
from staplecfg.servers.apache.addresses import addresses, reached, speaks_https
from staplecfg.servers.apache.globs import absolute
from staplecfg.servers.apache.home import home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from staplecfg.model.directive import Directive
    from staplecfg.model.site import Setting
    from staplecfg.model.source import Location
    from staplecfg.servers.apache.addresses import Socket
    from staplecfg.servers.apache.expansion import Met
    from staplecfg.servers.apache.sources import Text

    Settings = Mapping[str, tuple[Setting, ...]]
    Addresses = Sequence[tuple[str, int | None]]

VIRTUAL_HOST = "VirtualHost"
_NAMES = ("ServerName", "ServerAlias")
_EVERYWHERE = (("", None),)
_PROXY_PROTOCOL = "RemoteIPProxyProtocol"
_NOT_A_FILE = ("pkcs11:", "store:", "engine:")


@dataclass(frozen=True, slots=True)
class Server:
    """What all hosts share: its name in settings, what it listens on, its root at the end."""

    name: str
    opened: Sequence[Socket]
    server_root: PurePosixPath


def sites_of(top: Sequence[Met], server_wide: Settings, server: Server) -> tuple[Site, ...]:
    """Return the sites among `top`, everything at server level, in the order they are met."""
    hosts = [each for each in top if each.name == VIRTUAL_HOST and each.children is not None]
    outer = effect.inherited(top, shared=len(hosts) > 1)
    occurrences = effect.Occurrences(top)
    main = _main_site(top, server_wide, server)
    sites = [] if main is None else [main]
    taken: set[tuple[str, int | None]] = set()
    for host in hosts:
        opened = (host.text, host.directive)
        settings = effect.effective(host.children or (), opened, outer, occurrences)
        wanted = addresses(host.directive.args)
        if speaks_tls(settings, wanted, server):
            place = _Place(host.text, home(host), host.location, host.used_at, host.parameters)
            sites.append(_first_at(_site(place, settings, wanted, server), taken))
    return tuple(sites)


def certificate_path(text: str, server_root: PurePosixPath) -> PurePosixPath | None:
    """Return the file `SSLCertificateFile text` names, or None where only httpd can say.

    Relative to the ServerRoot in force when all is read, not where the line stands.
    """
    if not text or "${" in text or text.startswith(_NOT_A_FILE):
        return None
    return PurePosixPath(absolute(server_root, text))


def speaks_tls(settings: Settings, wanted: Addresses, server: Server) -> bool:
    """Say whether a host does, by `SSLEngine on` or by a `Listen` for https.

    The latter counts where no `SSLEngine` does, for hosts with a certificate.
    `optional` is the upgrade within HTTP of RFC 2817: no handshake comes first.
    """
    engine = settings.get("SSLEngine", ())
    if engine:
        return [arg.lower() for arg in engine[-1].args[:1]] == ["on"]
    return "SSLCertificateFile" in settings and speaks_https(wanted, server.opened)


@dataclass(frozen=True, slots=True)
class _Place:
    text: Text
    block: Directive
    location: Location
    used_at: tuple[Location, ...]
    parameters: tuple[str, ...] = ()


def _main_site(top: Sequence[Met], server_wide: Settings, server: Server) -> Site | None:
    """Return the server outside all virtual hosts, where it has an engine and a certificate.

    Its block is the file in which its certificate stands, taken whole.
    """
    certificates = [each for each in top if each.name == "SSLCertificateFile"]
    if not certificates or "SSLEngine" not in server_wide:
        return None
    if not speaks_tls(server_wide, _EVERYWHERE, server):
        return None
    last = certificates[-1]
    block = whole(last.text.data, last.text.directives)
    settings = {
        name: tuple(
            replace(each, origin=Origin.OWN if each.file == last.text.file else Origin.INCLUDED)
            for each in group
        )
        for name, group in server_wide.items()
        if name in _NAMES or name not in effect.SERVER_WIDE
    }
    place = _Place(last.text, block, last.location, last.used_at)
    return _site(place, settings, _EVERYWHERE, server)


def _site(place: _Place, settings: Settings, wanted: Addresses, server: Server) -> Site:
    listens = reached(wanted, server.opened, tls=True)
    if _proxied(settings):
        listens = tuple(replace(each, proxy_protocol=True) for each in listens)
    return Site(
        server=server.name,
        context="http",
        names=_names(settings),
        location=place.location,
        file=place.text.file,
        block=place.block,
        certificates=tuple(
            Certificate(
                each.args[0],
                certificate_path(each.args[0], server.server_root),
                each.location,
                _sent_with(settings, server),
            )
            for each in settings.get("SSLCertificateFile", ())
            if each.args
        ),
        listens=listens,
        settings=settings,
        used_at=place.used_at,
        parameters=place.parameters,
    )


def _sent_with(settings: Settings, server: Server) -> PurePosixPath | None:
    named = [each.args[0] for each in settings.get("SSLCertificateChainFile", ()) if each.args]
    return certificate_path(named[-1], server.server_root) if named else None


def _names(settings: Settings) -> tuple[str, ...]:
    """Return the names a visitor may ask for; a ServerName may have a scheme and a port."""
    named = [setting.args[0] for setting in settings.get("ServerName", ())[-1:] if setting.args]
    own = [name.rpartition("://")[2].partition(":")[0] for name in named]
    aliases = [arg for setting in settings.get("ServerAlias", ()) for arg in setting.args]
    return tuple(name for name in (*own, *aliases) if name)


def _proxied(settings: Settings) -> bool:
    said = settings.get(_PROXY_PROTOCOL, ())[-1:]
    return any([arg.lower() for arg in each.args[:1]] == ["on"] for each in said)


def _first_at(site: Site, taken: set[tuple[str, int | None]]) -> Site:
    """Return `site`, marked where it is the first at an address: unknown names go there."""
    marked = tuple(
        replace(each, default_server=(each.host, each.port) not in taken) for each in site.listens
    )
    taken.update((each.host, each.port) for each in site.listens)
    return replace(site, listens=marked)
