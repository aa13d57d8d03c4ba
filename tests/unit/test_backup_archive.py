"""The file of a backup opens with its own key, whole and unchanged, or not at all."""

import io
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeswim.backup.archive import (
    KEY_BYTES,
    PIECE,
    TAG,
    BadBackup,
    new_header,
    read_archive,
    read_header,
    read_key,
    write_archive,
)

KEY = secrets.token_bytes(KEY_BYTES)
# So that it has several pieces although it was compressed.
LONG = secrets.token_bytes(3 * PIECE + 12_345)


def sealed(data: bytes, key: bytes = KEY) -> bytes:
    header = new_header(
        made_at="2026-01-01T00:00:00+00:00", vendor="sqlite", environment="PAPER", host="h"
    )
    file = io.BytesIO()
    write_archive(file, header, key, [data[i : i + 70_000] for i in range(0, len(data), 70_000)])
    return file.getvalue()


def opened(archive: bytes, key: bytes = KEY) -> bytes:
    return b"".join(read_archive(io.BytesIO(archive), key))


@given(st.binary(max_size=2000))
def test_what_went_in_comes_out(data):
    assert opened(sealed(data)) == data


def test_a_long_one_comes_out_too():
    assert opened(sealed(LONG)) == LONG


def test_nothing_of_the_data_can_be_read():
    assert b"a planted secret" not in sealed(b"a planted secret" * 1000)


def start_of_pieces(archive: bytes) -> int:
    file = io.BytesIO(archive)
    read_header(file)
    return file.tell()


def pieces(archive: bytes) -> tuple[bytes, list[bytes]]:
    start = start_of_pieces(archive)
    size = PIECE + TAG
    return archive[:start], [archive[i : i + size] for i in range(start, len(archive), size)]


ARCHIVE = sealed(LONG)
HEAD, PIECES = pieces(ARCHIVE)
FIRST, SECOND, *REST = PIECES
BROKEN = {
    "cut between pieces": HEAD + b"".join(PIECES[:-1]),
    "cut within one": ARCHIVE[:-100],
    "without pieces": HEAD,
    "swapped": HEAD + SECOND + FIRST + b"".join(REST),
    "repeated": HEAD + FIRST + FIRST + SECOND + b"".join(REST),
    "dropped": HEAD + FIRST + b"".join(REST),
    "longer": ARCHIVE + b"x",
    "one bit": ARCHIVE[:-1] + bytes([ARCHIVE[-1] ^ 1]),
    "another header": ARCHIVE.replace(b"PAPER", b"LIVES", 1),
    "of another backup": HEAD + pieces(sealed(LONG))[1][0] + SECOND + b"".join(REST),
    "nothing": b"",
    "something else": b"PK\x03\x04" + b"x" * 5000,
    "no header": b"tradeswim backup 1\n[]\n" + b"x" * 100,
}


@pytest.mark.parametrize("archive", BROKEN.values(), ids=BROKEN.keys())
def test_what_was_changed_is_refused(archive):
    with pytest.raises(BadBackup):
        opened(archive)


def test_another_key_does_not_open_it():
    with pytest.raises(BadBackup, match="another key"):
        opened(ARCHIVE, secrets.token_bytes(KEY_BYTES))


@pytest.mark.parametrize("text", ["", "short", "c2hvcnQ=", "ü" * 44])
def test_what_is_no_key_is_refused(tmp_path, text):
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(BadBackup, match="not the key of backups"):
        read_key(path)
