# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks responders on the control node, for what hosts say is due, and hands them the answers."""

from __future__ import annotations

import base64
import os

from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS
from ansible.plugins.action import ActionBase

from ansible_collections.staplecfg.stapling.plugins.module_utils._module import SELECTION, TOOL, flags, without_chains
from ansible_collections.staplecfg.stapling.plugins.module_utils._runner import Trouble
from ansible_collections.staplecfg.stapling.plugins.module_utils._staples import OWN, REQUIRED_BY, lacking
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._asking import Asking, NoTool, runner, seconds
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._cache import Cache, CacheTrouble, Entry

MODULE = "staplecfg.stapling.ocsp_staple"
SPEC = {**FILE_COMMON_ARGUMENTS, **TOOL, **SELECTION, **OWN}


class ActionModule(ActionBase):
    """Two runs of the module at most: what is due, and here is the answer. One where nothing is."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the result for one host."""
        result = super().run(tmp, task_vars)
        # Here too: what "~" is in controller_cache only the control node can say.
        params = self.validate_argument_spec(SPEC, required_by=REQUIRED_BY)[1]
        looked = self._module({}, task_vars)
        due = [each for each in looked.get("renewals", []) if "chain" in each]
        done = looked
        if due and not looked.get("failed") and not self._task.check_mode and _asks_here(params):
            done = self._handed_over(looked, due, params, task_vars)
        done["renewals"] = without_chains(done.get("renewals", []))
        result.update(done)
        return result

    def _module(self, more, task_vars):
        return self._execute_module(module_name=MODULE, module_args={**self._task.args, **more}, task_vars=task_vars)

    def _handed_over(self, looked, due, params, task_vars):
        """Ask about what is due, and hand over what came of it; the host judges it again."""
        held = {each["fingerprint"]: each["staple"] for each in looked["staples"]}
        fetched, responses, told = [], {}, {}
        try:
            asking = _asking(params)
            for each in due:
                staple = held.get(each["fingerprint"])
                since = seconds(staple["this_update"]) if staple and staple["freshness"] != "expired" else None
                entry, asked = _entry(asking, each["chain"], since)
                told[each["fingerprint"]] = entry
                fetched += [each["fingerprint"]] if asked else []
                if entry.usable(asking.now(), since):
                    responses[each["fingerprint"]] = base64.b64encode(entry.der).decode("ascii")
        except (NoTool, CacheTrouble) as trouble:
            return {**looked, "fetched": fetched, "failed": True, "msg": str(trouble)}
        done = looked
        if responses:
            done = self._module({"responses": list(responses.values())}, task_vars)
            if "invocation" in done:
                done["invocation"] = looked["invocation"]
            if done.get("failed") and not done.get("renewals"):
                return {**done, "fetched": fetched}
        return self._judged(looked, done, told, params, fetched)

    @staticmethod
    def _judged(looked, done, told, params, fetched):
        """Return ``done`` with what became of all that the host had asked for."""
        handed = {} if done is looked else {each["fingerprint"]: each for each in done["renewals"]}
        held = {each["fingerprint"]: each["staple"] for each in done["staples"]}
        renewals, warnings = [], []
        for each in looked["renewals"]:
            entry = told.get(each["fingerprint"])
            row = dict(handed.get(each["fingerprint"], each))
            if entry is not None and entry.problem:
                row["revoked"] = bool(entry.revoked)
                warnings.append(f"{each['certificate']}: {entry.problem}{_kept(held.get(each['fingerprint']))}")
                if each["fingerprint"] not in handed:
                    row["outcome"] = "rejected" if entry.revoked else "unreachable"
                    row["detail"] = entry.problem
            renewals.append(row)
        lost = lacking(renewals, done["staples"])
        result = {**done, "renewals": renewals, "fetched": fetched}
        result["warnings"] = [*done.get("warnings", []), *warnings]
        if lost and params["required"]:
            result.update(failed=True, msg="; ".join(lost))
        elif lost:
            result["warnings"] += lost
        return result


def _kept(staple):
    if staple is None or staple["freshness"] == "expired":
        return ""
    return f"; the staple on the host is good until {staple['expires']}"


def _entry(asking, chain, since):
    """Return what is known of one certificate; trouble with one is no reason to forget the others."""
    try:
        return asking.entry(chain, since)
    except Trouble as trouble:
        return Entry(problem=str(trouble)), False


def _asks_here(params):
    return params["fetch_on"] == "controller" and params["responses"] is None


def _asking(params):
    """Return what asks as the options say; the tool is looked for only where somebody is to be asked."""
    words = flags(
        {
            "settings": params["controller_settings"],
            "trust": params["controller_trust"],
            "allow_networks": params["allow_networks"],
            "proxy": params["proxy"],
        },
        ("settings", "trust", "allow_networks", "proxy"),
    )
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    directory = params["controller_cache"] or os.path.join(base, "staplecfg", "ansible")
    return Asking(lambda: runner(params["controller_executable"], os.environ), words, Cache(directory))
