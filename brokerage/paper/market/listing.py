"""What is listed on one day: every underlying's series, and an option by its symbol."""

from collections.abc import Iterator
from datetime import date

from brokerage.paper.market.schedule import expirations, is_monthly
from brokerage.paper.market.series import Contract, Series, make_series
from brokerage.paper.market.underlyings import BY_ROOT, Underlying
from strategies.domain.symbols import InvalidSymbol, PutCall, is_option, parse_option


class Listing:
    """The options of one New York day; what it has found it remembers."""

    def __init__(self, today: date) -> None:
        self.today = today
        self._series: dict[str, dict[tuple[str, date], Series]] = {}
        self._contracts: dict[str, Contract] = {}

    def series_of(self, underlying: Underlying) -> dict[tuple[str, date], Series]:
        """Return an underlying's series by root and expiration, the soonest first."""
        if underlying.symbol not in self._series:
            self._series[underlying.symbol] = {
                (one.root, one.expires): one
                for one in _find_series(underlying, self.today)
                if one.last_day >= self.today
            }
        return self._series[underlying.symbol]

    def find(self, symbol: str) -> Contract | None:
        """Find an option by its symbol; None if there is no such root, expiration or strike."""
        contract = self._contracts.get(symbol)
        if contract is None and is_option(symbol):
            contract = self._look_up(symbol)
            if contract is not None:
                self._contracts[symbol] = contract
        return contract

    def _look_up(self, symbol: str) -> Contract | None:
        try:
            option = parse_option(symbol)
        except InvalidSymbol:
            return None
        underlying = BY_ROOT.get(option.root)
        series = underlying and self.series_of(underlying).get((option.root, option.expiration))
        rung = series.rungs.get(float(option.strike)) if series else None
        if rung is None:
            return None
        return rung.call if option.put_call is PutCall.CALL else rung.put


def _find_series(underlying: Underlying, today: date) -> Iterator[Series]:
    """List a day's series by expiration; the morning's root comes before the afternoon's."""
    for day in expirations(underlying, today):
        if underlying.monthly_root and is_monthly(underlying, day):
            yield make_series(underlying.monthly_root, day)
        yield make_series(underlying.root, day)
