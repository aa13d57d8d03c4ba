"""Take requests as they arrive, let their faults happen, and see to it that each is journaled."""

import asyncio
import re
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from brokerage.paper import mishaps
from brokerage.paper.broker import Broker
from brokerage.paper.connection import Connection, encode
from brokerage.paper.faults import Fault
from brokerage.paper.journal import Row
from brokerage.paper.messages import Refused, Request, Response, gateway_error, trader_error
from brokerage.paper.routes import (
    accounts,
    control,
    control_accounts,
    control_logins,
    login_site,
    market_data,
    oauth,
    orders,
)
from brokerage.paper.routes.routing import Call, Router
from brokerage.paper.stream.websocket import WebSocket

ACCOUNT = re.compile(r"^/trader/v1/accounts/([0-9A-F]{64})(?:/orders/([0-9]+))?(?:/|$)")
CONTROL = "/paper/"
SWITCHED, BAD_REQUEST = 101, 400
CONTROL_ROUTER = Router(control.router, control_accounts.router, control_logins.router)
UNEXPECTED = "Application encountered unexpected error that prevented fulfilling this request"
ROUTERS = {
    "trader": Router(orders.router, accounts.router),
    "marketdata": market_data.router,
    "v1": Router(oauth.router, login_site.router),
    "ui": login_site.router,
}
NEED_NO_TOKEN = frozenset({"v1", "ui"})


@dataclass(slots=True)
class Exchange:
    """One request with its connection, its journal row and the fault it suffers."""

    connection: Connection
    request: Request
    row: Row
    fault: Fault | None


# A request does not wait longer than this for those that arrive after it.
LISTEN_S = 0.01


