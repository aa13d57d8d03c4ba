"""Orders: placed, listed, read, cancelled, replaced and previewed."""

import json
from collections.abc import Sequence
from typing import Any

from brokerage.paper import ledger, preview
from brokerage.paper.books import Account
from brokerage.paper.faults import Fault
from brokerage.paper.messages import Response, json_response, to_json, trader_error
from brokerage.paper.order_form import read_order
from brokerage.paper.orders import Order
from brokerage.paper.routes import parameters
from brokerage.paper.routes.routing import Call, Router
from brokerage.paper.trading import NO_TWIST, Twist

PUBLIC_HOST = "https://api.schwabapi.com"
STATUSES = frozenset(
    {"AWAITING_PARENT_ORDER", "AWAITING_CONDITION", "AWAITING_STOP_CONDITION", "ACCEPTED"}
    | {"AWAITING_MANUAL_REVIEW", "AWAITING_UR_OUT", "PENDING_ACTIVATION", "QUEUED", "WORKING"}
    | {"REJECTED", "PENDING_CANCEL", "CANCELED", "PENDING_REPLACE", "REPLACED", "FILLED", "EXPIRED"}
    | {"NEW", "AWAITING_RELEASE_TIME", "PENDING_ACKNOWLEDGEMENT", "PENDING_RECALL", "UNKNOWN"}
)
MOST_ROWS = 3000
YEAR_DAYS, ALL_ACCOUNTS_DAYS = 366, 60
UNLISTED_STATUS = "PENDING_VENUE_REVIEW"
USUAL_REJECTION = "The account is not approved for this level of options trading."

router = Router()


@router.on("POST", "/trader/v1/accounts/{account}/orders")
def place(call: Call) -> Response:
    """Take an order; the answer says where it can be read."""
    account = call.account()
    spec = read_order(call.request.body, call.broker.market)
    broker = call.broker
    order = broker.trading.place(
        account, spec, broker.tag_of(call.user), now=broker.now, twist=_twist(call.fault)
    )
    return _created(order)


@router.on("PUT", "/trader/v1/accounts/{account}/orders/{order}")
def replace(call: Call) -> Response:
    """Put a new order in the place of an open one."""
    old, broker = call.order(), call.broker
    spec = read_order(call.request.body, broker.market)
    order = broker.trading.replace(
        old, spec, broker.tag_of(call.user), now=broker.now, twist=_twist(call.fault)
    )
    return _created(order)


@router.on("DELETE", "/trader/v1/accounts/{account}/orders/{order}")
def cancel(call: Call) -> Response:
    """Cancel an order."""
    fills_first = call.fault is not None and call.fault.name == "fill_on_cancel"
    call.broker.trading.cancel(call.order(), now=call.broker.now, fills_first=fills_first)
    return Response(200)


@router.on("GET", "/trader/v1/accounts/{account}/orders/{order}")
def read(call: Call) -> Response:
    """Show one order."""
    return Response(200, _twisted(call, call.broker.order_text(call.order())))


@router.on("GET", "/trader/v1/accounts/{account}/orders")
def list_of_account(call: Call) -> Response:
    """List an account's orders, newest first."""
    account = call.account()
    begin, end = parameters.window(
        call.request, "fromEnteredTime", "toEnteredTime", most_days=YEAR_DAYS
    )
    return _listed(call, [account], begin, end)


@router.on("GET", "/trader/v1/orders")
def list_of_login(call: Call) -> Response:
    """List the orders of all accounts of the login, newest first."""
    begin, end = parameters.window(
        call.request,
        "fromEnteredTime",
        "toEnteredTime",
        most_days=ALL_ACCOUNTS_DAYS,
        since_today=call.broker.now,
    )
    return _listed(call, call.accounts(), begin, end)


@router.on("POST", "/trader/v1/accounts/{account}/previewOrder")
def preview_order(call: Call) -> Response:
    """Tell what an order would cost and whether it would be accepted."""
    account, broker = call.account(), call.broker
    spec = read_order(call.request.body, broker.market)
    return json_response(
        preview.preview(account, spec, broker.market, broker.instruments, now=broker.now)
    )


def location_of(order: Order, order_id: int | None = None) -> str:
    """Return the public address of an order."""
    return f"{PUBLIC_HOST}/trader/v1/accounts/{order.account}/orders/{order_id or order.id}"


def _created(order: Order) -> Response:
    return Response(201, headers={"Location": location_of(order)}, order_id=order.id)


def _twist(fault: Fault | None) -> Twist:
    """Translate a fault that changes what becomes of an order."""
    if fault is None:
        return NO_TWIST
    if fault.name == "reject":
        return Twist(reject=_text(fault.body, "statusDescription") or USUAL_REJECTION)
    if fault.name == "partial_fill":
        quantity = fault.body.get("quantity", 0) if isinstance(fault.body, dict) else 0
        return Twist(partial=max(0, quantity) if isinstance(quantity, int) else 0)
    if fault.name == "late_listing":
        return Twist(hidden_s=fault.delay_s)
    return NO_TWIST


def _text(body: Any, name: str) -> str | None:
    """Take a text from a fault's body, which is the text or an object that names it."""
    found = body.get(name, body.get("message")) if isinstance(body, dict) else body
    return found if isinstance(found, str) else None


def _listed(call: Call, accounts: Sequence[Account], begin: float, end: float) -> Response:
    """Write those orders of some accounts that the query asks for, newest first."""
    status = call.request.query.get("status")
    if status is not None and status not in STATUSES:
        raise trader_error(400, f"'{status}' is not a valid value for status")
    most = parameters.whole(call.request, "maxResults") or MOST_ROWS
    texts = ledger.listed(call.broker, accounts, begin, end, status=status, most=most)
    return Response(200, b"[" + b",".join(_twisted(call, text) for text in texts) + b"]")


def _twisted(call: Call, text: bytes) -> bytes:
    """Return an order's JSON, or what a fault makes of it."""
    if call.fault is None or call.fault.name != "unknown_status":
        return text
    status = _text(call.fault.body, "status") or UNLISTED_STATUS
    return to_json(json.loads(text) | {"status": status})
