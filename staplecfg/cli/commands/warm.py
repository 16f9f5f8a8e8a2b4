"""warm: renew what is due, withdraw what is expired, reload once if a server must re-read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from staplecfg.applying.carry_out import Manner
from staplecfg.applying.report import Outcome
from staplecfg.cli.ahead import run_ahead, would_run_ahead
from staplecfg.cli.commands import apply
from staplecfg.cli.editing import step_teller
from staplecfg.cli.flow import Errand, carried_out, refuse_elsewhere
from staplecfg.cli.handed_in import add_responses, left_over, responses_of
from staplecfg.cli.options import add_expert, add_flag, add_frame, add_selection, given, settings
from staplecfg.cli.output import renewals
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.result import Result
from staplecfg.cli.output.text import counted, say
from staplecfg.cli.schedule import warm_command
from staplecfg.cli.several import for_each
from staplecfg.cli.targets import chosen, the_one
from staplecfg.model.errors import Busy, ExitStatus, UsageProblem
from staplecfg.model.plan import Goal
from staplecfg.model.verdict import Rejected
from staplecfg.planning.attention import said_of

if TYPE_CHECKING:
    import argparse

    from staplecfg.cli.flow import Done
    from staplecfg.model.settings import Settings

EPILOG = """\
examples:
  staplecfg warm --offline                    # at boot: no network, no reload
  staplecfg warm --certificate NEW.pem        # before NEW.pem is deployed
  staplecfg warm --offline --response R.der   # hand in a staple that was fetched elsewhere
  staplecfg warm --watch                      # in a container: stay and react"""

BOOT_SECONDS = 2.0
"""How long a unit that the server waits for waits for the lock itself."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how far to go."""
    add_selection(parser)
    group = parser.add_argument_group("how far to go")
    group.add_argument(
        "--no-reload", action="store_true", help="write and test; the next warm reloads"
    )
    group.add_argument("--force", dest="force_ask", action="store_true", help="ask also early")
    group.add_argument(
        "--certificate",
        dest="certificates",
        metavar="FILE",
        action="append",
        default=[],
        help="only have a staple for this one, which is yet to be deployed; may be repeated",
    )
    add_responses(group)
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="with --certificate: say whether anybody would be asked, and ask nobody",
    )
    group.add_argument(
        "--watch",
        action="store_true",
        help="stay in the foreground; again when files change or a renewal falls due",
    )
    add_flag(
        group,
        "unseen",
        action="store_true",
        default=None,
        help="the server runs out of sight (another container): --reload-command reaches it",
    )
    add_expert(parser)
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Bring state up to date; exit status 1 where a staple needs a person."""
    wanted = settings(options)
    _require_sense(options, wanted)
    if options.watch:
        # Only here: nobody else needs the watching library.
        from staplecfg.cli.watching import watch  # noqa: PLC0415

        return watch(
            options, lambda: chosen(options), lambda each: once(options, each), _tell_round
        )
    found = chosen(options)
    if options.certificates:
        ahead = wanted if len(found) > 1 else the_one(options)
        if options.dry_run:
            return would_run_ahead(options, ahead)
        return run_ahead(options, ahead, tell=say, tell_step=step_teller(options))
    others = len(found) > 1
    ended = for_each(found, lambda each: _warmed(options, each, others=others))
    return _all_handed_in(ended, options) if others and options.responses else ended


def _all_handed_in(ended: Result, options: argparse.Namespace) -> Result:
    """Return `ended`, worse where a response was about no server's certificate."""
    steps = cast("list[dict[str, str]]", (ended.extra or {}).get("steps", []))
    unused = left_over(responses_of(options), steps)
    status = max(ended.status, ExitStatus.NOT_APPLIED if unused else ExitStatus.DONE)
    return replace(ended, status=ExitStatus(status), warnings=(*ended.warnings, *unused))


