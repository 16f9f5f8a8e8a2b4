"""Fetch one certificate's staple: from its responders, in their order, within one deadline."""

from __future__ import annotations

from dataclasses import replace as replaced
from typing import TYPE_CHECKING

from staplecfg.model.verdict import Good, Reason, Rejected, Unreachable
from staplecfg.staples.address import Allowed
from staplecfg.staples.ask import Question, ask
from staplecfg.staples.hosts import Hosts
from staplecfg.staples.message import Route
from staplecfg.staples.url import BadUrl, one_line, parse_proxy, parse_url
from staplecfg.staples.wire import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Floors, Responders
    from staplecfg.model.staple import Staple
    from staplecfg.model.verdict import FetchResult
    from staplecfg.staples.address import Resolve

MOST_RESPONDERS = 3


def fetch(  # noqa: PLR0913 - each keyword is a term a caller decides by name
    chain: Chain,
    *,
    clock: Callable[[], datetime],
    settings: Responders,
    floors: Floors,
    private: bool,
    replaces: Staple | None = None,
    hosts: Hosts | None = None,
    beside: Sequence[Chain] = (),
) -> FetchResult:
    """Return the judged answer about the leaf of `chain`, the first good one of its responders.

    An answer that says revoked is believed and ends the asking: another
    responder's older one must not win. `private` says that the chain ends in a
    root the user vouches for. `hosts` is what a run has learnt already. Where
    there are chains `beside` it, of the same issuer, one response must be good
    about them all; a responder is asked that all of them name.

    Takes at most `settings.per_certificate`; never raises for anything a
    responder does.
    """
    urls = responders_of_all((chain, *beside), settings)
    if not urls and beside:
        return Unreachable("", "no responder is named by all of the certificates")
    if not urls:
        return Unreachable("", "the certificate names no responder to ask")
    if chain.issuer is None:
        return Unreachable(
            urls[0],
            "the certificate's issuer is not known, so nothing can be asked nor judged",
            hint="put the intermediate certificate into the certificate file, after the leaf",
        )
    patience = settings.per_certificate.total_seconds()
    hosts = hosts or Hosts(patience)
    try:
        route = route_of(settings, private=private, resolve=hosts.resolve)
    except BadUrl as error:
        return Unreachable(urls[0], f"the proxy cannot be used: {error}")
    question = Question(
        leaf=chain.leaf,
        issuer=chain.issuer,
        replaces=replaces,
        floors=floors,
        settings=settings,
        route=route,
        hosts=hosts,
        clock=clock,
        deadline=Deadline(patience),
        beside=tuple(other.leaf for other in beside),
    )
    return _first_good(urls, question)


def responders_of(chain: Chain, settings: Responders) -> tuple[str, ...]:
    """Return the URLs to ask about `chain`, overridden as `settings` say, three at most."""
    override = settings.override or {}
    urls = (override.get(url, url) for url in chain.responders)
    return tuple(dict.fromkeys(url for url in urls if url))[:MOST_RESPONDERS]


def responders_of_all(chains: Sequence[Chain], settings: Responders) -> tuple[str, ...]:
    """Return the URLs to ask about all of `chains` (one at least) at once."""
    first, *others = (responders_of(chain, settings) for chain in chains)
    return tuple(url for url in first if all(url in named for named in others))


def route_of(settings: Responders, *, private: bool, resolve: Resolve) -> Route:
    """Return how `settings` let responders be reached; raises `BadUrl` for an unusable proxy."""
    return Route(
        allowed=Allowed(settings.allow_networks, private=private),
        proxy=None if settings.proxy is None else parse_proxy(settings.proxy),
        resolve=resolve,
    )


def _first_good(urls: Sequence[str], question: Question) -> FetchResult:
    failures: list[Rejected | Unreachable] = []
    for url in urls:
        result = _ask(url, question)
        if isinstance(result, Good):
            return result
        if isinstance(result, Rejected):
            result = replaced(result, problem=f"{one_line(url)}: {result.problem}")
            if result.reason is Reason.REVOKED:
                return result
        failures.append(result)
    return _worst_first(failures)


def _ask(url: str, question: Question) -> FetchResult:
    try:
        parsed = parse_url(url)
    except BadUrl as error:
        return Unreachable(url, f"this URL is not asked: {error}")
    result = ask(parsed, question)
    # The URL as the certificate has it, not as it was asked: people know that one.
    return replaced(result, url=url) if isinstance(result, Unreachable) else result


def _worst_first(failures: Sequence[Rejected | Unreachable]) -> Rejected | Unreachable:
    """Return one result for all of `failures`, which names each responder on one line.

    One that was judged goes first: it says more than silence does.
    """
    unreachable = [failure for failure in failures if isinstance(failure, Unreachable)]
    rejected = [failure for failure in failures if isinstance(failure, Rejected)]
    if not rejected:
        return together(unreachable)
    problems = [failure.problem for failure in rejected]
    problems += [f"{one_line(failure.url)}: {failure.problem}" for failure in unreachable]
    return replaced(rejected[0], problem="; ".join(problems))


def together(failures: Sequence[Unreachable]) -> Unreachable:
    """Return one result for all of `failures` (one at least), which names each host on one line."""
    first, *rest = failures
    return Unreachable(
        first.url,
        "; ".join(
            [first.problem, *(f"{one_line(failure.url)}: {failure.problem}" for failure in rest)]
        ),
        hint=next((failure.hint for failure in failures if failure.hint), None),
        retry_after=max((at for failure in failures if (at := failure.retry_after)), default=None),
    )
