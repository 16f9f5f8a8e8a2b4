"""One full handshake, against real servers and against peers that mean harm."""

from __future__ import annotations

import contextlib
import itertools
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from staplecfg.model.probe import Refused, Target, Tls
from staplecfg.staples.handshake import (
    PROTOCOL_VERSION,
    UNRECOGNIZED_NAME,
    Handshaken,
    Key,
    handshake,
)
from tests.support.authority import Authority, Issued, issue, pem, private_key
from tests.support.nginx import Nginx, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.system

NOW = datetime.now(timezone.utc)
both_versions = pytest.mark.parametrize("version", list(Tls), ids=lambda version: version.value)


@dataclass(frozen=True)
class Shop:
    """An nginx, what it presents, and where."""

    server: Nginx
    leaf: Issued
    rsa: Issued
    plain: Issued
    staple: bytes
    port: int
    proxied: int
    only_new: int
    rejecting: int
    unix: Path

    def at(self, port: int) -> Target:
        return Target("127.0.0.1", port)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Iterator[Shop]:
    directory = tmp_path_factory.mktemp("handshake")
    authority = Authority.create()
    leaf = authority.leaf(["shop.example"])
    other = authority.leaf(["shop.example"], key="rsa")
    plain = authority.leaf(["plain.example"])
    staple = authority.respond(leaf, now=NOW, also=[authority.single(other, now=NOW)])
    (directory / "staple.der").write_bytes(staple)
    port, proxied, only_new, rejecting = (free_port() for _ in range(4))
    unix = directory / "tls.sock"
    stapled = f"ssl_stapling on;\nssl_stapling_file {directory}/staple.der;"
    with Nginx(directory / "nginx") as server:
        server.site(
            "shop.example",
            listen=[
                f"127.0.0.1:{port} ssl",
                f"127.0.0.1:{proxied} ssl proxy_protocol",
                f"unix:{unix} ssl",
            ],
            certificates=[leaf.write(directory, "leaf"), other.write(directory, "rsa")],
            lines=stapled,
        )
        server.site(
            "plain.example",
            listen=f"127.0.0.1:{port} ssl",
            certificates=[plain.write(directory, "plain")],
            lines="ssl_stapling off;",
        )
        server.site(
            "new.example",
            listen=f"127.0.0.1:{only_new} ssl",
            certificates=[leaf.write(directory, "leaf")],
            lines="ssl_protocols TLSv1.3;",
        )
        server.site(
            "rejecting.example",
            listen=f"127.0.0.1:{rejecting} ssl default_server",
            certificates=[],
            lines="ssl_reject_handshake on;",
        )
        server.start()
        yield Shop(server, leaf, other, plain, staple, port, proxied, only_new, rejecting, unix)


def shaken(result: Handshaken | Refused) -> Handshaken:
    assert isinstance(result, Handshaken), result
    return result


def refused(result: Handshaken | Refused) -> Refused:
    assert isinstance(result, Refused), result
    return result


@both_versions
def test_the_staple_comes_as_the_server_has_it(shop: Shop, version: Tls):
    seen = shaken(handshake(shop.at(shop.port), name="shop.example", version=version))

    assert seen.staple == shop.staple
    assert seen.version is version
    assert seen.problem is None


@both_versions
def test_the_chain_comes_whole_with_the_leaf_first(shop: Shop, version: Tls):
    seen = shaken(handshake(shop.at(shop.port), name="plain.example", version=version))

    assert seen.leaf == shop.plain.der
    assert len(seen.chain) == 1 + len(shop.plain.chain)


@both_versions
def test_a_site_without_stapling_gives_none(shop: Shop, version: Tls):
    seen = shaken(handshake(shop.at(shop.port), name="plain.example", version=version))

    assert seen.staple is None


@both_versions
def test_without_a_name_the_default_server_answers(shop: Shop, version: Tls):
    # The first block in the order of file names is the default: plain.example.
    seen = shaken(handshake(shop.at(shop.port), name=None, version=version))

    assert seen.leaf == shop.plain.der


def test_the_final_dot_of_a_name_is_not_sent(shop: Shop):
    seen = shaken(handshake(shop.at(shop.port), name="shop.example.", version=Tls.V1_2))

    assert seen.leaf in {shop.leaf.der, shop.rsa.der}


@pytest.mark.parametrize("key", list(Key), ids=lambda key: key.value)
def test_either_of_two_certificates_can_be_asked_for(shop: Shop, key: Key):
    seen = shaken(handshake(shop.at(shop.port), name="shop.example", version=Tls.V1_2, key=key))

    assert seen.leaf == {Key.RSA: shop.rsa.der, Key.ECDSA: shop.leaf.der}[key]


@both_versions
def test_the_proxy_protocol_is_spoken_where_it_is_configured(shop: Shop, version: Tls):
    target = Target("127.0.0.1", shop.proxied, proxy_protocol=True)

    assert shaken(handshake(target, name="shop.example", version=version)).staple == shop.staple


def test_without_the_proxy_protocol_such_an_address_refuses(shop: Shop):
    result = handshake(shop.at(shop.proxied), name="shop.example", version=Tls.V1_3)

    assert refused(result).connected


@both_versions
def test_a_unix_socket_will_do(shop: Shop, version: Tls):
    target = Target(unix=PurePosixPath(shop.unix))

    assert shaken(handshake(target, name="shop.example", version=version)).staple == shop.staple


