"""What was heard and not looked at yet: gathered per login, so that a burst costs few reads."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from brokerage.schwab.streamer import Activity, Weight

# Messages of one event come within so long; a look waits for the rest of them.
GATHER_S = 0.1
# After the first look of ten seconds the next one waits so long, after the second twice as long …
FIRST_PAUSE_S, LONGEST_PAUSE_S, LOOKS_WITHIN_S = 0.15, 3.0, 10.0
# An order of ours can be told of before the answer to its placing is on record.
STRANGER_PAUSES_S = (0.3, 0.8, 2.0)
PUT_OFF_S = 3.0
LIST_AGAIN_S = 20.0


@dataclass(slots=True)
class News:
    """What was heard of one login.

    Args:
        changed: orders that may have changed.
        born: orders that exist; they need a look only if they are not ours.
        everything: something was missed, or cannot be read.
    """

    changed: set[str] = field(default_factory=set)
    born: set[str] = field(default_factory=set)
    everything: bool = False

    @property
    def order_ids(self) -> set[str]:
        return self.changed | self.born

    def add(self, other: "News") -> None:
        """Take over what another one says."""
        self.changed |= other.changed
        self.born |= other.born
        self.everything |= other.everything


@dataclass(slots=True)
class _Waiting:
    news: News
    due_at: float


class Wakes:
    """Says when which login is to be looked at; the caller says what time it is (monotonic)."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, _Waiting] = {}
        self._busy: set[UUID] = set()
        self._looks: dict[UUID, deque[float]] = {}
        self._strangers: dict[UUID, dict[str, int]] = {}

    def hear(self, login_id: UUID, activities: Iterable[Activity], *, at: float) -> None:
        """Take note of activities."""
        news = News()
        for activity in activities:
            if not activity.order_ids:
                news.everything = True
            elif activity.weight is Weight.BIRTH:
                news.born.update(activity.order_ids)
            else:
                news.changed.update(activity.order_ids)
        if news != News():
            self._add(login_id, news, max(at + GATHER_S, self._rested_at(login_id)))

    def miss(self, login_id: UUID, *, at: float) -> None:
        """Take note that something may have been missed."""
        self._add(login_id, News(everything=True), at + GATHER_S)

    def due_at(self) -> float | None:
        """Return when the next look is due; None when nothing waits, or all that does is busy."""
        times = (one.due_at for pk, one in self._waiting.items() if pk not in self._busy)
        return min(times, default=None)

    def take(self, *, at: float) -> dict[UUID, News]:
        """Return what is due; no login is given out again before `done`."""
        due = [
            login_id
            for login_id, one in self._waiting.items()
            if one.due_at <= at and login_id not in self._busy
        ]
        self._busy.update(due)
        for login_id in due:
            self._looks.setdefault(login_id, deque(maxlen=10)).append(at)
        return {login_id: self._waiting.pop(login_id).news for login_id in due}

    def done(self, login_ids: Collection[UUID]) -> None:
        """Take note that the looks at these logins have ended."""
        self._busy.difference_update(login_ids)

    def put_off(self, login_id: UUID, news: News, *, at: float) -> None:
        """Keep what could not be looked at for want of requests."""
        self._add(login_id, news, at + PUT_OFF_S)

    def meet(self, login_id: UUID, strangers: Mapping[str, bool], *, at: float) -> set[str]:
        """Look again soon at orders that are not on record; return those that never will be.

        Args:
            strangers: their numbers, and whether more than their birth was heard of.
        """
        seen = self._strangers.pop(login_id, {})
        again: dict[str, int] = {
            order_id: seen.get(order_id, 0) + 1
            for order_id in strangers
            if seen.get(order_id, 0) < len(STRANGER_PAUSES_S)
        }
        if again:
            self._strangers[login_id] = again
            changed = {order_id for order_id in again if strangers[order_id]}
            pause = STRANGER_PAUSES_S[min(again.values()) - 1]
            self._add(login_id, News(changed, again.keys() - changed), at + pause)
        return strangers.keys() - again.keys()

    def list_again(self, login_id: UUID, strangers: Collection[str], *, at: float) -> None:
        """Meet strangers once more: their list did not say what is to be known of them."""
        self._add(login_id, News(born=set(strangers)), at + LIST_AGAIN_S)

    def forget(self, login_id: UUID) -> None:
        """Forget a login that is gone."""
        self._waiting.pop(login_id, None)
        self._looks.pop(login_id, None)
        self._strangers.pop(login_id, None)

    def _add(self, login_id: UUID, news: News, due_at: float) -> None:
        if (waiting := self._waiting.get(login_id)) is None:
            self._waiting[login_id] = _Waiting(news, due_at)
        else:
            waiting.news.add(news)
            waiting.due_at = min(waiting.due_at, due_at)

    def _rested_at(self, login_id: UUID) -> float:
        """Return from when on a login may be looked at: the more looks lately, the later."""
        looks = self._looks.get(login_id)
        if not looks:
            return 0.0
        recent = sum(at > looks[-1] - LOOKS_WITHIN_S for at in looks)
        pause: float = FIRST_PAUSE_S * 2 ** (recent - 1)
        return looks[-1] + min(pause, LONGEST_PAUSE_S)
