"""The file of a backup: a header that everybody may read, then sealed pieces.

Each piece is compressed data under AES-256-GCM. Its nonce counts the pieces and marks the last one,
and what is authenticated with it begins with the header: no piece can be dropped, moved, repeated
or taken from another backup without the opening failing.
"""

import base64
import json
import secrets
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"tradeswim backup 1\n"
PIECE = 1 << 20
TAG = 16
KEY_BYTES = 32
LONGEST_HEADER = 4096


class BadBackup(Exception):
    """The file or its key is not what it must be; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a backup says of itself.

    Args:
        made_at: ISO 8601, UTC.
        vendor: of the database, sqlite or postgresql.
        environment: PAPER or LIVE.
        host: where it was made.
        prefix: of every nonce, seven random bytes in hexadecimal digits.
    """

    made_at: str
    vendor: str
    environment: str
    host: str
    prefix: str


def new_key() -> str:
    """Return a new key as it is kept in a file."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def read_key(path: Path) -> bytes:
    """Return the key in a file. Errors: BadBackup."""
    try:
        key = base64.b64decode(path.read_text(encoding="ascii").strip(), validate=True)
    except (OSError, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise BadBackup(
            f"{path} is not the key of backups. `manage.py backup --make-key {path}` makes one; "
            "the key of an old backup must come from where it is kept."
        )
    return key


def new_header(*, made_at: str, vendor: str, environment: str, host: str) -> Header:
    """Return the header of a new backup; no two have the same nonces."""
    return Header(made_at, vendor, environment, host, secrets.token_hex(7))


def write_archive(target: BinaryIO, header: Header, key: bytes, data: Iterable[bytes]) -> None:
    """Seal data into a file."""
    head = MAGIC + json.dumps(asdict(header)).encode() + b"\n"
    target.write(head)
    sealer = AESGCM(key)
    target.writelines(
        sealer.encrypt(_nonce(header, number, is_last=is_last), piece, head)
        for number, (piece, is_last) in enumerate(_pieces(_compressed(data)))
    )


def read_header(source: BinaryIO) -> Header:
    """Read who a backup says it is, not proved by its key yet. Errors: BadBackup."""
    if source.read(len(MAGIC)) != MAGIC:
        raise BadBackup("This is not a backup of this program.")
    try:
        return Header(**json.loads(source.readline(LONGEST_HEADER)))
    except (ValueError, TypeError):
        raise BadBackup("The header of this backup cannot be read.") from None


def read_archive(source: BinaryIO, key: bytes) -> Iterator[bytes]:
    """Yield the data of a backup; believe none of it before the end came without an error.

    Errors: BadBackup.
    """
    header = read_header(source)
    head = MAGIC + json.dumps(asdict(header)).encode() + b"\n"
    opener, unpack, number = AESGCM(key), zlib.decompressobj(), 0
    sealed = source.read(PIECE + TAG)
    while True:
        following = source.read(PIECE + TAG)
        try:
            nonce = _nonce(header, number, is_last=not following)
            yield unpack.decompress(opener.decrypt(nonce, sealed, head))
        except (InvalidTag, ValueError, OverflowError, zlib.error):
            raise BadBackup(
                "This backup was changed, is not whole, or was made with another key."
            ) from None
        if not following:
            break
        sealed, number = following, number + 1
    if not unpack.eof:
        raise BadBackup("This backup is not whole.")


def _compressed(data: Iterable[bytes]) -> Iterator[bytes]:
    pack = zlib.compressobj(6)
    for part in data:
        yield pack.compress(part)
    yield pack.flush()


def _pieces(data: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut data into pieces of one size; the last one may be shorter, and is known as the last."""
    waiting = bytearray()
    for part in data:
        waiting += part
        while len(waiting) > PIECE:
            yield bytes(waiting[:PIECE]), False
            del waiting[:PIECE]
    yield bytes(waiting), True


def _nonce(header: Header, number: int, *, is_last: bool) -> bytes:
    return bytes.fromhex(header.prefix) + number.to_bytes(4, "big") + bytes([is_last])
