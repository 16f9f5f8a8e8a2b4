"""Certificates and OCSP, pure: bytes and `now` in, verdicts out."""
