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
configuration manager's line, or a record that was lost and begun anew. Or, where
the record is lost, it is a line that anybody may have written (`MDStapling on`).

Why: what somebody else wrote is theirs. But the state is gone after `remove`: the
line finds nothing, and with stapling on the server asks responders itself.

Fix: take the line out where it comes from, with the one beside it that turns
stapling on.
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
    "shared-file-not-ours": (
        Severity.ERROR,
        """A file that staplecfg needs for the whole server is somebody else's.

What: what all sites need once, such as Apache's cache for stapling, goes into a
file or a link of staplecfg's own (`staplecfg.conf`). Something else stands there.

Why: somebody wrote it, or has changed what staplecfg wrote. It is not written
over, and no site is told to use what is not there: httpd does not survive a
restart without a cache.

Fix: see what is in it. If nothing is needed, move it away; or have it say what
the server needs (`SSLStaplingCache` for Apache), and staplecfg goes by that.
""",
    ),
    "shared-file-relied-on": (
        Severity.WARNING,
        """Somebody relies on a file of staplecfg's, which so stays.

What: staplecfg set up something for the whole server, and none of its own sites
needs it any more. Somebody else's do by now: a virtual host staples through
staplecfg's `SSLStaplingCache`, or a managed domain has its certificate in the
store that staplecfg named by `MDStoreDir`.

Why: httpd does not survive a restart without a cache where something staples,
and a managed domain whose store has moved answers with 503.

Fix: write that line yourself, outside every virtual host, and take it out again:

    staplecfg remove
""",
    ),
    "shared-file-unread": (
        Severity.ERROR,
        """What the whole server needs would stand in a file that it does not read.

What: the directory in which this server's layout keeps such files is included
under a condition that does not hold, or in a virtual host.

Why: httpd does not survive a restart where something staples and no cache is in
effect. So no site is told to staple, and nothing is written.

Fix: include the directory without a condition; or write the line yourself,
outside every virtual host:

    SSLStaplingCache shmcb:stapling(131072)
""",
    ),
    "shared-file-left": (
        Severity.WARNING,
        """A file of staplecfg's was changed by somebody else, and stays.

What: staplecfg made this file or link for the whole server, and does not need it
any more. It holds something else by now.

Why: what somebody wrote is not thrown away.

Fix: take it away by hand, if nothing in it is needed, and with it the link or the
`Include` line that has it read: httpd does not start where an `Include` finds nothing.
""",
    ),
    "macro-body-edited": (
        Severity.NOTE,
        """An edit in the body of a macro reaches every use of it.

What: the virtual host stands in a `<Macro>`. What is written there is in effect
wherever the macro is used; the places are named.

Why: you may have thought of one of them only. They all get the same lines, and
each certificate its own staple.

Fix: nothing, if that is meant. Else give the site a virtual host of its own.
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
