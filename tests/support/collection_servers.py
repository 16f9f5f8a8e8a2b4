"""The web servers of the laboratory for playbooks, each with what its host's playbook must know.

`LAB_SERVER` says which: nginx, or apache in Debian's own tree, with `staplecfg
serve` running, which its usual delivery asks.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.apache import Apache
from tests.support.nginx import Nginx, free_port
from tests.support.serve_process import serving

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

APACHE_READS = (
    *("apache2.conf", "envvars", "ports.conf", "conf-available", "conf-enabled"),
    *("mods-enabled", "sites-available", "sites-enabled"),
)
"""Of Debian's `/etc/apache2`; beside it there is what a server writes while it runs."""


@dataclass(slots=True)
class Host:
    """What is below `root` and runs for one host; `serve` is the port of its local responder."""

    root: Path
    told: dict[str, object] = field(default_factory=dict)
    running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    port: int = field(default_factory=free_port)
    serve: int = field(default_factory=free_port)

    @property
    def state(self) -> Path:
        """The state directory of its staplecfg."""
        return self.root / "state"

    @property
    def address(self) -> str:
        """Where its sites are, as their blocks say it."""
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End all that runs."""
        self.running.close()


def start(root: Path, sites: Mapping[str, Sequence[tuple[Path, Path]]]) -> Host:
    """Start the server of a host, with `sites` (chains and keys by name) on one port.

    What a playbook is told: the module's options of the same names (`server`,
    `binary`, `prefix`, `config`, `state_dir`, `listen`), the `sites` and the
    `site_files` they are in, the `port`, `kept` (files and directories of the
    configuration), and `shared_files`, which `apply` writes for all sites together.
    """
    name = os.environ.get("LAB_SERVER") or "nginx"
    if name not in _MAKERS:
        raise SystemExit(f"LAB_SERVER={name}: there are {' and '.join(_MAKERS)}")
    host = Host(root)
    host.told |= {
        "server": name,
        "sites": list(sites),
        "port": host.port,
        "state_dir": str(host.state),
        "listen": f"127.0.0.1:{host.serve}",
    }
    try:
        _MAKERS[name](host, sites)
    except BaseException:
        host.stop()
        raise
    return host


def _nginx(host: Host, sites: Mapping[str, Sequence[tuple[Path, Path]]]) -> None:
    nginx = host.running.enter_context(Nginx(host.root / "nginx", workers=1))
    files = [
        nginx.site(name, listen=f"{host.address} ssl", certificates=pairs)
        for name, pairs in sites.items()
    ]
    nginx.start()
    kept = [nginx.config, nginx.prefix / "sites-available", nginx.prefix / "sites-enabled"]
    host.told |= _files(nginx, files, kept) | {"shared_files": []}


def _apache(host: Host, sites: Mapping[str, Sequence[tuple[Path, Path]]]) -> None:
    # It comes up before its server, as its unit does.
    host.state.mkdir(parents=True)
    host.running.enter_context(serving(host, host.serve))
    apache = host.running.enter_context(Apache.stock(host.root / "apache"))
    files = [
        apache.site(name, listen=host.address, certificates=pairs) for name, pairs in sites.items()
    ]
    apache.start()
    kept = [apache.prefix / name for name in APACHE_READS]
    shared = [str(apache.prefix / "conf-available/staplecfg.conf")]
    host.told |= _files(apache, files, kept) | {"shared_files": shared}


def _files(
    server: Nginx | Apache, files: Sequence[Path], kept: Sequence[Path]
) -> dict[str, object]:
    return {
        "binary": str(server.binary),
        "prefix": f"{server.prefix}/",
        "config": str(server.config),
        "site_files": [str(path) for path in files],
        "kept": [str(path) for path in kept],
    }


_MAKERS = {"nginx": _nginx, "apache": _apache}
