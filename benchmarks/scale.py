"""staplecfg beside `nginx -t` on the same configuration, in the same run, as ratios of CPU time.

    .venv/bin/python benchmarks/scale.py [SITES]

The configuration has SITES server blocks (1,000 unless said otherwise) of about
25 lines, one file each, that share ten certificates; in the second table each has a
certificate and a fresh staple of its own. The cost of nginx's own test is what an
administrator is used to, and what apply pays anyway; that of `staplecfg --version`
is what it costs to start Python.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.authority import Authority, pem
from tests.support.nginx import Nginx, free_port
from tests.support.responder import Responder
from tests.support.thousand import arguments, thousand

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUNDS = 3
STAPLECFG = [sys.executable, "-m", "staplecfg"]
TEST = "nginx -t"
VERSION = "staplecfg --version"
FILLER = "\n".join(
    f"location /{number} {{ proxy_pass http://127.0.0.1:{8000 + number}; }}" for number in range(18)
)


def build(root: Path, sites: int) -> Nginx:
    """Write the configuration under `root`."""
    authority = Authority.create()
    nginx = Nginx(root / "nginx", http="    server_names_hash_max_size 65536;\n")
    (root / "root.pem").write_bytes(pem(authority.root.cert))
    pairs = [
        authority.leaf([f"*.d{number}.example"], responders=["http://127.0.0.1:1/"]).write(
            root, f"d{number}"
        )
        for number in range(10)
    ]
    port = free_port()
    for number in range(sites):
        nginx.site(
            f"s{number}.d{number % 10}.example",
            listen=f"127.0.0.1:{port} ssl",
            certificates=[pairs[number % 10]],
            lines=FILLER,
        )
    return nginx


def cpu_seconds(argv: list[str]) -> float:
    """Return the CPU time that `argv` and its children took, user and system together."""
    before = os.times()
    subprocess.run(argv, capture_output=True, check=False)
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def measured(rows: Mapping[str, list[str]]) -> dict[str, float]:
    """Return the CPU seconds of each of `rows`, the median of several rounds in turn."""
    taken: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, argv in rows.items():
            taken[name].append(cpu_seconds(argv))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def few_certificates(root: Path, sites: int) -> None:
    """Print the table of `sites` that share ten certificates."""
    nginx = build(root, sites)
    shared = ["--binary", str(nginx.binary), "--prefix", f"{nginx.prefix}/", "--offline"]
    shared += ["--config", str(nginx.config), "--state-dir", str(root / "state")]
    shared += ["--trust", str(root / "root.pem")]
    table(
        f"{sites} sites, ten certificates",
        {
            TEST: nginx.argv("-t"),
            VERSION: [*STAPLECFG, "--version"],
            "staplecfg check": [*STAPLECFG, "check", *shared],
            "staplecfg diff": [*STAPLECFG, "diff", "--unscheduled", *shared],
            "staplecfg warm --offline": [*STAPLECFG, "warm", *shared],
        },
    )


def many_certificates(root: Path, sites: int) -> None:
    """Print the table of `sites` with a certificate and a staple each, of which none is due."""
    with Responder(Authority.create()) as responder:
        nginx = thousand(root, responder.url, sites=sites, lines=FILLER)
        with nginx:
            nginx.start()
            warm = [*STAPLECFG, "warm", *arguments(root, nginx)]
            subprocess.run(warm, capture_output=True, check=True)
            workers = nginx.worker_pids()
            table(
                f"{sites} sites, as many certificates, none due",
                {
                    TEST: nginx.argv("-t"),
                    VERSION: [*STAPLECFG, "--version"],
                    "staplecfg warm": warm,
                },
            )
            reloaded = "no" if nginx.worker_pids() == workers else "with a"
            print(f"{len(responder.log)} connections to the responder, {reloaded} reload")


def table(title: str, rows: Mapping[str, list[str]]) -> None:
    """Measure `rows` and print them."""
    medians = measured(rows)
    print(f"\n{title}; CPU seconds, median of {ROUNDS}, and as ratios in the same run")
    print(f"{'':<30}{'seconds':>9}{TEST:>12}{'--version':>12}")
    for name, median in medians.items():
        ratios = "".join(f"{median / medians[peer]:>11.1f}x" for peer in (TEST, VERSION))
        print(f"{name:<30}{median:>9.2f}{ratios}")


def main() -> None:
    """Print the tables."""
    sites = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for print_table in (few_certificates, many_certificates):
        with tempfile.TemporaryDirectory() as directory:
            print_table(Path(directory), sites)


if __name__ == "__main__":
    main()
