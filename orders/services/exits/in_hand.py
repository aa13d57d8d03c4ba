"""Which exit steps a pass has in hand: another one beside it need not read the same positions.

Every batch of fills rings for what is due. It is a courtesy within one process, nothing is safe by
it: who writes looks at the rows again, and what was passed over is due again within a second.
"""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager


class Hands:
    """Share exit steps among the passes of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[int] = set()

    @contextmanager
    def take(self, step_ids: Collection[int]) -> Iterator[set[int]]:
        """Have those of the steps in hand that nobody else has, until the end."""
        with self._lock:
            taken = set(step_ids) - self._held
            self._held |= taken
        try:
            yield taken
        finally:
            with self._lock:
                self._held -= taken
