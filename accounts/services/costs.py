"""What an action would cost in requests, in words, before anybody clicks it."""

from collections import Counter
from collections.abc import Collection, Mapping
from math import ceil
from uuid import UUID

from accounts.domain.words import ABLE
from accounts.selectors import our_accounts
from brokerage.budget import Lane, the_budget


def cost_words(*, calls_by_key: Mapping[str, int], lane: Lane) -> str:
    """Say how many requests of how many app keys it takes, and how long if that is not at once.

    Args:
        calls_by_key: requests by app key (its blind index).
    """
    calls, keys = sum(calls_by_key.values()), len(calls_by_key)
    if not calls:
        return "Costs no request."
    words = f"Costs {_count(calls, 'request')} of {_count(keys, 'app key')}"
    waits = _waits_s(calls_by_key, lane)
    late = max(waits.values(), default=0)
    if not late:
        return f"{words}."
    return f"{words}; {_count(len(waits), 'key')} {_has(len(waits))} to wait about {_span(late)}."


def refresh_cost(account_ids: Collection[UUID] | None) -> str:
    """Say what it costs to read the balances of these accounts, None for all."""
    rows = our_accounts()
    if account_ids is not None:
        rows = rows.filter(pk__in=account_ids)
    asked = rows.filter(login__status__in=ABLE).order_by()
    keys = dict(asked.values_list("login_id", "login__app_key_index"))
    return cost_words(calls_by_key=Counter(keys.values()), lane=Lane.BALANCES)


def _waits_s(calls_by_key: Mapping[str, int], lane: Lane) -> dict[str, int]:
    """Return how long keys need that cannot afford it at once."""
    budget = the_budget()
    terms, uses = budget.terms, budget.uses(list(calls_by_key))
    waits = {}
    for key, calls in calls_by_key.items():
        stopped = uses[key].stopped.get(lane, 0.0)
        missing = calls - max(terms.shared - uses[key].total, 0)
        wait = max(stopped, missing / terms.pace)
        if wait > 0:
            waits[key] = ceil(wait)
    return waits


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _has(number: int) -> str:
    return "has" if number == 1 else "have"


def _span(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{ceil(seconds / 60)} min"
