# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64

import pytest

from ansible_collections.staplecfg.stapling.plugins.modules.ocsp_staple import (
    decoded,
    diff_of,
    problems,
    result_of,
    way_of,
    written,
)
from ansible_collections.staplecfg.stapling.plugins.module_utils._staples import OF_A_FILE, REQUIRED_BY

PARAMS = {"certificate": None, "path": None, "reload": True, "state_dir": "/s", "issuer": None}
ROW = {"certificate": "/x.pem", "fingerprint": "ff", "staple": None}


@pytest.mark.parametrize(
    "params, look, ask, hand_in",
    [
        (
            {},
            ["apply", "--state-dir=/s", "--unscheduled", "--dry-run"],
            ["warm", "--state-dir=/s"],
            ["warm", "--state-dir=/s", "--offline", "--response=/r"],
        ),
        (
            {"reload": False},
            ["apply", "--state-dir=/s", "--unscheduled", "--dry-run"],
            ["warm", "--state-dir=/s", "--no-reload"],
            ["warm", "--state-dir=/s", "--no-reload", "--offline", "--response=/r"],
        ),
        (
            {"certificate": "/x.pem"},
            ["warm", "--certificate=/x.pem", "--state-dir=/s", "--dry-run"],
            ["warm", "--certificate=/x.pem", "--state-dir=/s"],
            ["warm", "--certificate=/x.pem", "--state-dir=/s", "--offline", "--response=/r"],
        ),
        (
            {"certificate": "/x.pem", "path": "/o", "issuer": "/i"},
            ["fetch", "/x.pem", "--issuer=/i", "--output=/o", "--if-due", "--dry-run"],
            ["fetch", "/x.pem", "--issuer=/i", "--output=/o", "--if-due"],
            ["fetch", "/x.pem", "--issuer=/i", "--output=/o", "--response=/r"],
        ),
    ],
)
def test_the_command_lines(params, look, ask, hand_in):
    way = way_of({**PARAMS, **params})

    assert way.look() == look
    assert way.ask() == ask
    assert way.hand_in(["/r"]) == hand_in


@pytest.mark.parametrize("number", [0, 2])
def test_a_file_is_for_one_response(number):
    way = way_of({**PARAMS, "certificate": "/x.pem", "path": "/o"})

    with pytest.raises(ValueError, match=f"with path it takes one, and there are {number}"):
        way.hand_in(["/r"] * number)


@pytest.mark.parametrize("held", [b"old", None])
def test_a_response_is_tried_out_on_a_copy(tmp_path, held):
    path, copy = tmp_path / "o", tmp_path / "copy.der"
    if held:
        path.write_bytes(held)
    way = way_of({**PARAMS, "certificate": "/x.pem", "path": str(path)})

    assert way.try_out(["/r"], str(tmp_path)) == ["fetch", "/x.pem", f"--output={copy}", "--response=/r"]
    assert (copy.read_bytes() if copy.exists() else None) == held


@pytest.mark.parametrize("name", OF_A_FILE)
def test_what_is_said_of_a_file_needs_one(name):
    assert REQUIRED_BY[name] == ["path"]


def test_responses_are_base64_with_line_breaks_or_without():
    text = base64.encodebytes(b"x" * 100).decode("ascii")

    assert decoded([text, text.replace("\n", "")]) == [b"x" * 100] * 2


@pytest.mark.parametrize("bad", ["*", "abc", "ü"])
def test_what_is_no_base64_is_named_by_its_number(bad):
    with pytest.raises(ValueError, match="responses: number 2 is no base64"):
        decoded(["eA==", bad])


def test_responses_are_written_to_files_of_their_own(tmp_path):
    first, second = written([b"a", b"b"], str(tmp_path))

    with open(first, "rb") as one, open(second, "rb") as other:
        assert (one.read(), other.read()) == (b"a", b"b")


@pytest.mark.parametrize(
    "verdict, changed, outcome",
    [("good", True, "stored"), ("good", False, "unchanged"), ("rejected", False, "rejected"), ("unreachable", False, "unreachable")],
)
def test_what_came_of_one_file_is_a_renewal_too(verdict, changed, outcome):
    judgement = {"verdict": verdict, "problem": None if verdict == "good" else "bad", "staple": {"expires": "later"}}
    result = result_of({"changed": changed, "staples": [ROW], "judgement": judgement}, False)

    (renewal,) = result["renewals"]
    assert (renewal["outcome"], result["changed"]) == (outcome, changed)
    assert bool(problems(result)) == (verdict in {"rejected", "unreachable"})


def test_a_look_changes_nothing():
    document = {"changed": False, "changes": [{"path": "/x", "kind": "config", "op": "modify"}], "renewals": [], "staples": []}

    assert result_of(document, True)["changes"] == []


def test_the_diff_is_of_what_is_new_or_due():
    rows = [{"certificate": f"/{each}.pem", "fingerprint": each, "outcome": each} for each in ("stored", "due", "not-due", "rejected")]
    staple = {"serial": "1", "cert_status": "good", "this_update": "a", "next_update": "b"}

    first, second = diff_of({"renewals": rows}, {}, {"stored": staple})

    assert first["after"].startswith("serial: 1")
    assert second["after"] == "to be fetched from the responder\n"
