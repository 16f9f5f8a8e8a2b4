"""A connection that cannot outlive its deadline, nor bring more than its allowance.

A read timeout does not bound a peer that sends a byte now and then: every
client that was measured waits for ever on dripping headers, bodies, trailers
and endless 1xx answers. So both limits are kept below the HTTP library, at the
one call that receives bytes.
"""

from __future__ import annotations

import socket
import time
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from staplecfg.staples.address import Forbidden, require_allowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staplecfg.staples.address import Address, Allowed

CONNECT = 5.0
"""Seconds one address gets to answer."""
SILENCE = 8.0
"""Seconds without a single byte after which a peer counts as gone."""


class Deadline:
    """A moment on the monotonic clock: the wall clock may be set while we wait."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left; raises `TimeoutError` where there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no complete answer within {self.seconds:.3g} s")
        return left

    def sooner(self, seconds: float) -> Deadline:
        """Return a deadline `seconds` from now, or this one where it comes first."""
        # Itself, and not what is left of it: people are told what they know as the limit.
        return self if self._end - time.monotonic() <= seconds else Deadline(seconds)


class TooMuch(Exception):
    """The peer sent more bytes than one answer may take."""


class Wire(socket.socket):
    """A TCP socket that keeps to `deadline` and receives at most `allowance` bytes.

    `broken` remembers which limit was hit: the layers above turn exceptions
    into other exceptions, or into the end of the headers, and it must be looked
    at after whatever they say.
    """

    def __init__(self, family: socket.AddressFamily, deadline: Deadline, allowance: int) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._deadline = deadline
        self._allowance = allowance
        self.broken: TimeoutError | TooMuch | None = None

    def recv_into(
        self,
        buffer: Any,  # noqa: ANN401 - a writable buffer, which has no name before Python 3.12
        nbytes: int = 0,
        flags: int = 0,
    ) -> int:
        """Receive like any socket; raises `TimeoutError` or `TooMuch` at the limits."""
        try:
            left = self._deadline.left
            self.settimeout(min(left, SILENCE))
            count = super().recv_into(buffer, nbytes, flags)
        except TimeoutError as error:
            self.broken = self._explained(error)
            raise self.broken from error
        self._allowance -= count
        if self._allowance < 0:
            self.broken = TooMuch("it sends too much")
            raise self.broken
        return count

    def _explained(self, error: TimeoutError) -> TimeoutError:
        try:
            _ = self._deadline.left
        except TimeoutError as over:
            return over
        return error if str(error) != "timed out" else TimeoutError(f"silent for {SILENCE:g} s")


def connect(
    candidates: Sequence[Address],
    port: int,
    *,
    allowed: Allowed | None,
    deadline: Deadline,
    allowance: int,
) -> Wire:
    """Return a connection to the first of `candidates` that answers at `port`.

    Every address is checked against `allowed` right before it is used; None
    checks nothing (a configured proxy). Raises `Forbidden` where none may be
    used, and `OSError` with the last address's reason where none answers.
    """
    usable = _usable(candidates, allowed)
    problem: OSError | None = None
    for number, address in enumerate(usable):
        # A fair share each: a dead IPv6 route must not use up what IPv4 would need.
        share = min(CONNECT, deadline.left / (len(usable) - number))
        try:
            return _connect(address, port, deadline, share, allowance)
        except TimeoutError as error:
            problem = TimeoutError(f"{address} does not answer at port {port}")
            problem.__cause__ = error
        except OSError as error:
            problem = OSError(f"{address} port {port}: {(error.strerror or str(error)).lower()}")
            problem.__cause__ = error
    raise problem or OSError("no address to connect to")


def _usable(candidates: Sequence[Address], allowed: Allowed | None) -> list[Address]:
    if allowed is None:
        return list(candidates)
    usable: list[Address] = []
    refusal: Forbidden | None = None
    for address in candidates:
        try:
            require_allowed(address, allowed)
        except Forbidden as error:
            refusal = refusal or error
        else:
            usable.append(address)
    if refusal is not None and not usable:
        raise refusal
    return usable


def _connect(
    address: Address, port: int, deadline: Deadline, seconds: float, allowance: int
) -> Wire:
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    wire = Wire(family, deadline, allowance)
    try:
        wire.settimeout(seconds)
        wire.connect(_socket_address(address, port))
        wire.settimeout(deadline.left)
    except BaseException:
        wire.close()
        raise
    return wire


def _socket_address(address: Address, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    if isinstance(address, IPv4Address):
        return str(address), port
    zone = address.scope_id
    index = 0 if zone is None else int(zone) if zone.isdecimal() else socket.if_nametoindex(zone)
    return str(address).partition("%")[0], port, 0, index
