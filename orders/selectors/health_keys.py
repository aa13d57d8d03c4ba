"""What app keys have spent of their budgets, as the status page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brokerage.budget import KeyUse, Lane, Terms
from orders.domain.naming import few_of

# What a page has room for; the others are counted.
MOST_KEYS = 60


@dataclass(frozen=True, slots=True)
class KeyShown:
    """What one app key has spent in the last minute; it is shown by its logins' labels.

    Args:
        lanes: calls of every lane, in the order of the lanes.
        left: for what must leave the reserve alone; `reserve` is what is left for the others.
        stopped: what pauses after a 429, in words.
    """

    logins: str
    used: int
    lanes: Sequence[int]
    left: int
    reserve: int
    stopped: str
    is_shared: bool


def keys_shown(
    by_key: Mapping[str, Sequence[str]], uses: Mapping[str, KeyUse], terms: Terms
) -> list[KeyShown]:
    """Return the keys, those that have spent most first."""
    shown = [_key(labels, uses[key], terms) for key, labels in by_key.items()]
    return sorted(shown, key=lambda one: -one.used)


def _key(labels: Sequence[str], use: KeyUse, terms: Terms) -> KeyShown:
    total = use.total
    return KeyShown(
        logins=few_of(labels, 2),
        used=total,
        lanes=[use.used.get(lane, 0) for lane in Lane],
        left=max(terms.shared - total, 0),
        reserve=max(min(terms.reserve, terms.limit - total), 0),
        stopped=", ".join(
            f"{lane.name.lower()} {seconds:.0f} s" for lane, seconds in use.stopped.items()
        ),
        is_shared=use.is_shared,
    )


def shared_words(by_key: Mapping[str, Sequence[str]], terms: Terms) -> str:
    """Say how old figures get where more logins share a key than can be read all the time."""
    most = max(map(len, by_key.values()), default=0)
    polls, balances = terms.paces
    read_every = most / polls
    if read_every <= 5:
        return ""
    return (
        f"{most} logins share one app key, which may ask {terms.limit} times a minute: with orders "
        f"at work in all of them each is read about every {read_every:.0f} s, and its balances "
        f"every {most / balances:.0f} s. Exits come first."
    )
