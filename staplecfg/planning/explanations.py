"""The findings that planning makes while it plans: rules to `explain`, with nothing to check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

_TEXTS: Mapping[str, tuple[Severity, str]] = {
    "conflicting-directive": (
        Severity.WARNING,
        """A directive of another value is in the way.

What: stapling needs a directive that is there already and says something else,
or that may stand only once in a block.

Why: somebody wrote it. staplecfg changes nothing in such a block: half of its
lines would be worse than none.

Fix: change it where it stands, or have staplecfg replace it in the block;
`staplecfg remove` gives it back:

    staplecfg apply --replace NAME --site shop.example

A file that several sites include is never edited for one of them.
""",
    ),
    "unsafe-edit": (
        Severity.ERROR,
        """An edit could not be proved, so the file is left alone.

What: every edited text is read again, and must be the old one plus exactly what
was planned; planning again must find nothing to do. For this file it was not so.

Why: better no stapling than a broken server.

Fix: write the lines by hand, and report the file: its shape is new to staplecfg.
""",
    ),
    "line-of-other-certificates": (
        Severity.WARNING,
        """Our line is for other certificates than the site has.

What: the `include` line in this block is named by the certificate paths that
were configured when it was written. They are others now.

Why: its staple would be a stranger's, and clients refuse that harder than none.
So nothing is served by this line.

Fix: staplecfg apply. Where two different certificate paths came to the same key
by chance, give one of the files another name.
""",
    ),
    "no-common-response": (
        Severity.WARNING,
        """No one response answers for all certificates of a block.

What: the block presents several certificates (RSA and ECDSA), the delivery is
`file`, and the responder answers for one certificate at a time.

Why: nginx sends the one staple file with whichever certificate the client gets,
and clients refuse another certificate's staple harder than none. So this block
is left without, until one response speaks of all its certificates; the
responder is asked for one every day.

Fix: let nginx ask the local responder, which answers for each certificate by
itself:

    staplecfg apply --delivery responder --site shop.example

or keep one certificate in the block: every client of today takes ECDSA.
""",
    ),
    "nothing-renews": (
        Severity.ERROR,
        """Nothing would renew the staples.

What: no systemd timer and no cron table of staplecfg would run `staplecfg warm`
on this machine. A timer is installed of itself only where a systemd unit started
the server.

Why: nginx checks no dates: it would serve the staple after its end, and clients
that insist would turn visitors away.

Fix: set `schedule` to `systemd` or `cron` in the settings; or run
`staplecfg warm` hourly by other means, and say so with --unscheduled.
""",
    ),
    "nothing-serves": (
        Severity.WARNING,
        """Nobody starts the local responder.

What: a server is told to ask `staplecfg serve` on this machine, and staplecfg
installs no unit for it: there is no systemd here, or none that owns the server.

Why: a server that finds nobody there staples nothing. Nothing wrong is served,
but nginx does not ask again for five minutes.

Fix: have `staplecfg serve` run always (by the container's supervisor, runit, an
init script), started before the server; or set `schedule` to `systemd`.
""",
    ),
    "schedule-not-ours": (
        Severity.NOTE,
        """Somebody else wrote a unit or cron table of staplecfg's name.

What: the file is there, and staplecfg's record does not know it.

Why: whoever wrote or masked it had a reason.

Fix: nothing, if it runs `staplecfg warm`. Otherwise take it away and run
`staplecfg apply`.
""",
    ),
    "line-left": (
        Severity.WARNING,
        """remove leaves a line of staplecfg's that it does not remember.

What: an `include` line that reads staplecfg's state stands in this block, and the
record does not know that staplecfg put it there: a block that was copied, a
configuration manager's line, or a record that was lost and begun anew.

Why: what somebody else wrote is theirs. But the state is gone after `remove`: the
line finds nothing, and with stapling on the server asks responders itself.

Fix: take the line out where it comes from, with `ssl_stapling on;` beside it.
""",
    ),
    "certificates-not-watched": (
        Severity.NOTE,
        """Certificates are in more directories than systemd can watch.

What: the path unit runs `staplecfg warm` as soon as a certificate is replaced.
systemd takes an inotify instance for each directory, of which Linux gives a
user 128; so only the first directories are watched.

Why: until `warm` has run, a reload serves the old certificate's staple with the
new certificate. The timer runs hourly.

Fix: have your ACME client call `staplecfg warm` (docs/acme.md).
""",
    ),
    "target-vanished": (
        Severity.ERROR,
        """A server that staplecfg looks after is not there any more.

What: the state directory remembers this configuration as a target, and its main
file or its binary is gone.

Why: its staples are not renewed. They are kept meanwhile, for a file system may
only be missing, and the dead man takes them out of service before they expire.

Fix: bring it back. If it was moved, run `staplecfg apply` for the new place;
either way, have the old one forgotten:

    staplecfg remove --config FILE
""",
    ),
    "lines-in-a-file-not-read": (
        Severity.NOTE,
        """staplecfg's lines are in a file that is not read.

What: the record says that staplecfg put lines into this file. No include leads
to it now: a site that was disabled, or another instance's.

Why: what is not read cannot be tested, so it is not edited.

Fix: enable the site and run `staplecfg remove` again, or take the lines out by
hand.
""",
    ),
}


def _nothing(_facts: Facts) -> Iterable[Finding]:
    """Find nothing: only a plan, which has more to go by than facts, makes these findings."""
    return ()


PLANNING_RULES = tuple(
    Rule(name, severity, text, _nothing) for name, (severity, text) in _TEXTS.items()
)
