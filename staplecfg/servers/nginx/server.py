"""nginx, put together."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from staplecfg.servers.interface import Server
from staplecfg.servers.nginx import delivery_file, delivery_live, delivery_responder
from staplecfg.servers.nginx.commands import COMMANDS
from staplecfg.servers.nginx.dialect import DIALECT
from staplecfg.servers.nginx.rules.registry import NGINX_RULES

if TYPE_CHECKING:
    from staplecfg.servers.interface import Delivery

DELIVERIES: tuple[Delivery, ...] = (
    delivery_file.DELIVERY,
    delivery_responder.DELIVERY,
    delivery_live.DELIVERY,
)

NGINX = Server(
    name=DIALECT.name,
    dialect=DIALECT,
    commands=COMMANDS,
    deliveries=MappingProxyType({each.name: each for each in DELIVERIES}),
    default_delivery=delivery_file.DELIVERY.name,
    rules=NGINX_RULES,
)
