"""The soak's tickets: shares and condors, each the only one with its size and limit."""

from decimal import Decimal
from typing import Any

from tests.faults.trader import CONFIRMED, PRICE, SHARE, SIZES, TICK, Trader

HELD, EVERY_CONDOR, EMPTIED_EVERY = 5_000, 4, 8
LIMITS, SHIFTS, WIDTH = 6, 8, 5


class Tickets:
    """Makes the n-th ticket; three of four are in shares, bought and sold in turn.

    The fleet could not pay for all of them, so it begins with shares to sell, and what became of
    condors is taken away by hand now and then.
    """

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        trader.paper("positions", {name: {SHARE: HELD} for name in trader.hashes.values()})
        days = [day["expiration"] for day in trader.get("expirations/SPX/") if day["days"] >= 7]
        self._days = days[:6]
        self._chains: dict[str, dict[tuple[str, float], str]] = {}
        self._middle = _middle(trader.get(f"chains/SPX/{self._days[0]}/"))

    def make(self, number: int) -> dict[str, Any]:
        """Return the ticket of this number, from 0."""
        if number % EVERY_CONDOR:
            return self._shares(number - number // EVERY_CONDOR)
        condor = number // EVERY_CONDOR
        if condor % EMPTIED_EVERY == 0:
            self._take_condors_away()
        return self._condor(condor)

    def _shares(self, number: int) -> dict[str, Any]:
        buys, number = number % 2 == 0, number // 2
        away = TICK * (1 + number // SIZES)
        return {
            "strategy": "EQUITY",
            "legs": [{"symbol": SHARE, "instruction": "BUY" if buys else "SELL", "ratio": 1}],
            "order_type": "LIMIT",
            "limit": str(PRICE + away if buys else PRICE - away),
            "contracts": 1 + number % SIZES,
            "accounts": "active",
            "confirm": CONFIRMED,
        }

    def _condor(self, number: int) -> dict[str, Any]:
        limit, number = number % LIMITS, number // LIMITS
        shift, number = number % SHIFTS, number // SHIFTS
        day = self._days[number % len(self._days)]
        # Two widths apart, or one condor's wing would be another's body, bought and sold at once.
        away = 100 + 2 * WIDTH * shift
        body = self._middle + away, self._middle - away
        legs = [
            ("PUT", body[1] - WIDTH, "BUY_TO_OPEN"),
            ("PUT", body[1], "SELL_TO_OPEN"),
            ("CALL", body[0], "SELL_TO_OPEN"),
            ("CALL", body[0] + WIDTH, "BUY_TO_OPEN"),
        ]
        symbols = self._symbols(day)
        return {
            "strategy": "IRON_CONDOR",
            "legs": [
                {"symbol": symbols[side, strike], "instruction": word, "ratio": 1}
                for side, strike, word in legs
            ],
            "order_type": "LIMIT",
            "price_effect": "NET_CREDIT",
            "limit": str(Decimal("0.05") * (1 + limit)),
            "contracts": 1,
            "accounts": "active",
            "confirm": CONFIRMED,
        }

    def _symbols(self, day: str) -> dict[tuple[str, float], str]:
        if day not in self._chains:
            rows = self._trader.get(f"chains/SPX/{day}/")
            self._chains[day] = {
                (row["put_call"], float(row["strike"])): row["symbol"] for row in rows
            }
        return self._chains[day]

    def _take_condors_away(self) -> None:
        held = self._trader.paper("positions")
        none = {
            name: {symbol: 0 for symbol in symbols if symbol != SHARE}
            for name, symbols in held.items()
        }
        self._trader.paper("positions", {name: rows for name, rows in none.items() if rows})


def _middle(rows: list[dict[str, Any]]) -> float:
    """Return the strike, a multiple of the condor's width, whose call has a delta of a half."""
    calls = [row for row in rows if row["put_call"] == "CALL" and row["delta"] is not None]
    nearest = min(calls, key=lambda row: abs(float(row["delta"]) - 0.5))
    return round(float(nearest["strike"]) / WIDTH) * WIDTH
