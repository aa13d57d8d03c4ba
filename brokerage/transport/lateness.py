"""The last moment at which a request may be written, by two clocks that do not fail together."""

import time

# It counts while the machine sleeps, and nobody can set it. (Elsewhere: one that nobody can set.)
STEADY_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class TooLateError(Exception):
    """The request was held back past its limit, so it was not written."""


class Limit:
    """A moment of the wall clock, kept on a steady clock too from the time this is made.

    A process that was stopped, or a machine that slept, goes on where it was as if no time had
    passed. By then the order may be proved absent and placed anew, so both clocks are asked: the
    wall clock knows what happened before this was made, the steady one is right though somebody
    sets the other back.
    """

    __slots__ = ("_steady", "_wall")

    def __init__(self, not_after: float) -> None:
        self._wall = not_after
        self._steady = time.clock_gettime(STEADY_CLOCK) + not_after - time.time()

    def check(self) -> None:
        """Do nothing while there is time.

        Raises:
            TooLateError: by one of the clocks the moment is over.
        """
        in_time = time.time() <= self._wall and time.clock_gettime(STEADY_CLOCK) <= self._steady
        if not in_time:  # said this way round, a limit that is no number is over too
            raise TooLateError
