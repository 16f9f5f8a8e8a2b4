"""A real nginx of one's own: a temporary prefix, loopback ports, no root needed, gone afterwards.

The configuration is laid out as Debian does it (`sites-available`, links in
`sites-enabled`). Nothing of the machine's own nginx is read or written; only
its program is run.
"""

from __future__ import annotations

import atexit
import contextlib
import grp
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, final

from tests.support import ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

CHECKOUT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds for anything nginx is waited for: generous, for machines that are shared."""

TEMPORARY = {
    "client_body": "",
    "proxy": "--without-http_proxy_module",
    "fastcgi": "--without-http_fastcgi_module",
    "uwsgi": "--without-http_uwsgi_module",
    "scgi": "--without-http_scgi_module",
}
"""Directories nginx makes at start, and what a build without their directive says of itself."""


class NginxTrouble(Exception):
    """The laboratory's nginx did not do what was asked; the message ends in its own words."""


def find_nginx() -> Path:
    """Return the nginx to use: `$STAPLECFG_NGINX`, the PATH's, or the one under `.tools/`."""
    chosen = os.environ.get("STAPLECFG_NGINX")
    if chosen:
        return Path(chosen)
    # Debian keeps it in a directory that is not on everybody's PATH.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"])
    installed = shutil.which("nginx", path=path)
    if installed is not None:
        return Path(installed)
    unpacked = CHECKOUT / ".tools/nginx/usr/sbin/nginx"
    if not unpacked.exists():
        raise NginxTrouble("there is no nginx here: run scripts/setup test")
    return unpacked


def free_port() -> int:
    """Return a loopback port at which nobody listens, and that no other test run is given."""
    return ports.free()


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Return as soon as `condition` holds; raises `NginxTrouble` naming `what` if it never does."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise NginxTrouble(f"waited {patience:.0f} s in vain: {what}")
        time.sleep(0.01)


