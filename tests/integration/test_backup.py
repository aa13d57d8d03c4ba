"""Two backups at the same moment do not write into one file."""

from datetime import UTC, datetime

import pytest

from tradeswim.backup.keeping import back_up, make_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_second_backup_of_a_moment_ends_and_leaves_the_first_one_alone(db, tmp_path):
    key = tmp_path / "backup.key"
    make_key(key)
    draft = tmp_path / "tradeswim-20260101T000000Z.draft"
    draft.write_bytes(b"of the first one")

    with pytest.raises(FileExistsError):
        back_up(tmp_path, key_file=key, keep=1, now=NOW)

    assert draft.read_bytes() == b"of the first one"
