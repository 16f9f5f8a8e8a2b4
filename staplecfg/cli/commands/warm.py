"""warm: renew what is due, withdraw what is expired, reload once if a server must re-read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.applying.carry_out import Manner
from staplecfg.cli.commands import apply
from staplecfg.cli.editing import step_teller
from staplecfg.cli.flow import Errand, carried_out, refuse_elsewhere
from staplecfg.cli.options import add_expert, add_frame, add_selection, given, settings
from staplecfg.cli.output import renewals
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.result import Result
from staplecfg.cli.output.text import counted, say
from staplecfg.cli.schedule import warm_command
from staplecfg.model.chain import Chain
from staplecfg.model.errors import Busy, ExitStatus
from staplecfg.model.plan import Decision, Goal

if TYPE_CHECKING:
    import argparse

    from staplecfg.cli.flow import Done

EPILOG = "example:  staplecfg warm --offline      # at boot: no network, no reload"

BOOT_SECONDS = 2.0
"""How long a unit that the server waits for waits for the lock itself."""
QUARTER = 0.75
"""The share of its life after which a staple that is not renewed needs a person."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how far to go."""
    add_selection(parser)
    group = parser.add_argument_group("how far to go")
    group.add_argument(
        "--no-reload", action="store_true", help="write and test; the next warm reloads"
    )
    group.add_argument("--force", dest="force_ask", action="store_true", help="ask also early")
    add_expert(parser)
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Bring state up to date; exit status 1 where a staple needs a person."""
    wanted = settings(options)
    refuse_elsewhere(wanted, "warm")
    live = not (options.no_reload or wanted.offline)
    errand = Errand(
        Goal.STATE_ONLY,
        purpose="warm",
        manner=Manner(test=not wanted.offline, reload=live, probe=False),
        warm_command=warm_command(options, given(options)),
        lock_seconds=BOOT_SECONDS if wanted.offline else 60.0,
        force=options.force_ask,
    )
    try:
        done = carried_out(wanted, errand, tell=say, tell_step=step_teller(options))
    except Busy as error:
        if not wanted.offline:
            raise
        # A run that is under way does this itself, and may be waiting for us to let the server go.
        return Result(
            lines=(clean_line(f"left to the run under way: {error.problem}"),), outcome="unchanged"
        )
    ended = apply.result(done)
    needing = _needing_a_person(done)
    return replace(
        ended,
        status=ExitStatus.FINDINGS if needing else ExitStatus.DONE,
        lines=(_summary(done),),
        warnings=(*ended.warnings, *needing),
    )


def _needing_a_person(done: Done) -> tuple[str, ...]:
    """Return a line for each certificate in use that is revoked, withdrawn or nearly so."""
    used = {each.fingerprint for each in done.plan.sites if each.decision is Decision.CONFIGURED}
    chains = {
        chain.fingerprint: chain
        for chain in done.facts.chains.values()
        if isinstance(chain, Chain) and chain.fingerprint in used
    }
    return tuple(
        f"{chain.path}: {problem}"
        for chain in chains.values()
        if (problem := _problem(chain, done)) is not None
    )


def _problem(chain: Chain, done: Done) -> str | None:
    tries = done.facts.attempts.get(chain.fingerprint)
    stored = done.facts.stored.get(chain.fingerprint)
    staple = stored.staple if stored is not None else None
    if tries is not None and tries.revoked_at is not None:
        return f"revoked at {tries.revoked_at:%Y-%m-%d %H:%M} UTC: replace the certificate"
    if staple is None:
        return "there is no staple, so none is served"
    if staple.expires <= done.facts.now:
        return f"its staple expired at {staple.expires:%Y-%m-%d %H:%M} UTC and is withdrawn"
    if staple.share_used(done.facts.now) > QUARTER:
        return f"its staple ends at {staple.expires:%Y-%m-%d %H:%M} UTC and was not renewed"
    return None


def _summary(done: Done) -> str:
    words = [renewals.json(each)["outcome"] for each in done.renewals]
    counts = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    asked = ", ".join(map(str, counts)) or "nobody asked"
    return f"{counted(len(done.facts.stored), 'certificate')}: {asked}; {done.report.outcome.value}"
