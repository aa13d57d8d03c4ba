"""The paper broker inside the test process, and the hands that tests lay on it."""

import asyncio
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from brokerage.paper.launch import Launch, prepare
from brokerage.paper.seed import SeedOptions
from brokerage.paper.server import PortInUse
from tradeswim.up import home

ATTEMPTS = 20


class PaperBroker:
    """A paper broker on free ports, in a thread and loop of its own.

    Args:
        state_file: None keeps the state in memory only.
        seed: how it begins, as the fields of SeedOptions.

    Attributes:
        broker: the broker itself, to look into; it belongs to the other thread.
    """

    def __init__(self, *, state_file: Path | None = None, **seed: Any) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="paper-broker-"))
        self._seed = SeedOptions(**seed)
        self._state_file = state_file
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._start(free_port())
            except PortInUse:
                if attempt == ATTEMPTS:
                    raise
            else:
                break
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def url(self) -> str:
        """Plain HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """The same over TLS; trust `ca_file`."""
        return f"https://127.0.0.1:{self.port + 1}"

    @property
    def ca_file(self) -> str:
        return str(self._folder / "ca.pem")

    def stop(self) -> None:
        """Stop it, and wait until it has."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)
        self._session.close()
        shutil.rmtree(self._folder)

    def logins(self) -> Any:
        """List the logins, each with its accounts."""
        return self._control("GET", "logins")

    def accounts(self) -> list[str]:
        """List the hashes of all accounts."""
        return [one["hash"] for login in self.logins() for one in login["accounts"]]

    def orders(self) -> Any:
        """List every order there is, oldest first."""
        return self._control("GET", "orders")

    def make_order(self, account: str, order: dict[str, Any], **more: Any) -> str:
        """Make an order by hand; return its id."""
        body = {"account": account, "order": order, **more}
        return str(self._control("POST", "orders", body)["order_id"])

    def journal(self, since: int = 0) -> Any:
        """List the requests behind `since`."""
        return self._control("GET", f"journal?since={since}")

    def fault(self, name: str, **fields: Any) -> int:
        """Lay out a fault; return its id."""
        return int(self._control("POST", "faults", {"fault": name, **fields})["id"])

    def faults(self) -> Any:
        """List the faults that still wait."""
        return self._control("GET", "faults")

    def fill(self, order_id: str | int, **fields: Any) -> Any:
        """Fill an order by hand; return it."""
        return self._control("POST", "fill", {"order_id": str(order_id), **fields})["order"]

    def replace(self, order_id: str | int) -> str:
        """Let the broker replace an order by itself; return the new id."""
        return str(self._control("POST", "replace", {"order_id": str(order_id)})["order_id"])

    def market(self, **fields: Any) -> Any:
        """Change how the market behaves."""
        return self._control("POST", "market", fields)

    def clock(self, offset_s: float) -> None:
        """Set the broker's clock ahead."""
        self._control("POST", "clock", {"offset_s": offset_s})

    def positions(self, wanted: dict[str, dict[str, int]] | None = None) -> Any:
        """Show what every account holds, or set it."""
        return self._control("GET" if wanted is None else "POST", "positions", wanted)

    def change_accounts(self, wanted: dict[str, dict[str, Any]]) -> Any:
        """Change what kind accounts are, and their cash; return what all are like then."""
        return self._control("POST", "accounts", wanted)

    def tokens(self, **fields: Any) -> None:
        """Let tokens expire or be revoked, or rotate."""
        self._control("POST", "tokens", fields)

    def treat(self, **fields: Any) -> None:
        """Change how the login pages treat users; the fields are those of Habits, and `login`."""
        self._control("POST", "logins", fields)

    def authorize(self, login: dict[str, Any], /, **fields: Any) -> str:
        """Walk through the pages for this login; return the code."""
        body = {"client_id": login["app_key"], "redirect_uri": login["callback_url"], **fields}
        redirect = self._control("POST", "authorize", body)["redirect"]
        return parse_qs(urlsplit(str(redirect)).query)["code"][0]

    def sign_in(self, login: dict[str, Any]) -> Any:
        """Authorize and turn the code into tokens; return the answer."""
        answer = self._session.post(
            f"{self.url}/v1/oauth/token",
            auth=(login["app_key"], login["app_secret"]),
            data={
                "grant_type": "authorization_code",
                "code": self.authorize(login),
                "redirect_uri": login["callback_url"],
            },
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()

    def stream(self, **fields: Any) -> Any:
        """List the open streams, or change how often they give a sign of life."""
        return self._control("POST", "stream", fields)

    def reset(self) -> None:
        """Go back to the seed."""
        self._control("POST", "reset")

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(method, f"{self.url}/paper/{path}", json=body, timeout=10)
        assert answer.ok, f"{answer.status_code}: {answer.text}"
        return answer.json()

    def _start(self, port: int) -> None:
        """Serve on these two ports, or raise what prevents it."""
        launch = Launch(self._seed, port, self._folder, self._state_file)
        self.broker, server = prepare(launch)
        self.port = port
        ready = threading.Event()
        failure: list[BaseException] = []

        async def run() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            await server.run(self._stop, ready.set)

        def serve() -> None:
            try:
                asyncio.run(run())
            except PortInUse as problem:
                failure.append(problem)
                ready.set()

        self._thread = threading.Thread(target=serve, name="paper broker", daemon=True)
        self._thread.start()
        assert ready.wait(timeout=10), "The paper broker does not start."
        if failure:
            raise failure[0]


def free_port() -> int:
    """Find a port that is free, and so is the next one."""
    while True:
        port = home.free_port()
        with socket.socket() as following, suppress(OSError):
            following.bind(("127.0.0.1", port + 1))
            return port


@pytest.fixture(scope="session")
def paper_server() -> Iterator[PaperBroker]:
    """One paper broker for the whole run: 45 accounts in 45 logins."""
    broker = PaperBroker()
    yield broker
    broker.stop()


@pytest.fixture
def paper(paper_server: PaperBroker) -> PaperBroker:
    """The paper broker as it began, with a market that stands still."""
    paper_server.reset()
    paper_server.market(speed=0)
    return paper_server
