"""The paper broker's market: asked by symbol, it answers in the broker's shapes."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from brokerage.paper.market import chain_rows, instruments, quote_rows, sessions
from brokerage.paper.market.board import Board
from brokerage.paper.market.underlyings import UNDERLYINGS


class Market(Board):
    """A seeded market that also writes its state in the broker's shapes.

    Rows are made for the caller; only the lists inside them (deliverables) are shared.
    """

    def quotes_json(self, symbols: Sequence[str]) -> dict[str, Any]:
        """Write the quotes of these symbols; unknown ones are under `errors.invalidSymbols`."""
        return quote_rows.quotes(self, symbols)

    def chain_json(
        self,
        *,
        symbol: str,
        contract_type: str = "ALL",
        strike_count: int | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        strike: Decimal | None = None,
        include_underlying: bool = False,
        option_type: str = "ALL",
    ) -> dict[str, Any] | None:
        """Write a chain; None when the symbol (`$SPX`, `AAPL`) is unknown."""
        underlying = UNDERLYINGS.get(symbol)
        if underlying is None:
            return None
        wanted = chain_rows.ChainFilter(
            contract_type, strike_count, from_date, to_date, strike, option_type
        )
        return chain_rows.chain(self, underlying, wanted, include_underlying=include_underlying)

    def expirations_json(self, symbol: str) -> dict[str, Any] | None:
        """Write the expirations of a symbol's options; None when it is unknown."""
        underlying = UNDERLYINGS.get(symbol)
        return chain_rows.expirations(self, underlying) if underlying else None

    def hours_json(self, markets: Sequence[str], on: date) -> dict[str, Any]:
        """Write the hours of equity, option, bond, future or forex on a day."""
        return sessions.hours_json(self.hours, markets, on)

    def instruments_json(self, symbols: Sequence[str]) -> dict[str, Any]:
        """Write what is known about these shares, funds and indexes; unknown ones are left out."""
        rows = (instruments.search_row(symbol) for symbol in symbols)
        return {"instruments": [row for row in rows if row is not None]}

    def instrument(self, symbol: str) -> dict[str, Any]:
        """Describe an instrument as an order's leg does, also an unknown or expired one."""
        return instruments.order_instrument(symbol)

    def position_instrument(self, symbol: str) -> dict[str, Any]:
        """Describe an instrument as a position does, also an expired one."""
        return instruments.position_instrument(symbol, self._net_change(symbol))

    def _net_change(self, symbol: str) -> float:
        underlying, contract = UNDERLYINGS.get(symbol), self.find_contract(symbol)
        if underlying:
            tape = self.tape(underlying)
            return round(tape.last - tape.close, 2)
        if contract:
            quoted = self.figures(contract)
            return (quoted.last - quoted.close) / 100
        return 0.0
