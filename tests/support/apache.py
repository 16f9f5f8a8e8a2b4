"""A real Apache of one's own: a temporary prefix, loopback ports, gone afterwards.

    with Apache(tmp_path / "apache") as apache:      # one main file, `vhosts/*.conf` included
        apache.site("shop.example", listen="127.0.0.1:8443", certificates=[(chain, key)])
        apache.start()

    with Apache.stock(tmp_path / "apache2") as apache:      # Debian's own tree, a copy of it

Nothing of the machine's own Apache is read or written; only its program is run.
Where tests run as root its children run as `www-data` or `nobody`, who cannot
look into pytest's directories. That is no harm to handshakes; what the children
themselves must reach (mod_md's store) belongs under `identity.reachable_directory()`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import grp
import os
import pwd
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, final

from tests.support import apache_processes as processes
from tests.support import apache_stock
from tests.support.nginx import CHECKOUT, NginxTrouble, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

NEEDED = ("mpm_event", "authz_core", "ssl", "socache_shmcb")
"""The modules of a generated configuration; those that are compiled in are not loaded."""

SETTLED = 0.2
"""Seconds for which children of a new generation must stay to be believed."""


class ApacheTrouble(Exception):
    """The laboratory's Apache did not do what was asked; the message ends in its own words."""


def find_apache() -> Path:
    """Return the Apache to use: `$STAPLECFG_APACHE`, or the one under `.tools/`."""
    chosen = os.environ.get("STAPLECFG_APACHE")
    if chosen:
        return Path(chosen)
    unpacked = CHECKOUT / ".tools/apache/usr/sbin/apache2"
    if not unpacked.exists():
        raise ApacheTrouble("there is no Apache here: run scripts/setup test")
    return unpacked


def modules_of(binary: Path) -> Path:
    """Return the directory of the modules of `binary`."""
    real = binary.resolve()
    places = ("../lib/apache2/modules", "../modules", "../lib/httpd/modules")
    here = [real.parent / place for place in places]
    here += [Path("/usr/lib/apache2/modules"), Path("/usr/lib64/httpd/modules")]
    for place in here:
        if (place / "mod_ssl.so").exists():
            return place.resolve()
    raise ApacheTrouble(f"no mod_ssl.so in {', '.join(map(str, here))}")


