"""Whether the resolvers a server is configured with answer for the responders it asks.

nginx has a resolver of its own, and one that is silent is worse than none: the
addresses found at start are then no fallback (measured with 1.22.1). So each
resolver is asked what nginx would ask it.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from staplecfg.model.facts import ResolverAnswer
from staplecfg.servers.fetching import fetched_hosts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePosixPath

    from staplecfg.model.chain import Chain, NoChain
    from staplecfg.model.site import Configuration

PARALLEL = 16
"""How many questions are under way at once."""

DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class Question:
    """`host`, to be asked of `resolver`: an address as `resolver` directives have it.

    `ipv4` and `ipv6` say which addresses are wanted (`ipv6=off`).
    """

    resolver: str
    host: str
    ipv4: bool = True
    ipv6: bool = True


def questions(
    configuration: Configuration, chains: Mapping[PurePosixPath, Chain | NoChain]
) -> tuple[Question, ...]:
    """Return what the servers of `configuration` would ask their resolvers, each thing once.

    Only `resolver` directives in effect for a whole site count: nginx does not
    look at those inside a `location` when it staples. `local=on` (OpenResty)
    names no address and is not asked.
    """
    found: dict[Question, None] = {}
    for site in configuration.sites:
        setting = site.setting("resolver")
        if setting is None:
            continue
        ipv4, ipv6 = "ipv4=off" not in setting.args, "ipv6=off" not in setting.args
        for host in fetched_hosts(site, configuration, chains):
            for resolver in setting.args:
                if "=" not in resolver:
                    found[Question(resolver, host, ipv4, ipv6)] = None
    return tuple(found)


def ask(asked: Iterable[Question], *, timeout: float) -> tuple[ResolverAnswer, ...]:
    """Put each of `asked` to its resolver and return what came of it, in the same order.

    One question takes at most `timeout` seconds; `PARALLEL` are asked at once.
    Nothing is raised: whatever goes wrong is the answer's problem.
    """
    pending = list(dict.fromkeys(asked))
    todo: queue.SimpleQueue[tuple[int, Question]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, str | None]] = queue.SimpleQueue()
    for numbered in enumerate(pending):
        todo.put(numbered)
    workers = min(PARALLEL, len(pending))
    for _ in range(workers):
        # Daemons: the system's own lookup of a resolver's name has no time limit.
        threading.Thread(target=_work, args=(todo, done, timeout), daemon=True).start()
    rounds = -(-len(pending) // PARALLEL)
    problems = _collect(done, len(pending), time.monotonic() + rounds * timeout + 1.0)
    late = _no_answer(timeout)
    return tuple(
        ResolverAnswer(question.resolver, question.host, problems.get(number, late))
        for number, question in enumerate(pending)
    )


def _work(
    todo: queue.SimpleQueue[tuple[int, Question]],
    done: queue.SimpleQueue[tuple[int, str | None]],
    timeout: float,
) -> None:
    while True:
        try:
            number, question = todo.get_nowait()
        except queue.Empty:
            return
        done.put((number, _problem(question, timeout)))


def _collect(
    done: queue.SimpleQueue[tuple[int, str | None]], expected: int, deadline: float
) -> dict[int, str | None]:
    """Return the problems that are known by `deadline` (of the monotonic clock), by number."""
    problems: dict[int, str | None] = {}
    while len(problems) < expected:
        try:
            number, problem = done.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        problems[number] = problem
    return problems


def _problem(question: Question, timeout: float) -> str | None:
    """Return what is wrong with the resolver's answer, or None where it gave an address."""
    deadline = time.monotonic() + timeout
    types = [
        kind
        for kind, wanted in (
            (dns.rdatatype.A, question.ipv4),
            (dns.rdatatype.AAAA, question.ipv6),
        )
        if wanted
    ]
    if not types:
        return "`ipv4=off` and `ipv6=off` together leave nothing to ask for"
    try:
        address, port = _address(question.resolver)
        problems = [_asked(question.host, kind, address, port, deadline) for kind in types]
    except dns.exception.Timeout:
        return _no_answer(timeout)
    except (OSError, UnicodeError) as error:
        return f"cannot be asked: {getattr(error, 'strerror', None) or error}"
    except (dns.exception.DNSException, ValueError) as error:
        return f"gives no usable answer: {error}"
    return None if None in problems else problems[0]


def _asked(
    host: str, kind: dns.rdatatype.RdataType, address: str, port: int, deadline: float
) -> str | None:
    """Ask for `host` once, by TCP where the answer does not fit (as nginx does)."""
    message = dns.message.make_query(host, kind)
    left = max(0.05, deadline - time.monotonic())
    answer, _ = dns.query.udp_with_fallback(message, address, timeout=left, port=port)
    code = answer.rcode()
    if code == dns.rcode.NXDOMAIN:
        return "says that the name does not exist (NXDOMAIN)"
    if code != dns.rcode.NOERROR:
        return f"refuses to answer ({dns.rcode.to_text(code)})"
    if any(found.rdtype == kind for found in answer.answer):
        return None
    return "answers without an address"


def _address(resolver: str) -> tuple[str, int]:
    """Return the address and port of `resolver`, a name looked up as nginx does at start.

    Raises `OSError` where it cannot be looked up, `ValueError` for a bad port.
    """
    host, colon, port = resolver.rpartition(":")
    if not colon or resolver.endswith("]") or (":" in host and not host.endswith("]")):
        host, port = resolver, str(DNS_PORT)
    number = int(port)
    found = socket.getaddrinfo(host.strip("[]"), number, type=socket.SOCK_DGRAM)
    return str(found[0][4][0]), number


def _no_answer(timeout: float) -> str:
    return f"does not answer within {timeout:g} s"
