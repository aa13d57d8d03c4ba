"""Rows of any model by its definition alone, so that a new secret field is tested unasked."""

from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import uuid4

from django.db import models
from django.utils import timezone

from accounts.fields import EncryptedTextField
from accounts.services.keys import encrypted_fields

_numbers = count(10_000)
SOMETHING: list[tuple[type[Any], Callable[[], Any]]] = [
    (EncryptedTextField, lambda: f"sealed {next(_numbers)}"),
    (models.BinaryField, lambda: str(next(_numbers)).encode()),
    (models.UUIDField, uuid4),
    (models.BooleanField, lambda: False),
    (models.DateTimeField, timezone.now),
    (models.DateField, lambda: timezone.now().date()),
    (models.DecimalField, lambda: 1),
    (models.IntegerField, lambda: next(_numbers)),
    (models.JSONField, dict),
]
# Every secret field of the installation, whoever adds one.
FIELDS: list[tuple[type[models.Model], str]] = [
    (model, field.name) for model, field in encrypted_fields()
]


def make_row(model: type[models.Model], **given: Any) -> Any:
    """Make a row whose other fields hold anything that is allowed."""
    fields = [one for one in model._meta.concrete_fields if one.name not in given]
    needed = {one.name: _something(one) for one in fields if _is_needed(one)}
    row = model(**needed, **given)
    row.save(force_insert=True)
    return row


def _is_needed(field: Any) -> bool:
    is_made = field.primary_key or getattr(field, "auto_now_add", False)
    is_made = is_made or getattr(field, "auto_now", False)
    return not (is_made or field.has_default() or field.null or field.blank)


def _something(field: Any) -> Any:
    if field.remote_field is not None:
        return make_row(field.related_model)
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.CharField | models.TextField):
        word = f"w{next(_numbers)}"
        return word[-field.max_length :] if field.max_length else word
    return next(make for kind, make in SOMETHING if isinstance(field, kind))()