@final
@dataclass
class Apache:
    """One Apache under `prefix`, which is made. Use as a context manager: it is stopped on leaving.

    `main` is lines for the main file, before the virtual hosts; `modules` are
    names (`md`, `rewrite`) of modules besides `NEEDED`; `defines` what it is
    started with by `-D`.
    """

    prefix: Path
    main: str = ""
    modules: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    binary: Path = field(default_factory=find_apache)
    is_stock: bool = False
    http: int = field(default_factory=free_port)
    """The port it listens at besides those of its sites."""
    _masters: set[int] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        self.prefix = self.prefix.resolve()
        for name in ("run", "lock", "log", "htdocs"):
            (self.prefix / name).mkdir(parents=True, exist_ok=True)
        self.prefix.chmod(0o755)
        self.version = _version(self.binary)
        if self.is_stock:
            apache_stock.copy(self.prefix, modules_of(self.binary), self.http, self.modules)
        else:
            (self.prefix / "vhosts").mkdir(exist_ok=True)
            self.write()

    @classmethod
    def stock(cls, prefix: Path, *, modules: Iterable[str] = (), **fields: object) -> Apache:
        """Return one with Debian's own tree, as the package installs and enables it.

        mod_ssl is enabled besides, as `a2enmod ssl` does it, and `modules`.
        """
        return cls(prefix, modules=tuple(modules), is_stock=True, **fields)  # type: ignore[arg-type] # its own fields

    def __enter__(self) -> Apache:
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
        return self.prefix / ("apache2.conf" if self.is_stock else "httpd.conf")

    @property
    def pid_file(self) -> Path:
        """Where the master leaves its id."""
        return self.prefix / ("run/apache2.pid" if self.is_stock else "run/httpd.pid")

    @property
    def sites(self) -> Path:
        """Where the files of the virtual hosts are."""
        return self.prefix / ("sites-available" if self.is_stock else "vhosts")

    @property
    def log(self) -> str:
        """What Apache has said so far, at level notice and above."""
        path = self.prefix / "log/error.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def write(self) -> None:
        """Write the main configuration file of a generated tree; a stock one is left as it is."""
        if self.is_stock:
            return
        where, static = modules_of(self.binary), _static(self.binary)
        loads = "".join(
            f"LoadModule {name}_module {where}/mod_{name}.so\n"
            for name in (*NEEDED, *self.modules)
            if f"mod_{name}.c" not in static
        )
        self.config.write_text(
            f"ServerRoot {self.prefix}\n"
            f"PidFile {self.pid_file}\n"
            f"{_user()}"
            f"{loads}"
            f"ErrorLog {self.prefix}/log/error.log\n"
            "LogLevel notice\n"
            "ServerName localhost\n"
            f"DefaultRuntimeDir {self.prefix}/run\n"
            f"DocumentRoot {self.prefix}/htdocs\n"
            f"Listen 127.0.0.1:{self.http}\n"
            "StartServers 2\n"
            "MinSpareThreads 25\n"
            "MaxSpareThreads 75\n"
            "SSLProtocol -all +TLSv1.2 +TLSv1.3\n"
            f"{self.main}\n"
            "IncludeOptional vhosts/*.conf\n",
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
        """Write the virtual host `name` (its ServerName, unless `names` says others), enabled.

        `listen` are addresses, which get a `Listen` line where there is none
        yet; `lines` whatever else belongs into the block. Returns the file.
        """
        listens = [listen] if isinstance(listen, str) else list(listen)
        self._listen(listens)
        first, *aliases = (name if names is None else names).split()
        body = [f"ServerName {first}", *(f"ServerAlias {alias}" for alias in aliases)]
        body += ["SSLEngine on"]
        for chain, key in certificates:
            body += [f"SSLCertificateFile {chain}", f"SSLCertificateKeyFile {key}"]
        body += [line.strip() for line in lines.strip().splitlines()]
        inside = "".join(f"    {line}\n" if line else "\n" for line in body)
        available = self.sites / f"{name}.conf"
        available.write_text(
            f"<VirtualHost {' '.join(listens)}>\n{inside}</VirtualHost>\n", encoding="utf-8"
        )
        if self.is_stock:
            enabled = self.prefix / "sites-enabled" / available.name
            if not enabled.is_symlink():
                enabled.symlink_to(Path("../sites-available") / available.name)
        return available

    def _listen(self, addresses: Iterable[str]) -> None:
        ports = self.prefix / ("ports.conf" if self.is_stock else "vhosts/00-ports.conf")
        said = ports.read_text(encoding="utf-8") if ports.exists() else ""
        missing = [each for each in addresses if f"Listen {each}\n" not in said]
        ports.write_text(said + "".join(f"Listen {each}\n" for each in missing), encoding="utf-8")

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment it is run in, with what a shell makes of `envvars`, as apache2ctl has."""
        plain = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        if not self.is_stock:
            return plain
        said = subprocess.run(
            ["/bin/sh", "-c", ". ./envvars && env -0"],
            cwd=self.prefix,
            env={**plain, "APACHE_CONFDIR": str(self.prefix)},
            capture_output=True,
            check=True,
        ).stdout.decode()
        return dict(pair.split("=", 1) for pair in said.split("\0") if pair)

    def argv(self, *arguments: str) -> list[str]:
        """Return the command line that runs this Apache with `arguments`."""
        defines = [word for name in self.defines for word in ("-D", name)]
        base = [str(self.binary), "-d", str(self.prefix), "-f", str(self.config)]
        return [*base, *defines, *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run this Apache's program with `arguments` to its end, what it says in `stdout`."""
        # Not a pipe: a server that was started would hold it, and its end never come.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            done = subprocess.run(
                self.argv(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=self.environment,
                check=False,
                timeout=120,
            )
            said.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, said.read(), "")

    def test(self) -> subprocess.CompletedProcess[str]:
        """Run `apache2 -t`."""
        return self.run("-t")

    def dump(self, *what: str) -> str:
        """Return what `-t -D WHAT ...` prints; raises `ApacheTrouble` where it ends in an error.

        Never without -t: that would start it.
        """
        done = self.run("-t", *(word for name in what for word in ("-D", name)))
        if done.returncode != 0:
            raise ApacheTrouble(f"apache2 -t -D {' '.join(what)}\n{done.stdout}")
        return done.stdout

    def start(self) -> None:
        """Start it, as a daemon, and return once it accepts; raises `ApacheTrouble` otherwise."""
        if self.master is not None:
            raise ApacheTrouble("it runs already")
        self.pid_file.unlink(missing_ok=True)
        atexit.register(self.stop)
        done = self.run("-k", "start")
        if done.returncode != 0:
            raise ApacheTrouble(f"Apache did not start\n{done.stdout}\n{self.log}")
        try:
            wait_until(lambda: bool(self.accepting()), "Apache to start")
        except NginxTrouble:
            self.stop()
            raise ApacheTrouble(f"Apache did not start\n{done.stdout}\n{self.log}") from None

    def stop(self) -> None:
        """End it, whatever state it is in, and whoever started it; a stopped one is left alone."""
        atexit.unregister(self.stop)
        master = self.master
        if master is not None:
            os.kill(master, signal.SIGTERM)
            with contextlib.suppress(NginxTrouble):
                wait_until(lambda: not processes.alive(master), "Apache to stop", patience=10)
        # Children whose master died of its configuration are still at their connections.
        for leader in self._masters:
            for pid in processes.in_session(leader):
                if str(self.prefix) in processes.command_line(pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        self._masters.clear()

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def graceful(self) -> None:
        """Run `-k graceful` and return when the children of the new generation accept alone.

        Raises `ApacheTrouble` where it refuses, or dies of it. One that does not
        run is never asked: `-k graceful` would start it.
        """
        self._begin_anew("graceful")

    reload = graceful

    def hang_up(self) -> None:
        """Run `-k restart`, which lets no child finish; returns and raises as `graceful` does."""
        self._begin_anew("restart")

    def _begin_anew(self, how: str) -> None:
        master = self.master
        if master is None:
            raise ApacheTrouble("it does not run")
        old = self.accepting()
        done = self.run("-k", how)
        if done.returncode != 0:
            raise ApacheTrouble(f"-k {how} refused\n{done.stdout}")

        def renewed() -> bool:
            if not processes.alive(master):
                raise ApacheTrouble(f"the master died of it\n{self.log}")
            return bool(self.accepting() - old) and not self.accepting() & old

        while True:
            wait_until(renewed, "the new children to take over")
            # A child forked since we looked is of the old generation, and about to go too.
            time.sleep(SETTLED)
            if renewed():
                return

    def kill(self, sent: signal.Signals = signal.SIGKILL) -> None:
        """Send the master a signal."""
        if self.master is not None:
            os.kill(self.master, sent)

    @property
    def master(self) -> int | None:
        """The master's process id, or None where it does not run; whoever started it."""
        try:
            pid = int(self.pid_file.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None
        # The id may be another's by now.
        if not processes.alive(pid) or str(self.prefix) not in processes.command_line(pid):
            return None
        self._masters.add(pid)
        return pid

    def worker_pids(self) -> frozenset[int]:
        """Return the children's process ids, those that are finishing among them."""
        master = self.master
        return frozenset(
            pid for pid in processes.every() if master and processes.stat(pid)[1:2] == [master]
        )

    def accepting(self) -> frozenset[int]:
        """Return the children that hold listening sockets: those of the present generation."""
        return frozenset(pid for pid in self.worker_pids() if processes.listens(pid))


@functools.cache
def _version(binary: Path) -> tuple[int, ...]:
    said = subprocess.run([binary, "-v"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.findall(r"\d+", said.partition("Apache/")[2])[:3]))


@functools.cache
def _static(binary: Path) -> frozenset[str]:
    said = subprocess.run([binary, "-l"], capture_output=True, text=True, check=True).stdout
    return frozenset(said.split())


def _user() -> str:
    if os.geteuid() != 0:
        return ""
    nobody = pwd.getpwnam("nobody")
    return f"User nobody\nGroup {grp.getgrgid(nobody.pw_gid).gr_name}\n"
