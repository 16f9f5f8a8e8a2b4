# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
import yaml

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
