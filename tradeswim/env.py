"""Read settings from the environment; a bad one stops the start with a sentence naming it."""

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit


class BadSetting(Exception):
    """A setting that cannot be right; its text names the setting and says what to do."""


def text(name: str, default: str | None = None, *, among: tuple[str, ...] = ()) -> str:
    """Return the variable's value.

    Errors: BadSetting when it is missing without a default, or not one of `among`.
    """
    value = _environ().get(name, "").strip() or default
    if value is None:
        raise BadSetting(f"{name} is not set. Set it in the environment; see .env.example.")
    if among and value not in among:
        raise BadSetting(f"{name} is {value!r}, but must be one of {', '.join(among)}.")
    return value


def secret(name: str, default: str) -> str:
    """Return the variable's value, or what is in the file that NAME_FILE names, or the default.

    So a password need not stand in the environment of every process. Errors: BadSetting.
    """
    given = _environ().get(name, "").strip()
    path = _environ().get(f"{name}_FILE", "").strip()
    if given or not path:
        return given or default
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise BadSetting(f"{name}_FILE names {path}, which cannot be read.") from None
    if not value:
        raise BadSetting(f"{name}_FILE names {path}, which is empty.")
    return value


def integer(name: str, default: int, *, low: int, high: int) -> int:
    """Return a whole number between `low` and `high`, both included."""
    return whole(name, _environ().get(name, "").strip() or str(default), low=low, high=high)


def whole(name: str, raw: str, *, low: int, high: int) -> int:
    """Return a value as a whole number, or raise BadSetting naming where it came from."""
    if not (raw.isascii() and raw.isdigit() and len(raw) < 20) or not low <= int(raw) <= high:
        raise BadSetting(f"{name} is {raw!r}, but must be a whole number from {low} to {high}.")
    return int(raw)


def flag(name: str, *, default: bool) -> bool:
    """Return a yes or no, written 1 or 0."""
    return text(name, "1" if default else "0", among=("0", "1")) == "1"


def names(name: str, default: str) -> list[str]:
    """Return a comma-separated list without empty entries."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def url(name: str, value: str, *, schemes: tuple[str, ...]) -> str:
    """Return an address with one of the schemes and a host, without a trailing slash.

    What is wrong with it is told without showing it: it may hold a password.
    """
    try:
        parts = urlsplit(value)
        place = parts.path if parts.scheme == "unix" else parts.hostname and parts.port != 0
    except ValueError:
        raise BadSetting(f"{name} is not an address: its host or port cannot be read.") from None
    if parts.scheme not in schemes:
        raise BadSetting(f"{name} must begin with one of {', '.join(s + '://' for s in schemes)}.")
    if not place:
        raise BadSetting(f"{name} names no host. Write it as {schemes[0]}://host:port.")
    return value.rstrip("/")


def domain(name: str, default: str) -> str:
    """Return a domain's name in small letters, without scheme and port; empty if it is not set."""
    value = text(name, default or " ").strip().lower()
    if value and not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", value):
        raise BadSetting(f"{name} is not the name of a domain. Write it as desk.example.com.")
    if value and value.rpartition(".")[2].isdigit():
        raise BadSetting(f"{name} is a numeric address; browsers make no passkeys for those.")
    return value


def path(name: str, default: str) -> str:
    """Return a part of an address as URL patterns have it: no slash before it, one behind it."""
    value = text(name, default).strip("/")
    if value and not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", value):
        raise BadSetting(
            f"{name} is no path. Use letters, digits, - and _, such as keepers/office."
        )
    if value.partition("/")[0] in {"api", "static"}:
        raise BadSetting(f"{name} begins with {value.partition('/')[0]}, which is taken.")
    return f"{value}/" if value else ""


def origin(name: str) -> str:
    """Return a web site's origin, `https://host` or `https://host:port`; nothing if it is not set.

    Never a pattern: an asterisk is refused.
    """
    value = _environ().get(name, "").strip()
    if not value:
        return ""
    place = url(name, value, schemes=("https", "http"))
    parts = urlsplit(place)
    if place != f"{parts.scheme}://{parts.netloc}" or place != place.lower() or "*" in place:
        raise BadSetting(f"{name} must be one origin in small letters, as https://host:port.")
    if "@" in parts.netloc:
        raise BadSetting(f"{name} must not hold a user or a password.")
    return place


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and how the line is kept secret."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    is_tls: bool
    starts_tls: bool


def mail_server(name: str) -> MailServer | None:
    """Read `smtps://user:password@host:465` or `smtp://host:587`; None if it is not set.

    `smtp` turns to TLS before anything is said, but on this machine. What is wrong is told without
    showing the address, for it holds a password.
    """
    value = text(name, "")
    if not value:
        return None
    parts = urlsplit(url(name, value, schemes=("smtps", "smtp")))
    is_tls, host = parts.scheme == "smtps", parts.hostname or ""
    return MailServer(
        host=host,
        port=parts.port or (465 if is_tls else 587),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_tls=is_tls,
        starts_tls=not is_tls and host not in {"127.0.0.1", "localhost", "::1"},
    )


def home() -> Path:
    """Return the folder of database, keys, logs and paper broker state, absolute."""
    try:
        return Path(text("TRADESWIM_HOME", "var/demo")).expanduser().resolve()
    except (RuntimeError, OSError, ValueError):
        raise BadSetting(
            "TRADESWIM_HOME is not a folder that can be found on this machine."
        ) from None


def secret_key(*, may_create: bool) -> str:
    """Return Django's SECRET_KEY from TRADESWIM_SECRET_KEY or from a file only we can read.

    The file is TRADESWIM_SECRET_KEY_FILE, or `secret-key` in the home, which is made on first
    use where `may_create` says so (never in production).
    """
    given = _environ().get("TRADESWIM_SECRET_KEY", "").strip()
    if given:
        return given
    path = Path(text("TRADESWIM_SECRET_KEY_FILE", str(home() / "secret-key")))
    try:
        if may_create and not path.exists():
            _write_private(path, secrets.token_urlsafe(48))
        if key := path.read_text(encoding="ascii").strip():
            return key
        raise BadSetting(f"TRADESWIM_SECRET_KEY_FILE names {path}, which is empty. Remove it.")
    except (OSError, ValueError):
        raise BadSetting(
            "TRADESWIM_SECRET_KEY is not set, and TRADESWIM_SECRET_KEY_FILE cannot be read. "
            "Set one of them to at least 50 random characters."
        ) from None


def _write_private(path: Path, value: str) -> None:
    """Write a file for our eyes only; of several processes at once the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(value, encoding="ascii")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def addresses_file() -> Path:
    """Return the file in which a running `manage.py up` says where Redis and paper broker are."""
    return home() / "run" / "addresses.json"


def _environ() -> Mapping[str, str]:
    return os.environ


def found(name: str, default: str) -> str:
    """Return the variable's value, else what a running `manage.py up` of this home says of it.

    So that commands typed beside it reach its Redis and its paper broker without settings.
    """
    if value := _environ().get(name, "").strip():
        return value
    try:
        said = json.loads(addresses_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return default
    return str(said.get(name, default)) if isinstance(said, dict) else default
