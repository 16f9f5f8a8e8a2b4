"""Ask one responder about one certificate, in the ways responders are known to want it.

GET first, for caches (RFC 9919, 5); POST where GET is no use; a SHA-256 CertID
where SHA-1 is refused. Three requests at most.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from staplecfg.model.verdict import Good, Reason, Rejected, Unreachable
from staplecfg.pki.digests import SHA1, SHA256
from staplecfg.pki.judge import Purpose, judge
from staplecfg.pki.request import request_for
from staplecfg.staples.http import exchange
from staplecfg.staples.message import Answer, Barred, Request, Silent, Useless
from staplecfg.staples.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography.x509 import Certificate

    from staplecfg.model.settings import Floors, Responders
    from staplecfg.model.staple import Staple
    from staplecfg.model.verdict import FetchResult
    from staplecfg.pki.digests import Digest
    from staplecfg.staples.hosts import Hosts
    from staplecfg.staples.message import Outcome, Route
    from staplecfg.staples.wire import Deadline

LONGEST_GET = 255
"""Bytes of URL up to which GET must be used (RFC 9919, 5; RFC 6960, A.1)."""
RESPONSE_TYPE = "application/ocsp-response"
REQUEST_TYPE = "application/ocsp-request"

_REFUSES_THE_REQUEST = (1, 6)  # malformedRequest, unauthorized: RFC 6960, 4.2.1


@dataclass(frozen=True, slots=True)
class Question:
    """What every request about one certificate has in common.

    `beside` are further leaves of the same issuer that the answer must be about too.
    """

    leaf: Certificate
    issuer: Certificate
    replaces: Staple | None
    floors: Floors
    settings: Responders
    route: Route
    hosts: Hosts
    clock: Callable[[], datetime]
    deadline: Deadline
    """The certificate's own, over all its responders."""
    beside: tuple[Certificate, ...] = ()

    def request(self, digest: Digest = SHA1) -> bytes:
        """Return the DER request, its CertIDs hashed by `digest`."""
        return request_for((self.leaf, *self.beside), self.issuer, digest)


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one request came to; `outcome` says how, where no response was judged."""

    result: FetchResult
    outcome: Outcome | None = None


def ask(url: Url, question: Question) -> FetchResult:
    """Return what the responder at `url` says, asked in up to three ways."""
    sha1 = question.request()
    get = get_url(url, sha1)
    findings = [_once(_get(get) if get else _post(url, sha1), question)]
    if get and _worth_posting(findings[-1]):
        stale = _is_stale(findings[-1].result)
        findings.append(_once(_post(url, sha1, past_caches=stale), question))
    if _refuses_request(findings[-1].result):
        findings.append(_once(_post(url, question.request(SHA256)), question))
    return _best(findings)


def get_url(url: Url, request: bytes) -> Url | None:
    """Return `url` with `request` in its path (RFC 6960, A.1), or None where only POST will do.

    A slash at the end of the responder's path is dropped first: `//` took
    Let's Encrypt's responder down for nginx and others on 2017-05-19.
    """
    if url.query:
        return None
    escaped = quote(b64encode(request).decode(), safe="")
    full = Url(url.host, url.port, f"{url.path.rstrip('/')}/{escaped}", "")
    return full if len(str(full)) <= LONGEST_GET else None


def _get(url: Url) -> Request:
    return Request(url, RESPONSE_TYPE)


def _post(url: Url, body: bytes, *, past_caches: bool = False) -> Request:
    return Request(url, RESPONSE_TYPE, body, REQUEST_TYPE, past_caches)


def _once(request: Request, question: Question) -> _Finding:
    url, host = str(request.url), request.url.authority
    given_up = question.hosts.given_up(host)
    if given_up is not None:
        return _Finding(Unreachable(url, given_up), Silent(given_up))
    try:
        with question.hosts.visit(host, question.deadline.left) as visit:
            finding = _exchange(request, question)
            visit.useful = isinstance(finding.result, Good)
            visit.silent = isinstance(finding.outcome, Silent)
            visit.problem = getattr(finding.result, "problem", "")
    except TimeoutError as error:
        return _Finding(Unreachable(url, str(error)), Silent(str(error)))
    return finding


def _exchange(request: Request, question: Question) -> _Finding:
    total = question.settings.total.total_seconds()
    outcome = exchange(
        request,
        question.route,
        deadline=question.deadline.sooner(total),
        now=question.clock(),
    )
    if isinstance(outcome, Answer):
        return _Finding(_judged(outcome.body, question))
    hint = outcome.hint if isinstance(outcome, Barred) else None
    retry_after = outcome.retry_after if isinstance(outcome, Useless) else None
    return _Finding(Unreachable(str(request.url), outcome.problem, hint, retry_after), outcome)


def _judged(der: bytes, question: Question) -> Good | Rejected:
    about_first = _judged_about(question.leaf, der, question)
    for leaf in question.beside if isinstance(about_first, Good) else ():
        about = _judged_about(leaf, der, question)
        if isinstance(about, Rejected):
            return about
    return about_first


def _judged_about(leaf: Certificate, der: bytes, question: Question) -> Good | Rejected:
    return judge(
        der,
        leaf,
        question.issuer,
        now=question.clock(),
        floors=question.floors,
        purpose=Purpose.NEW,
        allow_sha1=question.settings.allow_sha1_signature,
        replaces=question.replaces,
    )


def _worth_posting(finding: _Finding) -> bool:
    """Say whether POST may fare better: not where nobody is there, nor where we should wait."""
    result, outcome = finding.result, finding.outcome
    if isinstance(result, Rejected):
        return result.reason is Reason.MALFORMED or _refuses_request(result) or _is_stale(result)
    if isinstance(result, Good) or isinstance(outcome, Silent | Barred):
        return False
    return result.retry_after is None


def _is_stale(result: FetchResult) -> bool:
    return isinstance(result, Rejected) and result.reason in (Reason.TIME, Reason.OLDER)


def _refuses_request(result: FetchResult) -> bool:
    return isinstance(result, Rejected) and result.response_status in _REFUSES_THE_REQUEST


def _best(findings: list[_Finding]) -> FetchResult:
    """Return the finding that says most: good or revoked, then judged, then the first."""

    def rank(finding: _Finding) -> int:
        result = finding.result
        if isinstance(result, Good):
            return 0
        if isinstance(result, Rejected):
            return 1 if result.reason is Reason.REVOKED else 2
        return 3

    return min(findings, key=rank).result
