from __future__ import annotations

import pytest

from staplecfg.pki.der import NotDER
from staplecfg.pki.scheme import Scheme, UnknownScheme, scheme
from tests.support import asn1
from tests.support.responses import ECDSA_OIDS, HASH_OIDS, PSS, RSA_OIDS, pss_identifier

MGF1 = "1.2.840.113549.1.1.8"
SHA256 = asn1.sequence(asn1.oid(HASH_OIDS["sha256"]), asn1.NULL)
SHA512 = asn1.sequence(asn1.oid(HASH_OIDS["sha512"]), asn1.NULL)


def pss(*parameters: bytes) -> bytes:
    return asn1.sequence(asn1.oid(PSS), asn1.sequence(*parameters))


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        (asn1.sequence(asn1.oid(RSA_OIDS["sha256"]), asn1.NULL), Scheme("RSA", "SHA-256")),
        (asn1.sequence(asn1.oid(RSA_OIDS["sha256"])), Scheme("RSA", "SHA-256")),
        (asn1.sequence(asn1.oid(RSA_OIDS["md5"]), asn1.NULL), Scheme("RSA", "MD5")),
        (asn1.sequence(asn1.oid(ECDSA_OIDS["sha384"])), Scheme("ECDSA", "SHA-384")),
        (asn1.sequence(asn1.oid("1.3.101.112")), Scheme("Ed25519", None)),
        (pss_identifier("sha512", 20), Scheme("RSA-PSS", "SHA-512", 20)),
        (pss(), Scheme("RSA-PSS", "SHA-1", 20)),
        (
            pss(
                asn1.explicit(0, SHA256),
                asn1.explicit(1, asn1.sequence(asn1.oid(MGF1), SHA256)),
                asn1.explicit(3, asn1.integer(1)),
            ),
            Scheme("RSA-PSS", "SHA-256", 20),
        ),
    ],
)
def test_a_signature_algorithm_is_known(algorithm, expected):
    assert scheme(algorithm) == expected


@pytest.mark.parametrize(
    "algorithm",
    [
        pytest.param(asn1.sequence(asn1.oid("1.2.3")), id="unheard of"),
        pytest.param(
            asn1.sequence(asn1.oid(ECDSA_OIDS["sha256"]), asn1.NULL), id="ECDSA with parameters"
        ),
        pytest.param(
            asn1.sequence(asn1.oid(RSA_OIDS["sha256"]), asn1.tlv(0x05, b"x")),
            id="a NULL that is not",
        ),
        pytest.param(pss(asn1.explicit(0, SHA256)), id="SHA-256 under a SHA-1 mask"),
        pytest.param(
            pss(
                asn1.explicit(0, SHA256),
                asn1.explicit(1, asn1.sequence(asn1.oid(MGF1), SHA512)),
            ),
            id="SHA-256 under a SHA-512 mask",
        ),
        pytest.param(
            pss(asn1.explicit(1, asn1.sequence(asn1.oid("1.2.3"), SHA256))), id="another mask"
        ),
        pytest.param(pss(asn1.explicit(2, asn1.integer(-1))), id="a negative salt"),
        pytest.param(pss(asn1.explicit(2, asn1.integer(100_000))), id="an endless salt"),
        pytest.param(pss(asn1.explicit(3, asn1.integer(2))), id="another trailer"),
        pytest.param(
            pss(asn1.explicit(0, asn1.sequence(asn1.oid(HASH_OIDS["md5"])))), id="RSA-PSS with MD5"
        ),
    ],
)
def test_what_is_none_is_not(algorithm):
    with pytest.raises(UnknownScheme):
        scheme(algorithm)


@pytest.mark.parametrize("octets", [b"", b"\x30\x00", asn1.NULL, asn1.sequence(asn1.NULL)])
def test_what_is_no_algorithm_identifier_is_no_der(octets):
    with pytest.raises(NotDER):
        scheme(octets)
