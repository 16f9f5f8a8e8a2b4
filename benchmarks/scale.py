"""staplecfg beside `nginx -t` on the same configuration, in the same run, as ratios of CPU time.

    .venv/bin/python benchmarks/scale.py [SITES]

The configuration has SITES server blocks (1,000 unless said otherwise) of about
25 lines, one file each, that share ten certificates. The cost of nginx's own test
is what an administrator is used to, and what apply pays anyway.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.authority import Authority, pem
from tests.support.nginx import Nginx, free_port

ROUNDS = 3
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


def main() -> None:
    """Print the table."""
    sites = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        nginx = build(root, sites)
        shared = ["--binary", str(nginx.binary), "--prefix", f"{nginx.prefix}/", "--offline"]
        shared += ["--config", str(nginx.config), "--state-dir", str(root / "state")]
        shared += ["--trust", str(root / "root.pem")]
        staplecfg = [sys.executable, "-m", "staplecfg"]
        rows = {
            "nginx -t": nginx.argv("-t"),
            "staplecfg --version": [*staplecfg, "--version"],
            "staplecfg check": [*staplecfg, "check", *shared],
            "staplecfg diff": [*staplecfg, "diff", "--unscheduled", *shared],
            "staplecfg warm, nothing due": [*staplecfg, "warm", *shared],
        }
        taken: dict[str, list[float]] = {name: [] for name in rows}
        for _ in range(ROUNDS):
            for name, argv in rows.items():
                taken[name].append(cpu_seconds(argv))
        peer = statistics.median(taken["nginx -t"])
        print(f"{sites} sites, CPU seconds, median of {ROUNDS}; ratio to nginx -t in the same run")
        for name, seconds in taken.items():
            median = statistics.median(seconds)
            print(f"{name:<30}{median:>8.2f}{median / peer:>8.1f}x")


if __name__ == "__main__":
    main()
