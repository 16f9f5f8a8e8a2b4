"""Many sites with a certificate each, and a fresh staple of every one in the store: none is due.

Keys are shared, as making them is what is slow; certificates, staples and
server blocks are not. The lines of the `file` delivery stand in every block, as a
configuration manager writes them (docs/site-key.md): `warm` does the rest.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from staplecfg.servers.site_key import site_key
from tests.support.authority import Authority, pem
from tests.support.nginx import Nginx, free_port

if TYPE_CHECKING:
    from pathlib import Path

LINES = """\
ssl_stapling on;
ssl_stapling_verify on;
include {state}/nginx/{key}/*.conf;
"""
HASHES = "    server_names_hash_max_size 65536;\n"


def thousand(root: Path, url: str, *, sites: int = 1000, lines: str = "") -> Nginx:
    """Write `sites` sites below `root`, whose responder is at `url`, and `root/state/store`.

    `lines` go into each block too. The root certificate is `root/root.pem`.
    Returns the nginx, not started.
    """
    authority = Authority.create()
    now = datetime.now(timezone.utc).replace(microsecond=0)
    nginx = Nginx(root / "nginx", http=HASHES)
    store = root / "state" / "store"
    for directory in (root / "pki", store):
        directory.mkdir(parents=True)
    (root / "root.pem").write_bytes(pem(authority.root.cert))
    listen = f"127.0.0.1:{free_port()} ssl"
    for number in range(sites):
        name = f"s{number}.example"
        issued = authority.leaf([name], responders=[url])
        staple = authority.respond(issued, now=now, next_update=timedelta(days=7))
        (store / f"{issued.sha256}.der").write_bytes(staple)
        pair = issued.write(root / "pki", name)
        ours = LINES.format(state=root / "state", key=site_key([str(pair[0])]))
        nginx.site(name, listen=listen, certificates=[pair], lines=ours + lines)
    return nginx


def arguments(root: Path, nginx: Nginx) -> list[str]:
    """Return the flags that make a command work on what `thousand` wrote."""
    flags = ["--server", "nginx", "--binary", str(nginx.binary), "--prefix", f"{nginx.prefix}/"]
    flags += ["--config", str(nginx.config), "--state-dir", str(root / "state")]
    flags += ["--trust", str(root / "root.pem"), "--allow-network", "127.0.0.0/8"]
    return flags