def test_a_version_that_is_not_spoken_is_told_by_its_alert(shop: Shop):
    result = handshake(shop.at(shop.only_new), name="new.example", version=Tls.V1_2)

    assert refused(result).alert == PROTOCOL_VERSION


@both_versions
def test_a_rejected_name_is_told_by_its_alert(shop: Shop, version: Tls):
    result = handshake(shop.at(shop.rejecting), name="rejecting.example", version=version)

    assert refused(result).alert == UNRECOGNIZED_NAME


def test_no_handshake_is_a_resumed_one(shop: Shop):
    first, second = (
        shaken(handshake(shop.at(shop.port), name="shop.example", version=Tls.V1_3))
        for _ in range(2)
    )

    assert first.staple == second.staple == shop.staple


@pytest.fixture
def demanding(tmp_path) -> Iterator[tuple[Target, Issued, bytes]]:
    """A server that ends the handshake of whoever shows no certificate; nginx waits until after."""
    authority = Authority.create()
    leaf = authority.leaf(["door.example"])
    fullchain, key = leaf.write(tmp_path, "door")
    trusted = pem(authority.root.cert, authority.intermediate.cert)
    (tmp_path / "trusted.pem").write_bytes(trusted)
    staple = authority.respond(leaf, now=NOW)
    (tmp_path / "staple.der").write_bytes(staple)
    port = free_port()
    command = f"openssl s_server -accept 127.0.0.1:{port} -naccept 9 -quiet -Verify 3"
    files = {
        "-cert": fullchain,
        "-key": key,
        "-status_file": tmp_path / "staple.der",
        "-CAfile": tmp_path / "trusted.pem",
    }
    server = subprocess.Popen(
        [*command.split(), "-verify_return_error", *itertools.chain(*files.items())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with server:
        try:
            wait_until(lambda: listens(port), "openssl s_server to listen")
            yield Target("127.0.0.1", port), leaf, staple
        finally:
            server.kill()


def listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


@both_versions
def test_the_staple_is_seen_where_a_client_certificate_is_demanded(demanding, version: Tls):
    target, leaf, staple = demanding

    seen = shaken(handshake(target, name="door.example", version=version))

    assert (seen.leaf, seen.staple) == (leaf.der, staple)


def test_a_demand_for_a_client_certificate_is_no_finished_handshake(demanding):
    target, _, _ = demanding

    assert shaken(handshake(target, name="door.example", version=Tls.V1_2)).problem


def test_a_client_certificate_is_shown_where_one_is_demanded(demanding):
    target, _, _ = demanding
    visitor = issue("Visitor", private_key("ec", "visitor"), Authority.create().intermediate)
    assert isinstance(visitor.key, ec.EllipticCurvePrivateKey)

    seen = shaken(
        handshake(target, name=None, version=Tls.V1_2, identity=(visitor.cert, visitor.key))
    )

    assert seen.problem is None


@contextlib.contextmanager
def peer(behaviour: Callable[[socket.socket], None]) -> Iterator[Target]:
    """A peer that does `behaviour` to the first connection it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            with contextlib.suppress(OSError), listening.accept()[0] as connection:
                behaviour(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield Target("127.0.0.1", listening.getsockname()[1])
        thread.join(10)
        assert not thread.is_alive()


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def dripping(connection: socket.socket) -> None:
    # The header of a TLS record of 16 KiB, and then one octet after the other.
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while True:
        connection.sendall(b"\x00")
        time.sleep(0.02)


def closing(connection: socket.socket) -> None:
    connection.recv(4096)


def speaking_http(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize("behaviour", [silent, dripping], ids=["silent", "dripping"])
def test_a_peer_that_stalls_costs_no_more_than_the_timeout(behaviour):
    with peer(behaviour) as target:
        result = handshake(target, name="a.example", version=Tls.V1_2, timeout=0.5)

        assert refused(result) == Refused("no answer within 0.5 s")


@pytest.mark.parametrize("behaviour", [closing, speaking_http], ids=["closing", "http"])
def test_a_peer_that_speaks_no_tls_refuses(behaviour):
    with peer(behaviour) as target:
        result = refused(handshake(target, name="a.example", version=Tls.V1_3))

    assert result.connected
    assert result.problem


def test_where_nothing_listens_nobody_was_connected():
    target = Target("127.0.0.1", free_port())

    result = handshake(target, name="a.example", version=Tls.V1_3)

    assert result == Refused("connection refused", connected=False)


def test_a_missing_unix_socket_is_no_crash(tmp_path):
    target = Target(unix=PurePosixPath(tmp_path / "none.sock"))

    assert not refused(handshake(target, name=None, version=Tls.V1_3)).connected


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a" * 64 + ".example", id="label too long"),
        pytest.param("a..example", id="empty label"),
        pytest.param("a\0.example", id="NUL"),
        pytest.param("\udcff.example", id="undecodable"),
    ],
)
def test_what_is_no_name_is_not_asked_for(name: str):
    result = handshake(Target("127.0.0.1", 1), name=name, version=Tls.V1_3)

    assert not refused(result).connected
    assert "no name" in refused(result).problem


def test_host_names_are_not_looked_up():
    result = handshake(Target("localhost", 443), name=None, version=Tls.V1_3)

    assert not refused(result).connected
