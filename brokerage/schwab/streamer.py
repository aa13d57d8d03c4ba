"""The streamer's messages as values: what to say on a websocket, and what was said there.

No socket and no clock: brokerage/transport has the line, orders/services/streaming keeps it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any
from urllib.parse import urlsplit

from brokerage.errors import TokenRefused, TryAgain, UnreadableReply
from brokerage.schwab.exchange import Reply
from brokerage.schwab.refusals import plain_words
from brokerage.schwab.replies import parsing

ADMIN, ACTIVITY = "ADMIN", "ACCT_ACTIVITY"
# Schwab's answers to SUBS that mean yes; which of them it sends is told differently.
SUBSCRIBED_CODES = frozenset({0, 26})
DENIED, TAKEN = 3, 12
NAME = re.compile(r"[A-Za-z_]{1,40}")
ORDER_ID = re.compile(r"[1-9][0-9]{0,18}")
# Under which an activity names the orders it is about, wherever it does so.
ORDER_KEYS = frozenset(
    {"SchwabOrderID", "ParentSchwabOrderID", "ChangedNewOrderID", "ChangedNewSchwabOrderId"}
)
DEEPEST = 20


class StreamEnded(TryAgain):
    """The streamer ends the stream, or refuses to begin it: come back later."""


class StreamTaken(StreamEnded):
    """Another connection of the same user took the stream over: do not fight for it."""


class Weight(Enum):
    """What an activity means for somebody who knows the order already."""

    NOTHING = auto()  # a step on the way: the order is as it was
    BIRTH = auto()  # the order exists
    CHANGE = auto()  # it filled, ended, or something that we do not know happened


# What is not named here may be anything, and is a change.
WEIGHTS = {
    "SUBSCRIBED": Weight.NOTHING,
    "ExecutionRequested": Weight.NOTHING,
    "ExecutionRequestCreated": Weight.NOTHING,
    "ExecutionRequestCompleted": Weight.NOTHING,
    "ExecutionCreated": Weight.NOTHING,
    "OrderCreated": Weight.BIRTH,
    "OrderAccepted": Weight.BIRTH,
    "ChangeAccepted": Weight.BIRTH,
}


@dataclass(frozen=True, slots=True)
class StreamerInfo:
    """Where a login's streamer is, and who we are there."""

    url: str
    customer_id: str = field(repr=False)
    correl_id: str = field(repr=False)
    channel: str
    function_id: str


