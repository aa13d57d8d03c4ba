"""Keep what was rendered last in this process, so that many who want the same wait for one."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

Thing = TypeVar("Thing")

MOST = 128


class _Place:
    """Where one thing is made, or stands."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.things: list[Any] = []


class Shelf:
    """Things by a tag that names one version of each; those asked for longest ago go."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._places: OrderedDict[str, _Place] = OrderedDict()

    def get(self, tag: str, make: Callable[[], Thing]) -> Thing:
        """Return what stands under this tag; of many who ask at once one makes it.

        What `make` raises is raised, and nothing is kept.
        """
        place = self._place(tag)
        with place.lock:
            if not place.things:
                place.things.append(make())
            thing: Thing = place.things[0]
        return thing

    def clear(self) -> None:
        """Let go of everything: for tests, whose databases are the same one again and again."""
        with self._lock:
            self._places.clear()

    def _place(self, tag: str) -> _Place:
        with self._lock:
            place = self._places.setdefault(tag, _Place())
            self._places.move_to_end(tag)
            while len(self._places) > MOST:
                self._places.popitem(last=False)
        return place


# What this process rendered for whoever may see it.
rendered = Shelf()
