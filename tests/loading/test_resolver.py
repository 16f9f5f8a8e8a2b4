"""What is said of resolvers, by asking real ones on loopback."""

from __future__ import annotations

import pytest

from staplecfg.loading.resolver import Question, ask
from staplecfg.model.facts import ResolverAnswer
from tests.support.dns_server import name_server

HOST = "ocsp.example.org"
SHORT = 0.4
"""Seconds: long enough for loopback, short enough to wait for silence."""


def problem_of(question: Question, timeout: float = 5.0) -> str | None:
    (answer,) = ask([question], timeout=timeout)
    return answer.problem


def test_nothing_asked_is_nothing_answered():
    assert ask([], timeout=SHORT) == ()


@pytest.mark.parametrize("manner", ["address", "ipv6 only", "cname"])
def test_an_address_of_either_kind_is_an_answer(manner):
    with name_server(manner) as server:
        answers = ask([Question(server.address, HOST)], timeout=5.0)

    assert answers == (ResolverAnswer(server.address, HOST, None),)


@pytest.mark.parametrize(
    ("manner", "expected"),
    [
        pytest.param("nxdomain", "says that the name does not exist (NXDOMAIN)", id="no such name"),
        pytest.param("refused", "refuses to answer (REFUSED)", id="refused"),
        pytest.param("servfail", "refuses to answer (SERVFAIL)", id="broken"),
        pytest.param("empty", "answers without an address", id="no address"),
        pytest.param("silent", "does not answer within 0.4 s", id="silent"),
    ],
)
def test_anything_else_is_a_problem_in_words(manner, expected):
    with name_server(manner) as server:
        problem = problem_of(Question(server.address, HOST), SHORT)

    assert problem == expected


def test_nonsense_for_an_answer_is_a_problem():
    with name_server("garbage") as server:
        problem = problem_of(Question(server.address, HOST), SHORT)

    assert problem is not None
    assert "no usable answer" in problem or "does not answer" in problem


def test_only_the_wanted_kind_of_address_is_asked_for():
    with name_server("ipv6 only") as server:
        problem = problem_of(Question(server.address, HOST, ipv6=False))

    assert problem == "answers without an address"
    assert server.asked == [f"{HOST} A"]


def test_asking_for_no_kind_of_address_is_a_problem_without_a_question():
    with name_server() as server:
        problem = problem_of(Question(server.address, HOST, ipv4=False, ipv6=False))

    assert problem == "`ipv4=off` and `ipv6=off` together leave nothing to ask for"
    assert server.asked == []


@pytest.mark.parametrize(
    "resolver",
    [
        pytest.param("127.0.0.1:port", id="a port that is a word"),
        pytest.param("no-such-resolver.invalid:5353", id="a name nobody knows"),
    ],
)
def test_a_resolver_that_cannot_be_reached_by_what_is_written_is_a_problem(resolver):
    problem = problem_of(Question(resolver, HOST), 2.0)

    assert problem is not None


def test_a_resolver_given_by_name_is_looked_up():
    with name_server() as server:
        problem = problem_of(Question(f"localhost:{server.port}", HOST, ipv6=False))

    # localhost may be ::1 first, where this server does not listen.
    assert problem in {None, "does not answer within 5 s"} or "cannot be asked" in problem


def test_a_host_that_no_question_can_hold_is_a_problem():
    with name_server() as server:
        problem = problem_of(Question(server.address, "a" * 64 + ".example"))

    assert problem is not None
    assert server.asked == []


def test_the_same_question_is_asked_once():
    with name_server("ipv6 only") as server:
        question = Question(server.address, HOST)
        answers = ask([question, question], timeout=5.0)

    assert len(answers) == 1
    assert server.asked == [f"{HOST} A", f"{HOST} AAAA"]


def test_silent_resolvers_are_waited_for_together():
    with name_server("silent") as server:
        asked = [Question(server.address, f"ocsp{number}.example") for number in range(12)]
        answers = ask(asked, timeout=3.0)

    assert [answer.host for answer in answers] == [question.host for question in asked]
    assert {answer.problem for answer in answers} == {"does not answer within 3 s"}
    # One after the other, there would have been no time left for most of them.
    assert {name.split()[0] for name in server.asked} == {each.host for each in asked}


def test_each_host_has_its_own_answer():
    with name_server(lambda name: "address" if name == HOST else "nxdomain") as server:
        answers = ask(
            [Question(server.address, HOST), Question(server.address, "gone.example")], timeout=5.0
        )

    assert [answer.problem for answer in answers] == [
        None,
        "says that the name does not exist (NXDOMAIN)",
    ]
