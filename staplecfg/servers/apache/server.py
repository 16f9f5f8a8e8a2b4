"""Apache httpd, put together."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from staplecfg.servers.apache import delivery_live, delivery_mod_md, delivery_responder
from staplecfg.servers.apache.agreement import agreement
from staplecfg.servers.apache.commands import COMMANDS
from staplecfg.servers.apache.dialect import DIALECT
from staplecfg.servers.apache.outlives import outlives
from staplecfg.servers.apache.rules.registry import APACHE_RULES
from staplecfg.servers.interface import Server

if TYPE_CHECKING:
    from staplecfg.servers.interface import Delivery

DELIVERIES: tuple[Delivery, ...] = (
    delivery_responder.DELIVERY,
    delivery_mod_md.DELIVERY,
    delivery_live.DELIVERY,
)

APACHE = Server(
    name=DIALECT.name,
    dialect=DIALECT,
    commands=COMMANDS,
    deliveries=MappingProxyType({each.name: each for each in DELIVERIES}),
    default_delivery=delivery_responder.DELIVERY.name,
    rules=APACHE_RULES,
    agreement=agreement,
    outlives=outlives,
)
