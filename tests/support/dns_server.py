"""A name server on loopback that answers as told: truthfully, wrongly, or not at all."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Manner: TypeAlias = Literal[
    "address", "ipv6 only", "cname", "silent", "nxdomain", "refused", "servfail", "empty", "garbage"
]
CODES = {
    "nxdomain": dns.rcode.NXDOMAIN,
    "refused": dns.rcode.REFUSED,
    "servfail": dns.rcode.SERVFAIL,
}


@dataclass
class NameServer:
    """`asked` are the questions that came, as `name type`."""

    port: int
    asked: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextlib.contextmanager
def name_server(manner: Manner | Callable[[str], Manner] = "address") -> Iterator[NameServer]:
    """Answer on a free port of 127.0.0.1 in this `manner`, or in the one it gives for a name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        server = NameServer(door.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(door, server, manner))
        thread.start()
        try:
            yield server
        finally:
            # An empty datagram is no question: it means that all is over.
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", server.port))
            thread.join()


def _serve(
    door: socket.socket, server: NameServer, manner: Manner | Callable[[str], Manner]
) -> None:
    while True:
        data, client = door.recvfrom(4096)
        if not data:
            return
        question = dns.message.from_wire(data)
        name = str(question.question[0].name).rstrip(".")
        kind = question.question[0].rdtype
        server.asked.append(f"{name} {dns.rdatatype.to_text(kind)}")
        how = manner if isinstance(manner, str) else manner(name)
        answer = _answer(question, how)
        if answer is not None:
            door.sendto(answer, client)


def _answer(question: dns.message.Message, how: Manner) -> bytes | None:
    if how == "silent":
        return None
    if how == "garbage":
        return b"\x00\x01\x02"
    response = dns.message.make_response(question, recursion_available=True)
    name, kind = question.question[0].name, question.question[0].rdtype
    if how in CODES:
        response.set_rcode(CODES[how])
    elif how == "cname":
        response.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", "cdn.example."))
        response.answer.append(dns.rrset.from_text("cdn.example.", 60, "IN", "A", "192.0.2.7"))
    elif kind == dns.rdatatype.AAAA and how == "ipv6 only":
        response.answer.append(dns.rrset.from_text(name, 60, "IN", "AAAA", "2001:db8::7"))
    elif kind == dns.rdatatype.A and how == "address":
        response.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.7"))
    return response.to_wire()
