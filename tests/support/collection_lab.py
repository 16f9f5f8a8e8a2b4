"""A laboratory that outlives the command that made it: for playbooks, which cannot hold a `with`.

    python -m tests.support.collection_lab start DIR HOSTS SITES_PER_HOST NAMES...
    python -m tests.support.collection_lab tell DIR down
    python -m tests.support.collection_lab stop DIR

So `start /tmp/lab 20 2 site0.example site1.example site2.example`: HOSTS servers,
each with SITES_PER_HOST (0: all) of the sites NAMES. `both.example:ec,rsa` has a
certificate for each kind of key. LAB_SERVER=apache makes the servers Apache, and
runs a local responder for each.

`start` prints JSON: the servers' files and ports, and the flags that staplecfg
needs here. It ends by itself after half an hour, should nobody stop it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from staplecfg.pki.asked import asked
from staplecfg.staples.answer import request_in
from tests.support import collection_servers
from tests.support.authority import Authority, pem
from tests.support.nginx import CHECKOUT
from tests.support.responder import Responder, close_at_once, honest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.authority import KeyKind
    from tests.support.collection_servers import Host
    from tests.support.responder import Call

LONGEST = 1800
READY = 60.0


class CollectionLab:
    """A CA, its responder, and `hosts` servers, each with sites that share the certificates.

    A site is a name; hosts take `sites` in turn, `sites_per_host` each.
    """

    def __init__(self, root: Path, sites: Sequence[str], hosts: int, sites_per_host: int) -> None:
        self.root = root
        self.authority = Authority.create()
        self.responder = Responder(self.authority)
        self.responder.__enter__()
        (root / "pki").mkdir(parents=True)
        (root / "pki/root.pem").write_bytes(pem(self.authority.root.cert))
        self.issued = {
            name: [
                self.authority.leaf(
                    [name], responders=[self.responder.url], key=cast("KeyKind", kind)
                )
                for kind in kinds.split(",")
            ]
            for name, _, kinds in (
                (each if ":" in each else f"{each}:ec").partition(":") for each in sites
            )
        }
        self.files = {
            name: [
                one.write(root / "pki", f"{name}-{number}" if number else name)
                for number, one in enumerate(issued)
            ]
            for name, issued in self.issued.items()
        }
        self.responder.mode = self.answer
        self.servers: list[Host] = []
        names = list(self.issued)
        try:
            for number in range(hosts):
                self.servers.append(self._server(number, names, sites_per_host or len(names)))
        except BaseException:
            self.stop()
            raise

    def _server(self, number: int, sites: Sequence[str], share: int) -> Host:
        own = [sites[(number + each) % len(sites)] for each in range(share)]
        return collection_servers.start(
            self.root / f"host{number}", {name: self.files[name] for name in own}
        )

    def told(self) -> dict[str, Any]:
        """Return what a playbook has to know."""
        return {
            "hosts": [{"name": each.root.name, **each.told} for each in self.servers],
            "trust": [str(self.root / "pki/root.pem")],
            "allow_networks": ["127.0.0.0/8"],
            "certificates": {name: str(pairs[0][0]) for name, pairs in self.files.items()},
        }

    def answer(self, call: Call) -> bool:
        """Answer about all that a request asks about, which few public responders do."""
        questions = asked(call.request.body or request_in(call.request.target.encode()))
        if len(questions) == 1:
            return honest(call)
        known = {one.cert.serial_number: one for each in self.issued.values() for one in each}
        moment = self.responder.clock()
        first, *others = (known[each.serial] for each in questions)
        also = [self.authority.single(each, now=moment) for each in others]
        return call.reply(self.authority.respond(first, now=moment, also=also))

    def obey(self, order: str) -> Mapping[str, object]:
        """Do what `tell` says, and return what came of it."""
        if order == "down":
            self.responder.mode = close_at_once
        elif order == "up":
            self.responder.mode = self.answer
        elif order == "singly":
            self.responder.mode = honest
        elif order.startswith("old "):
            _, name, path = order.split()
            Path(path).write_bytes(self.old(name))
            # In a store, what is noted beside it would put off the next try.
            Path(path).with_suffix(".json").unlink(missing_ok=True)
        return {"asked": len(self.responder.log)}

    def old(self, name: str) -> bytes:
        """Return a response about the site `name` that is due, and good for two days more."""
        now = datetime.now(timezone.utc).replace(microsecond=0)
        since, until = now - timedelta(days=5), now + timedelta(days=2)
        return self.authority.respond(
            self.issued[name][0], now=now, this_update=since, next_update=until
        )

    def stop(self) -> None:
        """End every server."""
        for each in self.servers:
            each.stop()
        self.responder.stop()


def serve(root: Path, arguments: Sequence[str]) -> None:
    """Make a laboratory under `root` and listen for orders until told to stop."""
    hosts, share, *sites = arguments
    lab = CollectionLab(root, sites, int(hosts), int(share))
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(root / "orders"))
            listener.listen()
            listener.settimeout(0.2)
            (root / "lab.json").write_text(json.dumps(lab.told()), encoding="utf-8")
            deadline = time.monotonic() + LONGEST
            while not stopping.is_set() and time.monotonic() < deadline:
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with connection:
                    order = connection.makefile().readline().strip()
                    connection.sendall(json.dumps(lab.obey(order)).encode())
    finally:
        lab.stop()


def start(root: Path, arguments: Sequence[str]) -> str:
    """Start one in a process of its own and return its description when it answers."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.collection_lab", "serve", str(root), *arguments],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (root / "pid").write_text(str(process.pid), encoding="ascii")
    deadline = time.monotonic() + READY
    while not (root / "lab.json").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit((root / "lab.log").read_text(encoding="utf-8"))
        time.sleep(0.05)
    return (root / "lab.json").read_text(encoding="utf-8")


def tell(root: Path, order: str) -> str:
    """Send `order` and return the answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(root / "orders"))
        connection.sendall(f"{order}\n".encode())
        return connection.makefile().read()


def stop(root: Path) -> None:
    """End the laboratory under `root`, and wait until it is gone."""
    pid = int((root / "pid").read_text(encoding="ascii"))
    # One that has ended by itself has left its number to somebody else.
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        if _is_of(root, pid):
            os.kill(pid, signal.SIGTERM)
        while _is_of(root, pid):
            time.sleep(0.05)


def _is_of(root: Path, pid: int) -> bool:
    return str(root).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def main(arguments: Sequence[str]) -> None:
    """Run one of the commands."""
    command, directory, *rest = arguments
    root = Path(directory)
    if command == "serve":
        serve(root, rest)
    elif command == "start":
        sys.stdout.write(f"{start(root, rest)}\n")
    elif command == "tell":
        sys.stdout.write(f"{tell(root, rest[0])}\n")
    elif command == "stop":
        stop(root)
    else:
        raise SystemExit(f"no command {command}")


if __name__ == "__main__":
    main(sys.argv[1:])
