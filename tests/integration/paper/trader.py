"""A customer of the paper broker, and the orders he sends."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import requests

from tests.support.paper import PaperBroker

NICKEL = Decimal("0.05")
FLIPPED = {"BUY_TO_OPEN": "SELL_TO_CLOSE", "SELL_TO_OPEN": "BUY_TO_CLOSE"}
CONDOR = ("BUY_TO_OPEN", "SELL_TO_OPEN", "SELL_TO_OPEN", "BUY_TO_OPEN")


class Trader:
    """One signed-in login; most calls are about its first account."""

    def __init__(self, paper: PaperBroker, number: int = 0) -> None:
        self.paper = paper
        self.login = paper.logins()[number]
        self.account = self.login["accounts"][0]["hash"]
        self.session = requests.Session()
        self.session.trust_env = False
        self.sign_in()

    def sign_in(self) -> None:
        """Get tokens, the first time or again."""
        self.tokens = self.paper.sign_in(self.login)
        self.session.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send any request; redirects are not followed."""
        more.setdefault("timeout", 10)
        url = f"{self.paper.url}{path}"
        return self.session.request(method, url, allow_redirects=False, **more)

    def on_account(self, method: str, path: str = "", **more: Any) -> requests.Response:
        """Send a request about the account."""
        return self.call(method, f"/trader/v1/accounts/{self.account}{path}", **more)

    def place(self, order: dict[str, Any]) -> str:
        """Place an order; return its id."""
        answer = self.on_account("POST", "/orders", json=order)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"].rpartition("/")[2]

    def order(self, order_id: str | int) -> Any:
        """Read an order by its id."""
        answer = self.on_account("GET", f"/orders/{order_id}")
        assert answer.ok, answer.text
        return answer.json()

    def placed(self, order: dict[str, Any]) -> Any:
        """Place an order and read it."""
        return self.order(self.place(order))

    def list_orders(self, **query: Any) -> requests.Response:
        """List the account's orders of today."""
        return self.on_account("GET", "/orders", params=window() | query)

    def status(self, order_id: str | int) -> str:
        return str(self.order(order_id)["status"])

    def read_account(self) -> Any:
        """Read the account with its positions."""
        answer = self.on_account("GET", params={"fields": "positions"})
        return answer.json()["securitiesAccount"]

    def quote(self, symbol: str) -> Any:
        answer = self.call("GET", "/marketdata/v1/quotes", params={"symbols": symbol})
        return answer.json()[symbol]["quote"]

    def options(self, underlying: str, *, strikes: int = 40) -> dict[str, list[str]]:
        """List the symbols of one expiration around the money, calls and puts, lowest first."""
        listed = self.call("GET", "/marketdata/v1/expirationchain", params={"symbol": underlying})
        expiration = listed.json()["expirationList"][2]["expirationDate"]
        query = {"symbol": underlying, "strikeCount": strikes}
        query |= {"fromDate": expiration, "toDate": expiration}
        chain = self.call("GET", "/marketdata/v1/chains", params=query).json()
        return {
            side: [row["symbol"] for rows in by_strike.values() for row in rows]
            for side, by_date in (("CALL", "callExpDateMap"), ("PUT", "putExpDateMap"))
            for by_strike in chain[by_date].values()
        }

    def condor(self, price: str | Decimal, **changes: Any) -> dict[str, Any]:
        """Build a short iron condor on SPX, the strikes 5 wide."""
        return net_order("NET_CREDIT", self.condor_symbols(), CONDOR, price, **changes)

    def condor_symbols(self) -> list[str]:
        listed = self.options("$SPX")
        puts, calls = listed["PUT"], listed["CALL"]
        return [puts[9], puts[10], calls[-11], calls[-10]]

    def mid(self, order: dict[str, Any]) -> Decimal:
        """Return what a unit is worth at the marks; positive when the customer receives it."""
        return self._worth(order, "mark", "mark")

    def natural(self, order: dict[str, Any]) -> Decimal:
        """Return what the market pays for a unit; positive when the customer receives it."""
        return self._worth(order, "bidPrice", "askPrice")

    def _worth(self, order: dict[str, Any], sold: str, bought: str) -> Decimal:
        total = Decimal(0)
        for leg in order["orderLegCollection"]:
            quote = self.quote(leg["instrument"]["symbol"])
            is_buy = leg["instruction"].startswith("BUY")
            total += Decimal(str(quote[bought])) * -1 if is_buy else Decimal(str(quote[sold]))
        return total


