"""Collect everything an installation leaves behind, and look for secrets in every spelling."""

import base64
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from django.apps import apps
from django.db import connection, models


def spellings(secret: str) -> set[bytes]:
    """Return the ways in which a secret may be written down."""
    raw = secret.encode()
    encoded = {base64.b64encode(raw), base64.urlsafe_b64encode(raw)}
    return {
        raw,
        raw.hex().encode(),
        raw.hex().upper().encode(),
        quote(secret, safe="").encode(),
        json.dumps(secret)[1:-1].encode(),
        *(text.rstrip(b"=") for text in encoded),
    }


def leaks(haystack: bytes, secrets: dict[str, str]) -> list[str]:
    """Return the names of the secrets that can be read in there."""
    return [
        name
        for name, secret in secrets.items()
        if any(spelling in haystack for spelling in spellings(secret))
    ]


def database() -> bytes:
    """Return the database as it lies on the disk, or every row of it."""
    if connection.vendor == "sqlite":
        files = Path(connection.settings_dict["NAME"])
        return b"".join(one.read_bytes() for one in files.parent.glob(files.name + "*"))
    return rows()


def rows() -> bytes:
    """Return every value of every row."""
    found = (value for model in apps.get_models() for row in _raw(model) for value in row)
    return b"\n".join(_bytes(value) for value in found)


def redis_contents(client) -> bytes:
    """Return all keys and values; the bodies of messages also as they were before encoding."""
    found: list[bytes] = []
    for key in client.keys("*"):
        found += [key, *_values(client, key)]
    bodies = [_body(value) for value in found]
    return b"\n".join(found + bodies)


def log_lines(records: Iterable[logging.LogRecord]) -> bytes:
    """Return every record with its arguments and its traceback."""
    shown = logging.Formatter("%(name)s %(message)s")
    return "\n".join(f"{shown.format(one)} {one.args!r}" for one in records).encode()


def _raw(model: type[models.Model]) -> Iterable[tuple[object, ...]]:
    return model._default_manager.values_list()


def _values(client, key):
    match client.type(key):
        case b"list":
            return list(client.lrange(key, 0, -1))
        case b"set":
            return list(client.smembers(key))
        case b"zset":
            return list(client.zrange(key, 0, -1))
        case b"hash":
            return [part for pair in client.hgetall(key).items() for part in pair]
    return [client.get(key) or b""]


def _body(message: bytes) -> bytes:
    try:
        return base64.b64decode(json.loads(message)["body"])
    except (ValueError, TypeError, KeyError):
        return b""


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
