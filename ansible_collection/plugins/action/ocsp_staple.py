# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks responders on the control node, for what hosts say is due, and hands them the answers."""

from __future__ import annotations

import os
import time

from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS
from ansible.plugins.action import ActionBase

from ansible_collections.staplecfg.stapling.plugins.module_utils._module import SELECTION, TOOL, flags, without_chains
from ansible_collections.staplecfg.stapling.plugins.module_utils._staples import OWN, REQUIRED_BY, lacking
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._answer import WHOLE, Nonsense, due_of, groups_of
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._asking import Asking, NoTool, runner
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._cache import Cache, CacheTrouble
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._round import Round

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
        done = looked
        try:
            due = due_of(looked)
            if due and not self._task.check_mode and _asks_here(params):
                done = self._handed_over(looked, due, params, task_vars)
        except Nonsense as trouble:
            done = {**WHOLE, "changed": False, "failed": True, "msg": str(trouble)}
        done = {**WHOLE, **done}
        rows = done["renewals"] if isinstance(done["renewals"], list) else []
        done["renewals"] = without_chains([each for each in rows if isinstance(each, dict)])
        result.update(done)
        return result

    def _module(self, more, task_vars):
        return self._execute_module(module_name=MODULE, module_args={**self._task.args, **more}, task_vars=task_vars)

    def _handed_over(self, looked, due, params, task_vars):
        """Ask about what is due, and hand over what came of it; the host judges it again."""
        fetched = []
        try:
            groups = groups_of(due)
            asked = Round(_asking(params), looked["staples"])
            fetched = asked.fetched
            for group in groups:
                asked.ask(group)
        except (NoTool, CacheTrouble) as trouble:
            return {**looked, "fetched": fetched, "failed": True, "msg": str(trouble)}
        done = looked
        if asked.responses:
            done = self._module({"responses": asked.responses}, task_vars)
            if "invocation" in done and "invocation" in looked:
                done["invocation"] = looked["invocation"]
            # Looking sets a file's mode and owner already.
            done["changed"] = bool(looked.get("changed") or done.get("changed"))
            if isinstance(looked.get("diff"), list) and isinstance(done.get("diff"), list):
                done["diff"] = looked["diff"] + done["diff"]
            if done.get("failed") and not done.get("renewals"):
                return {**done, "renewals": looked["renewals"], "fetched": fetched}
            # Where it failed for what became of a certificate, that is among what it says.
            due_of({**done, "failed": False})
        return self._judged(looked, done, asked.told, params, fetched)

    @staticmethod
    def _judged(looked, done, told, params, fetched):
        """Return ``done`` with what became of all that the host had asked for."""
        handed = {} if done is looked else {each["fingerprint"]: each for each in done["renewals"]}
        held = {each["fingerprint"]: each["staple"] for each in done["staples"]}
        renewals, warnings = [], []
        for each in looked["renewals"]:
            entry, asked = told.get(each["fingerprint"], (None, False))
            row = dict(handed.get(each["fingerprint"], each))
            if entry is not None and entry.problem:
                row["revoked"] = bool(entry.revoked)
                problem = entry.problem + ("" if asked else _remembered(entry))
                warnings.append(f"{each['certificate']}: {problem}{_kept(held.get(each['fingerprint']))}")
                if each["fingerprint"] not in handed:
                    row["outcome"] = entry.outcome or each["outcome"]
                    row["detail"] = problem
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


def _remembered(entry):
    if entry.not_before is None:
        return ""
    return f" (remembered; asked again after {time.strftime('%H:%M:%S', time.gmtime(entry.not_before))} UTC)"


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
