"""What `explain` prints for the findings that planning makes, and no rule."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPLANATIONS: Mapping[str, str] = MappingProxyType(
    {
        "delivery-misfit": """The chosen delivery cannot serve this site.

What: with delivery `file`, nginx sends one response with every certificate of
the block. Two certificates, a certificate from a variable, certificate
compression (nginx 1.29.3) or `stream` before 1.27.2 do not go with that.

Why: a response that does not match the certificate is worse than none: Firefox
turns the visitor away.

Fix: as the hint says. A note needs nothing: there is nothing to staple.
""",
        "staple-file-not-ours": """Somebody else writes the staple file of this site.

What: an `ssl_stapling_file` that staplecfg did not put there is in effect.

Why: two writers of one staple undo each other's work. So it is only checked.

Fix: nothing, if the other writer works. To have staplecfg take over, and
`staplecfg remove` give it back:

    staplecfg apply --replace ssl_stapling_file --site shop.example
""",
        "conflicting-directive": """A directive of another value is in the way.

What: stapling needs a directive that is there already and says something else,
or that may stand only once in a block.

Why: somebody wrote it. staplecfg changes nothing in such a block: half of its
lines would be worse than none.

Fix: change it where it stands, or have staplecfg replace it in the block;
`staplecfg remove` gives it back:

    staplecfg apply --replace NAME --site shop.example

A file that several sites include is never edited for one of them.
""",
        "unsafe-edit": """An edit could not be proved, so the file is left alone.

What: every edited text is read again, and must be the old one plus exactly what
was planned; planning again must find nothing to do. For this file it was not so.

Why: better no stapling than a broken server.

Fix: write the lines by hand, and report the file: its shape is new to staplecfg.
""",
        "line-of-other-certificates": """Our line is for other certificates than the site has.

What: the `include` line in this block is named by the certificate paths that
were configured when it was written. They are others now.

Why: its staple would be a stranger's, and clients refuse that harder than none.
So nothing is served by this line.

Fix: staplecfg apply
""",
        "nothing-renews": """Nothing would renew the staples.

What: no systemd timer and no cron table of staplecfg would run `staplecfg warm`
on this machine. A timer is installed of itself only where a systemd unit started
the server.

Why: nginx checks no dates: it would serve the staple after its end, and clients
that insist would turn visitors away.

Fix: set `schedule` to `systemd` or `cron` in the settings; or run
`staplecfg warm` hourly by other means, and say so with --unscheduled.
""",
        "schedule-not-ours": """Somebody else wrote a unit or cron table of staplecfg's name.

What: the file is there, and staplecfg's record does not know it.

Why: whoever wrote or masked it had a reason.

Fix: nothing, if it runs `staplecfg warm`. Otherwise take it away and run
`staplecfg apply`.
""",
        "lines-in-a-file-not-read": """staplecfg's lines are in a file that is not read.

What: the record says that staplecfg put lines into this file. No include leads
to it now: a site that was disabled, or another instance's.

Why: what is not read cannot be tested, so it is not edited.

Fix: enable the site and run `staplecfg remove` again, or take the lines out by
hand.
""",
    }
)
