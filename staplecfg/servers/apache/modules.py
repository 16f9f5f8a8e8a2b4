"""Which modules are there: by identifier (`ssl_module`) and by source file (`mod_ssl.c`)."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

_FILES = {
    "core_module": "core.c",
    "http_module": "http_core.c",
    "mpm_event_module": "event.c",
    "mpm_worker_module": "worker.c",
    "mpm_prefork_module": "prefork.c",
    "mpm_itk_module": "mpm_itk.c",
    "ldap_module": "util_ldap.c",
    "php_module": "mod_php.c",
    "php7_module": "mod_php7.c",
    "php5_module": "mod_php5.c",
}
"""Modules whose source file is not called after the identifier."""
_IDENTIFIERS = {file: identifier for identifier, file in _FILES.items()}

_STOCK = """
access_compat actions alias allowmethods asis auth_basic auth_digest auth_form authn_anon
authn_core authn_dbd authn_dbm authn_file authn_socache authnz_fcgi authnz_ldap authz_core
authz_dbd authz_dbm authz_groupfile authz_host authz_owner authz_user autoindex brotli buffer
cache cache_disk cache_socache cgi cgid charset_lite data dav dav_fs dav_lock dbd deflate
dialup dir dumpio echo env expires ext_filter file_cache filter headers heartbeat heartmonitor
http2 ident imagemap include info lbmethod_bybusyness lbmethod_byrequests lbmethod_bytraffic
lbmethod_heartbeat log_config log_debug log_forensic logio lua macro md mime mime_magic
negotiation proxy proxy_ajp proxy_balancer proxy_connect proxy_express proxy_fcgi
proxy_fdpass proxy_ftp proxy_hcheck proxy_html proxy_http proxy_http2 proxy_scgi proxy_uwsgi
proxy_wstunnel ratelimit reflector remoteip reqtimeout request rewrite sed session
session_cookie session_crypto session_dbd setenvif slotmem_plain slotmem_shm so
socache_dbm socache_memcache socache_redis socache_shmcb speling ssl status substitute suexec
systemd unique_id unixd userdir usertrack version vhost_alias watchdog xml2enc
"""
STOCK = frozenset(f"mod_{name}.c" for name in _STOCK.split())
"""The source files of httpd's own modules; nobody else's module is called so."""


@dataclass(slots=True)
class Modules:
    """The modules that are there at the place httpd has read up to.

    `static` says that those compiled in are known (`httpd -l`); without them,
    only what is loaded is certain, and that what is `loadable` is not compiled in.
    """

    static: bool
    known: set[str] = field(default_factory=set)
    loadable: frozenset[str] = frozenset()
    """What lies there to be loaded, by identifier and by source file."""
    nameless: bool = False
    """Whether one was loaded whose source file cannot be told from its name."""

    @classmethod
    def of(cls, compiled_in: str | None, to_be_loaded: str = "") -> Modules:
        """Return those of `compiled_in`: source files with blanks between, None for unknown.

        `to_be_loaded` are names (`ssl`) of others, likewise.
        """
        if compiled_in is None:
            there = [f"{name}_module" for name in to_be_loaded.split()]
            theirs = (_FILES.get(each, f"mod_{each.removesuffix('_module')}.c") for each in there)
            return cls(static=False, loadable=frozenset((*there, *theirs)))
        files = compiled_in.split()
        return cls(static=True, known={*files, *(_identifier(file) for file in files)})

    def load(self, identifier: str, path: str) -> None:
        """Carry out `LoadModule IDENTIFIER PATH`."""
        stem, extension = posixpath.splitext(posixpath.basename(path))
        file = _FILES.get(identifier)
        if file is None and stem.startswith("mod_") and extension == ".so":
            file = f"{stem}.c"
        self.known.add(identifier)
        if file is None:
            self.nameless = True
        else:
            self.known.add(file)

    def has(self, name: str) -> bool | None:
        """Say whether the module `name`, identifier or source file, is there; None: unknown."""
        if name in self.known:
            return True
        if not self.static:
            return False if name in self.loadable else None
        stranger = name.endswith(".c") and name not in STOCK and name not in _IDENTIFIERS
        return None if stranger and self.nameless else False


def _identifier(file: str) -> str:
    stem = posixpath.splitext(file)[0]
    return _IDENTIFIERS.get(file, f"{stem.removeprefix('mod_')}_module")
