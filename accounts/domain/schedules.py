"""How often the beat may do what it does: bounds for the periods that an admin sets."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.domain.heartbeats import QUEUES


@dataclass(frozen=True, slots=True)
class Bounds:
    """The shortest and the longest period that makes sense, in seconds.

    What reads the broker is claimed at most every few seconds anyway: shorter would ask in vain.
    """

    low: int
    high: int


# By the names of tradeswim/schedule.py; what runs at a time of day is not edited.
PERIODS: Mapping[str, Bounds] = {
    "sync_stock_orders": Bounds(5, 60),
    "sync_option_orders": Bounds(5, 60),
    "open_gate": Bounds(2, 60),
    "reconcile": Bounds(5, 30),
    "follow_successors": Bounds(5, 60),
    "look_elsewhere": Bounds(15, 600),
    "sync_accounts": Bounds(15, 300),
    "refresh_tokens": Bounds(10, 120),
    "renew_logins": Bounds(60, 900),
    "seal_record": Bounds(2, 60),
    **{f"heartbeat_{queue}": Bounds(10, 20) for queue in QUEUES},
    "count_uptime": Bounds(10, 30),
    "tell_record": Bounds(2, 60),
    "deliver_messages": Bounds(2, 60),
    "forget_ended_sessions": Bounds(60, 3600),
}


def why_not(name: str, seconds: int) -> str:
    """Say why a beat cannot have this period, or nothing."""
    if name not in PERIODS:
        return "This schedule is not edited."
    bounds = PERIODS[name]
    if not bounds.low <= seconds <= bounds.high:
        return f"Enter a number from {bounds.low} to {bounds.high}."
    return ""
