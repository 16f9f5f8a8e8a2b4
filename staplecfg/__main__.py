"""Where the process starts. `--version` is answered before the rest is imported."""

from __future__ import annotations

import sys

from staplecfg import __version__


def run() -> None:
    """Run `staplecfg` with this process's arguments, and end it with the exit status."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"staplecfg {__version__}\n")
        raise SystemExit(0)
    from staplecfg.cli.main import main  # noqa: PLC0415 - see the module's docstring

    raise SystemExit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
