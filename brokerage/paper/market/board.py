"""The market's moving state: the underlyings' prices, today's listed options, what they quote."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from brokerage.paper.market import sessions
from brokerage.paper.market.listing import Listing
from brokerage.paper.market.pricing import YEAR
from brokerage.paper.market.quotes import (
    NetQuote,
    OptionFigures,
    Quote,
    money,
    net_quote,
    quote_rung,
    quote_share,
)
from brokerage.paper.market.series import CLOSES, Contract, Series
from brokerage.paper.market.tape import Tape, draw, move
from brokerage.paper.market.underlyings import UNDERLYINGS, Underlying, find_underlying
from strategies.domain.new_york import EASTERN


class Board:
    """Prices and listings at the market's own time; the same seed and calls give the same prices.

    Args:
        seed: what all prices follow from.
        now: Unix seconds.
    """

    def __init__(self, *, seed: int, now: float) -> None:
        self.speed = 1.0
        self._seed = seed
        self._hours = sessions.ALWAYS
        self._steps = 0
        self._tapes = {symbol: Tape.begin(one, seed) for symbol, one in UNDERLYINGS.items()}
        self._figures: dict[str, OptionFigures] = {}
        self._quotes: dict[str, Quote] = {}
        self._valued_at = self._now = now
        self._clock = datetime.fromtimestamp(now, EASTERN)
        self._listing = Listing(self._clock.date())

    @property
    def now(self) -> float:
        """Unix seconds."""
        return self._now

    @property
    def clock(self) -> datetime:
        """The market's own time in New York."""
        return self._clock

    @property
    def today(self) -> date:
        """The market's own date in New York."""
        return self._listing.today

    @property
    def hours(self) -> str:
        """When the market is open: `always` or `nyse`."""
        return self._hours

    @hours.setter
    def hours(self, hours: str) -> None:
        if hours not in (sessions.ALWAYS, sessions.NYSE):
            raise ValueError(f"The hours are always or nyse, not {hours!r}.")
        self._hours = hours
        self._quotes.clear()

    def advance(self, now: float) -> None:
        """Go on to another time: prices walk for as long as that takes, times `speed`.

        Speed 0 freezes the prices of options too; only another day still ages them. With the hours
        of the exchanges, prices also rest while these are closed.
        """
        elapsed, before = now - self._now, self.today
        self._set_clock(now)
        is_new_day = self.today != before
        if is_new_day:
            for tape in self._tapes.values():
                tape.turn_day()
        if self.speed > 0 and elapsed > 0 and self.is_open("EQUITY"):
            self._walk(elapsed * self.speed / YEAR)
        if self.speed > 0 or is_new_day:
            self._valued_at = now
            self._forget()

    def set_prices(self, prices: Mapping[str, Decimal]) -> None:
        """Let underlyings trade at these prices, by their common or their quote names.

        Raises:
            KeyError: a name is unknown; then no price is changed.
            ValueError: a price is not above zero; then no price is changed.
        """
        wanted: dict[str, Decimal] = {}
        for symbol, price in prices.items():
            underlying = find_underlying(symbol)
            if underlying is None:
                raise KeyError(symbol)
            if not price.is_finite() or price <= 0:
                raise ValueError(f"The price of {symbol} must be above zero, not {price}.")
            wanted[underlying.symbol] = price
        for symbol, price in wanted.items():
            self._tapes[symbol].trade(float(price))
        self._forget()

    def price(self, symbol: str) -> Decimal | None:
        """Return the last price of a share or index, by its common or its quote name."""
        underlying = find_underlying(symbol)
        return money(self.tape(underlying).price()) if underlying else None

    def tape(self, underlying: Underlying) -> Tape:
        """Return the prices of an underlying."""
        return self._tapes[underlying.symbol]

    def quote(self, symbol: str) -> Quote | None:
        """Return what a symbol quotes, in the broker's spelling (`$SPX`); None if it is unknown."""
        known = self._quotes.get(symbol)
        if known is None:
            known = self._make_quote(symbol)
            if known is not None:
                self._quotes[symbol] = known
        return known

    def is_listed(self, symbol: str) -> bool:
        """Tell whether a symbol has a quote now."""
        return symbol in UNDERLYINGS or self.find_contract(symbol) is not None

    def net(self, legs: Sequence[tuple[str, bool, int]]) -> NetQuote:
        """Add up legs of (symbol, is bought, ratio).

        Raises:
            KeyError: a leg has no quote.
        """
        quoted = []
        for symbol, is_buy, ratio in legs:
            quote = self.quote(symbol)
            if quote is None:
                raise KeyError(symbol)
            quoted.append((quote, is_buy, ratio))
        return net_quote(quoted)

    def is_open(self, asset: str) -> bool:
        """Tell whether EQUITY or OPTION is in its regular session now."""
        return sessions.is_open(self._hours, asset, self._clock)

    def series_of(self, underlying: Underlying) -> list[Series]:
        """List an underlying's options that still trade, by expiration."""
        return [one for one in self._listing.series_of(underlying).values() if self._trades(one)]

    def find_contract(self, symbol: str) -> Contract | None:
        """Find a listed option that still trades."""
        contract = self._listing.find(symbol)
        return contract if contract and self._trades(contract.series) else None

    def figures(self, contract: Contract) -> OptionFigures:
        """Return what an option quotes; its strike's other side is worked out along with it."""
        known = self._figures.get(contract.symbol)
        if known is None:
            tape = self.tape(contract.series.underlying)
            rung = contract.series.rungs[contract.strike]
            self._figures.update(quote_rung(rung, tape, self._valued_at))
            known = self._figures[contract.symbol]
        return known

    def state(self) -> dict[str, Any]:
        """Return everything that restore() needs, as JSON can hold it."""
        return {
            "seed": self._seed,
            "steps": self._steps,
            "now": self._now,
            "valued_at": self._valued_at,
            "speed": self.speed,
            "hours": self._hours,
            "tapes": {symbol: tape.saved() for symbol, tape in self._tapes.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another market's state() was taken."""
        self._seed, self._steps = state["seed"], state["steps"]
        self.speed, self.hours = state["speed"], state["hours"]
        for symbol, prices in state["tapes"].items():
            if symbol in self._tapes:
                self._tapes[symbol] = Tape(*prices)
        self._valued_at = state["valued_at"]
        self._set_clock(state["now"])
        self._forget()

    def _make_quote(self, symbol: str) -> Quote | None:
        underlying = UNDERLYINGS.get(symbol)
        if underlying:
            return quote_share(underlying, self.tape(underlying).price())
        contract = self.find_contract(symbol)
        return self.figures(contract).quote() if contract else None

    def _trades(self, series: Series) -> bool:
        """Tell whether a listed series still trades: on its last day, until the close."""
        if series.last_day > self.today or self._hours == sessions.ALWAYS:
            return True
        return self._clock.time() < CLOSES

    def _walk(self, years: float) -> None:
        self._steps += 1
        for symbol, underlying in UNDERLYINGS.items():
            tape = self._tapes[symbol]
            shock = draw(underlying, self._seed, self._steps)
            tape.trade(tape.last * move(underlying.volatility, years, shock))

    def _set_clock(self, now: float) -> None:
        self._now = now
        self._clock = datetime.fromtimestamp(now, EASTERN)
        if self._listing.today != self._clock.date():
            self._listing = Listing(self._clock.date())
        self._quotes.clear()

    def _forget(self) -> None:
        self._figures.clear()
        self._quotes.clear()
