"""A connection to a TLS server of this machine or another, with a deadline on every step."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staplecfg.model.probe import Target


def connect(target: Target, deadline: float) -> socket.socket:
    """Return a non-blocking connection to `target`; the caller closes it.

    `deadline` is of `time.monotonic`. Raises `OSError`, among them `TimeoutError`.
    """
    family, address = _socket_address(target)
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(0)
        _finish(connection, connection.connect_ex(address), deadline)
    except BaseException:
        connection.close()
        raise
    return connection


def _finish(connection: socket.socket, problem: int, deadline: float) -> None:
    if problem == errno.EINPROGRESS:
        wait(connection, select.POLLOUT, deadline)
        problem = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if problem:
        raise OSError(problem, os.strerror(problem))


def _socket_address(
    target: Target,
) -> tuple[socket.AddressFamily, str | tuple[object, ...]]:
    if target.unix is not None:
        return socket.AF_UNIX, os.fspath(target.unix)
    # Names are not looked up: that could take longer than any timeout.
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    family, _, _, _, address = socket.getaddrinfo(
        target.host, target.port, type=socket.SOCK_STREAM, flags=numeric
    )[0]
    return family, address


def send_proxy_header(connection: socket.socket, deadline: float) -> None:
    """Send the PROXY protocol's header (version 1) as a proxy would for a client at this end."""
    header = _proxy_header(connection)
    while header:
        wait(connection, select.POLLOUT, deadline)
        header = header[connection.send(header) :]


def _proxy_header(connection: socket.socket) -> bytes:
    if connection.family == socket.AF_UNIX:
        return b"PROXY UNKNOWN\r\n"
    family = "TCP6" if connection.family == socket.AF_INET6 else "TCP4"
    source, destination = connection.getsockname(), connection.getpeername()
    return (f"PROXY {family} {source[0]} {destination[0]} {source[1]} {destination[1]}\r\n").encode(
        "ascii"
    )


def wait(connection: socket.socket, event: int, deadline: float) -> None:
    """Return once `connection` is ready for `event` of `select.poll`, or raise `TimeoutError`."""
    left = deadline - time.monotonic()
    # poll, for select knows no descriptor above 1023.
    poll = select.poll()
    poll.register(connection, event)
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError
