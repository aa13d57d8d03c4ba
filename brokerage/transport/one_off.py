"""A single call with requests: token grants, a chain for a ticket, a connection test."""

import ssl
import threading
import time
from queue import Empty, SimpleQueue

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.util import Retry

from brokerage.errors import BrokerError, NotSent, OutcomeUnknown
from brokerage.metering import CALLS
from brokerage.schwab.exchange import ApiRequest, Reply

CONNECT_TIMEOUT_S = 3.0
BODY_LIMIT = 32 * 1024 * 1024
CHUNK = 65536


def fetch(
    request: ApiRequest,
    *,
    base_url: str,
    authorization: str,
    ca_file: str | None,
    timeout_s: float = 10.0,
) -> Reply:
    """Send one request and return the answer, whatever its status.

    It runs in a thread of its own: requests only limits the time between two bytes, and a server
    that drips must not hold up the caller.

    Raises:
        NotSent: no byte was written.
        OutcomeUnknown: it may have been carried out. Neither names the address or what was sent.
    """
    box: SimpleQueue[Reply | BrokerError] = SimpleQueue()

    def work() -> None:
        box.put(_outcome(request, base_url, authorization, ca_file, timeout_s))

    threading.Thread(target=work, name="broker-call", daemon=True).start()
    try:
        outcome = box.get(timeout=timeout_s)
    except Empty:
        outcome = OutcomeUnknown("No answer in time")
    _count(request, outcome)
    if isinstance(outcome, BrokerError):
        raise outcome
    return outcome


def _count(request: ApiRequest, outcome: Reply | BrokerError) -> None:
    word = str(outcome.status) if isinstance(outcome, Reply) else type(outcome).__name__
    CALLS.labels(request.method, word).inc()


def _outcome(
    request: ApiRequest, base_url: str, authorization: str, ca_file: str | None, timeout_s: float
) -> Reply | BrokerError:
    """Return an error instead of raising it, so that it has no context that holds the request."""
    try:
        return _call(request, base_url, authorization, ca_file, timeout_s)
    except requests.ConnectTimeout:
        return NotSent("No connection in time")
    except requests.Timeout:
        return OutcomeUnknown("No answer in time")
    except requests.ConnectionError as error:
        if _before_writing(error):
            return NotSent("No connection")
        return OutcomeUnknown("The connection broke")
    except Exception as error:  # a thread has nobody else to tell
        return OutcomeUnknown(f"The call failed ({type(error).__name__})")


def _call(
    request: ApiRequest, base_url: str, authorization: str, ca_file: str | None, timeout_s: float
) -> Reply:
    deadline = time.monotonic() + timeout_s
    with requests.Session() as session:
        session.trust_env = False
        session.mount(base_url, HTTPAdapter(max_retries=Retry(0, redirect=0, read=False)))
        with session.request(
            request.method,
            base_url.rstrip("/") + request.path,
            data=request.body,
            headers=_headers(request, authorization),
            timeout=(min(CONNECT_TIMEOUT_S, timeout_s), timeout_s),
            verify=ca_file or True,
            allow_redirects=False,
            stream=True,
        ) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            body, complete = _read_body(response, deadline)
    return Reply(response.status_code, headers, body, complete=complete)


def _headers(request: ApiRequest, authorization: str) -> dict[str, str]:
    headers = {
        "Authorization": authorization,
        "Accept": "application/json",
        "User-Agent": "tradeswim",
    }
    if request.body is not None:
        headers["Content-Type"] = request.content_type
    return headers


def _read_body(response: requests.Response, deadline: float) -> tuple[bytes, bool]:
    """Return what came of the body and whether it is all; the status is kept either way."""
    body = bytearray()
    try:
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            body += chunk
            if len(body) > BODY_LIMIT or time.monotonic() > deadline:
                return bytes(body), False
    except (HTTPError, OSError):
        return bytes(body), False
    return bytes(body), True


def _before_writing(error: requests.ConnectionError) -> bool:
    """Tell whether connecting failed: refused, no such name, a certificate we do not trust."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, NewConnectionError):
        return True
    cause = reason.args[0] if isinstance(reason, Exception) and reason.args else None
    return isinstance(cause, ssl.SSLCertVerificationError)
