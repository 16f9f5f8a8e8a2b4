"""How a server is told to ask the local responder, `staplecfg serve`."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staplecfg.model.settings import Endpoint


UNIT = "staplecfg-serve.service"
"""What systemd knows it by."""


def url(listen: Endpoint) -> str:
    """Return the URL of the responder that listens at `listen`; an address, never a name."""
    host = ip_address(listen.host)
    if host.is_unspecified:
        host = ip_address("::1" if host.version == 6 else "127.0.0.1")  # noqa: PLR2004 - IPv6
    shown = f"[{host}]" if ":" in str(host) else str(host)
    return f"http://{shown}:{listen.port}/"
