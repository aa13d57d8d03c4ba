"""Market data: chains, expirations, quotes, and when the markets are open."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from brokerage.errors import UnreadableReply
from brokerage.schwab.exchange import Reply
from brokerage.schwab.replies import parsing
from brokerage.schwab.replies.parsing import Row

# What the broker writes where it could not compute a greek.
NOT_COMPUTED = Decimal(-999)


@dataclass(frozen=True, slots=True)
class ChainRow:
    """One option: `delta` is signed, `iv` in percent; both None where not computed."""

    symbol: str
    root: str
    expiration: date
    strike: Decimal
    put_call: str
    bid: Decimal | None
    ask: Decimal | None
    mark: Decimal | None
    delta: Decimal | None
    iv: Decimal | None
    open_interest: int
    settlement: str
    multiplier: Decimal
    penny_pilot: bool
    non_standard: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain; an index mixes roots in it (SPX, SPXW), so filter by `root`."""

    symbol: str
    underlying_price: Decimal | None
    rows: tuple[ChainRow, ...]


@dataclass(frozen=True, slots=True)
class Expiration:
    """One expiration: `settlement` is A (morning) or P (afternoon)."""

    expiration: date
    days: int
    settlement: str
    roots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """One quote; an index has neither bid nor ask."""

    symbol: str
    asset_type: str
    bid: Decimal | None
    ask: Decimal | None
    mark: Decimal | None
    last: Decimal | None
    close: Decimal | None
    status: str
    quoted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Quotes:
    """Quotes by symbol, and the symbols the broker does not know."""

    by_symbol: Mapping[str, Quote]
    invalid: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarketSession:
    """One stretch of trading: `name` is preMarket, regularMarket or postMarket; times are UTC."""

    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class MarketHours:
    """One product's day; a closed day has no sessions and names the market as product."""

    market: str
    product: str
    on: date
    is_open: bool
    sessions: tuple[MarketSession, ...]


def read_chain(reply: Reply) -> Chain:
    """Read a chain, calls first, in the broker's order of expirations and strikes."""
    found = parsing.row(parsing.read_json(reply))
    if found.get("status", "SUCCESS") != "SUCCESS":
        raise UnreadableReply("The broker could not build the chain")
    maps = [parsing.row(found.get(name) or {}) for name in ("callExpDateMap", "putExpDateMap")]
    return Chain(
        symbol=parsing.text(found.get("symbol")),
        underlying_price=parsing.number(found.get("underlyingPrice")),
        rows=tuple(row for side in maps for row in _chain_rows(side)),
    )


def read_expirations(reply: Reply) -> tuple[Expiration, ...]:
    """Read the expirations; an index may have two of one day (SPX and SPXW)."""
    found = parsing.row(parsing.read_json(reply))
    listed = (parsing.row(row) for row in parsing.listing(found.get("expirationList")))
    return tuple(
        Expiration(
            expiration=parsing.day(parsing.first(row, "expirationDate", "expiration")),
            days=parsing.whole(row.get("daysToExpiration")),
            settlement=parsing.text(row.get("settlementType")),
            roots=tuple(parsing.text(row.get("optionRoots")).replace(",", " ").split()),
        )
        for row in listed
    )


def read_quotes(reply: Reply) -> Quotes:
    """Read quotes; the broker names unknown symbols inside a good answer."""
    found = dict(parsing.row(parsing.read_json(reply)))
    errors = parsing.row(found.pop("errors", None) or {})
    return Quotes(
        by_symbol={symbol: _quote(symbol, parsing.row(raw)) for symbol, raw in found.items()},
        invalid=tuple(map(parsing.text, parsing.rows(errors.get("invalidSymbols")))),
    )


def read_market_hours(reply: Reply) -> tuple[MarketHours, ...]:
    """Read one entry per product (equity, equity option, index option)."""
    found = parsing.row(parsing.read_json(reply))
    return tuple(
        _hours(parsing.row(raw))
        for products in found.values()
        for raw in parsing.row(products).values()
    )


def _chain_rows(side: Row) -> Iterator[ChainRow]:
    for expiration, strikes in side.items():
        for strike, contracts in parsing.row(strikes).items():
            for raw in map(parsing.row, parsing.rows(contracts)):
                yield _chain_row(raw, parsing.day(expiration), strike)


def _chain_row(raw: Row, expiration: date, strike: str) -> ChainRow:
    symbol, strike_price = parsing.text(raw.get("symbol")), parsing.number(strike)
    if not symbol or strike_price is None:
        raise UnreadableReply("The broker's chain has a contract without symbol or strike")
    return ChainRow(
        symbol=symbol,
        root=parsing.text(raw.get("optionRoot")) or symbol[:6].strip(),
        expiration=expiration,
        strike=strike_price,
        put_call=parsing.text(raw.get("putCall")),
        bid=parsing.number(parsing.first(raw, "bid", "bidPrice")),
        ask=parsing.number(parsing.first(raw, "ask", "askPrice")),
        mark=parsing.number(parsing.first(raw, "mark", "markPrice")),
        delta=_greek(raw.get("delta")),
        iv=_greek(raw.get("volatility")),
        open_interest=parsing.whole(raw.get("openInterest")),
        settlement=parsing.text(raw.get("settlementType")),
        multiplier=parsing.number(raw.get("multiplier")) or Decimal(100),
        penny_pilot=bool(parsing.first(raw, "pennyPilot", "isPennyPilot")),
        non_standard=bool(parsing.first(raw, "nonStandard", "isNonStandard")),
    )


def _greek(value: object) -> Decimal | None:
    """Read a greek; "NaN" and -999 both mean that there is none."""
    found = parsing.number(value)
    return None if found == NOT_COMPUTED else found


def _quote(symbol: str, raw: Row) -> Quote:
    quote = parsing.row(raw.get("quote") or {})
    return Quote(
        symbol=symbol,
        asset_type=parsing.text(raw.get("assetMainType")),
        bid=parsing.number(quote.get("bidPrice")),
        ask=parsing.number(quote.get("askPrice")),
        mark=parsing.number(quote.get("mark")),
        last=parsing.number(quote.get("lastPrice")),
        close=parsing.number(quote.get("closePrice")),
        status=parsing.text(quote.get("securityStatus")),
        quoted_at=parsing.moment(parsing.first(quote, "quoteTime", "tradeTime")),
    )


def _hours(raw: Row) -> MarketHours:
    return MarketHours(
        market=parsing.text(raw.get("marketType")),
        product=parsing.text(raw.get("product")),
        on=parsing.day(raw.get("date")),
        is_open=raw.get("isOpen") is True,
        sessions=tuple(_sessions(parsing.row(raw.get("sessionHours") or {}))),
    )


def _sessions(raw: Row) -> Iterator[MarketSession]:
    for name, spans in raw.items():
        for span in map(parsing.row, parsing.rows(spans)):
            start, end = parsing.moment(span.get("start")), parsing.moment(span.get("end"))
            if start is None or end is None:
                raise UnreadableReply("The broker's hours lack a beginning or an end")
            yield MarketSession(name, start, end)
