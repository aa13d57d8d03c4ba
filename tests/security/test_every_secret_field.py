"""Every secret field of every model: nothing of it in a dump, and nothing opens elsewhere."""

import os
import shutil
import sqlite3
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection

from accounts.domain.envelope import CannotOpen
from accounts.fields import key_ring
from accounts.models import Alarm
from tests.security.evidence import leaks
from tests.security.planting import FIELDS, make_row

every_field = pytest.mark.parametrize(
    ("model", "name"), FIELDS, ids=[f"{model.__name__}.{name}" for model, name in FIELDS]
)


@pytest.fixture
def planted(transactional_db) -> dict[str, str]:
    """A row with a secret of its own for every field."""
    secrets = {}
    for model, name in FIELDS:
        secret = f"planted-{uuid4()}"
        make_row(model, **{name: secret})
        secrets[f"{model.__name__}.{name}"] = secret
    return secrets


def dump() -> bytes:
    """Return what a backup holds: the files and the statements of SQLite, or what pg_dump says."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        file = Path(database["NAME"])
        files = b"".join(one.read_bytes() for one in file.parent.glob(file.name + "*"))
        with closing(sqlite3.connect(file)) as other:
            return files + "\n".join(other.iterdump()).encode()
    address = ["-h", database["HOST"], "-p", str(database["PORT"]), "-U", database["USER"]]
    environment = {**os.environ, "PGPASSWORD": database["PASSWORD"]}
    return subprocess.run(
        [_pg_dump(), "--inserts", *address, database["NAME"]],
        env=environment,
        check=True,
        capture_output=True,
    ).stdout


def _pg_dump() -> str:
    """Return Debian's newest, which dumps every older server."""
    beside: Iterator[Path] = Path("/usr/lib/postgresql").glob("*/bin/pg_dump")
    newest = max(beside, key=lambda path: int(path.parts[4]), default=None)
    return str(newest or shutil.which("pg_dump"))


def test_a_dump_holds_no_planted_secret_and_no_key(planted):
    ring = key_ring()
    keys = {name: b64encode(key).decode() for name, key in ring.keys.items()}
    found = dump()

    assert len(planted) == len(FIELDS) >= 10
    assert b"accounts_brokerlogin" in found
    assert leaks(found, planted) == []
    assert leaks(found, {**keys, "index": b64encode(ring.index_key).decode()}) == []


def test_the_search_of_a_dump_finds_what_lies_open(planted):
    open_one = next(iter(planted))
    make_row(Alarm, words=planted[open_one])

    assert leaks(dump(), planted) == [open_one]


def test_the_key_file_alone_holds_no_secret(planted):
    assert leaks(Path(settings.KEY_FILE).read_bytes(), planted) == []


def raw(model, name, pk) -> bytes:
    return bytes(model._default_manager.filter(pk=pk).values_list(name, flat=True).get())


def opened(model, name, pk) -> str:
    return str(getattr(model._default_manager.get(pk=pk), name).open())


@pytest.mark.django_db
@every_field
def test_a_swapped_secret_is_refused_in_both_rows(model, name):
    one, two = make_row(model, **{name: "secret one"}), make_row(model, **{name: "secret two"})
    first, second = raw(model, name, one.pk), raw(model, name, two.pk)
    assert opened(model, name, one.pk) == "secret one"

    model._default_manager.filter(pk=one.pk).update(**{name: second})
    model._default_manager.filter(pk=two.pk).update(**{name: first})

    for row in (one, two):
        with pytest.raises(CannotOpen):
            opened(model, name, row.pk)


@pytest.mark.django_db
@every_field
def test_a_secret_moved_to_another_field_of_its_row_is_refused(model, name):
    others = [other for kind, other in FIELDS if kind is model and other != name]
    row = make_row(model, **{name: "a secret"}, **dict.fromkeys(others, "another"))

    for other in others:
        model._default_manager.filter(pk=row.pk).update(**{other: raw(model, name, row.pk)})
        with pytest.raises(CannotOpen):
            opened(model, other, row.pk)
    assert opened(model, name, row.pk) == "a secret"


@pytest.mark.django_db
@every_field
def test_a_plain_text_written_into_the_column_is_no_secret(model, name):
    row = make_row(model, **{name: "a secret"})
    table, column = model._meta.db_table, model._meta.get_field(name).column
    key = model._meta.pk.get_db_prep_value(row.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [b"in the open", key])  # noqa: S608

    with pytest.raises(CannotOpen):
        opened(model, name, row.pk)
