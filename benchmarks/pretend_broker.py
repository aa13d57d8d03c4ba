"""A broker in this process for long simulated days: it answers reads at once, and counts them."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from brokerage.schwab.exchange import Call, Exchange, Reply


class Clock:
    """The time of the simulation."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        return self.at.timestamp()


@dataclass(slots=True)
class PretendOrder:
    """An order with its end already decided: filled or canceled at `ends_at`."""

    number: str
    login: UUID
    account: str
    symbol: str
    asset_type: str
    instruction: str
    entered_at: datetime
    ends_at: datetime
    fills: bool

    def to_json(self, now: datetime) -> dict[str, Any]:
        """Show it as Schwab does, as far as it matters to a reader."""
        is_over = now >= self.ends_at
        shown: dict[str, Any] = {
            **self.body(),
            "orderId": int(self.number),
            "accountNumber": self.account,
            "status": ("FILLED" if self.fills else "CANCELED") if is_over else "WORKING",
            "quantity": 1.0,
            "filledQuantity": float(is_over and self.fills),
            "remainingQuantity": float(not is_over),
            "enteredTime": _time(self.entered_at),
            "tag": "TA_1",
        }
        if is_over:
            shown["closeTime"] = _time(self.ends_at)
        if is_over and self.fills:
            leg = {"legId": 1, "quantity": 1.0, "price": 2.5, "time": _time(self.ends_at)}
            activity = {"executionType": "FILL", "activityId": int(self.number)}
            shown["orderActivityCollection"] = [{**activity, "executionLegs": [leg]}]
        return shown

    def body(self) -> dict[str, Any]:
        """Return what was sent."""
        leg = {
            "legId": 1,
            "instruction": self.instruction,
            "quantity": 1,
            "instrument": {"symbol": self.symbol, "assetType": self.asset_type},
        }
        return {
            "orderType": "LIMIT",
            "session": "NORMAL",
            "duration": "DAY",
            "price": "2.50",
            "orderStrategyType": "SINGLE",
            "orderLegCollection": [leg],
        }


@dataclass(slots=True)
class PretendBroker:
    """Answers order lists, single orders and accounts.

    Args:
        orders: all there are, by login and number.
        accounts: account numbers by login.
        reads: what was asked, by kind.
        moves: whether balances are others at each read.
        spent_s: processor time that its answers took.
    """

    clock: Clock
    logins: dict[str, UUID]
    accounts: dict[UUID, list[str]]
    orders: dict[UUID, dict[str, PretendOrder]] = field(default_factory=lambda: defaultdict(dict))
    reads: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    moves: bool = False
    spent_s: float = 0.0
    _numbered: dict[str, PretendOrder] = field(default_factory=dict)
    _balances: dict[UUID, bytes] = field(default_factory=dict)

    def add(self, order: PretendOrder) -> None:
        self.orders[order.login][order.number] = self._numbered[order.number] = order

    def stream(self, calls: Sequence[Call]) -> Iterator[list[tuple[int, Exchange]]]:
        """Answer everything in one batch."""
        began = time.thread_time()
        answers = [(index, self._answer(call)) for index, call in enumerate(calls)]
        self.spent_s += time.thread_time() - began
        return iter([answers])

    def _answer(self, call: Call) -> Exchange:
        login = self.logins[call.authorization]
        path = call.request.path.partition("?")[0]
        if path.endswith("/trader/v1/orders"):
            self.reads["lists"] += 1
            since = parse_qs(urlsplit(call.request.path).query)["fromEnteredTime"][0]
            body = json.dumps(self._listed(login, datetime.fromisoformat(since))).encode()
        elif "/orders/" in path:
            self.reads["single orders"] += 1
            body = json.dumps(self._one(path.rpartition("/")[2])).encode()
        else:
            self.reads["accounts"] += 1
            body = self._accounts(login)
        at = self.clock.seconds()
        return Exchange(call.request, at, at, Reply(200, {}, body))

    def _listed(self, login: UUID, since: datetime) -> list[dict[str, Any]]:
        entered = [one for one in self.orders[login].values() if one.entered_at >= since]
        return [one.to_json(self.clock.at) for one in entered]

    def _one(self, number: str) -> dict[str, Any]:
        return self._numbered[number].to_json(self.clock.at)

    def _accounts(self, login: UUID) -> bytes:
        if login not in self._balances or self.moves:
            value = 22000 + self.clock.at.second if self.moves else 22000
            rows = [{"securitiesAccount": _account(one, value)} for one in self.accounts[login]]
            self._balances[login] = json.dumps(rows).encode()
        return self._balances[login]


def _account(number: str, value: int) -> dict[str, Any]:
    instrument = {"symbol": "AAPL", "assetType": "EQUITY"}
    position = {"longQuantity": 10, "shortQuantity": 0, "averagePrice": 180, "marketValue": 1890}
    return {
        "type": "MARGIN",
        "accountNumber": number,
        "currentBalances": {
            "liquidationValue": value,
            "cashBalance": 20110,
            "buyingPower": 40220,
            "longMarketValue": 1890,
        },
        "initialBalances": {"liquidationValue": 21900},
        "positions": [{**position, "instrument": instrument}],
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
