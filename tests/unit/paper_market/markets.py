"""Markets at known times for the tests beside this."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from brokerage.paper.market import Market, Quote
from strategies.domain.new_york import EASTERN

WEDNESDAY_NOON = datetime(2025, 11, 19, 12, 0, tzinfo=EASTERN)


def make_market(*, at: datetime = WEDNESDAY_NOON, seed: int = 7, hours: str = "always") -> Market:
    market = Market(seed=seed, now=at.timestamp())
    market.hours = hours
    return market


def move_to(market: Market, at: datetime) -> None:
    market.advance(at.timestamp())


def quote_of(market: Market, symbol: str) -> Quote:
    quote = market.quote(symbol)
    assert quote is not None
    return quote


def price_of(market: Market, name: str) -> Decimal:
    price = market.price(name)
    assert price is not None
    return price


def chain_of(market: Market, symbol: str, **wanted: Any) -> dict[str, Any]:
    chain = market.chain_json(symbol=symbol, **wanted)
    assert chain is not None
    return chain


def expirations_of(market: Market, symbol: str) -> list[dict[str, Any]]:
    reply = market.expirations_json(symbol)
    assert reply is not None
    assert set(reply) == {"status", "expirationList"}
    return list(reply["expirationList"])


def rows(chain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every option of a chain."""
    for side in ("callExpDateMap", "putExpDateMap"):
        for by_strike in chain[side].values():
            for options in by_strike.values():
                yield from options
