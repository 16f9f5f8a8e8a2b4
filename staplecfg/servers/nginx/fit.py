"""Why a delivery does not fit a server block: the questions that all of nginx's deliveries have."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.model.finding import Finding, Severity
from staplecfg.servers.nginx.stapling import flag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Setting, Site
    from staplecfg.model.source import Location

STREAM_STAPLING = (1, 27, 2)
"""ssl_stapling in stream{} since."""

COMPRESSION_REFUSED = (1, 29, 3)
"""ssl_certificate_compression with ssl_stapling is an error since (ngx_http_ssl_module.c)."""

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


def first(site: Site, facts: Facts, questions: Iterable[Question]) -> Finding | None:
    """Return what the first of `questions` that finds something finds in `site`.

    A note means: left alone, and nobody's fault.
    """
    for question in questions:
        found = question(site, facts)
        if found is not None:
            severity = Severity.NOTE if found.decided else Severity.WARNING
            return Finding(
                found.rule, severity, found.location, found.problem, found.hint, site.title
            )
    return None


def ours(setting: Setting, directory: PurePosixPath) -> bool:
    """Say whether `setting` stands in a snippet of ours."""
    return directory in setting.file.parents or directory in setting.location.path.parents


def may_replace(facts: Facts, name: str) -> bool:
    """Say whether the user asked for `name` to be replaced; whose it is, the merge says."""
    return name in facts.settings.replace and bool(facts.settings.sites)


def _mail(site: Site, _facts: Facts) -> Misfit | None:
    if site.context in {"http", "stream"}:
        return None
    return Misfit(site.location, f"nginx does not staple in `{site.context}`", decided=True)


def _stream(site: Site, facts: Facts) -> Misfit | None:
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


def _no_listener(site: Site, _facts: Facts) -> Misfit | None:
    if any(listen.tls or listen.quic for listen in site.listens):
        return None
    return Misfit(site.location, "no address of this block speaks TLS", decided=True)


def _no_certificate(site: Site, _facts: Facts) -> Misfit | None:
    if flag(site.setting("ssl_reject_handshake")):
        return Misfit(site.location, "every handshake is rejected here", decided=True)
    if not site.certificates:
        return Misfit(site.location, "no certificate is configured", decided=True)
    return None


def _unnamed(site: Site, _facts: Facts) -> Misfit | None:
    for certificate in site.certificates:
        if certificate.path is None:
            return Misfit(
                certificate.location,
                "nginx never staples for a certificate from a variable or from `data:`",
                "name the file, where it is always the same one",
            )
    return None


def _compression(site: Site, facts: Facts) -> Misfit | None:
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


def _decided_off(site: Site, facts: Facts) -> Misfit | None:
    setting = site.setting("ssl_stapling")
    if setting is None or flag(setting) or may_replace(facts, "ssl_stapling"):
        return None
    return Misfit(
        setting.location,
        "`ssl_stapling off` is set here; staplecfg does not overrule it",
        f"run staplecfg apply --replace ssl_stapling --site {quote(site.title)}",
        decided=True,
        rule=DECIDED,
    )


Question: TypeAlias = "Callable[[Site, Facts], Misfit | None]"

NEVER: tuple[Question, ...] = (_mail, _stream, _no_listener, _no_certificate, _unnamed)
"""What can never be; to be asked first."""
CONFLICTS: tuple[Question, ...] = (_compression, _decided_off)
"""What somebody decided."""
