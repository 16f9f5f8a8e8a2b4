"""What handshakes showed, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from staplecfg.cli.output import describe
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.json import time
from staplecfg.cli.output.text import counted
from staplecfg.model.probe import Missing, NotTestable, Served
from staplecfg.pki.anatomy import title

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from staplecfg.model.probe import Probe
    from staplecfg.staples.survey import Presented, Sighting

WIDTH = 13


def lines(site: str, seen: Iterable[Sighting]) -> list[str]:
    """Return a line for each kind of handshake with `site`, and what is wrong with its chain."""
    found: list[str] = []
    told: set[str] = set()
    for each in seen:
        found.append(_line(site, each))
        # The same certificate in both TLS versions is described once.
        for said in _chain(each.presented) if each.presented is not None else ():
            if said not in told:
                told.add(said)
                found.append(f"    {said}")
        if each.unmet:
            found.append("    the certificate demands a staple (Must-Staple, RFC 7633)")
    return [clean_line(line) for line in found]


def untestable(probe: Probe) -> str:
    """Return the line for a site that there was no way to."""
    problem = probe.verdict.problem if isinstance(probe.verdict, NotTestable) else ""
    return clean_line(f"{'not-testable':<{WIDTH}}{probe.site}  {problem}")


def summary(seen: Iterable[Sighting], without: int = 0) -> str:
    """Return how many kinds of handshake ended how, `without` counting sites with no way to."""
    counts = Counter(describe.VERDICTS[type(each.verdict)] for each in seen)
    if without:
        counts["not-testable"] += without
    return ", ".join(f"{number} {word}" for word, number in counts.items()) or "no TLS site found"


def json(site: str | None, name: str | None, each: Sighting, now: datetime) -> dict[str, object]:
    """Return what was seen as the schema has it."""
    verdict = each.verdict
    presented = each.presented
    return {
        "site": site,
        "name": name,
        "address": str(each.target),
        "tls": each.version.value,
        "key": None if presented is None else presented.key or None,
        "verdict": describe.VERDICTS[type(verdict)],
        "detail": _detail(each),
        "staple": describe.staple(verdict.staple, now) if isinstance(verdict, Served) else None,
        "handshakes": dict(Counter(describe.VERDICTS[type(one)] for one in each.verdicts)),
        "must_staple_unmet": each.unmet,
        "chain": None if presented is None else _chain_json(presented),
    }


def _line(site: str, each: Sighting) -> str:
    word = describe.VERDICTS[type(each.verdict)]
    key = each.presented.key if each.presented is not None else ""
    parts = [f"{word:<{WIDTH}}{site}", str(each.target), each.version.value, key, _detail(each)]
    return "  ".join(part for part in parts if part)


def _detail(each: Sighting) -> str:
    verdict = each.verdict
    if isinstance(verdict, Served):
        said = f"good until {verdict.staple.expires:%Y-%m-%d %H:%M} UTC"
    elif isinstance(verdict, Missing):
        said = "no staple came"
        said += ", and none can: the certificate names no responder" if each.excused else ""
    else:
        said = verdict.problem
    if len(each.verdicts) == 1:
        return said
    counts = Counter(describe.VERDICTS[type(one)] for one in each.verdicts)
    tally = ", ".join(f"{number} {word}" for word, number in counts.items())
    return f"{said} ({tally} in {counted(len(each.verdicts), 'handshake')})"


def _chain(presented: Presented) -> list[str]:
    chain = presented.chain
    until = f"{chain.not_after:%Y-%m-%d}"
    number = counted(1 + len(chain.others), "certificate")
    found = [f"certificate: serial {chain.serial:x}, until {until}, {number} presented"]
    if presented.untrusted is not None:
        found.append(f"chain: not trusted: {presented.untrusted}")
    found += [f"chain: {problem}" for problem in presented.disorder]
    return found


def _chain_json(presented: Presented) -> dict[str, object]:
    chain = presented.chain
    return {
        "fingerprint": chain.fingerprint,
        "serial": f"{chain.serial:x}",
        "names": list(chain.names),
        "not_after": time(chain.not_after),
        "must_staple": chain.must_staple,
        "responders": list(chain.responders),
        "certificates": [title(one) for one in (chain.leaf, *chain.others)],
        "trusted": presented.untrusted is None,
        "problem": presented.untrusted,
        "order": list(presented.disorder),
    }
