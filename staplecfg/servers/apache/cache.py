"""`SSLStaplingCache`: what it says, and how many responses fit (mod_socache_shmcb.c)."""

from __future__ import annotations

from dataclasses import dataclass

SMALLEST = 8192
LARGEST = 2**32 - 1
"""mod_socache_shmcb takes sizes from `SMALLEST` to below `LARGEST`, in bytes."""
DEFAULT = 512 * 1024
SHARED_MEMORY = frozenset({"shmcb", "default"})
MODULES = {
    "shmcb": "socache_shmcb",
    "default": "socache_shmcb",
    "dbm": "socache_dbm",
    "memcache": "socache_memcache",
    "redis": "socache_redis",
    "dc": "socache_dc",
}
"""Kind of cache -> the module that has it; the names are compared in their case."""

BYTES_A_SLOT = 1520
"""mod_ssl announces responses of 1500 bytes under keys of 20."""
MOST_PARTS = 256


@dataclass(frozen=True, slots=True)
class Cache:
    """`kind` as written; `size` in bytes where the cache is in shared memory, else None."""

    kind: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class NoCache:
    """Why httpd does not start with it; `problem` fits after a colon."""

    problem: str


def parse(text: str) -> Cache | NoCache:
    """Read the argument of `SSLStaplingCache`: `kind`, `kind:path` or `kind:path(bytes)`."""
    kind, _, where = text.partition(":")
    if kind not in MODULES:
        known = kind.lower() if kind.lower() in MODULES else None
        meant = f", write `{known}`" if known else f"; httpd has {', '.join(MODULES)}"
        return NoCache(f'there is no kind of cache called "{kind}"{meant}')
    if kind not in SHARED_MEMORY:
        return Cache(kind)
    return Cache(kind, DEFAULT) if "(" not in where else _sized(kind, where)


def _sized(kind: str, where: str) -> Cache | NoCache:
    size = where.rpartition("(")[2]
    digits = size[:-1]
    if not size.endswith(")"):
        return NoCache(f'"{where}" does not end in its size, `(bytes)`')
    if not (digits.isascii() and digits.isdigit()):
        return NoCache(f'the size "{digits}" is not a number of bytes; there are no K and M')
    if not SMALLEST <= int(digits) < LARGEST:
        return NoCache(f"the size {digits} is not between {SMALLEST} and {LARGEST} bytes")
    return Cache(kind, int(digits))


def slots(size: int) -> int:
    """Return how many responses a shared-memory cache of `size` bytes has an index for.

    Measured with 2.4.71 (AH00822): 32768 has 20, 65536 has 40, 524288 has 344.
    They are in equal parts, and the first byte of a certificate's hash decides
    which part its response goes to; so one part is full before all are.
    """
    index = size // BYTES_A_SLOT
    parts = MOST_PARTS
    while parts > 1 and index // parts < 2 * parts:
        parts //= 2
    return index // parts * parts


def size_for(certificates: int) -> int:
    """Return the bytes to give a cache for `certificates`: its parts fill unevenly."""
    size = 128 * 1024
    while size < 4096 * certificates:
        size *= 2
    return size
