"""One client's stream: who he is, what he subscribed to, and what he is sent."""

import json
import time
from typing import Any

from brokerage.paper.stream.commands import Command
from brokerage.paper.stream.websocket import WebSocket

ACTIVITY = "ACCT_ACTIVITY"
USUAL_KEY = "Account Activity"
STOPPED = 30


class Session:
    """What is known of one websocket.

    Attributes:
        user: whose login it is; empty before LOGIN.
        correl_id: which every request has to repeat.
        key: echoed in every item; None without a subscription.
        is_mute: whether it sends nothing any more, as if the line were dead.
        idle_since: since when it has had no subscription, monotonic.
        beaten_at: when its last heartbeat was sent, monotonic.
    """

    def __init__(self, socket: WebSocket) -> None:
        self.user = ""
        self.correl_id = ""
        self.key: str | None = None
        self.is_mute = False
        self.idle_since = self.beaten_at = time.monotonic()
        self._socket = socket
        self._seq = 0

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame, unless the line is to seem dead."""
        if not self.is_mute:
            self._socket.send(json.dumps(frame, separators=(",", ":")).encode())

    def send_text(self, text: str) -> None:
        """Send a text as it is."""
        self._socket.send(text.encode())

    def sever(self, code: int, words: str, *, at: float) -> None:
        """Say why it ends, as the answer to a LOGIN that nobody sent, and close it."""
        self.answer(Command("ADMIN", "LOGIN", "0", "", self.correl_id, {}), code, words, at=at)
        self.close(words)

    def answer(self, command: Command, code: int, words: str, *, at: float) -> None:
        """Answer a request; its id is written as text, however it was written."""
        self.send(
            {
                "response": [
                    {
                        "service": command.service,
                        "command": command.command,
                        "requestid": command.request_id,
                        "SchwabClientCorrelId": command.correl_id,
                        "timestamp": int(at * 1000),
                        "content": {"code": code, "msg": words},
                    }
                ]
            }
        )

    def subscribe(self, key: str, *, at: float) -> None:
        """Begin to send what happens; the first item says that it begins."""
        self.key = key or USUAL_KEY
        self.tell([("", "SUBSCRIBED", "")], at=at)

    def unsubscribe(self) -> None:
        """Send nothing of what happens any more."""
        self.key = None
        self.idle_since = time.monotonic()

    def tell(self, items: list[tuple[str, str, str]], *, at: float) -> None:
        """Send items: account number, message type, data."""
        if self.key is None or not items:
            return
        content = [self._item(self.key, *item) for item in items]
        data = {"service": ACTIVITY, "timestamp": int(at * 1000), "command": "SUBS"}
        self.send({"data": [{**data, "content": content}]})

    def close(self, reason: str) -> None:
        """Say goodbye."""
        self._socket.close(reason=reason)

    def drop(self) -> None:
        """Cut the line."""
        self._socket.drop()

    def _item(self, key: str, account: str, kind: str, data: str) -> dict[str, Any]:
        self._seq += 1
        return {"seq": self._seq, "key": key, "1": account, "2": kind, "3": data}
