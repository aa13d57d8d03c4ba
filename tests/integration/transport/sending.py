"""Hands to send through a gateway of the test's own."""

from contextlib import closing, contextmanager

from brokerage.schwab.exchange import ApiRequest, Call
from brokerage.transport import Gateway

ORDERS = "/trader/v1/accounts/AB/orders"


def call(
    method: str = "POST",
    path: str = ORDERS,
    body: bytes = b"{}",
    *,
    bearer: str = "x",
    not_after: float | None = None,
) -> Call:
    """A call; only POST and PUT carry the body."""
    request = ApiRequest(method, path, body if method in {"POST", "PUT"} else None)
    return Call(request, f"Bearer {bearer}", not_after)


@contextmanager
def gateway_to(server, **options):
    """A gateway to a server or an address, closed at the end."""
    url = server if isinstance(server, str) else server.url
    gateway = Gateway(url, **{"ca_file": None, "total_timeout_s": 5.0, **options})
    with closing(gateway):
        yield gateway


def send(server, *calls, **options):
    """Send through a new gateway; without calls, one placing."""
    with gateway_to(server, **options) as gateway:
        return gateway.send_all(calls or [call()])