class Dispatcher:
    """Handles requests one after the other, but reads those that arrive meanwhile first."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.last_request_at = 0.0
        self._waiting: deque[tuple[Connection, Request]] = deque()
        self._is_arriving = False

    def receive(self, connection: Connection, request: Request) -> None:
        """Take a request; it is handled as soon as the loop finds nothing more that has arrived.

        Were it handled here, a broadcast's later requests would be stamped late by the work for
        the earlier ones.
        """
        self._waiting.append((connection, request))
        self._is_arriving = True
        self.last_request_at = request.at
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._handle_next)

    def open_stream(self, connection: Connection, request: Request) -> WebSocket:
        """Let a connection become a stream, which is journaled and suffers faults of its own."""
        row = self.broker.journal.open(
            at=request.at, method=request.method, path=request.path, account=None, order_id=None
        )
        socket = self.broker.streams.open(connection, request)
        row.status = SWITCHED if socket.is_open else BAD_REQUEST
        return socket

    def control(self, request: Request) -> Response:
        """Answer a call of the control interface, which is for this machine only."""
        return self._guarded(lambda: self._control(request))

    def _handle_next(self) -> None:
        connection, request = self._waiting[0]
        if self._is_arriving and time.time() - request.at < LISTEN_S:
            self._is_arriving = False
            asyncio.get_running_loop().call_soon(self._handle_next)
            return
        try:
            self._begin(connection, request)
        finally:
            self._waiting.popleft()
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._handle_next)

    def _begin(self, connection: Connection, request: Request) -> None:
        if request.path.startswith(CONTROL):
            connection.answer(self.control(request))
            return
        found = ACCOUNT.match(request.path)
        account, order_id = found.groups() if found else (None, None)
        row = self.broker.journal.open(
            at=request.at,
            method=request.method,
            path=request.path,
            account=account,
            order_id=order_id,
        )
        fault = self.broker.faults.take(request, account)
        exchange = Exchange(connection, request, row, fault)
        if fault and fault.delay_s and fault.name not in mishaps.OWN_USE_OF_DELAY:
            asyncio.get_running_loop().call_later(fault.delay_s, self._serve, exchange)
        else:
            self._serve(exchange)

    def _serve(self, exchange: Exchange) -> None:
        """Answer a request, or do to it what its fault wants."""
        fault, request = exchange.fault, exchange.request
        if fault is None:
            self._answer(exchange, self._handle(exchange))
        elif fault.name == "drop_before":
            exchange.connection.drop()
        else:
            response = mishaps.instead(fault, request) or self._handle(exchange)
            self._deliver(exchange, fault, mishaps.altered(fault, self.broker, request, response))

    def _handle(self, exchange: Exchange) -> Response:
        """Let the request happen, and journal which order it made."""
        response = self._guarded(lambda: self._route(exchange))
        if response.order_id is not None:
            exchange.row.order_id, exchange.row.placed = str(response.order_id), True
        return response

    def _deliver(self, exchange: Exchange, fault: Fault, response: Response) -> None:
        """Answer in the way of the fault: slowly, in part, never, or after all as usual."""
        connection = exchange.connection
        self._complete(exchange.request, response)
        match fault.name:
            case "drop_after":
                connection.drop()
            case "never_answer_after":
                pass
            case "truncated":
                connection.write(mishaps.first_half(response))
                connection.close()
            case "drip":
                drops = deque(encode(response))
                self._drip(exchange, drops, response.status, fault.delay_s or 1.0)
            case _:
                self._answer(exchange, response)

    def _drip(self, exchange: Exchange, drops: deque[int], status: int, pause_s: float) -> None:
        """Send one byte, and the others later; the connection is busy until the last one."""
        connection = exchange.connection
        if not connection.is_open:
            return
        connection.write(bytes((drops.popleft(),)))
        if drops:
            loop = asyncio.get_running_loop()
            loop.call_later(pause_s, self._drip, exchange, drops, status, pause_s)
        else:
            exchange.row.status = status
            connection.finish()

    def _answer(self, exchange: Exchange, response: Response) -> None:
        """Answer as usual; a client that has left gets no status in the journal."""
        self._complete(exchange.request, response)
        exchange.row.status = response.status if exchange.connection.is_open else None
        exchange.connection.answer(response)

    def _complete(self, request: Request, response: Response) -> None:
        response.at = self.broker.now
        _add_headers(request, response)

    def _guarded(self, handle: Callable[[], Response]) -> Response:
        """Answer, whatever happens; what nobody expected is told on the terminal."""
        try:
            return handle()
        except Refused as refused:
            return refused.response
        except Exception:  # a broker that answered nothing would look like a fault
            traceback.print_exc(file=sys.stderr)
            return trader_error(500, UNEXPECTED).response

    def _control(self, request: Request) -> Response:
        if not request.is_local or "origin" in request.headers:  # no web page may command us
            raise gateway_error(404, "Not Found")
        handler, names = CONTROL_ROUTER.find(request.method, request.path)
        return handler(Call(self.broker, request, names))

    def _route(self, exchange: Exchange) -> Response:
        request = exchange.request
        area = request.path.split("/", 2)[1]
        router = ROUTERS.get(area)
        if router is None:
            raise gateway_error(404, "Not Found")
        call = Call(self.broker, request, fault=exchange.fault)
        if area not in NEED_NO_TOKEN:
            call.user, call.linked = self._authenticate(request, area)
        handler, call.names = router.find(request.method, request.path)
        return handler(call)

    def _authenticate(self, request: Request, area: str) -> tuple[str, frozenset[str]]:
        """Return whose access token came with a request, and which accounts it is for."""
        header = request.headers.get("authorization")
        if header is None and area == "marketdata":
            raise gateway_error(
                400, "Bad Request", detail="Missing header", source={"header": "Authorization"}
            )
        scheme, _, token = (header or "").partition(" ")
        oauth = self.broker.oauth
        user = oauth.user_of(token, now=self.broker.now) if scheme == "Bearer" else None
        if user is None:
            raise gateway_error(401, "Unauthorized", detail="Client not authorized")
        return user, oauth.linked_of(token)


def _add_headers(request: Request, response: Response) -> None:
    if request.path.startswith(("/trader/", "/marketdata/")):
        response.headers["Schwab-Client-CorrelId"] = str(uuid4())
    if request.path.startswith("/marketdata/"):
        response.headers["Schwab-Resource-Version"] = "1"
