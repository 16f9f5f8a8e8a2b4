"""Every rule that is nginx's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.servers.nginx.rules import (
    client_verify_trusts_trusted_certificate,
    compression_conflict,
    include_without_state,
    lazy_gap,
    resolver_breaks_address,
    resolver_in_location_only,
    resolver_missing,
    resolver_silent,
    responder_directive_https,
    site_key_mismatch,
    staple_file_not_ours,
    stapling_file_inherited,
    stapling_file_without_stapling,
    stapling_in_mail,
    stapling_verify_untrusted,
    stream_stapling_version,
    trusted_certificate_system_bundle,
    variable_certificate,
)

if TYPE_CHECKING:
    from staplecfg.model.rule import Rule

NGINX_RULES: tuple[Rule, ...] = (
    lazy_gap.RULE,
    stapling_file_without_stapling.RULE,
    stapling_file_inherited.RULE,
    staple_file_not_ours.RULE,
    variable_certificate.RULE,
    compression_conflict.RULE,
    responder_directive_https.RULE,
    resolver_missing.RULE,
    resolver_silent.RULE,
    resolver_in_location_only.RULE,
    resolver_breaks_address.RULE,
    client_verify_trusts_trusted_certificate.RULE,
    trusted_certificate_system_bundle.RULE,
    stapling_verify_untrusted.RULE,
    stapling_in_mail.RULE,
    stream_stapling_version.RULE,
    include_without_state.RULE,
    site_key_mismatch.RULE,
)
