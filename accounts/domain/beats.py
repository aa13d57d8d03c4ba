"""The three beats that read the broker, and how what they cost is compared."""

from dataclasses import dataclass, fields
from enum import StrEnum


class Beat(StrEnum):
    STOCKS = "STOCKS"
    OPTIONS = "OPTIONS"
    ACCOUNTS = "ACCOUNTS"

    @property
    def reads_orders(self) -> bool:
        return self is not Beat.ACCOUNTS


NAMES = {Beat.STOCKS: "Stock orders", Beat.OPTIONS: "Option orders", Beat.ACCOUNTS: "Accounts"}


@dataclass(slots=True)
class Savings:
    """What was asked of the broker, and what three simpler ways would have asked.

    Args:
        calls: made.
        every_order: one for every order of the day, every beat.
        every_working: one for each working order, every beat.
        every_account: one for each account, every beat.
        points_read, points_kept: orders, accounts and positions that answers held, and how many of
            them told something new.
    """

    calls: int = 0
    every_order: int = 0
    every_working: int = 0
    every_account: int = 0
    points_read: int = 0
    points_kept: int = 0

    def add(self, other: "Savings") -> None:
        """Add another count to this one."""
        for name in FIGURES:
            setattr(self, name, getattr(self, name) + getattr(other, name))


FIGURES = tuple(field.name for field in fields(Savings))
