"""A program that opens sets, exits them and steers the fleet, and hands that meddle at the broker."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import requests

from strategies.domain.symbols import is_option
from tests.faults.holdings import Reset
from tests.faults.installation import Installation
from tests.faults.trader import CONFIRMED, Trader
from tests.faults.truth import OURS
from tests.support.stack import PASSWORD

SET_OF = "SELECT id FROM orders_placedorderset WHERE order_id = %s"
AT_WORK = {"WAITING", "CLOSING", "PROVING"}
WAIT_S = 10

Held = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Placed:
    """A broadcast that was filled, with its set.

    Args:
        legs: what one unit of it leaves in an account, by symbol.
    """

    order: int
    set: int
    legs: Mapping[str, int]

    def times(self, units: int) -> dict[str, int]:
        """Return what so many units leave."""
        return {symbol: quantity * units for symbol, quantity in self.legs.items()}


class Closer(Trader):
    """Opens condors in the whole fleet, or in some accounts, and exits them."""

    def __init__(self, installation: Installation, ready: dict[str, Any]) -> None:
        super().__init__(installation, ready)
        self._installation = installation
        self._condor = {**self.condor(), "confirm": CONFIRMED}
        self._users = {
            account["hash"]: login["user"]
            for login in self.paper("logins")
            for account in login["accounts"]
        }

    def begin(
        self, accounts: Sequence[str] | None = None, legs: Collection[int] = range(4), **more: Any
    ) -> int:
        """Broadcast a condor, or those of its legs; return the order's number."""
        chosen = [leg for number, leg in enumerate(self._condor["legs"]) if number in legs]
        strategy = {4: "IRON_CONDOR", 2: "VERTICAL", 1: "SINGLE_OPTION"}[len(chosen)]
        to = "active" if accounts is None else {"ids": list(accounts)}
        body = {**self._condor, "strategy": strategy, "legs": chosen, "accounts": to, **more}
        answer = self.click(body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def open(self, accounts: Sequence[str] | None = None, **more: Any) -> Placed:
        """Broadcast a condor and wait until it is filled everywhere."""
        order = self.begin(accounts, **more)
        self.wait_for(order, "FILLED")
        return self.placed(order)

    def placed(self, order: int) -> Placed:
        """Return a broadcast of which something is filled, with its set."""
        (row,) = self._installation.wait_for(lambda: self._database.rows(SET_OF, [order]), WAIT_S)
        legs = {
            leg["symbol"]: leg["ratio"] * (1 if leg["instruction"].startswith("BUY") else -1)
            for leg in self.get(f"orders/{order}/")["legs"]
        }
        return Placed(order, int(row["id"]), legs)

    def natural(self, placed: Placed) -> str:
        """Return what closing one unit costs now."""
        return str(self.get(f"sets/{placed.set}/")["exit_prices"]["natural"])

    def press(self, placed: Placed, click: str | None = None, **body: Any) -> requests.Response:
        """Press EXIT, from any thread."""
        return self.send(f"sets/{placed.set}/exit/", body, click or str(uuid4()))

    def exit(self, placed: Placed, **body: Any) -> int:
        """Exit a set at the natural price, unless told; return the closing order's number."""
        terms = {"order_type": "LIMIT", "limit": self.natural(placed), **body}
        answer = self.press(placed, **terms)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def send(self, path: str, body: Any, click: str | None = None) -> requests.Response:
        """Post to the API, from any thread."""
        with requests.Session() as session:
            session.trust_env = False
            session.headers.update(self.session.headers)
            session.headers["Idempotency-Key"] = click or str(uuid4())
            return session.post(self.url + path, json=body, timeout=30)

    def rows(self, placed: Placed) -> dict[str, dict[str, Any]]:
        """Read what a set says of its accounts."""
        return {row["id"]: row for row in self.get(f"sets/{placed.set}/")["accounts"]}

    def wait_until_over(self, placed: Placed, seconds: float = 60) -> dict[str, dict[str, Any]]:
        """Wait until no exit of a set is at work any more."""
        until = time.monotonic() + seconds
        while at_work := [r for r in self.rows(placed).values() if r["state"] in AT_WORK]:
            assert time.monotonic() < until, f"set {placed.set} is still at work: {at_work}"
            time.sleep(0.2)
        return self.rows(placed)

    def wait_until_flat(self, placed: Placed, seconds: float = 60) -> dict[str, Any]:
        """Wait until the set says that every account is flat."""
        rows = self.wait_until_over(placed, seconds)
        left = [row for row in rows.values() if row["state"] != "DONE"]
        assert not left, left
        found: dict[str, Any] = self.get(f"sets/{placed.set}/")
        assert found["flat_at"], found
        return found

    def held(self, placed: Placed) -> Held:
        """Return what the broker's accounts hold of a set's legs, by account."""
        named = {name: account for account, name in self.hashes.items()}
        return {
            named[name]: found
            for name, positions in self.paper("positions").items()
            if (found := {s: n for s, n in positions.items() if s in placed.legs})
        }

    def last_order(self) -> int:
        """Return the number of the broker's newest order."""
        return max((one["orderId"] for one in self.paper("orders")), default=0)

    def closings(self, since: int, account: str | None = None) -> list[dict[str, Any]]:
        """Return our closing orders at the broker that are newer, oldest first."""
        return [
            one
            for one in self.paper("orders")
            if one["orderId"] > since
            and one["tag"].startswith(OURS)
            and account in (None, self.account_of(one))
            and all(leg["positionEffect"] == "CLOSING" for leg in one["orderLegCollection"])
        ]

    def account_of(self, order: Mapping[str, Any]) -> str:
        """Return the account of one of the broker's orders."""
        return next(pk for pk, name in self.hashes.items() if name == order["account"])

    def put(self, held: Mapping[str, Mapping[str, int]]) -> None:
        """Set positions by hand, by account."""
        by_name = {self.hashes[account]: dict(positions) for account, positions in held.items()}
        self.paper("positions", by_name)
        numbers = [
            activity["activityId"]
            for one in self.paper("orders")
            for activity in one.get("orderActivityCollection", [])
        ]
        last = max(numbers, default=0)
        self.resets += [Reset(last, name, positions) for name, positions in by_name.items()]

    def clear(self) -> None:
        """Take by hand whatever earlier tests have left in the accounts, and take back faults."""
        self.session.delete(f"{self.paper_url}/paper/faults", timeout=10).raise_for_status()
        named = {name: account for account, name in self.hashes.items()}
        left = {
            named[name]: {symbol: 0 for symbol in positions if is_option(symbol)}
            for name, positions in self.paper("positions").items()
        }
        if any(left.values()):
            self.put(left)

    def close_by_hand(self, account: str, placed: Placed, units: int, price: str) -> str:
        """Make an order that closes a condor, as if on another platform; return its id."""
        order = {
            "orderType": "NET_DEBIT",
            "complexOrderStrategyType": "IRON_CONDOR",
            "session": "NORMAL",
            "duration": "DAY",
            "orderStrategyType": "SINGLE",
            "price": price,
            "orderLegCollection": [
                {
                    "instruction": "SELL_TO_CLOSE" if quantity > 0 else "BUY_TO_CLOSE",
                    "quantity": abs(quantity) * units,
                    "instrument": {"symbol": symbol, "assetType": "OPTION"},
                }
                for symbol, quantity in placed.legs.items()
            ],
        }
        answer = self.paper("orders", {"account": self.hashes[account], "order": order})
        return str(answer["order_id"])

    def revoke(self, account: str, *tokens: str) -> None:
        """Let the access or refresh token of an account's login be worth nothing any more."""
        user = self._users[self.hashes[account]]
        self.paper("tokens", {"login": user, **dict.fromkeys(tokens, "revoke")})

    def fault_all(self, name: str, times: int, method: str = "POST", **more: Any) -> None:
        """Lay out a fault for so many requests about orders, whoever is first."""
        laid = {"fault": name, "method": method, "path": "/orders", "times": times}
        self.paper("faults", {**laid, **more})

    @contextmanager
    def fills_by_hand(self) -> Iterator[None]:
        """Let nothing fill at the broker until told."""
        self.paper("market", {"fills": "manual"})
        try:
            yield
        finally:
            self.paper("market", {"fills": "auto"})

    def freeze(self, account: str | None = None, mode: str = "FROZEN") -> dict[str, Any]:
        """Freeze the fleet, or an account."""
        where = {"scope": "ACCOUNT", "target": account} if account else {"scope": "FLEET"}
        answer = self.send("mode/", {**where, "mode": mode, "why": "a test"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def thaw(self, account: str | None = None) -> None:
        """Open it again, which takes the agent's password."""
        where = {"scope": "ACCOUNT", "target": account} if account else {"scope": "FLEET"}
        refused = self.send("mode/", {**where, "mode": "OPEN"})
        assert refused.status_code == 403, refused.text
        answer = self.send("mode/", {**where, "mode": "OPEN", "password": PASSWORD})
        assert answer.status_code == 200, answer.text


def legs_of(order: Mapping[str, Any]) -> dict[str, int]:
    """Return what one of the broker's orders does to positions, by symbol."""
    return {
        leg["instrument"]["symbol"]: int(leg["quantity"])
        * (1 if leg["instruction"].startswith("BUY") else -1)
        for leg in order["orderLegCollection"]
    }


def negative(held: Mapping[str, int]) -> dict[str, int]:
    """Return what takes positions to zero."""
    return {symbol: -quantity for symbol, quantity in held.items()}
