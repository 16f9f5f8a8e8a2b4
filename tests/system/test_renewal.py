"""A certificate is renewed: what visitors get until the server knows (docs/renewal.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.count import Counted, Crowd, count, of_both_keys, visitors
from tests.support.lab import Lab

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.authority import Issued, KeyKind
    from tests.support.count import Visitor

pytestmark = pytest.mark.system

NAME = "shop.example"
ENOUGH = 200


@pytest.fixture
def lab(tmp_path):
    with Lab.make(tmp_path / "lab", sites=[NAME], workers=4) as made:
        made.nginx.start()
        assert made.apply().status == 0
        yield made


def crowd(lab: Lab) -> list[Visitor]:
    return visitors(lab.port, [NAME])


def renewed(lab: Lab) -> tuple[Issued, Path]:
    """Have a new certificate issued, and not deployed; the responder knows it."""
    new = lab.authority.leaf([NAME], responders=[lab.responder.url])
    lab.responder.start([lab.issued[NAME], new])
    path, _ = new.write(lab.root, "new")
    return new, path


def deploy(lab: Lab, new: Issued) -> None:
    new.write(lab.root / "pki", NAME)


@pytest.mark.parametrize(
    "take_up",
    [
        pytest.param(
            lambda lab: (lab.process("warm", "--offline"), lab.nginx.reload()),
            id="our hook before the reload",
        ),
        pytest.param(lambda lab: lab.process("warm"), id="warm, which reloads by itself"),
    ],
)
def test_fetched_before_and_taken_up_by_us_nobody_notices(lab, take_up):
    new, path = renewed(lab)

    with Crowd(crowd(lab), least=ENOUGH) as visited:
        assert lab.process("warm", "--certificate", str(path)).status == 0
        lab.responder.down()
        deploy(lab, new)
        take_up(lab)
    after = count(crowd(lab), ENOUGH)

    assert visited.counted.flawless, visited.counted
    assert after.flawless, after
    assert after.presented == {new.sha256}


def test_a_foreign_reload_serves_the_old_staple_until_warm_has_run(lab, capsys):
    new, path = renewed(lab)
    assert lab.process("warm", "--certificate", str(path)).status == 0
    lab.responder.down()

    during = window(lab, new)
    after = count(crowd(lab), ENOUGH)

    with capsys.disabled():
        print(  # noqa: T201 - the number that docs/renewal.md states
            f"\nforeign reload: {during.wrong} of {during.handshakes} handshakes were wrong, "
            "until `warm` had run"
        )
    assert during.wrong > 0, "there is no such window: docs/renewal.md says that there is"
    assert during.unstapled == 0, during
    assert after.flawless, after


def window(lab: Lab, new: Issued) -> Counted:
    """Swap, let somebody else reload, and call `warm` at once; measure until it is over."""
    with Crowd(crowd(lab), least=ENOUGH) as visited:
        deploy(lab, new)
        lab.nginx.reload()
        ended = lab.process("warm")
    assert ended.status == 0, ended
    return visited.counted


def test_not_fetched_before_it_goes_without_and_never_with_a_wrong_one(lab):
    new, _ = renewed(lab)
    lab.responder.down()

    with Crowd(crowd(lab), least=ENOUGH) as visited:
        deploy(lab, new)
        lab.process("warm", "--offline")
        lab.nginx.reload()

    assert visited.counted.wrong == 0, visited.counted
    assert visited.counted.unstapled > 0, "fetching ahead would be for nothing"


def test_one_of_a_pair_fetched_ahead_takes_nothing_from_the_pair_in_use(tmp_path):
    with Lab.make(tmp_path / "lab", sites=[]) as lab:
        rsa, ec, new = (
            lab.authority.leaf([NAME], responders=[lab.responder.url], key=key)
            for key in ("rsa", "ec", "rsa")
        )
        pairs = [each.write(lab.root / "pki", f"{NAME}-{n}") for n, each in enumerate((rsa, ec))]
        lab.nginx.site(NAME, listen=f"127.0.0.1:{lab.port} ssl", certificates=pairs)
        lab.responder.start([rsa, ec, new])
        lab.nginx.start()
        assert lab.apply().status == 0
        ahead = [str(new.write(lab.root, "new")[0]), str(pairs[1][0])]

        fetched = lab.cli("warm", "--force", "--certificate", ahead[0], "--certificate", ahead[1])
        lab.responder.down()
        in_between = lab.cli("warm")
        before = count(of_both_keys(crowd(lab)), 40)
        new.write(lab.root / "pki", f"{NAME}-0")
        swapped = lab.cli("warm", "--offline")
        lab.nginx.reload()
        after = count(of_both_keys(crowd(lab)), 40)

    assert (fetched.status, in_between.status, swapped.status) == (0, 0, 0), in_between
    assert before.flawless, before
    assert before.presented == {rsa.sha256, ec.sha256}
    assert after.flawless, after
    assert after.presented == {new.sha256, ec.sha256}


def test_two_of_one_block_fetched_ahead_have_one_response_that_needs_no_network_any_more(tmp_path):
    keys: tuple[KeyKind, ...] = ("rsa", "ec")
    with Lab.make(tmp_path / "lab", sites=[]) as lab:
        old, new = (
            [lab.authority.leaf([NAME], responders=[lab.responder.url], key=key) for key in keys]
            for _ in range(2)
        )
        pairs = [each.write(lab.root / "pki", f"{NAME}-{n}") for n, each in enumerate(old)]
        lab.nginx.site(NAME, listen=f"127.0.0.1:{lab.port} ssl", certificates=pairs)
        lab.responder.start([*old, *new])
        lab.nginx.start()
        assert lab.apply().status == 0
        ahead = [str(each.write(lab.root, f"new-{n}")[0]) for n, each in enumerate(new)]

        fetched = lab.cli("warm", "--certificate", ahead[0], "--certificate", ahead[1])
        lab.responder.down()
        for n, each in enumerate(new):
            each.write(lab.root / "pki", f"{NAME}-{n}")
        lab.cli("warm", "--offline")
        lab.nginx.reload()
        after = count(of_both_keys(crowd(lab)), 40)

    assert fetched.status == 0, fetched
    assert after.flawless, after
    assert after.presented == {each.sha256 for each in new}
