"""nginx's tokenizer once more, byte by byte and slowly, buffer and all: to check the fast one.

Written as nginx documents and behaves (a buffer of 4096 bytes that slides to
the start of the word at hand), with nothing of the scanner under test in it.
"""

from __future__ import annotations

BUFFER = 4096
BLANKS = b" \t\r\n"


class Refused(Exception):
    """nginx would not start."""


def statements(data: bytes) -> list[tuple[list[bytes], str]]:
    """Return every run of words with what ended it: `;`, `{`, or `}` for no words and a brace."""
    reader = Reader(data)
    found = []
    depth = 0
    while (statement := reader.statement()) is not None:
        depth += {"{": 1, "}": -1, ";": 0}[statement[1]]
        if depth < 0:
            raise Refused("}")
        found.append(statement)
    if depth:
        raise Refused("end of file in a block")
    return found


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.filled = min(BUFFER, len(data))
        self.mark = 0

    def take(self) -> int | None:
        if self.at >= self.filled:
            if self.filled == len(self.data):
                return None
            if self.at - self.mark >= BUFFER:
                raise Refused("too long")
            self.filled = min(self.mark + BUFFER, len(self.data))
        self.at += 1
        return self.data[self.at - 1]

    def statement(self) -> tuple[list[bytes], str] | None:
        words: list[bytes] = []
        self.mark = self.at
        byte = self.take()
        while byte is not None:
            self.mark = self.at - 1
            if byte in b";{}":
                if bool(words) == (byte == ord("}")):
                    raise Refused("a mark without words, or } in a directive")
                return words, chr(byte)
            byte = self.blank_or_word(byte, words)
        if words:
            raise Refused("end of file in a directive")
        return None

    def blank_or_word(self, byte: int, words: list[bytes]) -> int | None:
        """Read on from `byte`, and return the first byte that is not read yet."""
        if byte in b"\"'":
            self.mark = self.at
            words.append(self.quoted(bytes([byte])))
            return self.behind()
        if byte == ord("#"):
            self.comment()
        elif byte not in BLANKS:
            word, end = self.bare(byte)
            words.append(word)
            if end in b";{":
                return end
        return self.take()

    def comment(self) -> None:
        while (byte := self.take()) is not None:
            if byte == ord("\n"):
                return

    def quoted(self, quote: bytes) -> bytes:
        raw = bytearray()
        while (byte := self.take()) is not None:
            if bytes([byte]) == quote:
                return meaning(bytes(raw))
            raw.append(byte)
            if byte == ord("\\"):
                escaped = self.take()
                if escaped is None:
                    break
                raw.append(escaped)
        raise Refused("end of file in a quote")

    def behind(self) -> int:
        byte = self.take()
        if byte is None or byte not in b" \t\r\n;{)":
            raise Refused("glued to a quote, or end of file behind one")
        return byte

    def bare(self, first: int) -> tuple[bytes, int]:
        raw = bytearray()
        dollar = False
        byte: int | None = first
        while byte is not None:
            if byte in BLANKS or byte == ord(";") or (byte == ord("{") and not dollar):
                return meaning(bytes(raw)), byte
            raw.append(byte)
            dollar = byte == ord("$") or (dollar and byte == ord("{"))
            if byte == ord("\\"):
                escaped = self.take()
                if escaped is None:
                    break
                raw.append(escaped)
            byte = self.take()
        raise Refused("end of file in a word")


def meaning(raw: bytes) -> bytes:
    known = {b'"': b'"', b"'": b"'", b"\\": b"\\", b"t": b"\t", b"r": b"\r", b"n": b"\n"}
    out = bytearray()
    at = 0
    while at < len(raw):
        if raw[at : at + 1] == b"\\" and raw[at + 1 : at + 2] in known:
            out += known[raw[at + 1 : at + 2]]
            at += 2
        else:
            out.append(raw[at])
            at += 1
    return bytes(out)
