"""Plans for machines that exist in memory, and the machines as the plans leave them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.loading import templates
from staplecfg.model.chain import NoChain
from staplecfg.model.change import Kind
from staplecfg.model.errors import Unreadable
from staplecfg.model.facts import Record, Running
from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.plan import Goal, Plan
from staplecfg.model.templates import Templates
from staplecfg.pki.chain import read_chain, with_issuer
from staplecfg.planning import planner, record, targets
from staplecfg.servers.nginx.server import NGINX
from tests.support.facts import MAIN, facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.chain import Chain
    from staplecfg.model.change import Change
    from staplecfg.model.facts import Facts
    from tests.support.authority import Issued

WARM = ("/usr/bin/staplecfg", "warm")
OWNED = Running(4121, unit="nginx.service", systemd=True)
"""An nginx that its distribution's unit started."""

STATE_DIR = PurePosixPath("/var/lib/staplecfg")
RECORD = str(STATE_DIR / record.NAME)


@cache
def shipped() -> Templates:
    return templates.load([])


def machine(
    text: str | bytes,
    files: Mapping[str, bytes | Issued],
    *,
    links: Mapping[str, str] | None = None,
    running: Running = OWNED,
    **more: object,
) -> Facts:
    """Return the facts of a machine whose nginx.conf is `text`; its record is read from `files`."""
    known = files.get(RECORD)
    if isinstance(known, bytes):
        more["record"] = record.decode(known)
    given = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    seen = facts("events {}", files, **more)  # type: ignore[arg-type]  # a test names the facts
    contents = {**seen.files.files, MAIN: given.encode("utf-8", "surrogateescape")}  # type: ignore[attr-defined]  # it is in memory
    installation = replace(seen.installation, binary=PurePosixPath("/usr/sbin/nginx"))
    return again(
        replace(seen, templates=shipped(), running=running, installation=installation),
        MemoryFilesystem(contents, {PurePosixPath(k): v for k, v in (links or {}).items()}),
    )


def again(seen: Facts, files: MemoryFilesystem) -> Facts:
    """Return what is observed of `files` on the machine of `seen`."""
    configuration = NGINX.dialect.configuration(files, seen.installation, seen.settings)
    anew = replace(seen, files=files, configuration=configuration)
    kept = files.files.get(PurePosixPath(RECORD))
    chains = {
        certificate.path: _chain(certificate.path, anew)
        for site in configuration.sites
        for certificate in site.certificates
        if certificate.path is not None
    }
    return replace(
        anew,
        chains=chains,
        record=record.decode(kept) if kept else Record(),
        targets=targets.load(files, seen.settings.state_dir),
    )


def plan(seen: Facts, goal: Goal = Goal.PRESENT) -> Plan:
    return planner.plan(seen, NGINX, goal, warm_command=WARM)


def after(seen: Facts, made: Plan) -> MemoryFilesystem:
    """Return the files once `made` is carried out, all of it."""
    assert isinstance(seen.files, MemoryFilesystem)
    contents, links = dict(seen.files.files), dict(seen.files.links)
    for change in (*made.changes, *made.collect):
        contents.pop(change.path, None)
        links.pop(change.path, None)
        if change.after is not None and change.after.link is not None:
            links[change.path] = change.after.link
        elif change.after is not None:
            contents[change.path] = change.after.data
    return MemoryFilesystem(contents, links)


def with_files(seen: Facts, files: Mapping[str, bytes | Issued | None]) -> Facts:
    """Return the machine of `seen` after somebody wrote `files`; None takes one away."""
    assert isinstance(seen.files, MemoryFilesystem)
    contents = dict(seen.files.files)
    for path, content in files.items():
        contents.pop(PurePosixPath(path), None)
        if content is not None:
            given = content if isinstance(content, bytes) else content.fullchain
            contents[PurePosixPath(path)] = given
    return again(seen, MemoryFilesystem(contents, seen.files.links))


def with_template(seen: Facts, name: str, more: str) -> Facts:
    """Return `seen` with an override that says `more` than the shipped template `name`."""
    shipped = seen.templates.by_name[name]
    known = {**seen.templates.by_name, name: replace(shipped, text=shipped.text + more)}
    return replace(seen, templates=Templates(known))


def edited(made: Plan) -> list[Change]:
    """Return the changes of the configuration."""
    return [change for change in made.changes if change.kind is Kind.CONFIG]


def served(made: Plan) -> list[Change]:
    """Return the changes of what the server reads from state."""
    return [change for change in made.changes if change.kind in {Kind.STAPLE, Kind.SNIPPET}]


def rules(made: Plan) -> list[str]:
    return [finding.rule for finding in made.findings]


def written(change: Change) -> str:
    assert change.after is not None
    return change.after.data.decode()


def config(seen: Facts) -> str:
    return seen.files.read(MAIN).decode()


def carried_out(seen: Facts, goal: Goal = Goal.PRESENT) -> Facts:
    """Return the machine of `seen` once what `goal` takes is done."""
    return again(seen, after(seen, plan(seen, goal)))


def _chain(path: PurePosixPath, seen: Facts) -> Chain | NoChain:
    try:
        chain = read_chain(seen.files.read(path), path)
    except Unreadable as error:
        return NoChain(path, error.problem)
    return chain if isinstance(chain, NoChain) else with_issuer(chain, seen.roots)
