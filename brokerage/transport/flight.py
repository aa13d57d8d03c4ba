"""One request on its way: written in one piece, its answer read, its end told truthfully.

aiohttp's session is left out on purpose. By itself it repeats GET, PUT and DELETE when a reused
connection turns out closed (here a PUT replaces an order and a DELETE cancels one), follows
redirects, keeps cookies, and its tracing says "sent" before the write. Its connector and its
response parser are used; writing is ours, so nothing can be repeated behind our back, and a
broadcast's send phase costs half.
"""

import time
from http import HTTPStatus

from aiohttp.connector import Connection

from brokerage.schwab.exchange import Call, Exchange, Failure, FailureKind, Reply
from brokerage.transport.http1 import failure_words, joined_headers, read_body, request_bytes
from brokerage.transport.lateness import Limit
from brokerage.transport.pool import protocol_of


class Flight:
    """The mutable record of one exchange while it happens."""

    __slots__ = (
        "answered_at",
        "begun",
        "call",
        "connection",
        "data",
        "failure",
        "index",
        "limit",
        "reply",
        "sent_at",
    )

    def __init__(self, index: int, call: Call, *, host: str) -> None:
        self.index = index
        self.call = call
        self.limit = None if call.not_after is None else Limit(call.not_after)
        self.connection: Connection | None = None
        self.begun = False
        self.sent_at: float | None = None
        self.answered_at: float | None = None
        self.reply: Reply | None = None
        self.failure: Failure | None = None
        self.data = b""
        try:
            self.data = request_bytes(call, host=host)
        except ValueError as error:
            self.failure = Failure(FailureKind.NOT_WRITTEN, str(error))

    @property
    def is_settled(self) -> bool:
        """Tell whether it is known that the request was written, or that it never will be."""
        return self.begun or self.failure is not None

    def write(self, connection: Connection) -> None:
        """Hand the whole request to the socket and stamp the moment.

        The event loop's transport encrypts and calls `send` inside `write`, and a request of a
        kilobyte fits the send buffer of an idle connection: when `write` is back, the last byte is
        with the kernel. A hook that fires before the write, or a callback for which the loop must
        first find time, would be early or late.

        Raises:
            TooLateError: nothing was written, its limit is over.
        """
        self.connection = connection
        protocol = protocol_of(connection)
        if protocol.transport is None or protocol.transport.is_closing():
            raise ConnectionError("the connection is closed")
        protocol.set_response_params(read_until_eof=True)
        if self.limit is not None:
            self.limit.check()
        self.begun = True
        protocol.transport.write(self.data)
        self.sent_at = time.time()

    async def read(self, *, body_limit: int) -> None:
        """Read status and headers, which are the answer, and then what comes of a body."""
        if self.connection is None:
            raise ConnectionError("the request was never written")
        protocol = protocol_of(self.connection)
        message, payload = await protocol.read()
        while message.code < HTTPStatus.OK:
            message, payload = await protocol.read()
        self.answered_at = time.time()
        headers = joined_headers(message.headers.items())
        # Kept before the body: a 201 whose body is cut short still names the order.
        self.reply = Reply(message.code, headers, b"", complete=False)
        body, complete = await read_body(payload, limit=body_limit)
        self.reply = Reply(message.code, headers, body, complete=complete)

    def fail(self, error: BaseException) -> None:
        """Record why there is no answer; an answer that is there already stays."""
        if self.reply is None:
            kind = FailureKind.MAYBE_WRITTEN if self.begun else FailureKind.NOT_WRITTEN
            self.failure = Failure(kind, failure_words(error, written=self.begun))

    def exchange(self) -> Exchange:
        """Return what became of it."""
        return Exchange(self.call.request, self.sent_at, self.answered_at, self.reply, self.failure)
