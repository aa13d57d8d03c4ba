"""The life of the data keys: make the first ring, and re-encrypt everything under a new key."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.models import F, Value
from django.db.models.lookups import Exact

from accounts.domain.envelope import BadKeyRing, CannotOpen, KeyRing, key_id
from accounts.fields import EncryptedTextField, key_file_held, key_ring, write_key_ring
from accounts.models import BrokerLogin


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did.

    Args:
        sealed_again: values re-encrypted under the new key.
        passed_over: values that somebody else wrote meanwhile (under the new key already).
        retired: ids of keys that seal nothing any more and were dropped.
    """

    active: str
    sealed_again: int
    passed_over: int
    retired: tuple[str, ...]


def make_first_keys() -> bool:
    """Write a key file for a new installation; False if there is one (it is never replaced).

    Errors: BadKeyRing when the file is missing, but the database needs it.
    """
    if Path(settings.KEY_FILE).exists():  # perhaps where nothing can be written
        return False
    with key_file_held():
        if Path(settings.KEY_FILE).exists():
            return False
        is_empty = BrokerLogin._meta.db_table not in connection.introspection.table_names()
        if used := () if is_empty else sorted(count_by_key()):
            raise BadKeyRing(
                f"The key file {settings.KEY_FILE} is missing, but the database holds secrets "
                f"sealed with {', '.join(used)}. Restore it from its backup."
            )
        write_key_ring(KeyRing.fresh())
    return True


def check_keys() -> None:
    """Make sure that the key file opens what is in the database, and finds it.

    Errors: BadKeyRing, naming the key.
    """
    ring, tried = key_ring(), set[str]()
    for model, field in encrypted_fields():
        for pk, value in _values(model, field):
            name = key_id(value)
            if name not in tried:
                _check_opens(ring, name, value, field.place_of(pk))
            tried.add(name)
    login = BrokerLogin.objects.first()
    if login is None:
        return
    if ring.blind_index(login.app_key.open(), column="app_key") != login.app_key_index:
        raise BadKeyRing(
            f"The index key in the key file {settings.KEY_FILE} is not the one of this database. "
            "Restore the file from its backup."
        )


def _check_opens(ring: KeyRing, name: str, value: bytes, place: str) -> None:
    try:
        ring.open(value, place=place)
    except CannotOpen:
        raise BadKeyRing(
            f"The key file {settings.KEY_FILE} does not hold the key {name} of this database. "
            "Restore it from its backup."
        ) from None


def add_key() -> str:
    """Add a key that seals from now on; every process notices by the file's time."""
    with key_file_held():
        ring = key_ring().with_new_key()
        write_key_ring(ring)
    return ring.active


def seal_again(*, wait_s: float = 0) -> Rotation:
    """Re-encrypt every secret under the active key, row by row, and drop the keys left unused.

    A row changes only if it still holds what was read, so traffic meanwhile loses nothing.

    Args:
        wait_s: how long a writer may need from sealing under the old key to its commit, and a
            reader from reading a row to opening what is in it. After this time everything is
            looked through once more; an old key is dropped when nothing was found under it, for
            somebody may have read what was found a moment ago.
    """
    ring = key_ring()
    old_keys = tuple(name for name in ring.keys if name != ring.active)
    done, passed_over = _seal_all(ring)
    is_quiet = not (old_keys and wait_s)
    while not is_quiet:
        time.sleep(wait_s)
        late, newer = _seal_all(ring)
        done, passed_over = done + late, passed_over + newer
        is_quiet = not (late or newer)
    return Rotation(ring.active, done, passed_over, _retire_unused(old_keys))


def _seal_all(ring: KeyRing) -> tuple[int, int]:
    """Go once through all rows; return how many were sealed again and how many were newer."""
    done = passed_over = 0
    for model, field in encrypted_fields():
        for pk, envelope in _old_values(model, field, ring.active):
            place = field.place_of(pk)
            fresh = ring.seal(ring.open(envelope, place=place), place=place)
            # The field refuses look-ups by value; here the bytes themselves are compared.
            unchanged = Exact(F(field.name), Value(envelope, output_field=models.BinaryField()))
            row = model._default_manager.filter(unchanged, pk=pk)
            if row.update(**{field.name: fresh}):
                done += 1
            else:
                passed_over += 1
    return done, passed_over


def count_by_key() -> Counter[str]:
    """Return how many values each key seals."""
    counts: Counter[str] = Counter()
    for model, field in encrypted_fields():
        counts.update(key_id(value) for _, value in _values(model, field))
    return counts


def encrypted_fields() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    """Yield every encrypted field of the installation with its model."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, EncryptedTextField):
                yield model, field


def _old_values(
    model: type[models.Model], field: EncryptedTextField, active: str
) -> Iterator[tuple[object, bytes]]:
    for pk, value in list(_values(model, field)):
        if key_id(value) != active:
            yield pk, value


def _values(model: type[models.Model], field: EncryptedTextField) -> Iterator[tuple[object, bytes]]:
    rows = model._default_manager.exclude(**{f"{field.name}__isnull": True})
    for pk, value in rows.values_list("pk", field.name).iterator():
        yield pk, bytes(value)


def _retire_unused(names: Sequence[str]) -> tuple[str, ...]:
    """Drop those of these keys that seal nothing from the file as it is by now."""
    counts = count_by_key()
    with key_file_held():
        ring = key_ring()
        unused = tuple(name for name in names if not counts[name] and name in ring.keys)
        for name in unused:
            ring = ring.without(name)
        if unused:
            write_key_ring(ring)
    return unused
