"""A websocket to the broker's streamer, and the read that tells where it is, in one event loop."""

import asyncio
from typing import Self

import aiohttp
from yarl import URL

from brokerage.errors import BrokerError, NotSent, OutcomeUnknown, Unavailable
from brokerage.schwab.exchange import ApiRequest, Reply
from brokerage.transport.pool import tls_context

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 10.0
# A ping after so much silence: a line that is dead without having been closed is noticed.
PING_EVERY_S = 10.0
MOST_BYTES = 1 << 20
CLOSE_TIMEOUT_S = 1.0
GONE_WITHIN_S = 0.05


class Line:
    """An open websocket that carries texts."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, text: str) -> None:
        """Send a text. Errors: Unavailable."""
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"The stream broke ({type(error).__name__})") from None

    async def hear(self, *, within_s: float) -> str:
        """Wait for a text; bytes are passed over.

        Raises:
            Unavailable: the line is closed, broken, silent for so long, or said too much at once.
        """
        while True:
            try:
                message = await self._socket.receive(timeout=within_s)
            except TimeoutError:
                raise Unavailable(f"The streamer was silent for {within_s:.0f} s") from None
            if message.type is aiohttp.WSMsgType.TEXT:
                return str(message.data)
            if message.type is not aiohttp.WSMsgType.BINARY:
                raise Unavailable(f"The stream was closed ({self._socket.close_code})")

    async def close(self) -> None:
        """Say goodbye, for a moment."""
        try:
            await asyncio.wait_for(self._socket.close(), CLOSE_TIMEOUT_S)
        except (TimeoutError, aiohttp.ClientError, OSError):
            return


class Lines:
    """Opens lines; lives in one event loop and closes what it opened when it is left.

    Args:
        ca_file: the only certificates to trust; None trusts the system's.
    """

    def __init__(self, *, ca_file: str | None) -> None:
        connector = aiohttp.TCPConnector(limit=0, ssl=tls_context(ca_file), ttl_dns_cache=60)
        self._session = aiohttp.ClientSession(connector=connector, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await asyncio.sleep(GONE_WITHIN_S)  # the loop closes the sockets

    async def open(self, url: str) -> Line:
        """Open a websocket. Errors: Unavailable."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                socket = await self._session.ws_connect(
                    url,
                    heartbeat=PING_EVERY_S,
                    max_msg_size=MOST_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Unavailable(f"The streamer cannot be reached ({type(error).__name__})") from None
        return Line(socket)

    async def read(self, base_url: str, request: ApiRequest, authorization: str) -> Reply:
        """Carry one read and return the answer, whatever its status.

        Raises:
            NotSent, OutcomeUnknown: there is no answer; neither names what was sent.
        """
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                return await self._read(request, base_url, authorization)
        except aiohttp.ClientConnectorError as error:
            raise _plain(NotSent, error) from None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise _plain(OutcomeUnknown, error) from None

    async def _read(self, request: ApiRequest, base_url: str, authorization: str) -> Reply:
        headers = {"Authorization": authorization, "Accept": "application/json"}
        url = URL(base_url.rstrip("/") + request.path, encoded=True)
        async with self._session.request(
            request.method, url, headers=headers, allow_redirects=False
        ) as answer:
            names = {name.lower(): value for name, value in answer.headers.items()}
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    return Reply(answer.status, names, bytes(body), complete=False)
            return Reply(answer.status, names, bytes(body))


def _plain(kind: type[BrokerError], error: BaseException) -> BrokerError:
    return kind(f"No answer ({type(error).__name__})")
