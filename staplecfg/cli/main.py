"""Arguments in, exit status out; the only place where an error becomes words."""

from __future__ import annotations

import argparse
import difflib
import errno
import itertools
import signal
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

from staplecfg import __version__
from staplecfg.cli.output import json, nagios, streams, text
from staplecfg.cli.output.clean import clean
from staplecfg.cli.registry import COMMANDS, command
from staplecfg.model.errors import ExitStatus, StaplecfgError, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from staplecfg.cli.output.result import Result

DESCRIPTION = "OCSP stapling on nginx and Apache: correct, gapless and boring."
EPILOG = """\
exit status: 0 done or nothing to do, 1 findings or pending changes, 2 usage, 3 not understood,
4 not applied (machine as before), 5 undo failed (a person must look), 70 a bug of ours

start here:  staplecfg check && staplecfg diff
"""
WIDTH = 18
STOPPED = StaplecfgError(
    "stopped", hint="every file is whole, as before or as asked; `staplecfg diff` says which"
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageProblem(message, hint=f"`{self.prog} --help` lists what there is")


def main(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name and return the exit status."""
    streams.prepare()
    try:
        status = _ended(arguments)
        streams.write("")  # what argparse may have left to be written
    except streams.Unwritten as unwritten:
        return _unwritten(unwritten.error)
    return status


def _ended(arguments: Sequence[str]) -> int:
    wants_json = _wants(arguments, "json")
    name = next((word for word in arguments if word in COMMANDS), "staplecfg")
    try:
        _stop_politely()
        options = _options(arguments)
        result = command(options.command).run(options)
        _show(options, result)
    except StaplecfgError as error:
        if "--verbose" in arguments:
            text.say(traceback.format_exc().rstrip())
        if _wants(arguments, "nagios"):
            streams.write(f"{nagios.unknown(error)}\n")
            return nagios.State.UNKNOWN
        return _failed(name, error, error.status, wants_json=wants_json)
    except streams.Unwritten:
        raise
    except SystemExit as ended:  # argparse has shown its help
        return int(ended.code or 0)
    except KeyboardInterrupt:
        return _failed(name, STOPPED, 128 + signal.SIGINT, wants_json=wants_json)
    except Exception as error:  # noqa: BLE001 - the one place that tells a bug from a problem
        return _bug(name, error, wants_json=wants_json)
    return result.status


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="staplecfg",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="staplecfg COMMAND [OPTION ...]",
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("--help", "-h", action="store_true", help="this page")
    parser.add_argument("--version", "-V", action="version", version=f"staplecfg {__version__}")
    parser.add_argument("command", nargs="?", metavar="COMMAND", help=argparse.SUPPRESS)
    frame, rest = parser.parse_known_args(arguments[:1])
    if frame.help or not arguments:
        _help(parser)
    if frame.command not in COMMANDS or rest:
        word = frame.command if frame.command is not None else rest[0]
        near = difflib.get_close_matches(word, COMMANDS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else "`staplecfg --help` lists the commands"
        if rest:
            hint = "the command comes first, its options after it"
        raise UsageProblem(f"no command `{word}`", hint=hint)
    module = command(frame.command)
    own = _Parser(
        prog=f"staplecfg {frame.command}",
        description=f"{COMMANDS[frame.command].capitalize()}.",
        epilog=module.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(own)
    own.set_defaults(command=frame.command)
    return own.parse_args(arguments[1:])


def _help(parser: argparse.ArgumentParser) -> NoReturn:
    listed = "\n".join(f"  {name:<{WIDTH}}{line}" for name, line in COMMANDS.items())
    page = parser.format_help().replace(
        "\n\nexit status", f"\n\ncommands:\n{listed}\n\nexit status"
    )
    streams.write(page)
    raise SystemExit(ExitStatus.DONE)


def _show(options: argparse.Namespace, result: Result) -> None:
    if options.format == "json":
        streams.write(json.document(options.command, result))
    elif result.data is not None and not sys.stdout.isatty():
        streams.write_bytes(result.data)
    elif result.data is not None:
        streams.write(clean(result.data.decode("utf-8", "surrogateescape")))
    else:
        streams.write("".join(f"{line}\n" for line in result.lines))
    if options.format != "json":
        for note in (*result.notes, *(f"staplecfg: warning: {each}" for each in result.warnings)):
            text.say(note)


def _failed(name: str, error: StaplecfgError, status: int, *, wants_json: bool) -> int:
    if wants_json:
        streams.write(json.failure(name, error, status))
    for line in text.error(error):
        text.say(line)
    return status


def _bug(name: str, error: Exception, *, wants_json: bool) -> int:
    problem = StaplecfgError(
        f"{type(error).__name__}: {error}",
        hint="this is a bug in staplecfg; report it with the lines above",
    )
    text.say(traceback.format_exc().rstrip())
    return _failed(name, problem, ExitStatus.BUG, wants_json=wants_json)


def _unwritten(error: OSError) -> int:
    streams.give_up()
    if error.errno == errno.EPIPE:  # the reader (`head`) has had enough
        return 128 + signal.SIGPIPE
    text.say(f"staplecfg: error: standard output: {(error.strerror or str(error)).lower()}")
    text.say("staplecfg: hint: what was to be done is done; only this report of it is lost")
    return ExitStatus.NOT_UNDERSTOOD


def _wants(arguments: Sequence[str], shape: str) -> bool:
    if f"--format={shape}" in arguments:
        return True
    return ("--format", shape) in itertools.pairwise(arguments)


def _stop_politely() -> None:
    """Make SIGTERM undo what is under way, as Ctrl-C does."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
