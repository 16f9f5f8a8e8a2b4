"""probe: real full handshakes with status_request, judged as a client would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import chains_of, selected
from staplecfg.cli.clock import clock
from staplecfg.cli.flow import refuse_elsewhere, server_of
from staplecfg.cli.host import split, targets
from staplecfg.cli.leaf import issuers_of
from staplecfg.cli.options import add_expert, add_frame, add_selection, settings
from staplecfg.cli.output import describe, sightings
from staplecfg.cli.output.result import Result
from staplecfg.loading import certificates
from staplecfg.loading.observe import observe
from staplecfg.machine.disk import Disk
from staplecfg.model.errors import ExitStatus, UsageProblem
from staplecfg.model.probe import NotTestable, Probe, Served
from staplecfg.staples.address import as_literal
from staplecfg.staples.reach import asked_name, ways
from staplecfg.staples.survey import Question, Sighting, survey
from staplecfg.staples.verdict import Terms

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from staplecfg.model.facts import Facts
    from staplecfg.model.probe import Target
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Site

EPILOG = """\
examples:
  staplecfg probe                                   # every configured site, on this machine
  staplecfg probe www.example.org                   # any server, of any make
  staplecfg probe 192.0.2.7:8443 --name www.example.org --count 20"""

MOST_HANDSHAKES = 10_000


@dataclass(frozen=True, slots=True)
class _Way:
    """One address of one site, or of the server named."""

    title: str
    targets: Sequence[Target]
    question: Question


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whom to ask and how."""
    parser.add_argument(
        "host", metavar="HOST[:PORT]", nargs="?", help="any TLS server (default: every site)"
    )
    group = parser.add_argument_group("handshakes")
    group.add_argument("--name", metavar="NAME", help="ask for NAME by SNI (default: HOST)")
    group.add_argument(
        "--count", metavar="N", type=int, default=1, help="N of every kind; the worst one counts"
    )
    group.add_argument(
        "--proxy-protocol", action="store_true", help="HOST expects a PROXY protocol header first"
    )
    group.add_argument(
        "--issuer", metavar="FILE", help="PEM file with the issuer, where it is not presented"
    )
    add_selection(parser)
    add_expert(parser)
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Shake hands; exit status 1 where a staple that could be there is not there or no good."""
    wanted = settings(options)
    refuse_elsewhere(wanted, "probe")
    if not 1 <= options.count <= MOST_HANDSHAKES:
        raise UsageProblem(f"--count takes a number from 1 to {MOST_HANDSHAKES}")
    if options.host is not None:
        return _of_host(options, wanted)
    if options.name is not None or options.proxy_protocol:
        raise UsageProblem(
            "--name and --proxy-protocol go with HOST",
            hint="the configuration says both of its own sites; --site chooses among them",
        )
    return _of_sites(options, wanted)


def _of_host(options: argparse.Namespace, wanted: Settings) -> Result:
    if wanted.offline:
        raise UsageProblem("--offline forbids to ask a server by name")
    host, port = split(options.host)
    name = options.name if options.name is not None else host
    asked = None if not name or as_literal(name) is not None else name
    here = Disk(Path("/"))
    roots = (*certificates.trusted_roots(here, wanted.trust), *certificates.system_roots(here))
    question = Question(asked, _terms(wanted), roots, issuers_of(options), count=options.count)
    found = targets(host, port, proxy_protocol=options.proxy_protocol)
    ways = [_Way(asked or host, (target,), question) for target in found]
    seen = survey((way.targets, way.question) for way in ways)
    told = any(isinstance(each.verdict, Served) or each.excused for one in seen for each in one)
    status = _status(seen) if told else ExitStatus.FINDINGS
    return _result(ways, seen, (), status)


def _of_sites(options: argparse.Namespace, wanted: Settings) -> Result:
    server = server_of(wanted)
    facts = observe(server, wanted, clock(), ask_resolvers=False)
    chosen = [site for site in facts.configuration.sites if selected(site, wanted)]
    found: list[_Way] = []
    without: list[Probe] = []
    for site in chosen:
        question = _about(site, facts, options)
        for way in ways(site):
            if isinstance(way, NotTestable):
                without.append(Probe(site.title, site.location, question.name, None, None, way))
            else:
                found.append(_Way(site.title, way, question))
    seen = survey((way.targets, way.question) for way in found)
    made = _result(found, seen, without, _status(seen))
    return Result(
        status=made.status,
        lines=made.lines,
        sites=tuple(describe.site(site) for site in chosen),
        installation=facts.installation,
        extra=made.extra,
    )


def _about(site: Site, facts: Facts, options: argparse.Namespace) -> Question:
    chains = chains_of(site, facts)
    # Certificates on disk beside a leaf help to judge where a server presents the leaf alone.
    beside = [one for chain in chains for one in (chain.issuer, *chain.others) if one is not None]
    return Question(
        asked_name(site.names),
        _terms(facts.settings),
        facts.roots,
        (*issuers_of(options), *beside),
        expected=chains[0] if chains else None,
        count=options.count,
    )


def _terms(wanted: Settings) -> Terms:
    return Terms(clock(), wanted.floors, wanted.responders.allow_sha1_signature)


def _status(seen: Sequence[Sequence[Sighting]]) -> ExitStatus:
    bad = any(
        each.unmet or not (isinstance(each.verdict, Served | NotTestable) or each.excused)
        for one in seen
        for each in one
    )
    return ExitStatus.FINDINGS if bad else ExitStatus.DONE


def _result(
    ways: Sequence[_Way],
    seen: Sequence[Sequence[Sighting]],
    without: Sequence[Probe],
    status: ExitStatus,
) -> Result:
    now = clock()
    pairs = list(zip(ways, seen, strict=True))
    flat = [each for one in seen for each in one]
    lines = [line for way, one in pairs for line in sightings.lines(way.title, one)]
    lines += [sightings.untestable(probe) for probe in without]
    probes = [
        sightings.json(way.title, way.question.name, each, now)
        for way, one in pairs
        for each in one
    ]
    probes += [describe.probe(probe, now) for probe in without]
    return Result(
        status=status,
        lines=(*lines, sightings.summary(flat, len(without))),
        extra={"probes": probes},
    )
