# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
import yaml

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

try:
    from ansible.template import trust_as_template

    AS_A_FILE = {}
except ImportError:
    # ansible-core before 2.19 trusts whatever is not marked, and has to be told what ansible.builtin.template tells it.
    AS_A_FILE = {"escape_backslashes": False}

    def trust_as_template(text):
        return text


tomllib = pytest.importorskip("tomllib")

ROLE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))) + "/roles/stapling"


def trusted(value):
    if isinstance(value, dict):
        return {name: trusted(each) for name, each in value.items()}
    return trust_as_template(value) if isinstance(value, str) else value


def text(*path):
    with open(os.path.join(ROLE, *path), encoding="utf-8") as file:
        return file.read()


def written(**given):
    """Return the settings file that the role writes with these variables."""
    variables = {"ansible_managed": "Ansible managed", **yaml.safe_load(text("defaults", "main.yml")), **given}
    variables.update(trusted(yaml.safe_load(text("vars", "main.yml"))))
    return Templar(loader=DataLoader(), variables=variables).template(
        trust_as_template(text("templates", "settings.toml.j2")), **AS_A_FILE
    )


def read(**given):
    return tomllib.loads(written(**given))


def test_without_anything_said_nothing_but_the_schedule_is():
    assert read() == {"schedule": "auto"}


@pytest.mark.parametrize(
    "settings",
    [
        {"a": {"b": {"c": "\U0001f600\u2028ü", "d": "\u0001\x7f", "e": 'g"h\\i\nj\tk\r'}}},
        {"test_command": ["\U0001f600", "ü"]},
        {"responders": {"override": {'http://a/b c"d': "", "http://é/": "http://\U0001f600"}}},
        {"responders": {"override": {}}},
        {"responders": {"allow_networks": [], "total": 1.5, "parallel": 3, "allow_sha1_signature": True}},
        {"a": {"b": {"c": {"d": 1}}}},
        {"servers": [{"a": 1}, {"b": [{"c d": "x"}]}]},
        {"x": {"servers": [{"a": 1}, {}]}},
        {"a b": 1, "": 2, "nginx.delivery": "live", "t x": {"k.l": 2, "m n": {}}},
        {"sites": [], "offline": False},
    ],
)
def test_what_is_given_is_what_is_read(settings):
    assert read(stapling_settings=settings) == {"schedule": "auto", **settings}


def test_what_is_none_is_not_said():
    settings = {"schedule": None, "config": None, "floors": {"skew": None}, "a": {"b": {"c": None}}}

    assert read(stapling_settings=settings) == {"floors": {}, "a": {"b": {}}}


def test_what_is_emptied_on_purpose_is_empty():
    given = {"stapling_sites": ["a.*"], "stapling_allow_networks": ["10.0.0.0/8"]}
    settings = {"sites": [], "responders": {"allow_networks": []}}

    assert read(**given, stapling_settings=settings) == {"schedule": "auto", **settings}


@pytest.mark.parametrize(
    "settings, schedule",
    [
        ({}, "cron"),
        ({"schedule": {"interval": 600}}, {"kind": "cron", "interval": 600}),
        ({"schedule": {"kind": "none", "interval": 600}}, {"kind": "none", "interval": 600}),
        ({"schedule": "systemd"}, "systemd"),
    ],
)
def test_the_schedule_is_not_lost_to_the_rest_of_its_table(settings, schedule):
    assert read(stapling_schedule="cron", stapling_settings=settings) == {"schedule": schedule}


def test_strings_from_the_command_line_are_what_they_stand_for():
    given = {
        "stapling_settings": '{"floors": {"skew": 10}}',
        "stapling_sites": "a.example,*.b.example",
        "stapling_trust": "/a.pem",
        "stapling_allow_networks": "10.0.0.0/8,fd00::/8",
    }

    assert read(**given) == {
        "schedule": "auto",
        "sites": ["a.example", "*.b.example"],
        "trust": ["/a.pem"],
        "responders": {"allow_networks": ["10.0.0.0/8", "fd00::/8"]},
        "floors": {"skew": 10},
    }


def test_the_same_is_written_each_time():
    given = {"stapling_settings": {"b": {"z": 1, "a": 2}, "a": 1}}

    assert written(**given) == written(**given)