def _warmed(options: argparse.Namespace, wanted: Settings, *, others: bool) -> Result:
    try:
        done = once(options, wanted, others=others)
    except Busy as error:
        if not _booting(options, wanted):
            raise
        # A run that is under way does this itself, and may be waiting for us to let the server go.
        return Result(
            lines=(clean_line(f"left to the run under way: {error.problem}"),), outcome="unchanged"
        )
    return _result(done, options)


def once(options: argparse.Namespace, wanted: Settings, *, others: bool = False) -> Done:
    """Go the whole way once, as `options` say."""
    if wanted.unseen and not wanted.reload_command:
        raise UsageProblem("--unseen needs --reload-command", hint="it reaches the other container")
    booting = _booting(options, wanted)
    errand = Errand(
        Goal.STATE_ONLY,
        purpose="warm",
        manner=Manner(
            test=not booting,
            reload=not (options.no_reload or booting),
            probe=False,
            unseen=wanted.unseen,
            awaited=booting,
        ),
        warm_command=warm_command(options, given(options)),
        lock_seconds=BOOT_SECONDS if booting else 60.0,
        force=options.force_ask,
        responses=responses_of(options),
        others=others,
    )
    return carried_out(wanted, errand, tell=say, tell_step=step_teller(options))


def _booting(options: argparse.Namespace, wanted: Settings) -> bool:
    """Say whether whoever called starts or reloads the server right after.

    A response handed in, or a change that was watched for, is to be served now.
    """
    return wanted.offline and not (options.responses or options.watch)


def _require_sense(options: argparse.Namespace, wanted: Settings) -> None:
    refuse_elsewhere(wanted, "warm")
    if options.watch and (options.certificates or options.responses):
        raise UsageProblem("--watch goes without --certificate and --response")
    if options.dry_run and (options.responses or not options.certificates):
        raise UsageProblem(
            "--dry-run goes with --certificate, and without --response",
            hint="`staplecfg status` says what is due, `staplecfg apply --dry-run` what is pending",
        )
    if options.watch and options.format == "json":
        raise UsageProblem("--watch does not end, so there is no JSON document")


def _result(done: Done, options: argparse.Namespace) -> Result:
    ended = apply.result(done)
    handed_badly = bool(options.responses) and any(
        isinstance(each.outcome, Rejected) for each in done.renewals
    )
    bad = done.alarms or handed_badly or done.unusable
    return replace(
        ended,
        status=ExitStatus.FINDINGS if bad else ExitStatus.DONE,
        lines=(_summary(done),),
        warnings=_warnings(done, everything=options.format == "json"),
    )


def _tell_round(done: Done) -> None:
    for warning in _warnings(done, everything=False):
        say(f"staplecfg: warning: {warning}")
    if done.report.outcome is Outcome.APPLIED:
        say(f"{done.facts.installation.config}: {_summary(done)}")


def _warnings(done: Done, *, everything: bool) -> tuple[str, ...]:
    """Return what went wrong and what needs a person; not again what was said a while ago."""
    alarming = {alarm.about.chain.fingerprint for alarm in done.alarms}
    # What needs a person says more than that it failed once more.
    failed = [
        each
        for each in done.renewals
        if everything or not (renewals.revoked(each) and each.chain.fingerprint in alarming)
    ]
    alarms = [alarm.words for alarm in done.alarms if alarm.news or everything]
    lost = [said_of(each) for each in done.unusable]
    return (*renewals.warnings(failed), *alarms, *lost)


def _summary(done: Done) -> str:
    words = [renewals.json(each)["outcome"] for each in done.renewals]
    counts = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    asked = ", ".join(map(str, counts)) or "nobody asked"
    used = counted(len(done.facts.stored), "certificate")
    needing = len(done.alarms) + len(done.unusable)
    person = f"; {needing} need{'s' if needing == 1 else ''} a person: staplecfg status says why"
    return f"{used}: {asked}; {done.report.outcome.value}{person if needing else ''}"
