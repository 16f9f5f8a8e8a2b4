# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import os

import pytest
import yaml
from ansible.plugins.filter.core import FilterModule
from jinja2.nativetypes import NativeEnvironment

COLLECTION = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def loaded(*path):
    with open(os.path.join(COLLECTION, *path), encoding="utf-8") as file:
        return yaml.safe_load(file)


def options():
    return loaded("roles", "stapling", "meta", "argument_specs.yml")["argument_specs"]["main"]["options"]


def test_what_is_documented_as_default_is_the_default():
    documented = {name: each["default"] for name, each in options().items() if "default" in each}
    assert documented == loaded("roles", "stapling", "defaults", "main.yml")


def test_the_version_installed_is_that_of_the_collection():
    # An installed collection has no galaxy.yml.
    if not os.path.exists(os.path.join(COLLECTION, "galaxy.yml")):
        pytest.skip("not a source tree")
    assert options()["stapling_version"]["default"] == loaded("galaxy.yml")["version"]


def test_every_variable_bears_the_name_of_the_role():
    assert [name for name in options() if not name.startswith("stapling_")] == []


def listed(lazy):
    @functools.wraps(lazy)
    def eager(*arguments, **named):
        return list(lazy(*arguments, **named))

    return eager


def complained_of(**known):
    """Return the sites that the role's last look fails for."""
    (task,) = [each for each in loaded("roles", "stapling", "tasks", "apply.yml") if each["name"] == "Require the staples that there are"]
    environment = NativeEnvironment()
    environment.filters.update(FilterModule().filters())
    for name in ("map", "selectattr", "rejectattr"):
        # Ansible makes lists of them.
        environment.filters[name] = listed(environment.filters[name])
    for name, expression in task["vars"].items():
        known[name] = environment.from_string(expression.strip()).render(**known)
    return [each["site"] for each in known["__stapling_bad"]]


@pytest.mark.parametrize(
    "verdict, condition, rule, sites",
    [
        ("good", "fresh", None, []),
        ("missing", "fresh", None, ["a.example"]),
        ("missing", "due", "chain-order", ["a.example"]),
        ("missing", "missing", None, []),
        # Two certificates of a block, and no response about both: said by a finding, and no failure of every run.
        ("missing", "fresh", "no-common-response", []),
        ("wrong", "fresh", "no-common-response", ["a.example"]),
        ("refused", "missing", None, ["a.example"]),
    ],
)
def test_the_last_look_fails_where_a_staple_that_could_be_served_is_not(verdict, condition, rule, sites):
    seen = {
        "probes": [{"site": "a.example", "verdict": verdict}, {"site": "b.example", "verdict": "good"}],
        "staples": [{"condition": condition, "sites": ["a.example"]}, {"condition": "fresh", "sites": ["b.example"]}],
    }
    findings = [{"rule": rule, "site": "a.example"}] if rule else []

    assert complained_of(__stapling_seen=seen, __stapling_applied={"findings": findings}) == sites
