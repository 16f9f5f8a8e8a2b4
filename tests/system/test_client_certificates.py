"""Who may log in with a client's certificate is not for stapling to decide: before and after.

nginx believes the authorities of `ssl_trusted_certificate` for clients too, so
that the usual advice on stapling opens a door. It answers 400 in HTTP to a
client it does not believe, after a handshake that looks like any other.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.authority import Authority, Issued, issue, pem, private_key
from tests.support.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

NAME = "shop.example"
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
CLIENTS = Authority.create("Our Clients")


@dataclass
class Door:
    """A laboratory whose site lets in clients of `CLIENTS`, and those who try."""

    lab: Lab
    visitors: dict[str, tuple[Path, Path] | None]

    def answers(self) -> dict[str, set[int]]:
        """Return what HTTP status each visitor gets, over all versions of TLS."""
        return {
            who: {status(self.lab.port, version, identity) for version in VERSIONS}
            for who, identity in self.visitors.items()
        }


WANTED = {
    "ours": {200},
    "of the server's intermediate": {400},
    "of the server's root": {400},
    "of a stranger's authority": {400},
    "nobody": {400},
}
"""The same before and after whatever staplecfg does."""


def client(authority: Authority, issuer: Issued, name: str) -> Issued:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    key = private_key("ec", f"{authority.label}/client")
    return issue(name, key, issuer, extensions=[usage])


@contextlib.contextmanager
def door(tmp_path: Path, *, mode: str = "on", lines: str = "") -> Iterator[Door]:
    directory = tmp_path / "clients"
    directory.mkdir()
    (directory / "ca.pem").write_bytes(pem(CLIENTS.root.cert))
    verifying = (
        f"ssl_verify_client {mode};\n"
        "ssl_verify_depth 3;\n"
        f"ssl_client_certificate {directory}/ca.pem;\n{lines}"
    )
    with Lab.make(tmp_path / "lab", sites=[NAME], lines=verifying) as lab:
        stranger = Authority.create("Stranger")
        issued = {
            "ours": client(CLIENTS, CLIENTS.intermediate, "alice"),
            "of the server's intermediate": client(lab.authority, lab.authority.intermediate, "m"),
            "of the server's root": client(lab.authority, lab.authority.root, "n"),
            "of a stranger's authority": client(stranger, stranger.intermediate, "o"),
        }
        visitors: dict[str, tuple[Path, Path] | None] = {"nobody": None}
        for number, (who, one) in enumerate(issued.items()):
            visitors[who] = one.write(directory, f"client{number}")
        lab.nginx.start()
        yield Door(lab, visitors)


def status(port: int, version: ssl.TLSVersion, identity: tuple[Path, Path] | None) -> int:
    """Return the HTTP status that a GET for `NAME` is answered with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if identity is not None:
        context.load_cert_chain(*identity)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname=NAME) as tls,
    ):
        assert tls.version() == version.name.replace("_", ".")
        tls.sendall(f"GET / HTTP/1.0\r\nHost: {NAME}\r\n\r\n".encode())
        with tls.makefile("rb") as answer:
            return int(answer.readline().split()[1])


@pytest.mark.parametrize("mode", ["on", "optional"])
def test_apply_lets_nobody_in_and_shuts_nobody_out(tmp_path, mode):
    with door(tmp_path, mode=mode) as here:
        wanted = WANTED | {"nobody": {400 if mode == "on" else 200}}
        assert here.answers() == wanted

        applied = here.lab.apply()

        assert applied.status == 0, applied
        assert b"ssl_stapling on;" in here.lab.files()[f"sites-available/{NAME}"]
        assert b"ssl_trusted_certificate" not in b"".join(here.lab.files().values())
        assert here.answers() == wanted
        assert here.lab.cli("probe").status == 0
        assert here.lab.cli("remove").status == 0
        assert here.answers() == wanted


def test_a_replacement_lets_nobody_in(tmp_path):
    with door(tmp_path, lines="ssl_stapling_verify off; # as we like it") as here:
        refused = here.lab.apply()
        assert b"ssl_stapling on;" not in b"".join(here.lab.files().values()), refused
        assert here.answers() == WANTED

        replaced = here.lab.apply("--replace", "ssl_stapling_verify", "--site", NAME)

        assert replaced.status == 0, replaced
        assert b"ssl_stapling_verify on;" in here.lab.files()[f"sites-available/{NAME}"]
        assert here.lab.cli("probe").status == 0
        assert here.answers() == WANTED


def test_an_open_door_is_reported_and_not_opened_any_wider(tmp_path):
    chain = tmp_path / "server-chain.pem"
    authority = Authority.create()
    chain.write_bytes(pem(authority.intermediate.cert, authority.root.cert))
    with door(tmp_path, lines=f"ssl_trusted_certificate {chain};") as here:
        before = here.answers()
        # What the rule is about: the server's own authority lets clients in.
        assert before["of the server's intermediate"] == {200}
        assert before["of a stranger's authority"] == {400}

        checked = here.lab.cli("check", "--format", "json")

        assert checked.status == 1, checked
        found = [
            each
            for each in checked.document["findings"]
            if each["rule"] == "client-verify-trusts-trusted-certificate"
        ]
        assert [(each["severity"], each["site"]) for each in found] == [("error", NAME)]
        text = (here.lab.nginx.prefix / "sites-available" / NAME).read_text().splitlines()
        assert "ssl_trusted_certificate" in text[found[0]["line"] - 1]
        here.lab.apply()
        assert here.answers() == before


def test_once_the_line_is_gone_the_door_is_shut_and_stapling_goes_on(tmp_path):
    chain = tmp_path / "server-chain.pem"
    chain.write_bytes(pem(Authority.create().intermediate.cert, Authority.create().root.cert))
    line = f"ssl_trusted_certificate {chain};"
    with door(tmp_path, lines=line) as here:
        assert here.lab.apply().status in {0, 1}
        site = here.lab.nginx.prefix / "sites-available" / NAME
        site.write_text(site.read_text().replace(line, ""))
        here.lab.nginx.reload()

        assert here.lab.apply().status == 0
        assert here.answers() == WANTED
        assert here.lab.cli("probe").status == 0
        assert here.lab.cli("check").status == 0