@dataclass(frozen=True, slots=True)
class Activity:
    """Something happened in an account: a reason to look, never the truth.

    Args:
        order_ids: whom it is about; empty if that cannot be read.
    """

    kind: str
    weight: Weight
    order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one text said.

    Args:
        reply: what is to be sent now; None for nothing.
        odd: what could not be understood, in words that hold nothing of it.
    """

    activities: tuple[Activity, ...] = ()
    reply: str | None = None
    odd: tuple[str, ...] = ()


def read_streamer_info(reply: Reply) -> StreamerInfo:
    """Read the streamer's address out of the user's preferences. Errors: BrokerError."""
    found = parsing.read_json(reply)
    preferences = found[0] if isinstance(found, list) and found else found
    listed = parsing.rows(parsing.row(preferences).get("streamerInfo"))
    raw = parsing.row(listed[0] if listed else None)
    info = StreamerInfo(
        url=parsing.text(raw.get("streamerSocketUrl")),
        customer_id=parsing.text(raw.get("schwabClientCustomerId")),
        correl_id=parsing.text(raw.get("schwabClientCorrelId")),
        channel=parsing.text(raw.get("schwabClientChannel")),
        function_id=parsing.text(raw.get("schwabClientFunctionId")),
    )
    address = urlsplit(info.url)
    if address.scheme != "wss" or not address.hostname or address.username is not None:
        raise UnreadableReply("The broker names no address of a stream that is safe")
    return info


class Talk:
    """What is said on one connection: LOGIN, SUBS once that succeeded, then we only listen.

    Attributes:
        is_subscribed: whether activities come in from now on.
    """

    def __init__(self, info: StreamerInfo, token: str) -> None:
        self.is_subscribed = False
        self._info = info
        self._token = token
        self._last_id = 0

    def opening(self) -> str:
        """Return the first text to send."""
        return self._request(
            ADMIN,
            "LOGIN",
            Authorization=self._token,
            SchwabClientChannel=self._info.channel,
            SchwabClientFunctionId=self._info.function_id,
        )

    def hear(self, text: str) -> Heard:
        """Take a text.

        Raises:
            TokenRefused: a fresh access token is needed.
            StreamTaken, StreamEnded: this connection is of no use any more.
        """
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            return Heard(odd=("a text that is no JSON",))
        if not isinstance(frame, dict) or not frame:
            return Heard(odd=("a text of an unknown shape",))
        activities: list[Activity] = []
        odd: list[str] = []
        reply = None
        for part in _objects(frame.get("response"), odd):
            reply = self._hear_answer(part, odd) or reply
        for part in _objects(frame.get("data"), odd):
            activities += self._hear_data(part, odd)
        odd += [f"a frame called {_name(key)}" for key in frame if key not in _FRAMES]
        return Heard(tuple(activities), reply, tuple(odd))

    def _hear_answer(self, answer: dict[str, Any], odd: list[str]) -> str | None:
        """Read an answer to what we said, or a word of farewell, which looks like one."""
        service, command = answer.get("service"), answer.get("command")
        content = answer.get("content")
        said = content if isinstance(content, dict) else {}
        code, words = _code(said.get("code")), plain_words(str(said.get("msg", "")))
        _raise_for(code, words)
        if (service, command) == (ADMIN, "LOGIN") and code == 0:
            return self._request(ACTIVITY, "SUBS", keys="Account Activity", fields="0,1,2,3")
        if (service, command) == (ACTIVITY, "SUBS") and code in SUBSCRIBED_CODES:
            self.is_subscribed = True
            return None
        if not self.is_subscribed:
            raise StreamEnded(f"The streamer refuses ({code}): {words}")
        odd.append(f"an answer with the code {code}")
        return None

    def _hear_data(self, part: dict[str, Any], odd: list[str]) -> Iterator[Activity]:
        if part.get("service") != ACTIVITY:
            odd.append(f"data of the service {_name(part.get('service'))}")
            return
        self.is_subscribed = True  # data may overtake the answer to SUBS
        for item in _objects(part.get("content"), odd):
            kind = _name(item.get("2"))
            activity = _activity(kind, item.get("3"))
            if kind not in _KNOWN:
                odd.append(f"an activity called {kind}")
            if activity.weight is not Weight.NOTHING:
                yield activity

    def _request(self, service: str, command: str, **parameters: str) -> str:
        self._last_id += 1
        request = {
            "service": service,
            "command": command,
            "requestid": str(self._last_id),
            "SchwabClientCustomerId": self._info.customer_id,
            "SchwabClientCorrelId": self._info.correl_id,
            "parameters": parameters,
        }
        return json.dumps({"requests": [request]})


_FRAMES = frozenset({"response", "notify", "data", "snapshot"})
_KNOWN = frozenset(
    {*WEIGHTS, "CancelAccepted", "ChangeCreated", "OrderUROutCompleted", "OrderFillCompleted"}
    | {"OrderExpired", "OrderMonitorCreated", "OrderMonitorUpdated", "OrderMonitorCompleted"}
)


def _raise_for(code: int, words: str) -> None:
    if code == DENIED:
        raise TokenRefused(f"The streamer denies the login: {words}")
    if code == TAKEN:
        raise StreamTaken("Another connection of this user took the stream over")
    if code in {20, 30}:
        raise StreamEnded(f"The streamer ends the stream ({code}): {words}")


def _activity(kind: str, data: object) -> Activity:
    weight = WEIGHTS.get(kind, Weight.CHANGE)
    return Activity(kind, weight, tuple(dict.fromkeys(_order_ids(data))))


def _order_ids(data: object) -> Iterator[str]:
    try:
        yield from _named(json.loads(data) if isinstance(data, str) else data, DEEPEST)
    except (ValueError, RecursionError):
        return


def _named(value: object, depth: int) -> Iterator[str]:
    """Go through the orders that are named anywhere in a value."""
    if depth == 0:
        return
    if isinstance(value, list):
        for one in value:
            yield from _named(one, depth - 1)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in ORDER_KEYS and ORDER_ID.fullmatch(str(inner)):
                yield str(inner)
            else:
                yield from _named(inner, depth - 1)


def _objects(value: object, odd: list[str]) -> list[dict[str, Any]]:
    """Return the objects of a list, or the one that stands for a list of one."""
    listed = value if isinstance(value, list) else [] if value is None else [value]
    found = [one for one in listed if isinstance(one, dict)]
    if len(found) < len(listed):
        odd.append("a part of an unknown shape")
    return found


def _code(value: object) -> int:
    """Return a response code; what is none is none of the codes there are."""
    try:
        return int(str(value))
    except ValueError:
        return -1


def _name(value: object) -> str:
    """Return a name that may be logged: letters only, for anything else could be a secret."""
    return value if isinstance(value, str) and NAME.fullmatch(value) else "that is unreadable"
