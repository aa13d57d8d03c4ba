"""What faults answer instead of, or make out of, the answer a request would have got."""

from typing import Any

from brokerage.paper import ledger
from brokerage.paper.broker import Broker
from brokerage.paper.connection import encode
from brokerage.paper.faults import Fault
from brokerage.paper.messages import (
    Request,
    Response,
    gateway_error,
    json_response,
    to_json,
)

# For these the delay means something else than waiting before the request is handled.
OWN_USE_OF_DELAY = frozenset({"late_listing", "drip"})
UNEXPECTED = "Application encountered unexpected error that prevented fulfilling this request"
ACCESS_DENIED = (
    "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n"
    "You don't have permission to access this resource on this server.<P>\n"
    "Reference #18.0.0.0\n</BODY>\n</HTML>\n"
)
MAINTENANCE_PAGE = "/maintenance"
BROKEN_JSON = b'{"securitiesAccount": {"type": MARGIN, "accountNumber": '


def instead(fault: Fault, request: Request) -> Response | None:
    """Return the answer a fault gives without anything having happened; None for other faults."""
    match fault.name:
        case "http_500":
            return _answer(fault, 500, {"message": UNEXPECTED})
        case "http_400_500_body":
            inner = gateway_error(500, "Internal Server Error").response.body
            return Response(400, _body(fault, inner))
        case "http_429":
            return _too_many(fault)
        case "http_401":
            refused = gateway_error(401, "Unauthorized", detail="Client not authorized")
            return Response(401, _body(fault, refused.response.body))
        case "html_403":
            page = _body(fault, ACCESS_DENIED.encode())
            return Response(403, page, content_type="text/html")
        case "redirect":
            target = fault.body if isinstance(fault.body, str) else MAINTENANCE_PAGE
            return Response(302, headers={"Location": target})
        case _:
            return None


def altered(fault: Fault, broker: Broker, request: Request, response: Response) -> Response:
    """Return what a fault makes of the answer to a request that has happened."""
    match fault.name:
        case "http_500_after":
            return _answer(fault, 500, {"message": UNEXPECTED})
        case "bad_json":
            return Response(response.status, _body(fault, BROKEN_JSON), response.headers)
        case "cut_list":
            return Response(
                response.status, response.body[: _middle(response.body)], response.headers
            )
        case "no_location":
            response.headers.pop("Location", None)
        case "wrong_location" if "Location" in response.headers:
            response.headers["Location"] = _other_location(broker, response)
    return response


def first_half(response: Response) -> bytes:
    """Return the beginning of an answer: up to the middle of its body, or of its first line."""
    whole = encode(response)
    if response.body:
        return whole[: len(whole) - (len(response.body) + 1) // 2]
    return whole[: whole.index(b"\r\n") // 2]


def _middle(body: bytes) -> int:
    """Return where to cut a list so that it is no JSON any more; an empty one keeps its bracket."""
    return max(1, len(body) // 2)


def _other_location(broker: Broker, response: Response) -> str:
    """Name the account's order before this one; a made-up one if there is none."""
    placed = broker.books.orders[response.order_id or 0]
    others = [order.id for order in ledger.of_account(broker, broker.books.account_of(placed))]
    earlier = [order_id for order_id in others if order_id < placed.id]
    other = earlier[-1] if earlier else placed.id + 1_000_000
    base, _, _ = response.headers["Location"].rpartition("/")
    return f"{base}/{other}"


def _too_many(fault: Fault) -> Response:
    body = fault.body if isinstance(fault.body, dict) else {}
    wait = fault.retry_after if fault.retry_after is not None else body.get("retry_after")
    own = {} if set(body) <= {"retry_after"} else body
    response = json_response(own or {"message": "Rate Limit Exceeded"}, status=429)
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return response


def _answer(fault: Fault, status: int, usual: Any) -> Response:
    return Response(status, _body(fault, to_json(usual)))


def _body(fault: Fault, usual: bytes) -> bytes:
    """Return the body the fault names, as text or as JSON; else the usual one."""
    if fault.body is None:
        return usual
    return fault.body.encode() if isinstance(fault.body, str) else to_json(fault.body)
