"""The whole installation, started as an operator starts it, and asked as his program asks it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
READY_WITHIN_S = 120
PASSWORD = "end-to-end password"


# Of an installation around a test or a benchmark; each has its own.
OUTER = ("REDIS_URL", "DATABASE_URL", "CACHE_URL")


def without_outer_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what would point into another installation."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(("TRADESWIM", "DJANGO")) and name not in OUTER
    }


class Stack:
    """`manage.py up` in a home of its own."""

    def __init__(self, home: Path, port: int, paper_port: int, **settings: str) -> None:
        self.home = home
        self.log = home / f"up-{port}.log"
        home.mkdir(exist_ok=True)
        self.environment = {
            **without_outer_settings(os.environ),
            "DJANGO_SETTINGS_MODULE": "tradeswim.settings.dev",
            "TRADESWIM_HOME": str(home),
            "PORT": str(port),
            "PAPER_PORT": str(paper_port),
            "AGENT_PASSWORD": PASSWORD,
            **settings,
        }
        with self.log.open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(MANAGE), "up"],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self, seconds: float = READY_WITHIN_S) -> dict[str, Any]:
        """Wait for the READY line and return what is in it."""
        line = self.wait_for(lambda: self._line("READY "), seconds)
        ready: dict[str, Any] = json.loads(line.removeprefix("READY "))
        return ready

    def wait_for(self, look: Callable[[], Any], seconds: float = 30) -> Any:
        """Return what `look` finds, as soon as it finds something."""
        until = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < until, f"in vain; the log says:\n{self.output()}"
            assert self.process.poll() is None, f"`up` ended; the log says:\n{self.output()}"
            time.sleep(0.05)
        return found

    def output(self) -> str:
        return self.log.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to stop; return how long that took."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=30)
        return time.monotonic() - began

    def _line(self, start: str) -> str:
        lines = [line for line in self.output().splitlines() if line.startswith(start)]
        return lines[-1] if lines else ""


class Program:
    """An operator's program: it knows the API and the paper broker's control interface.

    Args:
        ready: what the READY line says; `ca` names the certificate of a site behind nginx.
        patience_s: for each answer.
    """

    def __init__(self, ready: dict[str, Any], *, patience_s: float = 10) -> None:
        self.patience_s = patience_s
        self.url, self.paper_url = ready["url"] + "/api/v1/", ready["paper_url"]
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = ready.get("ca", True)
        # As the browser of these tests: another device of the agent's would raise an alarm.
        self.session.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Chrome"
        body = {"username": ready["user"], "password": ready["password"]}
        answer = self.session.post(self.url + "auth/token/", json=body, timeout=self.patience_s)
        self._take_access(answer)

    def renew(self) -> None:
        """Exchange the refresh cookie for the next access token; one is good for five minutes."""
        self._take_access(self.session.post(self.url + "auth/refresh/", timeout=self.patience_s))

    def _take_access(self, answer: requests.Response) -> None:
        answer.raise_for_status()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access']}"

    def get(self, path: str) -> Any:
        answer = self.session.get(self.url + path, timeout=self.patience_s)
        answer.raise_for_status()
        return answer.json()

    def post_order(self, body: dict[str, Any], key: str | None = None) -> requests.Response:
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self.session.post(
            self.url + "orders/", json=body, headers=headers, timeout=self.patience_s
        )

    def wait_for_order(self, pk: int, *statuses: str, seconds: float = 30) -> dict[str, Any]:
        """Read a broadcast until its status is one of these."""
        until = time.monotonic() + seconds
        order: dict[str, Any]
        while (order := self.get(f"orders/{pk}/"))["status"] not in statuses:
            assert time.monotonic() < until, f"still {order['status']}: {order}"
            time.sleep(0.1)
        return order

    def paper(self, path: str, body: Any = None) -> Any:
        method = "GET" if body is None else "POST"
        answer = self.session.request(
            method, f"{self.paper_url}/paper/{path}", json=body, timeout=self.patience_s
        )
        answer.raise_for_status()
        return answer.json()

    def condor(self, *, limit: str = "0.05") -> dict[str, Any]:
        """Build a five-wide SPXW condor from the chain, as the API wants it.

        Its low limit fills at once, and it may be sent again and again. From now on the market
        stands still, and the expiration is not the sample trade's: a condor whose strikes are one
        further would sell what the other one bought, which the broker does not allow.
        """
        self.paper("market", {"speed": 0})
        day = next(e["expiration"] for e in self.get("expirations/SPX/") if e["days"] >= 14)
        rows = self.get(f"chains/SPX/{day}/")
        known = [row for row in rows if row["delta"] is not None]

        def near(side: str) -> float:
            rows = [row for row in known if row["put_call"] == side]
            return float(min(rows, key=lambda row: abs(abs(row["delta"]) - 0.15))["strike"])

        by_place = {(row["put_call"], float(row["strike"])): row["symbol"] for row in rows}
        put, call = near("PUT"), near("CALL")
        legs = [
            ("PUT", put - 5, "BUY_TO_OPEN"),
            ("PUT", put, "SELL_TO_OPEN"),
            ("CALL", call, "SELL_TO_OPEN"),
            ("CALL", call + 5, "BUY_TO_OPEN"),
        ]
        return {
            "strategy": "IRON_CONDOR",
            "legs": [
                {"symbol": by_place[side, strike], "instruction": word, "ratio": 1}
                for side, strike, word in legs
            ],
            "order_type": "LIMIT",
            "price_effect": "NET_CREDIT",
            "limit": limit,
            "contracts": 1,
            "duration": "DAY",
            "session": "NORMAL",
            "accounts": "active",
            "confirm": ["PRICE_AWAY", "DUPLICATE_ORDER"],
        }


def free_ports() -> tuple[int, int]:
    """Return a port for the web, and one for the paper broker whose next one is free too."""
    from tests.support.paper import free_port

    return free_port(), free_port()
