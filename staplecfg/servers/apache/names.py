"""The names of directives: httpd takes them in any case, we know them in one."""

from __future__ import annotations

_KNOWN = """
AllowOverride AllowOverrideList
BalancerMember
CacheSocache ChrootDir
Define Directory DirectoryMatch DocumentRoot
Else ElseIf Error ErrorDocument ErrorLog
Files FilesMatch
Group
If IfDefine IfDirective IfFile IfModule IfSection IfVersion Include IncludeOptional
Limit LimitExcept Listen LoadFile LoadModule Location LocationMatch LogLevel
Macro
MDActivationDelay MDBaseServer MDCAChallenges MDCertificateAgreement MDCertificateAuthority
MDCertificateCheck MDCertificateFile MDCertificateKeyFile MDCertificateMonitor
MDCertificateProtocol MDCertificateStatus MDChallengeDns01 MDCheckInterval MDContactEmail
MDDriveMode MDExternalAccountBinding MDHttpProxy MDInitialDelay MDMatchNames MDMember MDMembers
MDMessageCmd MDMustStaple MDNotifyCmd MDomain MDomainSet MDPortMap MDPrivateKeys MDProfile
MDProfileMandatory MDRenewMode MDRenewViaARI MDRenewWindow MDRequireHttps MDRetryDelay
MDRetryFailover MDServerStatus MDStapleOthers MDStapling MDStaplingKeepResponse
MDStaplingRenewWindow MDStoreDir MDStoreLocks MDWarnWindow
Mutex
NameVirtualHost
Perl PidFile Protocols Proxy ProxyMatch ProxyPass ProxyPassReverse
Redirect RemoteIPProxyProtocol RemoteIPProxyProtocolExceptions
Require RequireAll RequireAny RequireNone RewriteCond RewriteEngine RewriteRule
ServerAdmin ServerAlias ServerName ServerPath ServerRoot ServerTokens SetHandler
SSLCACertificateFile SSLCACertificatePath SSLCADNRequestFile SSLCADNRequestPath
SSLCARevocationCheck SSLCARevocationFile SSLCARevocationPath SSLCertificateChainFile
SSLCertificateFile SSLCertificateKeyFile SSLCipherSuite SSLCompression
SSLCryptoDevice SSLEngine SSLFIPS SSLHonorCipherOrder SSLInsecureRenegotiation
SSLOCSPDefaultResponder SSLOCSPEnable SSLOCSPNoverify SSLOCSPOverrideResponder SSLOCSPProxyURL
SSLOCSPResponderCertificateFile SSLOCSPResponderTimeout SSLOCSPResponseMaxAge
SSLOCSPResponseTimeSkew SSLOCSPUseRequestNonce SSLOpenSSLConfCmd SSLOptions
SSLPassPhraseDialog SSLProtocol SSLProxyCACertificateFile SSLProxyCACertificatePath
SSLProxyCARevocationCheck SSLProxyCARevocationFile SSLProxyCARevocationPath
SSLProxyCheckPeerCN SSLProxyCheckPeerExpire SSLProxyCheckPeerName SSLProxyCipherSuite
SSLProxyEngine SSLProxyMachineCertificateChainFile SSLProxyMachineCertificateFile
SSLProxyMachineCertificatePath SSLProxyProtocol SSLProxyVerify SSLProxyVerifyDepth
SSLRandomSeed SSLRenegBufferSize SSLRequire SSLRequireSSL SSLSRPUnknownUserSeed
SSLSRPVerifierFile SSLSessionCache SSLSessionCacheTimeout SSLSessionTicketKeyFile
SSLSessionTickets SSLStaplingCache SSLStaplingErrorCacheTimeout SSLStaplingFakeTryLater
SSLStaplingForceURL SSLStaplingResponderTimeout
SSLStaplingResponseMaxAge SSLStaplingResponseTimeSkew SSLStaplingReturnResponderErrors
SSLStaplingStandardCacheTimeout SSLStrictSNIVHostCheck SSLUserName SSLUseStapling
SSLVerifyClient SSLVerifyDepth SSLVHostSNIPolicy
StrictHostCheck
UnDefine UndefMacro Use UseCanonicalName User
VirtualHost
"""

_CANONICAL = {name.lower(): name for name in _KNOWN.split()}

READ_AT_ONCE = frozenset(
    {"IfDefine", "IfDirective", "IfFile", "IfModule", "IfSection", "IfVersion"}
)
"""Sections that are decided while the file is read: nothing may stand behind their end tag."""


def canonical(name: str) -> str:
    """Return `name` as the manual writes it, or as it is where it is not one we know."""
    return _CANONICAL.get(name.lower(), name) if name.isascii() else name
