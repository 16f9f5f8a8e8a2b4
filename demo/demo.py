"""The main job, shown on a throw-away laboratory on loopback: see README.

A certificate authority of our own, `openssl ocsp` answering 200 ms late, nginx
with 4 workers and three sites. Visitors are counted with plain `ssl_stapling
on`, and again after `staplecfg apply`. Ends in 1 where a promise does not hold.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.laboratory import HANDSHAKES, NAMES, Laboratory, laboratory

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.count import Counted

SHORT = "/demo"
"""What the temporary directory is called in what is printed."""

PHASES: dict[str, Callable[[Laboratory], Counted]] = {
    "nginx has just started": Laboratory.from_start,
    "through a reload": Laboratory.through_reload,
    "after a reload": Laboratory.after_reload,
    "restarted, responder down": Laboratory.from_start_in_outage,
}


def run(watched: Laboratory, command: str, *arguments: str) -> int:
    """Run `staplecfg`, show what it says, and return its exit status."""
    print(f"\n$ staplecfg {' '.join([command, *arguments])} ...", flush=True)
    done = watched.lab.process(command, *arguments)
    for line in (done.out + done.err).replace(str(watched.lab.root), SHORT).splitlines():
        print(f"    {line}")
    print(f"    (exit status {done.status})", flush=True)
    return done.status


def measure(watched: Laboratory) -> dict[str, Counted]:
    """Count visitors in every phase."""
    counts = {}
    for name, phase in PHASES.items():
        counts[name] = phase(watched)
        print(f"  {name:28}{counts[name].summary}", flush=True)
    return counts


def show(without: dict[str, Counted], with_it: dict[str, Counted]) -> None:
    """Print both counts side by side."""
    print(f"\n{'':28}{'plain ssl_stapling on':>28}{'after staplecfg apply':>28}")
    print(f"{'':28}{'unstapled wrong handshakes':>28}{'unstapled wrong handshakes':>28}")
    for name, counted in with_it.items():
        cells = (f"{'':2}{_cell(without.get(name))}", f"{'':2}{_cell(counted)}")
        print(f"{name:28}{''.join(cells)}".rstrip())


def _cell(counted: Counted | None) -> str:
    if counted is None:
        return f"{'-':>9} {'-':>5} {'-':>10}"
    return f"{counted.unstapled:>9} {counted.wrong:>5} {counted.handshakes:>10}"


def demonstrate(watched: Laboratory) -> dict[str, bool]:
    """Show the main job, and return which promise held."""
    before = watched.lab.files()
    print(f"\n1. Visitors with plain `ssl_stapling on`: {HANDSHAKES} full handshakes each time")
    without = measure(watched)

    print("\n2. What staplecfg says, would change, and does")
    run(watched, "check")
    pending = run(watched, "diff", "--unscheduled")
    applied = run(watched, "apply", "--unscheduled")

    print("\n3. The same visitors afterwards")
    with_it = {"right after apply": watched.count()}
    print(f"  {'right after apply':28}{with_it['right after apply'].summary}")
    with_it |= measure(watched)
    nothing_left = run(watched, "diff", "--unscheduled")

    print("\n4. Taking it out again")
    removed = run(watched, "remove")

    show(without, with_it)
    return {
        "diff announced the changes, apply made them": (pending, applied) == (1, 0),
        "applied once, there is nothing left to change": nothing_left == 0,
        "without staplecfg, visitors went unstapled each time": all(
            counted.unstapled for counted in without.values()
        ),
        **{f"0 unstapled, 0 wrong: {name}": each.flawless for name, each in with_it.items()},
        "remove gave back every byte of the configuration": removed == 0
        and watched.lab.files() == before,
    }


def main() -> int:
    """Build the laboratory, demonstrate, and leave nothing behind."""
    began = time.monotonic()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        # So that the servers are stopped and the files removed then, too.
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="staplecfg-demo-") as name:
        # nginx's workers run as nobody where this runs as root.
        Path(name).chmod(0o755)
        with laboratory(Path(name)) as watched:
            banner = watched.lab.nginx.banner
            print(f"{banner}, 4 workers, {len(NAMES)} sites; `openssl ocsp` 200 ms slow")
            print(f"everything on loopback and under {name}, called {SHORT} below")
            promises = demonstrate(watched)

    print("\nPromises")
    for promise, held in promises.items():
        print(f"  {'held' if held else 'BROKEN':8}{promise}")
    broken = [promise for promise, held in promises.items() if not held]
    verdict = f"{len(broken)} of {len(promises)} promises broken" if broken else "all promises held"
    print(f"\n{verdict}; {time.monotonic() - began:.0f} s; servers stopped, files removed")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
