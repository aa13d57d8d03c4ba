"""Every request we make to the trading and market-data interfaces, as values."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from urllib.parse import quote, urlencode

from brokerage.schwab.exchange import ApiRequest as ApiRequest
from brokerage.schwab.payloads import encode, order_body
from strategies.domain.tickets import Ticket

TRADER = "/trader/v1"
MARKET_DATA = "/marketdata/v1"
MOST_SYMBOLS = 500
MOST_ROWS = 3000


def place_order(account_hash: str, ticket: Ticket) -> ApiRequest:
    """Place an order; a 201 means received, not accepted."""
    return place_order_body(account_hash, encode(order_body(ticket)))


def place_order_body(account_hash: str, body: bytes) -> ApiRequest:
    """Send a stored payload byte for byte."""
    return ApiRequest("POST", f"{_account(account_hash)}/orders", body)


def replace_order(account_hash: str, order_id: str, ticket: Ticket) -> ApiRequest:
    """Replace a working order as a whole."""
    return replace_order_body(account_hash, order_id, encode(order_body(ticket)))


def replace_order_body(account_hash: str, order_id: str, body: bytes) -> ApiRequest:
    """Send a stored payload byte for byte; the broker answers with a new order's id."""
    return ApiRequest("PUT", _order(account_hash, order_id), body)


def cancel_order(account_hash: str, order_id: str) -> ApiRequest:
    """Ask for a cancel; a fill may still win."""
    return ApiRequest("DELETE", _order(account_hash, order_id))


def preview_order(account_hash: str, ticket: Ticket) -> ApiRequest:
    """Ask what the broker would say to an order."""
    body = encode(order_body(ticket))
    return ApiRequest("POST", f"{_account(account_hash)}/previewOrder", body)


def get_order(account_hash: str, order_id: str) -> ApiRequest:
    """Read one order; just after placing it may be 404 for a moment."""
    return ApiRequest("GET", _order(account_hash, order_id))


def account_orders(
    account_hash: str,
    entered_from: datetime,
    entered_to: datetime,
    max_results: int = MOST_ROWS,
    status: str | None = None,
) -> ApiRequest:
    """List one account's orders; a status filter hides fast fills, so proofs must not use one."""
    query = _entered(entered_from, entered_to, max_results)
    if status is not None:
        query["status"] = status
    return _get(f"{_account(account_hash)}/orders", query)


def orders(
    entered_from: datetime, entered_to: datetime, max_results: int = MOST_ROWS
) -> ApiRequest:
    """List the orders of all accounts of the login; the window starts at most 60 days ago."""
    return _get(f"{TRADER}/orders", _entered(entered_from, entered_to, max_results))


def account_numbers() -> ApiRequest:
    """Ask for the login's account numbers with their hashes."""
    return _get(f"{TRADER}/accounts/accountNumbers")


def accounts(*, positions: bool) -> ApiRequest:
    """Read balances, and positions if wanted, of all accounts of the login."""
    return _get(f"{TRADER}/accounts", _fields(positions))


def account(account_hash: str, *, positions: bool) -> ApiRequest:
    """Read one account's balances, and positions if wanted."""
    return _get(_account(account_hash), _fields(positions))


def transactions(
    account_hash: str,
    start: datetime,
    end: datetime,
    types: Iterable[str] = ("TRADE",),
    symbol: str | None = None,
) -> ApiRequest:
    """List what moved money or securities; stay within 60 days."""
    query = {"startDate": wire_time(start), "endDate": wire_time(end), "types": ",".join(types)}
    if symbol is not None:
        query["symbol"] = symbol
    return _get(f"{_account(account_hash)}/transactions", query)


def user_preference() -> ApiRequest:
    """Ask for nicknames and the streamer's address."""
    return _get(f"{TRADER}/userPreference")


def quotes(symbols: Iterable[str]) -> ApiRequest:
    """Ask for up to 500 symbols; unknown ones come back named, they do not fail the call."""
    wanted = list(symbols)
    if not 1 <= len(wanted) <= MOST_SYMBOLS:
        raise ValueError(f"between 1 and {MOST_SYMBOLS} symbols a call, not {len(wanted)}")
    return _get(f"{MARKET_DATA}/quotes", {"symbols": ",".join(wanted), "fields": "quote,reference"})


def chain(
    symbol: str, from_date: date, to_date: date, strike_count: int | None = None
) -> ApiRequest:
    """Ask for both sides of the chain; without dates a whole index chain overflows the gateway."""
    query = {
        "symbol": symbol,
        "contractType": "ALL",
        "strategy": "SINGLE",
        "fromDate": from_date.isoformat(),
        "toDate": to_date.isoformat(),
    }
    if strike_count is not None:
        query["strikeCount"] = str(strike_count)
    return _get(f"{MARKET_DATA}/chains", query)


def expiration_chain(symbol: str) -> ApiRequest:
    """Ask for an underlying's expirations."""
    return _get(f"{MARKET_DATA}/expirationchain", {"symbol": symbol})


def markets(names: Iterable[str]) -> ApiRequest:
    """Ask for today's hours of `equity`, `option`, …."""
    return _get(f"{MARKET_DATA}/markets", {"markets": ",".join(names)})


def wire_time(at: datetime) -> str:
    """Write an aware time as the broker takes it: UTC, milliseconds, Z."""
    if at.tzinfo is None:
        raise ValueError("the broker's times need a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _account(account_hash: str) -> str:
    return f"{TRADER}/accounts/{quote(account_hash, safe='')}"


def _order(account_hash: str, order_id: str) -> str:
    return f"{_account(account_hash)}/orders/{quote(order_id, safe='')}"


def _entered(entered_from: datetime, entered_to: datetime, max_results: int) -> dict[str, str]:
    return {
        "fromEnteredTime": wire_time(entered_from),
        "toEnteredTime": wire_time(entered_to),
        "maxResults": str(max_results),
    }


def _fields(positions: bool) -> dict[str, str]:
    return {"fields": "positions"} if positions else {}


def _get(path: str, query: Mapping[str, str] | None = None) -> ApiRequest:
    # %20 for the blanks of an option symbol: a plus sign is not a blank to every server.
    text = urlencode(query, safe=",:", quote_via=quote) if query else ""
    return ApiRequest("GET", f"{path}?{text}" if text else path)
