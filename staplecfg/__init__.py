"""OCSP stapling on nginx and Apache: correct, gapless and boring."""

__version__ = "0.1.0"
