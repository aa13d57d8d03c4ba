"""Model fields that keep secrets encrypted, and the installation's key ring."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models

from accounts.domain.envelope import BadKeyRing, CannotOpen, KeyRing, key_id

HIDDEN = "***"

if TYPE_CHECKING:
    _Bytes = models.BinaryField[Any, Any]
else:
    _Bytes = models.BinaryField


class Secret:
    """A secret text that shows itself as *** everywhere but in `open`."""

    __slots__ = ("_envelope", "_place", "_plain")

    def __init__(self, plain: str | None = None, *, envelope: bytes = b"", place: str = "") -> None:
        self._plain = plain
        self._envelope = envelope
        self._place = place

    def open(self, ring: KeyRing | None = None) -> str:
        """Return the plain text. Errors: accounts.domain.envelope.CannotOpen.

        Args:
            ring: the keys, for who opens many; None looks whether the key file has changed.
        """
        if self._plain is not None:
            return self._plain
        return (ring or key_ring()).open(self._envelope, place=self._place)

    def sealed_for(self, place: str) -> bytes:
        """Return the envelope to keep at a place: the one it came in, or a new one."""
        if self._envelope and self._place == place:
            return self._envelope
        return key_ring().seal(self.open(), place=place)

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __bool__(self) -> bool:
        return True

    def __reduce__(self) -> Any:
        raise TypeError("A secret is not pickled.")


class _SecretAttribute:
    """Wraps the column's bytes as a Secret when read, and plain text when assigned."""

    def __init__(self, field: "EncryptedTextField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:  # deferred by only() or defer()
            instance.refresh_from_db(fields=[self.field.attname])
        value = instance.__dict__[self.field.attname]
        if value is None or isinstance(value, Secret):
            return value
        return Secret(envelope=bytes(value), place=self.field.place_of(instance.pk))

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = Secret(value) if isinstance(value, str) else value


class EncryptedTextField(_Bytes):
    """Text kept as an AES-GCM envelope bound to its table, row and field.

    The model needs a UUID primary key, because the row must have its key before it is sealed.
    Only `isnull` can be looked up; for equality keep a blind index beside it.
    """

    description = "Encrypted text"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def contribute_to_class(
        self, cls: type[models.Model], name: str, private_only: bool = False
    ) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _SecretAttribute(self))

    def place_of(self, pk: object) -> str:
        """Return what an envelope of this field in this row is bound to."""
        return f"{self.model._meta.db_table}|{pk}|{self.name}"

    def seal(self, pk: object, plain: str) -> bytes:
        """Return the envelope for `queryset.update(field=...)` on one row."""
        return key_ring().seal(plain, place=self.place_of(pk))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname)
        return value.sealed_for(self.place_of(model_instance.pk)) if value is not None else None

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Keep a text that somebody wrote into the column from passing for an assigned secret."""
        return value.encode("utf-8") if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        if value is not None and not _is_envelope(value):
            raise FieldError(f"{self.name} is encrypted: seal the value for its row first.")
        return super().get_prep_value(value)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted and cannot be looked up by {lookup_name}.")
        return super().get_lookup(lookup_name)

    def value_to_string(self, obj: models.Model) -> str:
        raise FieldError(f"{self.name} is encrypted and is not serialized.")


def _is_envelope(value: object) -> bool:
    """Whether a value has the outline of something sealed; only `open` proves that it is."""
    try:
        return isinstance(value, bytes) and bool(key_id(value))
    except CannotOpen:
        return False


def kept_secret(
    model: type[models.Model], name: str, pk: object, envelope: bytes | memoryview | None
) -> Secret | None:
    """Return the secret in a column's raw value, as `values_list` reads it."""
    if envelope is None:
        return None
    return Secret(envelope=bytes(envelope), place=_encrypted(model, name).place_of(pk))


def seal_for(model: type[models.Model], name: str, pk: object, plain: str) -> bytes:
    """Return the envelope of an encrypted field for an UPDATE of one row."""
    return _encrypted(model, name).seal(pk, plain)


def _encrypted(model: type[models.Model], name: str) -> EncryptedTextField:
    field = model._meta.get_field(name)
    if not isinstance(field, EncryptedTextField):
        raise FieldError(f"{name} is not encrypted.")
    return field


def key_ring() -> KeyRing:
    """Return the installation's keys; a changed key file is read again.

    Errors: BadKeyRing.
    """
    path = Path(settings.KEY_FILE)
    try:
        found = path.stat()
    except OSError:
        raise BadKeyRing(
            f"The key file {path} (TRADESWIM_KEY_FILE) is missing. Restore it from its backup, or "
            "make one for a new installation with: manage.py make_keys"
        ) from None
    # The time alone may be too coarse to tell two writes apart.
    return _read_ring(path, (found.st_mtime_ns, found.st_ino, found.st_size))


@lru_cache(maxsize=1)
def _read_ring(path: Path, version: tuple[int, ...]) -> KeyRing:
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise BadKeyRing(
            f"The key file {path} (TRADESWIM_KEY_FILE) cannot be read. Check its owner and mode, "
            "or restore it from its backup."
        ) from None
    return KeyRing.loads(text)


@contextmanager
def key_file_held() -> Iterator[None]:
    """Let one process at a time change the key file: a key that is lost takes its secrets along."""
    path = Path(settings.KEY_FILE)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_key_ring(ring: KeyRing) -> None:
    """Replace the key file at once, readable only by us, and on the disk before we return."""
    path = Path(settings.KEY_FILE)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(ring.dumps())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name, before anything is sealed with the new key
    finally:
        os.close(folder)