def window(days: int = 1) -> dict[str, str]:
    """Return the times of a list that ends a minute from now."""
    now = datetime.now(UTC)
    times = (now - timedelta(days=days), now + timedelta(minutes=1))
    begin, end = (f"{at:%Y-%m-%dT%H:%M:%S.000Z}" for at in times)
    return {"fromEnteredTime": begin, "toEnteredTime": end}


def net_order(
    order_type: str,
    symbols: list[str],
    instructions: tuple[str, ...],
    price: str | Decimal,
    *,
    quantity: int = 1,
    **changes: Any,
) -> dict[str, Any]:
    """Build an order of several options."""
    order = {
        "orderType": order_type,
        "session": "NORMAL",
        "price": str(price),
        "duration": "DAY",
        "orderStrategyType": "SINGLE",
        "complexOrderStrategyType": "IRON_CONDOR" if len(symbols) == 4 else "VERTICAL",
        "quantity": quantity,
        "orderLegCollection": [
            leg(symbol, instruction, quantity)
            for symbol, instruction in zip(symbols, instructions, strict=True)
        ],
    }
    return order | changes


def leg(symbol: str, instruction: str, quantity: int = 1) -> dict[str, Any]:
    """Build a leg; the length of the symbol says what it is."""
    asset_type = "OPTION" if len(symbol) == 21 else "EQUITY"
    instrument = {"symbol": symbol, "assetType": asset_type}
    return {"instruction": instruction, "quantity": quantity, "instrument": instrument}


def single(
    symbol: str, instruction: str, price: str | Decimal | None, *, quantity: int = 1, **changes: Any
) -> dict[str, Any]:
    """Build an order of one leg; without a price it is a market order."""
    order: dict[str, Any] = {
        "orderType": "MARKET" if price is None else "LIMIT",
        "session": "NORMAL",
        "duration": "DAY",
        "orderStrategyType": "SINGLE",
        "orderLegCollection": [leg(symbol, instruction, quantity)],
    }
    if price is not None:
        order["price"] = str(price)
    return order | changes


def closing(order: dict[str, Any], price: str | Decimal) -> dict[str, Any]:
    """Turn an order that opens for a credit into the one that closes it for a debit."""
    legs = [
        leg(one["instrument"]["symbol"], FLIPPED[one["instruction"]], one["quantity"])
        for one in order["orderLegCollection"]
    ]
    return order | {"orderType": "NET_DEBIT", "price": str(price), "orderLegCollection": legs}


def down(price: Decimal, tick: Decimal = NICKEL) -> Decimal:
    """Round down to the tick."""
    return (price / tick).to_integral_value(ROUND_FLOOR) * tick


def up(price: Decimal, tick: Decimal = NICKEL) -> Decimal:
    """Round up to the tick."""
    return (price / tick).to_integral_value(ROUND_CEILING) * tick


def net_of(order: dict[str, Any]) -> Decimal:
    """Add up the legs of an order's fills, per unit; positive when the customer receives it."""
    signs = {
        one["legId"]: -1 if one["instruction"].startswith("BUY") else 1
        for one in order["orderLegCollection"]
    }
    total = Decimal(0)
    for activity in order["orderActivityCollection"]:
        if activity["executionType"] == "FILL":
            for executed in activity["executionLegs"]:
                amount = Decimal(str(executed["price"])) * Decimal(str(executed["quantity"]))
                total += signs[executed["legId"]] * amount
    return total / Decimal(str(order["filledQuantity"]))
