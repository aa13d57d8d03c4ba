"""An agent who goes on broadcasting whatever dies, and how long he can be asked to wait."""

import os
import threading
import time
from typing import Any
from uuid import uuid4

import requests

from tests.faults.trader import Trader


def patience() -> float:
    """How much slower than alone this machine is: others may use it, too."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class Clicking(threading.Thread):
    """An agent who broadcasts all the time, and repeats each click until it is taken."""

    def __init__(self, trader: Trader) -> None:
        super().__init__(daemon=True)
        self._trader = trader
        self._stop_asked = threading.Event()
        self.orders: list[int] = []

    def run(self) -> None:
        while not self._stop_asked.is_set():
            ticket, click = self._trader.ticket(), str(uuid4())
            while not self._is_taken(ticket, click):
                time.sleep(0.2)
            time.sleep(0.5)

    def end(self) -> None:
        """Finish the click that is being made."""
        self._stop_asked.set()
        self.join(timeout=60)
        assert not self.is_alive()

    def _is_taken(self, ticket: dict[str, Any], click: str) -> bool:
        try:
            answer = self._trader.click(ticket, click)
        except requests.RequestException:
            return False
        if answer.status_code in (200, 201):
            self.orders.append(answer.json()["id"])
            return True
        assert answer.status_code in (502, 503, 504), answer.text
        return False
