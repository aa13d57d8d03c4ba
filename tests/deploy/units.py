"""Read the unit files as systemd does, as far as these ones go."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"
Lines = dict[str, list[str]]


@dataclass(frozen=True)
class Unit:
    """A service: what is in its file, and in the folders that add to it."""

    name: str
    lines: Lines

    def one(self, key: str, default: str = "") -> str:
        """Return the last value of a directive."""
        return self.lines.get(key, [default])[-1]

    def words(self, key: str) -> list[str]:
        """Return everything that a directive lists, an empty line taking back what came before."""
        found: list[str] = []
        for value in self.lines.get(key, []):
            found = [*found, *shlex.split(value)] if value else []
        return found

    def seconds(self, key: str, default: float) -> float:
        return float(self.one(key, str(default)))

    @property
    def command(self) -> list[str]:
        """What it runs, specifiers still in it."""
        return shlex.split(self.one("ExecStart"))

    def environment(self, files: Mapping[str, Path]) -> dict[str, str]:
        """Return the variables it is started with.

        Args:
            files: what stands for the files that the unit names.
        """
        given = dict(pair.split("=", 1) for pair in self.words("Environment"))
        for name in self.words("EnvironmentFile"):
            lines = files[name].read_text().splitlines()
            given |= dict(line.split("=", 1) for line in lines if line and line[0] != "#")
        return {key: self.expanded(value) for key, value in given.items()}

    def credentials(self) -> dict[str, str]:
        """Return the files it is handed, by the names it finds them under."""
        return dict(one.split(":", 1) for one in self.words("LoadCredential"))

    def expanded(self, text: str, *, host: str = "host") -> str:
        """Fill in the specifiers that the units use."""
        return text.replace("%n", f"{self.name}.service").replace("%%", "%").replace("%H", host)


def read(path: Path) -> Lines:
    """Return all directives of a file, whatever their section."""
    lines: Lines = {}
    for line in path.read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            lines.setdefault(key, []).append(value)
    return lines


def unit(name: str) -> Unit:
    """Return a service by its name without `.service`."""
    added = [
        path
        for folder in ("tradeswim-.service.d", f"{name}.service.d")
        for path in (UNITS / folder).glob("*.conf")
    ]
    lines: Lines = {}
    for path in [UNITS / f"{name}.service", *sorted(added, key=lambda path: path.name)]:
        for key, values in read(path).items():
            lines.setdefault(key, []).extend(values)
    return Unit(name, lines)


def all_units() -> dict[str, Unit]:
    """Return every service by its name."""
    return {path.stem: unit(path.stem) for path in sorted(UNITS.glob("*.service"))}


def waves() -> Iterator[list[Unit]]:
    """Yield services that can be started together, once all those before them are ready."""
    left = all_units()
    while left:
        ready = [name for name, one in left.items() if not _waits_for(one, left)]
        assert ready, f"these wait for each other: {sorted(left)}"
        yield [left.pop(name) for name in ready]


def _waits_for(one: Unit, others: Mapping[str, Unit]) -> bool:
    return any(name.removesuffix(".service") in others for name in one.words("After"))
