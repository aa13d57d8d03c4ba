"""Market data: quotes, chains, expirations, hours and instruments."""

from datetime import timedelta
from typing import Any

from brokerage.paper.messages import Response, gateway_error, json_response
from brokerage.paper.routes import parameters
from brokerage.paper.routes.parameters import market_data_error
from brokerage.paper.routes.routing import Call, Router

MOST_SYMBOLS = 500
MARKETS = frozenset({"equity", "option", "bond", "future", "forex"})
PROJECTIONS = frozenset(
    {"symbol-search", "symbol-regex", "desc-search", "desc-regex", "search", "fundamental"}
)
CONTRACT_TYPES = frozenset({"CALL", "PUT", "ALL"})
OPTION_TYPES = frozenset({"S", "NS", "ALL"})
FIELDS = frozenset({"all", "quote", "fundamental", "extended", "reference", "regular"})

router = Router()


@router.on("GET", "/marketdata/v1/quotes")
def quotes(call: Call) -> Response:
    """Quote a list of symbols; unknown ones are named beside the others."""
    symbols = [symbol for symbol in call.request.query.get("symbols", "").split(",") if symbol]
    if not 1 <= len(symbols) <= MOST_SYMBOLS:
        raise market_data_error(f"Give 1 to {MOST_SYMBOLS} symbols.", "symbols")
    return json_response(_only_fields(call, call.broker.market.quotes_json(symbols)))


@router.on("GET", "/marketdata/v1/{symbol}/quotes")
def quote(call: Call) -> Response:
    """Quote one symbol."""
    symbol = call.names["symbol"]
    found = call.broker.market.quotes_json([symbol])
    if symbol not in found:
        raise gateway_error(404, "Not Found")
    return json_response(_only_fields(call, found))


@router.on("GET", "/marketdata/v1/chains")
def chains(call: Call) -> Response:
    """Show the options of an underlying."""
    request = call.request
    found = call.broker.market.chain_json(
        symbol=_symbol(call),
        contract_type=_one_of(call, "contractType", CONTRACT_TYPES),
        strike_count=parameters.whole(request, "strikeCount"),
        from_date=parameters.day(request, "fromDate"),
        to_date=parameters.day(request, "toDate"),
        strike=parameters.amount(request, "strike"),
        include_underlying=parameters.flag(request, "includeUnderlyingQuote"),
        option_type=_one_of(call, "optionType", OPTION_TYPES),
    )
    if found is None:
        raise gateway_error(404, "Not Found")
    return json_response(found)


@router.on("GET", "/marketdata/v1/expirationchain")
def expirations(call: Call) -> Response:
    """List the expirations of an underlying's options."""
    found = call.broker.market.expirations_json(_symbol(call))
    if found is None:
        raise gateway_error(404, "Not Found")
    return json_response(found)


@router.on("GET", "/marketdata/v1/markets")
def hours(call: Call) -> Response:
    """Show when markets are open on a day."""
    return _hours(call, [name for name in call.request.query.get("markets", "").split(",") if name])


@router.on("GET", "/marketdata/v1/markets/{market}")
def hours_of_one(call: Call) -> Response:
    """Show when one market is open on a day."""
    return _hours(call, [call.names["market"]])


@router.on("GET", "/marketdata/v1/instruments")
def instruments(call: Call) -> Response:
    """Look symbols up."""
    if call.request.query.get("projection") not in PROJECTIONS:
        raise market_data_error("The projection is not valid.", "projection")
    symbols = [text.strip() for text in call.request.query.get("symbol", "").split(",")]
    return json_response(call.broker.market.instruments_json([text for text in symbols if text]))


def _hours(call: Call, markets: list[str]) -> Response:
    if not markets or not set(markets) <= MARKETS:
        raise market_data_error("The market is not valid.", "markets")
    today = call.broker.market.today
    on = parameters.day(call.request, "date") or today
    if not today <= on <= today + timedelta(days=366):
        raise market_data_error("The date must be within a year from today.", "date")
    return json_response(call.broker.market.hours_json(markets, on))


def _symbol(call: Call) -> str:
    symbol = call.request.query.get("symbol")
    if not symbol:
        raise market_data_error("A symbol is needed.", "symbol")
    return symbol


def _one_of(call: Call, name: str, allowed: frozenset[str]) -> str:
    value = call.request.query.get(name, "ALL")
    if value not in allowed:
        raise market_data_error(f"'{value}' is not a valid value for {name}", name)
    return value


def _only_fields(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    """Leave out the parts of the quotes that are not asked for."""
    wanted = set(call.request.query.get("fields", "all").split(","))
    if not wanted <= FIELDS:
        raise market_data_error("The fields are not valid.", "fields")
    if "all" in wanted:
        return found
    left_out = FIELDS - wanted
    return {
        symbol: {name: part for name, part in row.items() if name not in left_out}
        for symbol, row in found.items()
    }
