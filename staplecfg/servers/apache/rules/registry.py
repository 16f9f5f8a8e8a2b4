"""Every rule that is Apache's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.servers.apache.rules import (
    certificate_stapled_in_two_ways,
    fake_try_later_in_2_5,
    fetch_during_handshake,
    md_serves_expired,
    md_shadows_mod_ssl,
    md_stapling_broken_in_2_4_66,
    md_stapling_without_effect,
    md_store_moved,
    md_store_unset,
    md_watchdog_missing,
    ocsp_proxy_unfit,
    outage_becomes_try_later,
    outage_stalls_handshakes,
    responder_ends_handshakes,
    responder_timeout_unfit,
    response_max_age_short,
    standard_cache_timeout_unfit,
    staple_served_after_its_end,
    stapling_cache_dbm,
    stapling_cache_in_virtual_host,
    stapling_cache_malformed,
    stapling_cache_missing,
    stapling_cache_module_missing,
    stapling_cache_remote,
    stapling_cache_too_small,
    stapling_cache_twice,
    stapling_issuer_missing,
    stapling_line_without_effect,
    stapling_time_not_seconds,
)

if TYPE_CHECKING:
    from staplecfg.model.rule import Rule

APACHE_RULES: tuple[Rule, ...] = (
    stapling_cache_missing.RULE,
    stapling_cache_in_virtual_host.RULE,
    stapling_cache_malformed.RULE,
    stapling_cache_module_missing.RULE,
    stapling_cache_twice.RULE,
    stapling_cache_too_small.RULE,
    stapling_cache_dbm.RULE,
    stapling_cache_remote.RULE,
    responder_ends_handshakes.RULE,
    ocsp_proxy_unfit.RULE,
    fetch_during_handshake.RULE,
    outage_becomes_try_later.RULE,
    outage_stalls_handshakes.RULE,
    fake_try_later_in_2_5.RULE,
    stapling_time_not_seconds.RULE,
    responder_timeout_unfit.RULE,
    standard_cache_timeout_unfit.RULE,
    response_max_age_short.RULE,
    staple_served_after_its_end.RULE,
    stapling_issuer_missing.RULE,
    stapling_line_without_effect.RULE,
    certificate_stapled_in_two_ways.RULE,
    md_shadows_mod_ssl.RULE,
    md_stapling_without_effect.RULE,
    md_stapling_broken_in_2_4_66.RULE,
    md_watchdog_missing.RULE,
    md_serves_expired.RULE,
    md_store_unset.RULE,
    md_store_moved.RULE,
)
