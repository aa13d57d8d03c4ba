"""The limits of the pre-trade guards: their names, and what holds until an admin says otherwise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class LimitName(StrEnum):
    MAX_CONTRACTS_PER_ORDER = "MAX_CONTRACTS_PER_ORDER"
    MAX_CONTRACTS_PER_ACCOUNT = "MAX_CONTRACTS_PER_ACCOUNT"
    MAX_CONTRACTS_PER_BROADCAST = "MAX_CONTRACTS_PER_BROADCAST"
    MAX_SHARES_PER_ORDER = "MAX_SHARES_PER_ORDER"
    MAX_SHARES_PER_ACCOUNT = "MAX_SHARES_PER_ACCOUNT"
    MAX_SHARES_PER_BROADCAST = "MAX_SHARES_PER_BROADCAST"
    PRICE_AWAY_USD = "PRICE_AWAY_USD"
    PRICE_AWAY_PERCENT = "PRICE_AWAY_PERCENT"
    DUPLICATE_WINDOW_S = "DUPLICATE_WINDOW_S"


@dataclass(frozen=True, slots=True)
class LimitRule:
    """What one limit means, and which values make sense for it.

    Args:
        default: holds while the row is missing or makes no sense.
        low, high: the first and the last value that make sense.
        is_whole: whether it counts something.
    """

    default: Decimal
    low: Decimal
    high: Decimal
    about: str
    is_whole: bool = True


Limits = Mapping[LimitName, Decimal]


def _count(default: int, about: str) -> LimitRule:
    return LimitRule(Decimal(default), Decimal(1), Decimal(1_000_000), about)


RULES: Mapping[LimitName, LimitRule] = {
    LimitName.MAX_CONTRACTS_PER_ORDER: _count(
        500, "Most contracts on a ticket, before multipliers; exits are exempt."
    ),
    LimitName.MAX_CONTRACTS_PER_ACCOUNT: _count(
        500, "Most contracts one account gets of a broadcast; one above it is left out."
    ),
    LimitName.MAX_CONTRACTS_PER_BROADCAST: _count(
        5_000, "Most contracts of a broadcast over all accounts; exits are exempt."
    ),
    LimitName.MAX_SHARES_PER_ORDER: _count(
        10_000, "Most shares on a ticket, before multipliers; exits are exempt."
    ),
    LimitName.MAX_SHARES_PER_ACCOUNT: _count(
        10_000, "Most shares one account gets of a broadcast; one above it is left out."
    ),
    LimitName.MAX_SHARES_PER_BROADCAST: _count(
        250_000, "Most shares of a broadcast over all accounts; exits are exempt."
    ),
    LimitName.PRICE_AWAY_USD: LimitRule(
        Decimal("0.50"),
        Decimal(0),
        Decimal(10_000),
        "USD by which a limit may be worse than the natural price, or the percentage if that is "
        "more.",
        is_whole=False,
    ),
    LimitName.PRICE_AWAY_PERCENT: LimitRule(
        Decimal(25),
        Decimal(0),
        Decimal(1_000),
        "Percent of the natural price by which a limit may be worse than it.",
        is_whole=False,
    ),
    LimitName.DUPLICATE_WINDOW_S: LimitRule(
        Decimal(60),
        Decimal(0),
        Decimal(86_400),
        "Seconds in which the same order in the same account must be confirmed; 0 never asks.",
    ),
}


def why_not(name: LimitName, value: Decimal) -> str:
    """Say why a value makes no sense for a limit, or nothing."""
    rule = RULES[name]
    if not value.is_finite():
        return "Enter a number."
    if not rule.low <= value <= rule.high:
        return f"Enter a number from {rule.low} to {rule.high:,}."
    if rule.is_whole and value != value.to_integral_value():
        return "Enter a whole number."
    return ""


def limits_of(rows: Iterable[tuple[str, Decimal]]) -> Limits:
    """Return every limit: the row's value, or the default where it is missing or makes no sense."""
    values = dict(rows)
    return {
        name: values[name] if name in values and not why_not(name, values[name]) else rule.default
        for name, rule in RULES.items()
    }
