"""The lines for the whole server, placed the distribution's way: one file of ours, and links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Finding, Severity
from staplecfg.model.source import Location
from staplecfg.servers.apache.layout import ModuleLine, layout, module
from staplecfg.servers.interface import Shared, SharedFile, SharedLink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from staplecfg.model.facts import Facts

MISFIT = "delivery-misfit"
RELIED_ON = "shared-file-relied-on"
UNREAD = "shared-file-unread"


def placed(
    template: str,
    variables: Mapping[str, object],
    modules: Sequence[str],
    facts: Facts,
    *,
    findings: tuple[Finding, ...] = (),
    lingering: bool = False,
) -> Shared | Finding:
    """Return what has `template` read by the server, with `modules` loaded; or why it cannot be.

    Without `variables` the template is of use only where a module needs a line.
    A module is never loaded silently: its link, or its line, is in the diff.
    """
    place = layout(facts)
    links: list[SharedLink] = []
    lines: list[ModuleLine] = []
    for name in modules:
        wanted = module(name, facts)
        if wanted is None:
            return _missing(name, facts)
        if isinstance(wanted, ModuleLine):
            lines.append(wanted)
        else:
            links += wanted
    if not lines and not variables:
        return Shared(modules=tuple(links), findings=findings)
    given = {**variables, "modules": [{"name": each.name, "file": each.file} for each in lines]}
    return Shared(
        modules=tuple(links),
        files=(SharedFile(place.file, template, given),),
        links=(place.link,) if place.link is not None else (),
        lines=(place.line,) if place.line is not None else (),
        findings=findings,
        lingering=lingering,
    )


def unread(facts: Facts) -> Finding:
    """Return the finding that our file stands where httpd, just now, does not read it."""
    return Finding(
        UNREAD,
        Severity.ERROR,
        Location(layout(facts).file),
        "httpd does not read this file outside every virtual host, and what stands in it is needed",
        "include its directory without a condition, or write the lines yourself",
    )


def _missing(name: str, facts: Facts) -> Finding:
    return Finding(
        MISFIT,
        Severity.WARNING,
        Location(facts.configuration.main),
        f"the module mod_{name} is neither compiled in nor loaded, and httpd has no file of it",
        f"install it, or load it: LoadModule {name}_module .../mod_{name}.so",
    )
