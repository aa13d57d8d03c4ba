"""An operator's program at a faulty installation: every ticket it sends is the only one like it."""

import itertools
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol
from uuid import uuid4

import requests

from tests.faults.database import Database, key
from tests.faults.holdings import Reset
from tests.support.stack import Program

SHARE, PRICE = "F", Decimal("10.00")
SIZES, TICK = 20, Decimal("0.01")
ASKING = "SELECT account_id FROM orders_accountorder WHERE order_id = %s AND needs_agent"
UNSETTLED = {"READY", "SUBMITTING", "UNKNOWN"}
# Whatever the guards say of the odd tickets of a test, they are meant.
CONFIRMED = ["DUPLICATE_ORDER", "PRICE_AWAY", "BUYING_POWER"]


class HasDatabase(Protocol):
    """An installation of either kind: `manage.py up`, or the units of deploy/."""

    database: Database


class Trader(Program):
    """Clicks, and reads what became of it; the market stands still.

    Attributes:
        accounts: the accounts' ids, in grid order.
        hashes: the broker's name of each account, by id.
        resets: positions that were set by hand.
    """

    def __init__(self, installation: HasDatabase, ready: dict[str, Any]) -> None:
        super().__init__(ready)
        self._database = installation.database
        self._tickets = itertools.count()
        self.resets: list[Reset] = []
        self.paper("market", {"speed": 0, "prices": {SHARE: str(PRICE)}})
        self.accounts = [row["id"] for row in self.get("accounts/")]
        rows = installation.database.rows("SELECT id, hash_value FROM accounts_account")
        self.hashes = {str(key(row["id"])): row["hash_value"] for row in rows}

    def ticket(self, accounts: Sequence[str] | None = None, **more: Any) -> dict[str, Any]:
        """Build an order in shares that fills at once and that nobody else has sent."""
        number = next(self._tickets)
        return {
            "strategy": "EQUITY",
            "legs": [{"symbol": SHARE, "instruction": "BUY", "ratio": 1}],
            "order_type": "LIMIT",
            "limit": str(PRICE + TICK * (1 + number // SIZES)),
            "contracts": 1 + number % SIZES,
            "accounts": "active" if accounts is None else {"ids": list(accounts)},
            "confirm": CONFIRMED,
            **more,
        }

    def click(self, ticket: dict[str, Any], click: str | None = None) -> requests.Response:
        """Broadcast a ticket, whatever the guards say."""
        return self.post_order(ticket, click or str(uuid4()))

    def broadcast(self, accounts: Sequence[str] | None = None, **more: Any) -> int:
        """Broadcast a new ticket; return the order's number."""
        answer = self.click(self.ticket(accounts, **more))
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def shares(self, order: int) -> list[dict[str, Any]]:
        """Read what became of an order in every account."""
        rows: list[dict[str, Any]] = self.get(f"orders/{order}/")["accounts"]
        asking = {str(key(row["account_id"])) for row in self._database.rows(ASKING, [order])}
        return [{**row, "needs_agent": row["id"] in asking} for row in rows]

    def statuses(self, order: int) -> set[str]:
        """Read which statuses an order has in its accounts."""
        return {share["status"] for share in self.shares(order)}

    def wait_for(self, order: int, *statuses: str, seconds: float = 30) -> list[dict[str, Any]]:
        """Wait until an order stands in one of these statuses in every account."""
        until = time.monotonic() + seconds
        while not (found := self.statuses(order)) <= set(statuses):
            assert time.monotonic() < until, f"order {order} is {found}: {self.shares(order)}"
            time.sleep(0.1)
        return self.shares(order)

    def wait_until_settled(self, order: int, seconds: float = 45) -> list[dict[str, Any]]:
        """Wait until every account knows what became of an order, or asks the agent."""
        until = time.monotonic() + seconds
        while not all(map(is_settled, shares := self.shares(order))):
            assert time.monotonic() < until, f"order {order} is not settled: {shares}"
            time.sleep(0.2)
        return shares

    def fault(self, name: str, account: str, **more: Any) -> None:
        """Lay out a fault for the next placing in an account."""
        laid = {"method": "POST", "path": "/orders", "account": self.hashes[account], **more}
        self.paper("faults", {"fault": name, **laid})

    def change(self, account: str, **values: Any) -> None:
        """Change an account, as on its page."""
        answer = self.session.patch(f"{self.url}accounts/{account}/", json=values, timeout=10)
        answer.raise_for_status()

    def slow_down(self, placings: int, delay_ms: int) -> None:
        """Let the broker take its time before it handles so many placings."""
        laid = {"fault": "delay", "method": "POST", "path": "/orders"}
        self.paper("faults", {**laid, "times": placings, "delay_ms": delay_ms})

    def orders_like(self, order: int) -> list[dict[str, Any]]:
        """Return the broker's own orders with the size and limit of one of ours."""
        asked = self.get(f"orders/{order}/")
        return [
            one
            for one in self.paper("orders")
            if Decimal(str(one["quantity"])) == asked["contracts"]
            and Decimal(str(one.get("price"))) == Decimal(asked["limit"])
        ]

    def last_request(self) -> int:
        """Return the number of the last request the broker has on record."""
        rows = self.paper("journal")
        return int(rows[-1]["seq"]) if rows else 0

    def posts(self, since: int) -> list[dict[str, Any]]:
        """Return the placings that arrived at the broker since then."""
        rows = self.paper(f"journal?since={since}")
        return [row for row in rows if row["method"] == "POST" and row["path"].endswith("/orders")]

    def make_by_hand(self, account: str, ticket: dict[str, Any], tag: str) -> str:
        """Make the order of a ticket as if on another platform; return its id."""
        order = {
            "orderType": ticket["order_type"],
            "session": "NORMAL",
            "duration": "DAY",
            "orderStrategyType": "SINGLE",
            "price": ticket["limit"],
            "orderLegCollection": [
                {
                    "instruction": leg["instruction"],
                    "quantity": ticket["contracts"],
                    "instrument": {"symbol": leg["symbol"], "assetType": "EQUITY"},
                }
                for leg in ticket["legs"]
            ],
        }
        body = {"account": self.hashes[account], "order": order, "tag": tag}
        return str(self.paper("orders", body)["order_id"])


def is_settled(share: dict[str, Any]) -> bool:
    """Whether nothing more has to be found out about an account's order, except by the agent."""
    return share["status"] not in UNSETTLED or bool(share["needs_agent"])
