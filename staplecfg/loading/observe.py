"""observe: disk and settings become facts; each thing is read once and nothing is changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.loading import agreement, binaries, certificates, templates
from staplecfg.loading import resolver as resolvers
from staplecfg.machine import control, journal
from staplecfg.machine.disk import Disk
from staplecfg.model.chain import Chain, NoChain
from staplecfg.model.errors import NotUnderstood, Unreadable
from staplecfg.model.facts import Facts, Record, Running
from staplecfg.model.installation import Installation
from staplecfg.model.site import Configuration
from staplecfg.model.source import Location
from staplecfg.model.target import Target
from staplecfg.planning import record, targets
from staplecfg.staples.store import Store

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import PurePosixPath

    from staplecfg.model.settings import Settings
    from staplecfg.servers.interface import Server

RECORD = "record.json"
RESOLVER_SECONDS = 3.0


def observe(
    server: Server,
    settings: Settings,
    now: datetime,
    *,
    ask_resolvers: bool,
    ask_server: bool = False,
) -> Facts:
    """Return everything the pure part may know about `server` on this machine at `now`.

    Raises `Unreadable` or `NotUnderstood` where there is no such server or its
    main configuration file is unusable. `ask_resolvers` sends one question to
    each resolver that matters; it is never done offline or under `--root`.
    `ask_server` has the server itself say how it reads its configuration, where
    it can: that takes as long as its own test, and is for whoever edits.
    """
    disk = Disk(Path(settings.root))
    here = Disk(Path("/"))
    installation = binaries.described(server, settings, disk)
    configuration = _configuration(server, disk, installation, settings)
    running = _running(server, configuration, installation, settings)
    if ask_server and not settings.elsewhere:
        configuration = agreement.checked(server, configuration, installation, disk, running.master)
    private = certificates.trusted_roots(here, settings.trust)
    roots = (*private, *certificates.system_roots(disk))
    chains = certificates.chains(disk, configuration.sites, roots)
    asked = ask_resolvers and not settings.offline and not settings.elsewhere
    questions = resolvers.questions(configuration, chains) if asked else ()
    facts = Facts(
        now=now,
        settings=settings,
        files=disk,
        installation=installation,
        configuration=configuration,
        templates=templates.load([Path(path) for path in settings.template_dirs]),
        chains=chains,
        roots=roots,
        private_roots=private,
        stored={},
        attempts={},
        resolvers=resolvers.ask(questions, timeout=RESOLVER_SECONDS),
        running=running,
        record=record_of(disk, settings),
        targets=targets.load(disk, settings.state_dir),
        interrupted=_interrupted(disk, settings),
    )
    return with_store(facts, now)


def again(facts: Facts, server: Server, now: datetime) -> Facts:
    """Return `facts` with what may have changed while responders were asked: that takes minutes.

    Those are the store, the certificates, and the server's process.
    """
    sites = facts.configuration.sites
    running = _running(server, facts.configuration, facts.installation, facts.settings)
    chains = certificates.chains(facts.files, sites, facts.roots)
    return with_store(replace(facts, chains=chains, running=running), now)


def observe_gone(server: Server, settings: Settings, now: datetime) -> Facts | None:
    """Return what is left to know of a target whose main configuration file is gone, or None.

    That is: nothing of the server, and whatever state holds of it.
    """
    disk = Disk(Path(settings.root))
    known = targets.load(disk, settings.state_dir)
    config = settings.config
    gone = next(
        (each for each in known if isinstance(each, Target) and each.config == config), None
    )
    if gone is None or gone.server != server.name or disk.exists(gone.config):
        return None
    prefix = gone.prefix or gone.config.parent
    return Facts(
        now=now,
        settings=settings,
        files=disk,
        installation=Installation(server.name, gone.binary, (), "", gone.config, prefix, {}),
        configuration=Configuration(server.name, gone.config, {}, (), {}, ()),
        templates=templates.load([Path(path) for path in settings.template_dirs]),
        chains={},
        roots=(),
        private_roots=(),
        stored={},
        attempts={},
        resolvers=(),
        running=Running(None, systemd=control.systemd_booted(), cron=control.cron_installed()),
        record=record_of(disk, settings),
        targets=known,
    )


def with_store(facts: Facts, now: datetime) -> Facts:
    """Return `facts` with the store read anew at `now`: after a renewal it holds more."""
    store = store_of(facts.settings)
    chains = {path: _completed(chain, store) for path, chain in facts.chains.items()}
    known = [chain for chain in chains.values() if isinstance(chain, Chain)]
    return replace(
        facts,
        now=now,
        chains=chains,
        stored={chain.fingerprint: store.load(chain, now) for chain in known},
        attempts={chain.fingerprint: store.attempts(chain.fingerprint) for chain in known},
    )


def store_of(settings: Settings) -> Store:
    """Return the store that `settings` name, under their root."""
    return Store(
        Disk(Path(settings.root)).real_path(settings.state_dir),
        floors=settings.floors,
        allow_sha1_signature=settings.responders.allow_sha1_signature,
    )


def _completed(chain: Chain | NoChain, store: Store) -> Chain | NoChain:
    """Return `chain` with the issuer that was fetched for it earlier, where it lacks one."""
    if isinstance(chain, NoChain) or chain.issuer is not None:
        return chain
    return replace(chain, issuer=store.issuer(chain))


def _configuration(
    server: Server, disk: Disk, installation: Installation, settings: Settings
) -> Configuration:
    try:
        read = server.dialect.configuration(disk, installation, settings)
    except Unreadable as error:
        raise Unreadable(
            error.problem,
            at=error.at,
            hint=error.hint or "name the main configuration file with --config",
        ) from None
    notes = server.commands.notes(installation, settings, disk)
    return replace(read, findings=(*read.findings, *notes)) if notes else read


def _running(
    server: Server, configuration: Configuration, installation: Installation, settings: Settings
) -> Running:
    if settings.elsewhere:
        return Running(master=None)
    master = control.running(
        Path(server.commands.pid_file(configuration, installation)),
        server.commands.bears(installation),
    )
    return Running(
        master=master,
        unit=control.owner_unit(master) if master is not None else None,
        systemd=control.systemd_booted(),
        cron=control.cron_installed(),
    )


def _interrupted(disk: Disk, settings: Settings) -> PurePosixPath | None:
    """Return the journal that is there; one that only root may look into is there, too."""
    path = journal.file(settings.state_dir)
    try:
        return path if disk.exists(path) else None
    except Unreadable:
        return path


def record_of(disk: Disk, settings: Settings) -> Record:
    """Return what staplecfg wrote down of its own hand; raises where that cannot be gone by."""
    path = settings.state_dir / RECORD
    if not disk.exists(path):
        return Record()
    try:
        return record.decode(disk.read(path))
    except (NotUnderstood, Unreadable) as error:
        raise type(error)(
            f"staplecfg's own record: {error.problem}",
            at=Location(path),
            hint="move the file away; remove then goes by the lines themselves",
        ) from None