@final
@dataclass
class Nginx:
    """One nginx under `prefix`, which is made. Use as a context manager: it is stopped on leaving.

    `main` and `http` are lines for those contexts; `stream` is a whole block's content.
    """

    prefix: Path
    workers: int = 2
    main: str = ""
    http: str = ""
    stream: str = ""
    binary: Path = field(default_factory=find_nginx)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("sites-available", "sites-enabled", "logs", "run", "temporary"):
            (self.prefix / name).mkdir(parents=True, exist_ok=True)
        # Workers run as nobody where the master is root, as on a real machine.
        for directory in (self.prefix, self.prefix / "temporary"):
            directory.chmod(0o755)
        described = subprocess.run(
            [self.binary, "-V"], capture_output=True, text=True, check=True
        ).stderr
        self.banner = described.partition("\n")[0].partition(": ")[2]
        self.version = tuple(map(int, re.findall(r"\d+", self.banner.partition("/")[2])[:3]))
        self._built = described
        self.write()

    def __enter__(self) -> Nginx:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def config(self) -> Path:
        """The main configuration file."""
        return self.prefix / "nginx.conf"

    @property
    def pid_file(self) -> Path:
        """Where the master leaves its id."""
        return self.prefix / "run/nginx.pid"

    @property
    def log(self) -> str:
        """What nginx has said so far, at level notice and above."""
        path = self.prefix / "logs/error.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def write(self) -> None:
        """Write the main configuration file."""
        temporary = "".join(
            f"    {name}_temp_path {self.prefix}/temporary/{name};\n"
            for name, without in TEMPORARY.items()
            if not without or without not in self._built
        )
        stream = f"stream {{\n{self.stream}\n}}\n" if self.stream else ""
        self.config.write_text(
            f"{_user()}"
            f"worker_processes {self.workers};\n"
            f"pid {self.pid_file};\n"
            f"error_log {self.prefix}/logs/error.log notice;\n"
            f"{self.main}\n"
            "events {\n    worker_connections 512;\n}\n\n"
            "http {\n"
            "    access_log off;\n"
            "    server_names_hash_bucket_size 128;\n"
            "    ssl_protocols TLSv1.2 TLSv1.3;\n"
            f"{temporary}"
            f"{self.http}\n"
            f"    include {self.prefix}/sites-enabled/*;\n"
            "}\n"
            f"{stream}",
            encoding="utf-8",
        )

    def site(
        self,
        name: str,
        *,
        listen: Iterable[str] | str,
        certificates: Iterable[tuple[Path, Path]],
        names: str | None = None,
        lines: str = "",
    ) -> Path:
        """Write the site `name` (its server name, unless `names` says others) and enable it.

        `listen` are the arguments of its listen directives, `lines` whatever
        else belongs into the block. Returns the file in `sites-available`.
        """
        listens = [listen] if isinstance(listen, str) else list(listen)
        body = [f"listen {one};" for one in listens]
        body.append(f"server_name {name if names is None else names};")
        for chain, key in certificates:
            body += [f"ssl_certificate {chain};", f"ssl_certificate_key {key};"]
        body += [line.strip() for line in lines.strip().splitlines()]
        inside = "".join(f"    {line}\n" if line else "\n" for line in body)
        available = self.prefix / "sites-available" / name
        available.write_text(
            f"server {{\n{inside}\n    location / {{\n"
            f'        return 200 "{name}\\n";\n    }}\n}}\n',
            encoding="utf-8",
        )
        enabled = self.prefix / "sites-enabled" / name
        if not enabled.is_symlink():
            enabled.symlink_to(Path("../sites-available") / name)
        return available

    def argv(self, *arguments: str) -> list[str]:
        """Return the command line that runs this nginx with `arguments`."""
        argv = [str(self.binary), "-p", f"{self.prefix}/", "-c", str(self.config)]
        if self.version >= (1, 19, 5):
            # Else the error log of the machine's own nginx would be opened first.
            argv += ["-e", str(self.prefix / "logs/error.log")]
        return [*argv, *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run this nginx's program with `arguments` to its end."""
        return subprocess.run(
            self.argv(*arguments), capture_output=True, text=True, check=False, timeout=120
        )

    def test(self) -> subprocess.CompletedProcess[str]:
        """Run `nginx -t`."""
        return self.run("-t")

    def start(self) -> None:
        """Start it and return once it listens; raises `NginxTrouble` where it does not come up."""
        if self._process is not None:
            raise NginxTrouble("it runs already")
        self.pid_file.unlink(missing_ok=True)
        errors = self.prefix / "logs/stderr"
        with errors.open("wb") as stderr:
            self._process = subprocess.Popen(
                self.argv("-g", "daemon off;"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                # A group of its own, so that every worker can be found and ended.
                start_new_session=True,
            )
        atexit.register(self.stop)
        try:
            wait_until(self._up, "nginx to start")
        except NginxTrouble:
            self.stop()
            said = errors.read_text(encoding="utf-8", errors="replace")
            raise NginxTrouble(f"nginx did not start\n{said}") from None

    def _up(self) -> bool:
        process = self._process
        if process is None or process.poll() is not None:
            raise NginxTrouble("nginx has ended")
        # The master writes this file when its sockets listen, before there are workers.
        return (
            self.pid_file.exists()
            and self.pid_file.read_text(encoding="ascii").strip() == str(process.pid)
            and len(self.worker_pids()) >= self.workers
        )

    def stop(self) -> None:
        """End it, whatever state it is in; a stopped one is left in peace."""
        process, self._process = self._process, None
        if process is None:
            return
        atexit.unregister(self.stop)
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def reload(self) -> None:
        """Run `nginx -s reload` and return when the last worker of old is gone.

        Raises `NginxTrouble` where nginx refuses.
        """
        old = self.worker_pids()
        done = self.run("-s", "reload")
        if done.returncode != 0:
            raise NginxTrouble(f"nginx -s reload refused\n{done.stderr}")
        self.wait_for_new_workers(old)

    def wait_for_new_workers(self, old: frozenset[int]) -> None:
        """Return when none of the workers `old` is left and the new ones are all there."""

        def renewed() -> bool:
            workers = self.worker_pids()
            return not workers & old and len(workers) >= self.workers

        wait_until(renewed, "the old workers to go")

    @property
    def master(self) -> int | None:
        """The master's process id, or None where it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def worker_pids(self) -> frozenset[int]:
        """Return the workers' process ids, those that are shutting down among them."""
        master = self.master
        if master is None:
            return frozenset()
        return frozenset(pid for pid in _processes() if _parent(pid) == master)


def _user() -> str:
    if os.geteuid() != 0:
        return ""
    nobody = pwd.getpwnam("nobody")
    return f"user nobody {grp.getgrgid(nobody.pw_gid).gr_name};\n"


def _processes() -> Iterable[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _parent(pid: int) -> int | None:
    """Return the parent of `pid`; None where it is gone, or waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name and may hold blanks and parentheses.
    state, parent = stat.rpartition(")")[2].split()[:2]
    return None if state == "Z" else int(parent)
