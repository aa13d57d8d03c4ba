"""The control interface: the journal, orders, positions, market and faults, by hand."""

from typing import Any

from brokerage.paper import ledger
from brokerage.paper.books import Account, Position
from brokerage.paper.faults import STREAM_CUT
from brokerage.paper.messages import (
    Response,
    json_response,
    read_object,
    to_json,
    trader_error,
)
from brokerage.paper.order_form import read_order
from brokerage.paper.orders import Order
from brokerage.paper.routes.control_accounts import account_named
from brokerage.paper.routes.parameters import MOST, choice, sensible
from brokerage.paper.routes.routing import Call, Router
from brokerage.paper.trading import AUTO, MANUAL

HAND_TAG = "API_TOS:TRADE_ALL"
HOURS = frozenset({"always", "nyse"})

router = Router()


@router.on("GET", "/paper/journal")
def journal(call: Call) -> Response:
    """List the requests behind `since`."""
    since = call.request.query.get("since", "0")
    if not since.isdigit():
        raise trader_error(400, f"'{since}' is not a valid value for since")
    return json_response(call.broker.journal.since(int(since)))


@router.on("GET", "/paper/orders")
def orders(call: Call) -> Response:
    """List every order there is, oldest first, each with its account's hash."""
    texts = (
        text[:-1] + b',"account":' + to_json(account) + b"}"
        for account, text in ledger.everything(call.broker)
    )
    return Response(200, b"[" + b",".join(texts) + b"]")


@router.on("POST", "/paper/orders")
def make_order(call: Call) -> Response:
    """Make an order by hand, as if it came from another platform."""
    wanted, broker = read_object(call.request.body), call.broker
    account = account_named(call, wanted.get("account"))
    spec = read_order(to_json(wanted.get("order")), broker.market)
    tag = str(wanted.get("tag") or HAND_TAG)
    order = broker.trading.place(account, spec, tag, now=broker.now)
    return json_response(_order_answer(call, order), status=201)


@router.on("GET", "/paper/positions")
def positions(call: Call) -> Response:
    """Show what every account holds."""
    return json_response(
        {
            account.hash: {symbol: held.quantity for symbol, held in account.positions.items()}
            for account in call.broker.books.accounts.values()
        }
    )


@router.on("POST", "/paper/positions")
def set_positions(call: Call) -> Response:
    """Set what accounts hold; symbols that are not named stay."""
    wanted = read_object(call.request.body)
    changes = [
        (account_named(call, name), symbol, _quantity(quantity))
        for name, held in wanted.items()
        for symbol, quantity in (held if isinstance(held, dict) else {}).items()
    ]
    for account, symbol, quantity in changes:
        _set_position(call, account, symbol, quantity)
    return positions(call)


@router.on("POST", "/paper/fill")
def fill(call: Call) -> Response:
    """Fill an order now, wholly or partly."""
    wanted = read_object(call.request.body)
    order, price, units = _order(call, wanted), wanted.get("price"), wanted.get("quantity")
    call.broker.trading.fill(
        order,
        now=call.broker.now,
        units=None if units is None else _quantity(units),
        price=None if price is None else sensible(price),
    )
    return json_response(_order_answer(call, order))


@router.on("POST", "/paper/replace")
def replace(call: Call) -> Response:
    """Let the broker replace an order by itself."""
    order = _order(call, read_object(call.request.body))
    successor = call.broker.trading.replace_by_broker(order, now=call.broker.now)
    return json_response(_order_answer(call, successor))


@router.on("POST", "/paper/market")
def market(call: Call) -> Response:
    """Change how the market behaves; fields that are not named stay."""
    wanted, broker = read_object(call.request.body), call.broker
    fills = choice(wanted, "fills", frozenset({AUTO, MANUAL}), broker.trading.fills)
    hours = choice(wanted, "hours", HOURS, broker.market.hours)
    speed = float(sensible(wanted.get("speed", broker.market.speed)))
    named = wanted.get("prices")
    prices = {symbol: sensible(price) for symbol, price in (named or {}).items()}
    try:
        broker.market.set_prices(prices)
    except (KeyError, ValueError) as problem:
        raise trader_error(400, f"The prices are not valid: {problem}") from None
    broker.trading.fills, broker.market.hours, broker.market.speed = fills, hours, speed
    broker.is_changed = True
    broker.trading.step(now=broker.now)
    return json_response({"fills": fills, "hours": hours, "speed": speed})


@router.on("POST", "/paper/clock")
def clock(call: Call) -> Response:
    """Set the broker's clock ahead or back; tokens live by it, too."""
    wanted, broker = read_object(call.request.body), call.broker
    broker.offset_s = float(sensible(wanted.get("offset_s", broker.offset_s), low=-MOST))
    broker.is_changed = True
    broker.step()
    return json_response({"offset_s": broker.offset_s})


@router.on("GET", "/paper/faults")
def faults(call: Call) -> Response:
    """List the faults that still wait."""
    return json_response(call.broker.faults.list())


@router.on("POST", "/paper/faults")
def add_fault(call: Call) -> Response:
    """Lay out a fault."""
    broker = call.broker
    fault = broker.faults.add(read_object(call.request.body))
    if fault.name == STREAM_CUT and broker.streams.suffer(fault):
        broker.faults.use_up(fault)
    return json_response({"id": fault.id})


@router.on("DELETE", "/paper/faults")
def clear_faults(call: Call) -> Response:
    """Take all faults back."""
    call.broker.faults.clear()
    return json_response({})


@router.on("DELETE", "/paper/faults/{fault}")
def remove_fault(call: Call) -> Response:
    """Take one fault back."""
    text = call.names["fault"]
    if not text.isdigit() or not call.broker.faults.remove(int(text)):
        raise trader_error(404, "There is no such fault.")
    return json_response({})


@router.on("GET", "/paper/stream")
def stream(call: Call) -> Response:
    """List the open streams."""
    streams = call.broker.streams
    return json_response({"heartbeat_s": streams.heartbeat_s, "streams": streams.described()})


@router.on("POST", "/paper/stream")
def set_stream(call: Call) -> Response:
    """Change how often streams give a sign of life."""
    wanted, streams = read_object(call.request.body), call.broker.streams
    streams.heartbeat_s = float(sensible(wanted.get("heartbeat_s", streams.heartbeat_s)))
    return stream(call)


@router.on("POST", "/paper/reset")
def reset(call: Call) -> Response:
    """Go back to the seed."""
    call.broker.reset()
    return json_response({})


def _order(call: Call, wanted: dict[str, Any]) -> Order:
    text = str(wanted.get("order_id"))
    order = ledger.find(call.broker, int(text)) if text.isdigit() else None
    if order is None:
        raise trader_error(404, f"There is no order {text}.")
    return order


def _order_answer(call: Call, order: Order) -> dict[str, Any]:
    return {"order_id": str(order.id), "order": call.broker.order_json(order)}


def _quantity(value: object) -> int:
    number = sensible(value, low=-MOST)
    if number != int(number):
        raise trader_error(400, f"'{value}' is not a valid value for quantity")
    return int(number)


def _set_position(call: Call, account: Account, symbol: str, quantity: int) -> None:
    quote = call.broker.market.quote(symbol)
    if quantity and quote is None:
        raise trader_error(400, f"Symbol '{symbol}' was not found.")
    account.positions.pop(symbol, None)
    if quantity and quote:
        account.positions[symbol] = Position(quantity, price=quote.mark, previous=quantity)
    call.broker.books.changed_accounts.add(account.hash)
