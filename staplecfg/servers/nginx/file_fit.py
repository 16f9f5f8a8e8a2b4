"""Why the delivery `file` does not fit a server block: one question a function."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from staplecfg.servers.nginx.stapling import flag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Setting, Site
    from staplecfg.model.source import Location

STREAM_STAPLING = (1, 27, 2)
"""ssl_stapling in stream{} since."""

COMPRESSION_REFUSED = (1, 29, 3)
"""ssl_certificate_compression with ssl_stapling is an error since (ngx_http_ssl_module.c)."""

GLOB = frozenset("*?[\\")
"""What glob(3) does not take for itself: nginx hands it the state directory with `*.conf`."""
MISFIT = "delivery-misfit"
FOREIGN = "staple-file-not-ours"
DECIDED = "stapling-off-decided"


@dataclass(frozen=True, slots=True)
class Misfit:
    """`decided` says that somebody or something made it so on purpose: nothing is wrong."""

    location: Location
    problem: str
    hint: str | None = None
    decided: bool = False
    rule: str = MISFIT


def misfit(site: Site, facts: Facts, directory: PurePosixPath) -> Misfit | None:
    """Return the first reason why `site` cannot staple from a file of ours in `directory`."""
    for question in QUESTIONS:
        found = question(site, facts, directory)
        if found is not None:
            return found
    return None


def ours(setting: Setting, directory: PurePosixPath) -> bool:
    """Say whether `setting` stands in a snippet of ours."""
    return directory in setting.file.parents or directory in setting.location.path.parents


def _mail(site: Site, _facts: Facts, _directory: PurePosixPath) -> Misfit | None:
    if site.context in {"http", "stream"}:
        return None
    return Misfit(site.location, f"nginx does not staple in `{site.context}`", decided=True)


def _stream(site: Site, facts: Facts, _directory: PurePosixPath) -> Misfit | None:
    version = facts.installation.version
    if site.context != "stream" or version >= STREAM_STAPLING:
        return None
    if not version:
        return Misfit(
            site.location,
            "nginx staples in `stream` since 1.27.2, and the version here is not known",
            "run staplecfg on the machine itself",
        )
    return Misfit(site.location, "nginx staples in `stream` since 1.27.2 only", decided=True)


def _no_listener(site: Site, _facts: Facts, _directory: PurePosixPath) -> Misfit | None:
    if any(listen.tls or listen.quic for listen in site.listens):
        return None
    return Misfit(site.location, "no address of this block speaks TLS", decided=True)


def _no_certificate(site: Site, _facts: Facts, _directory: PurePosixPath) -> Misfit | None:
    if flag(site.setting("ssl_reject_handshake")):
        return Misfit(site.location, "every handshake is rejected here", decided=True)
    if not site.certificates:
        return Misfit(site.location, "no certificate is configured", decided=True)
    return None


def _unnamed(site: Site, _facts: Facts, _directory: PurePosixPath) -> Misfit | None:
    for certificate in site.certificates:
        if certificate.path is None:
            return Misfit(
                certificate.location,
                "nginx never staples for a certificate from a variable or from `data:`",
                "name the file, where it is always the same one",
            )
    return None


def _several(site: Site, _facts: Facts, _directory: PurePosixPath) -> Misfit | None:
    if len(site.certificates) < 2:  # noqa: PLR2004 - two is where it becomes several
        return None
    return Misfit(
        site.certificates[1].location,
        f"nginx would send one staple file with each of {len(site.certificates)} certificates,"
        " and it matches one of them",
        "keep one certificate; every client of today takes ECDSA",
    )


def _compression(site: Site, facts: Facts, _directory: PurePosixPath) -> Misfit | None:
    setting = site.setting("ssl_certificate_compression")
    if setting is None or not flag(setting):
        return None
    version = facts.installation.version
    if version and version < COMPRESSION_REFUSED:
        return None
    return Misfit(
        setting.location,
        "nginx 1.29.3 and newer refuse stapling together with certificate compression",
        "take `ssl_certificate_compression on;` out, if stapling matters more",
    )


def _decided_off(site: Site, facts: Facts, directory: PurePosixPath) -> Misfit | None:
    setting = site.setting("ssl_stapling")
    if setting is None or flag(setting) or _may_replace(site, facts, "ssl_stapling"):
        return None
    del directory
    return Misfit(
        setting.location,
        "`ssl_stapling off` is set here; staplecfg does not overrule it",
        f"run staplecfg apply --replace ssl_stapling --site {quote(site.title)}",
        decided=True,
        rule=DECIDED,
    )


def _foreign_file(site: Site, facts: Facts, directory: PurePosixPath) -> Misfit | None:
    setting = site.setting("ssl_stapling_file")
    # `ssl_stapling_file "";` un-inherits one: nothing is served from a file.
    if setting is None or not site.value("ssl_stapling_file") or ours(setting, directory):
        return None
    if _may_replace(site, facts, "ssl_stapling_file"):
        return None
    return Misfit(
        setting.location,
        "`ssl_stapling_file` is set here; somebody else writes that file, it is only checked",
        f"run staplecfg apply --replace ssl_stapling_file --site {quote(site.title)}",
        decided=True,
        rule=FOREIGN,
    )


def _glob(site: Site, _facts: Facts, directory: PurePosixPath) -> Misfit | None:
    if not GLOB & set(str(directory)):
        return None
    return Misfit(
        site.location,
        f'nginx would read the state directory "{directory.parent}" as a pattern',
        "name one without * ? [ \\ by --state-dir",
    )


def _may_replace(site: Site, facts: Facts, name: str) -> bool:
    """Say whether the user asked for `name` to be replaced; whose it is, the merge says."""
    del site  # `--site` has already selected it
    return name in facts.settings.replace and bool(facts.settings.sites)


QUESTIONS: tuple[Callable[[Site, Facts, PurePosixPath], Misfit | None], ...] = (
    _mail,
    _stream,
    _no_listener,
    _no_certificate,
    _unnamed,
    _several,
    _compression,
    _glob,
    _decided_off,
    _foreign_file,
)
"""In the order of weight: what can never be comes before what somebody decided."""
