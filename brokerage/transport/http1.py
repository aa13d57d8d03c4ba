"""The little HTTP/1.1 that is ours: a request as bytes, headers as a mapping, failures in words."""

import asyncio
import os
import re
from collections.abc import Iterable

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader

from brokerage.schwab.exchange import Call
from brokerage.transport.lateness import TooLateError

METHODS_WITH_BODY = frozenset({"POST", "PUT"})
REQUEST_LINE = re.compile(r"[A-Z]+ /[!-~]* HTTP/1\.1")
HEADER_LINE = re.compile(r"[A-Za-z-]+: [ -~]+")


def request_bytes(call: Call, *, host: str) -> bytes:
    """Return the whole request.

    Raises:
        ValueError: a part of it could end a line early; the message does not repeat it.
    """
    request = call.request
    body = request.body or b""
    start = f"{request.method} {request.path} HTTP/1.1"
    headers = [
        f"Host: {host}",
        f"Authorization: {call.authorization}",
        "Accept: application/json",
        "Accept-Encoding: gzip, deflate",
        "User-Agent: tradeswim",
    ]
    if request.body is not None or request.method in METHODS_WITH_BODY:
        headers += [f"Content-Type: {request.content_type}", f"Content-Length: {len(body)}"]
    if not REQUEST_LINE.fullmatch(start) or not all(map(HEADER_LINE.fullmatch, headers)):
        raise ValueError("The request has characters that no request may have")
    return "\r\n".join([start, *headers, "\r\n"]).encode("ascii") + body


def joined_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by lower-case name; a repeated one is joined, so that no value is lost."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


async def read_body(payload: StreamReader, *, limit: int) -> tuple[bytes, bool]:
    """Return what came of a body and whether it is all of it."""
    body = bytearray()
    try:
        async for chunk in payload.iter_any():
            body += chunk
            if len(body) > limit:
                return bytes(body[:limit]), False
    except (aiohttp.ClientError, HttpProcessingError, OSError):
        return bytes(body), False
    return bytes(body), True


def failure_words(error: BaseException, *, written: bool) -> str:
    """Say for an operator what happened, without addresses, headers or bodies."""
    if isinstance(error, TooLateError):
        return "Held back here until it was too late to send it"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "The broker's certificate was not accepted"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "The broker's name could not be resolved"
    if isinstance(error, TimeoutError):
        return "No answer in time" if written else "No connection in time"
    if isinstance(error, asyncio.CancelledError):
        return "The sender was stopped"
    if isinstance(error, HttpProcessingError):
        return "The answer was not HTTP"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "The connection was closed without an answer"
    # Not the error's own text: it names addresses.
    number = error.errno if isinstance(error, OSError) else None
    reason = os.strerror(number) if number else type(error).__name__
    return f"The connection broke ({reason})" if written else f"No connection ({reason})"
