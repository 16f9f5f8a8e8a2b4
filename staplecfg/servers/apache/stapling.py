"""How httpd takes its stapling directives (ssl_util_stapling.c, ssl_engine_init.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.servers.apache import md_store
from staplecfg.servers.apache.managed import managed, stapled_by_md
from staplecfg.servers.apache.values import flag, number
from staplecfg.servers.stapling import Kept, Stapling

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from staplecfg.model.site import Configuration, Site

TIMES = {
    "SSLStaplingResponderTimeout": "10",
    "SSLStaplingResponseTimeSkew": "300",
    "SSLStaplingResponseMaxAge": "-1",
    "SSLStaplingStandardCacheTimeout": "3600",
    "SSLStaplingErrorCacheTimeout": "600",
}
"""What takes seconds, and how many without a word (`modssl_init_stapling`); -1 is no limit."""
DEFAULTS = {
    "SSLStaplingForceURL": "",
    "SSLStaplingReturnResponderErrors": "on",
    "SSLStaplingFakeTryLater": "on",
    **TIMES,
}
"""What says how mod_ssl staples, where it does."""
DIRECTIVES = ("SSLUseStapling", *DEFAULTS, "MDStapling", "MDStapleOthers")


def stapling(site: Site, configuration: Configuration) -> Stapling:
    """Return what is in effect in `site`.

    Where mod_md answers, what mod_ssl is told has no effect: neither
    `SSLUseStapling off` nor `SSLStaplingForceURL`.
    """
    switch = site.setting("SSLUseStapling")
    module = stapled_by_md(site, configuration)
    url = site.setting("SSLStaplingForceURL")
    return Stapling(
        switch=switch,
        on=module is not None or flag(switch),
        responder=url if module is None and url is not None and url.args else None,
        module=module,
    )


def kept(
    site: Site, leaf: bytes, configuration: Configuration, state_dir: PurePosixPath
) -> Kept | None:
    """Return mod_md's file about the certificate of DER `leaf`, where it staples for it.

    Not those of its own domains.
    """
    if not stapled_by_md(site, configuration) or managed(site, configuration):
        return None
    return Kept(md_store.path(md_store.store(configuration, state_dir), leaf), md_store.response)


def seconds(site: Site, name: str) -> int:
    """Return what the directive `name`, one of `TIMES`, comes to in `site`, as httpd reads it."""
    return number(site.value(name, TIMES[name]))
