"""The trades of a past: shares and spreads, as their broadcasts' columns."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from strategies.domain.catalog import VerticalKind, iron_condor, share_order, vertical
from strategies.domain.tickets import Instruction

SHARES = ("AAPL", "MSFT", "SPY", "QQQ")


def shares(dice: random.Random) -> dict[str, Any]:
    """Return the columns of a broadcast in shares, and its legs."""
    structure = share_order(dice.choice(SHARES), Instruction.BUY)
    return {
        "strategy": "EQUITY",
        "name": structure.name,
        "underlying": structure.legs[0].symbol,
        "order_type": "LIMIT",
        "limit": Decimal(dice.randrange(15000, 25000)) / 100,
        "legs": structure.legs,
    }


def options(dice: random.Random, day: date) -> dict[str, Any]:
    """Return the columns of an iron condor or a vertical clicked on a day, and its legs."""
    expiration = day + timedelta(days=(4 - day.weekday()) % 7 + 7)
    middle = Decimal(dice.randrange(1340, 1400) * 5)
    if dice.random() < 0.4:
        structure = iron_condor(
            root="SPXW",
            expiration=expiration,
            put_wing=middle - 105,
            put_body=middle - 100,
            call_body=middle + 100,
            call_wing=middle + 105,
        )
    else:
        kind = dice.choice(list(VerticalKind))
        structure = vertical(
            kind, root="SPXW", expiration=expiration, lower=middle, upper=middle + 10
        )
    return {
        "strategy": structure.strategy,
        "name": structure.name,
        "underlying": "SPX",
        "expiration": expiration,
        "order_type": "LIMIT",
        "price_effect": structure.price_effect,
        "limit": Decimal(dice.randrange(20, 80)) / 20,
        "legs": structure.legs,
    }
