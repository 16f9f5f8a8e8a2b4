"""How nginx takes its stapling directives (ngx_http_ssl_module, ngx_event_openssl_stapling.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.servers.stapling import Stapling

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from staplecfg.model.site import Configuration, Setting, Site

WITHDRAWN = "http://127.0.0.1:1/"
"""The responder our neutral snippet names: nothing listens there, and it needs no DNS."""

DIRECTIVES = ("ssl_stapling", "ssl_stapling_file", "ssl_stapling_responder", "ssl_stapling_verify")


def stapling(site: Site, configuration: Configuration) -> Stapling:
    """Return what is in effect in `site`; an empty argument counts as none, as nginx has it."""
    switch = site.setting("ssl_stapling")
    file = _given(site, "ssl_stapling_file")
    responder = _given(site, "ssl_stapling_responder")
    return Stapling(
        switch=switch,
        on=flag(switch),
        responder=responder,
        file=file,
        path=None if file is None else absolute(file.args[0], configuration),
        withdrawn=file is None and responder is not None and responder.args[0] == WITHDRAWN,
        inert=site.context == "mail" or flag(site.setting("ssl_reject_handshake")),
    )


def flag(setting: Setting | None) -> bool:
    """Say whether an on/off directive is on; nginx does not mind the case (ngx_conf_file.c)."""
    return setting is not None and [arg.lower() for arg in setting.args] == ["on"]


def absolute(text: str, configuration: Configuration) -> PurePosixPath:
    """Return the file `text` names: relative to the main file's directory, never to `-p`."""
    return configuration.main.parent / text


def _given(site: Site, name: str) -> Setting | None:
    setting = site.setting(name)
    return setting if setting is not None and setting.args and setting.args[0] else None
