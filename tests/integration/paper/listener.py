"""A client of one login's stream, and hands to look at what it was told."""

import json
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.integration.paper.trader import Trader

Frame = dict[str, Any]


class Listener:
    """A client of one login's stream."""

    def __init__(self, trader: Trader) -> None:
        info = trader.call("GET", "/trader/v1/userPreference").json()["streamerInfo"][0]
        self.url = info["streamerSocketUrl"]
        self.ids = {
            "SchwabClientCustomerId": info["schwabClientCustomerId"],
            "SchwabClientCorrelId": info["schwabClientCorrelId"],
        }
        self.token = trader.tokens["access_token"]
        self._stack = ExitStack()
        self.socket: ClientConnection = self._stack.enter_context(connect(self.url, proxy=None))
        self.frames: list[Frame] = []
        self.told: list[Frame] = []

    def request(
        self, service: str, command: str, request_id: Any = "1", **parameters: Any
    ) -> Frame:
        head = {"service": service, "command": command, "requestid": request_id}
        return {**head, **self.ids, "parameters": parameters}

    def ask(self, request: Frame) -> Frame:
        """Send a request in a list, and return its answer."""
        self.socket.send(json.dumps({"requests": [request]}))
        return self.answer()

    def answer(self) -> Frame:
        """Return the next answer; what comes before it is kept."""
        while "response" not in (frame := self.receive()):
            self.frames.append(frame)
        (answer,) = frame["response"]
        return dict(answer)

    def receive(self) -> Frame:
        frame = json.loads(self.socket.recv(timeout=5))
        assert isinstance(frame, dict)
        return frame

    def login(self, token: str | None = None) -> Frame:
        parameters = {"SchwabClientChannel": "N9", "SchwabClientFunctionId": "APIAPP"}
        return self.ask(
            self.request("ADMIN", "LOGIN", "7", Authorization=token or self.token, **parameters)
        )

    def subscribe(self) -> Frame:
        self.login()
        return self.ask(self.request("ACCT_ACTIVITY", "SUBS", keys="ours", fields="0,1,2,3"))

    def items(self, most: int) -> list[Frame]:
        """Return this many items of what happened, in order."""
        while len(self.told) < most:
            frame = self.frames.pop(0) if self.frames else self.receive()
            self.told += [item for part in frame.get("data", []) for item in part["content"]]
        found, self.told = self.told[:most], self.told[most:]
        return found

    def events(self, most: int) -> list[Frame]:
        """Return what the items tell, behind the one that says SUBSCRIBED."""
        return [json.loads(item["3"]) for item in self.items(most + 1)[1:]]

    def close(self) -> None:
        self._stack.close()

    def is_closed(self) -> bool:
        try:
            while True:
                self.receive()
        except ConnectionClosed:
            return True


def kinds(events: list[Frame]) -> list[str]:
    return [event["BaseEvent"]["EventType"] for event in events]


def inner(event: Frame) -> Frame:
    (found,) = (value for key, value in event["BaseEvent"].items() if key != "EventType")
    assert isinstance(found, dict)
    return found


def number(raw: Frame) -> float:
    """Read a decimal: an integer in `lo`, its sign and scale together in `signScale`."""
    sign_scale = raw.get("signScale", 0)
    sign = -1 if sign_scale & 1 else 1
    return float(sign * int(raw.get("lo", 0)) / 10 ** (sign_scale >> 1))
