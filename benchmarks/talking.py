"""A program of a benchmark in a process of its own, which answers each line with a line."""

import subprocess
from collections.abc import Mapping, Sequence
from typing import Self


class Talking:
    """Starts it, and ends it when it is left."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("it was started without pipes")
        self._in, self._out = self._process.stdin, self._process.stdout

    def hear(self) -> str:
        """Return the next line it says. Errors: RuntimeError when it has ended."""
        line = self._out.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended")
        return line

    def ask(self, word: str) -> str:
        """Say a line, return its answer."""
        self._in.write(f"{word}\n")
        self._in.flush()
        return self.hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=5)
