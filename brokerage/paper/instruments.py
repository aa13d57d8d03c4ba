"""What is known of each instrument, asked of the market once."""

from collections.abc import Callable
from typing import Any


class Instruments:
    """Remembers how orders describe their instruments."""

    def __init__(self, describe: Callable[[str], dict[str, Any]]) -> None:
        self._describe = describe
        self._known: dict[str, dict[str, Any]] = {}

    def of(self, symbol: str) -> dict[str, Any]:
        """Describe an instrument as the leg of an order does."""
        known = self._known.get(symbol)
        if known is None:
            known = self._known[symbol] = self._describe(symbol)
        return known
