"""Which module a directive comes from, as far as we need to know it."""

from __future__ import annotations

_MODULES = {
    "core_module": """
        <VirtualHost <Directory <DirectoryMatch <Location <LocationMatch <Files <FilesMatch
        <Limit <LimitExcept <If <ElseIf <Else <IfDefine <IfModule <IfFile <IfDirective <IfSection
        AccessFileName AllowOverride DefaultType Define DocumentRoot ErrorDocument ErrorLog
        Group Include IncludeOptional KeepAlive KeepAliveTimeout LimitRequestBody Listen LogLevel
        Mutex Options PidFile Protocols ServerAdmin ServerAlias ServerName ServerPath ServerRoot
        ServerSignature ServerTokens SetHandler Timeout TraceEnable UnDefine
        UseCanonicalName User
    """,
    "so_module": "LoadFile LoadModule",
    "version_module": "<IfVersion",
    "macro_module": "<Macro Use UndefMacro",
    "headers_module": "Header RequestHeader",
    "rewrite_module": "RewriteBase RewriteCond RewriteEngine RewriteMap RewriteOptions RewriteRule",
    "proxy_module": "<Proxy <ProxyMatch ProxyPass ProxyPassReverse ProxyPreserveHost",
    "authz_core_module": "<RequireAll <RequireAny <RequireNone Require",
    "ssl_module": """
        SSLCACertificateFile SSLCACertificatePath SSLCertificateChainFile SSLCertificateFile
        SSLCertificateKeyFile SSLCipherSuite SSLCompression SSLEngine SSLHonorCipherOrder
        SSLOCSPEnable SSLOpenSSLConfCmd SSLOptions SSLProtocol SSLProxyEngine SSLRequireSSL
        SSLSessionCache SSLSessionCacheTimeout SSLSessionTickets SSLStaplingCache
        SSLStaplingErrorCacheTimeout SSLStaplingFakeTryLater SSLStaplingForceURL
        SSLStaplingResponderTimeout SSLStaplingResponseMaxAge SSLStaplingResponseTimeSkew
        SSLStaplingReturnResponderErrors SSLStaplingStandardCacheTimeout SSLStrictSNIVHostCheck
        SSLUseStapling SSLVerifyClient SSLVerifyDepth
    """,
    "md_module": """
        <MDomain <MDomainSet MDBaseServer MDCertificateAuthority MDCertificateFile
        MDContactEmail MDDriveMode MDMember MDMembers MDMustStaple MDomain MDPrivateKeys
        MDRenewMode MDRenewWindow MDStapleOthers MDStapling MDStaplingKeepResponse
        MDStaplingRenewWindow MDStoreDir
    """,
}
"""Only those that every 2.4 of that module has; a section's name begins with `<`."""

_OWNERS = {name.lower(): module for module, names in _MODULES.items() for name in names.split()}


def owner(name: str) -> str | None:
    """Return the module the directive `name` is of, in any case; None where we do not know."""
    return _OWNERS.get(name.lower())
