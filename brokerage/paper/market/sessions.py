"""When the market is open: round the clock, or as the New York exchanges are."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from brokerage.paper.market.series import CLOSES, OPENS
from brokerage.paper.market.trading_days import DAY, is_trading_day
from strategies.domain.new_york import EASTERN

ALWAYS, NYSE = "always", "nyse"

Span = tuple[time, time]

REGULAR: Span = (OPENS, CLOSES)
REGULAR_HOURS = {"EQUITY": REGULAR, "OPTION": REGULAR}
SHARE_SESSIONS: dict[str, Span] = {
    "preMarket": (time(7, 0), OPENS),
    "regularMarket": REGULAR,
    "postMarket": (CLOSES, time(20, 0)),
}
OPTION_SESSIONS: dict[str, Span] = {"regularMarket": REGULAR}
INDEX_OPTION_SESSIONS: dict[str, Span] = {"regularMarket": (OPENS, time(16, 15))}

PRODUCTS = {
    "equity": (("EQ", "equity", SHARE_SESSIONS),),
    "option": (
        ("EQO", "equity option", OPTION_SESSIONS),
        ("IND", "index option", INDEX_OPTION_SESSIONS),
    ),
}
NEVER_TRADED = frozenset({"bond", "future", "forex"})


def is_open(hours: str, asset: str, clock: datetime) -> bool:
    """Tell whether EQUITY or OPTION is in its regular session at a New York time."""
    opens, closes = REGULAR_HOURS[asset]
    if hours == ALWAYS:
        return True
    return is_trading_day(clock.date()) and opens <= clock.time() < closes


def hours_json(hours: str, markets: Sequence[str], on: date) -> dict[str, Any]:
    """Write a day's hours as the broker does; a closed day's shape differs from an open one's.

    Args:
        hours: always or nyse.
        on: the day, past or future.
        markets: equity, option, bond, future, forex; the last three are always closed here.
    """
    is_working = hours == ALWAYS or is_trading_day(on)
    reply: dict[str, Any] = {}
    for market in markets:
        if market in PRODUCTS and is_working:
            reply[market] = {
                code: _open_day(hours, market, code, name, sessions, on)
                for code, name, sessions in PRODUCTS[market]
            }
        elif market in PRODUCTS or market in NEVER_TRADED:
            reply[market] = {market: _closed_day(market, on)}
    return reply


def _open_day(
    hours: str, market: str, code: str, name: str, sessions: dict[str, Span], on: date
) -> dict[str, Any]:
    spans = {"regularMarket": None} if hours == ALWAYS else sessions
    return {
        "date": on.isoformat(),
        "marketType": market.upper(),
        "product": code,
        "productName": name,
        "isOpen": True,
        "sessionHours": {session: [_span(on, span)] for session, span in spans.items()},
    }


def _closed_day(market: str, on: date) -> dict[str, Any]:
    return {
        "date": on.isoformat(),
        "marketType": market.upper(),
        "product": market,
        "isOpen": False,
    }


def _span(on: date, span: Span | None) -> dict[str, str]:
    """Write from when to when, with New York's offset; None is the whole day."""
    opens, closes = span or (time.min, time.min)
    last = on if span else on + DAY
    return {
        "start": datetime.combine(on, opens, EASTERN).isoformat(),
        "end": datetime.combine(last, closes, EASTERN).isoformat(),
    }
