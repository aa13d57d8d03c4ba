"""Start the units as systemd does: in order, each ready before the next, what dies again."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from tests.deploy.units import ROOT, Unit, waves
from tests.support.stack import without_outer_settings

READY_WITHIN_S = 240
SETTINGS_FILE = "/etc/tradeswim/tradeswim.env"
# A view of the file system in which the installation is where the units say; only they see it.
VIEW = """
set -e
mount -t tmpfs tmpfs /opt
mkdir /opt/tradeswim
ln -s "$1" /opt/tradeswim/current
mount -t tmpfs tmpfs /run
mkdir /run/credentials
ln -s "$3" /run/credentials/"$4"
mount -t tmpfs tmpfs /var/lib
ln -s "$2" /var/lib/tradeswim
shift 4
exec "$@"
"""


class Service:
    """A unit that runs, and is started again when it dies."""

    def __init__(self, unit: Unit, folder: Path) -> None:
        self.unit = unit
        self.restarts = 0
        self._folder = folder
        self._stopping = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / f"{unit.name}.notify"))
        self._keeper: threading.Thread | None = None
        self.process = self._spawn()

    @property
    def short(self) -> str:
        return self.unit.name.removeprefix("tradeswim-")

    @property
    def log(self) -> Path:
        return self._folder / f"{self.unit.name}.log"

    def wait_until_ready(self) -> None:
        """Wait as its Type says: for its end, or for what it says of itself."""
        if self.unit.one("Type") == "oneshot":
            code = self.process.wait(READY_WITHIN_S)
            allowed = {0, *map(int, self.unit.words("SuccessExitStatus"))}
            assert code in allowed, self.log.read_text()
            return
        assert self.unit.one("Type") == "notify"
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()
        self.hear("READY=1", READY_WITHIN_S)

    def hear(self, word: str, seconds: float) -> None:
        """Wait until the main process says this word."""
        until = time.monotonic() + seconds
        heard = b""
        while word.encode() not in heard:
            self._socket.settimeout(max(until - time.monotonic(), 0.01))
            try:
                heard = self._socket.recv(4096)
            except TimeoutError:
                raise AssertionError(f"{word} was not said: {self.log.read_text()}") from None

    def forget(self) -> None:
        """Forget what it has said until now."""
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recv(4096)
        except BlockingIOError:
            return

    def stop(self) -> float:
        """Stop it as its unit says; return how long that took."""
        self._stopping = True
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(self.unit.seconds("TimeoutStopSec", 30))
            finally:
                self._end_what_is_left()
        if self._keeper:
            self._keeper.join(timeout=10)
        self._socket.close()
        return time.monotonic() - began

    def _spawn(self) -> subprocess.Popen[bytes]:
        home, credentials = self._folder / "home", self._credentials()
        unprivileged = [] if os.geteuid() == 0 else ["--map-root-user"]
        view = ["unshare", "--mount", *unprivileged, "sh", "-c", VIEW, "view"]
        places = [str(ROOT), str(home), str(credentials), f"{self.unit.name}.service"]
        command = [
            self.unit.expanded(word, host=socket.gethostname()) for word in self.unit.command
        ]
        with self.log.open("a") as output:
            return subprocess.Popen(
                [*view, *places, *command],
                cwd=ROOT,
                env=self._environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        files = {SETTINGS_FILE: self._folder / "tradeswim.env"}
        return {
            **without_outer_settings(os.environ),
            **self.unit.environment(files),
            "NOTIFY_SOCKET": str(self._folder / f"{self.unit.name}.notify"),
        }

    def _credentials(self) -> Path:
        folder = self._folder / "credentials" / self.unit.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in self.unit.credentials().items():
            shutil.copy(self._folder / "secrets" / Path(source).name, folder / name)
        return folder

    def _keep(self) -> None:
        while True:
            self.process.wait()
            self._end_what_is_left()
            if self._stopping or self.unit.one("Restart") != "always":
                return
            time.sleep(self.unit.seconds("RestartSec", 0.1))
            if self._stopping:
                return
            self.restarts += 1
            self.process = self._spawn()

    def _end_what_is_left(self) -> None:
        """End the children of a main process that is gone, as KillMode=mixed says."""
        assert self.unit.one("KillMode") == "mixed"
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


class Machine:
    """All services of an installation.

    Args:
        folder: gets the installation's home, its settings, secrets and logs.
    """

    def __init__(self, folder: Path, *, settings: Mapping[str, str], secrets: Mapping[str, str]):
        self.folder = folder
        self.services: dict[str, Service] = {}
        for name in ("home", "secrets"):
            (folder / name).mkdir(mode=0o700)
        for name, value in secrets.items():
            (folder / "secrets" / name).write_text(value)
        lines = [f"{name}={value}\n" for name, value in settings.items()]
        (folder / "tradeswim.env").write_text("".join(lines))

    def start(self) -> None:
        """Start everything, each once what it comes after is ready."""
        for wave in waves():
            services = [Service(unit, self.folder) for unit in wave]
            self.services |= {service.short: service for service in services}
            for service in services:
                service.wait_until_ready()

    def stop(self) -> None:
        for service in reversed(self.services.values()):
            service.stop()

    def logs(self) -> str:
        """Return everything its processes have said so far."""
        return "".join(path.read_text(errors="replace") for path in self.folder.glob("*.log"))
