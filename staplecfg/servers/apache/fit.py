"""Why a delivery does not fit a virtual host: the questions that Apache's deliveries have."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.model.finding import Finding, Severity
from staplecfg.servers.apache import ours
from staplecfg.servers.apache.managed import managed, stapled_by_md
from staplecfg.servers.apache.values import flag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Site
    from staplecfg.model.source import Location

MISFIT = "delivery-misfit"
DECIDED = "stapling-off-decided"


@dataclass(frozen=True, slots=True)
class Misfit:
    """`decided` says that somebody or something made it so on purpose: nothing is wrong."""

    location: Location
    problem: str
    hint: str | None = None
    decided: bool = False
    rule: str = MISFIT


Question: TypeAlias = "Callable[[Site, Facts], Misfit | None]"


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


def may_replace(facts: Facts, name: str) -> bool:
    """Say whether the user asked for `name` to be replaced; whose it is, the merge says."""
    return name in facts.settings.replace and bool(facts.settings.sites)


def _managed(site: Site, facts: Facts) -> Misfit | None:
    domain = managed(site, facts.configuration)
    if domain is None:
        return None
    return Misfit(
        domain.location,
        "mod_md has the certificate of this site in its own hands, and staples for it if told to",
        "for its own stapling: MDStapling on",
        decided=True,
    )


def _no_certificate(site: Site, _facts: Facts) -> Misfit | None:
    if site.certificates:
        return None
    return Misfit(site.location, "no certificate is configured", decided=True)


def _unnamed(site: Site, _facts: Facts) -> Misfit | None:
    for certificate in site.certificates:
        if certificate.path is None:
            return Misfit(
                certificate.location,
                f'"{certificate.text}" is no file that staplecfg could read the certificate from',
                "name a PEM file",
            )
    return None


def _main_server(site: Site, facts: Facts) -> Misfit | None:
    """Find who else would get lines that stand outside every virtual host."""
    if site.block.name:
        return None
    others = [each for each in facts.configuration.sites if each.block.name]
    if not others:
        return None
    return Misfit(
        site.location,
        "this is the main server, and what is set in it is in effect in every virtual host"
        f" too, such as {others[0].title}",
        "give it a <VirtualHost> of its own",
    )


def _main_conditional(site: Site, _facts: Facts) -> Misfit | None:
    """Find a condition around the main server's certificate: our lines would stand outside it."""
    if site.block.name or site.block.block is None:
        return None
    if any(each.name == "SSLCertificateFile" for each in site.block.block.children):
        return None
    return Misfit(
        site.location,
        "this is the main server, and its certificate stands in a section; lines outside of"
        " that would keep httpd from starting where the section is not read",
        "give it a <VirtualHost> of its own",
    )


def _decided_off(site: Site, facts: Facts) -> Misfit | None:
    setting = site.setting(ours.SWITCH)
    if setting is None or flag(setting) or may_replace(facts, ours.SWITCH):
        return None
    return Misfit(
        setting.location,
        "`SSLUseStapling off` is set here; staplecfg does not overrule it",
        f"run staplecfg apply --replace {ours.SWITCH} --site {quote(site.title)}",
        decided=True,
        rule=DECIDED,
    )


def by_mod_md(site: Site, facts: Facts) -> Misfit | None:
    """Find the line by which mod_md answers, which leaves mod_ssl nothing to say."""
    setting = stapled_by_md(site, facts.configuration)
    if setting is None or ours.put_in(setting, facts):
        return None
    return Misfit(
        setting.location,
        "with `MDStapling on` mod_md answers for these certificates, even where it has no"
        " response; what mod_ssl is told has no effect",
        f"keep it supplied: staplecfg apply --delivery mod_md --site {quote(site.title)};"
        " or take the line out",
        decided=True,
    )


NEVER: tuple[Question, ...] = (_managed, _no_certificate, _unnamed)
"""What can never be; to be asked first."""
CONFLICTS: tuple[Question, ...] = (_main_server, _main_conditional, _decided_off)
"""What somebody decided, or would suffer from."""
