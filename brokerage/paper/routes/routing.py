"""Which function answers which method and path, and who may ask."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from brokerage.paper import ledger
from brokerage.paper.books import Account
from brokerage.paper.broker import Broker
from brokerage.paper.faults import Fault
from brokerage.paper.messages import Request, Response, gateway_error, trader_error
from brokerage.paper.orders import Order

HASH = re.compile(r"[0-9A-F]{64}")


@dataclass(slots=True)
class Call:
    """A request on its way to its answer.

    Args:
        names: the variable parts of the path.
        user: whose access token came with it.
        linked: hashes of the accounts that token is for; none stands for all of the user's.
        fault: what shall go wrong with it.
    """

    broker: Broker
    request: Request
    names: dict[str, str] = field(default_factory=dict)
    user: str = ""
    linked: frozenset[str] = frozenset()
    fault: Fault | None = None

    def account(self) -> Account:
        """Return the account in the path.

        Raises:
            Refused: it is not an account's hash, or not of this login.
        """
        name = self.names["account"]
        if not HASH.fullmatch(name):
            raise trader_error(400, "Invalid account number")
        account = self.broker.books.accounts.get(name)
        if account is None or account.user != self.user or not self._may_see(account):
            raise trader_error(404, "Account not found")
        return account

    def accounts(self) -> list[Account]:
        """Return the accounts that the token is for."""
        own = self.broker.books.accounts_of.get(self.user, [])
        return [account for account in own if self._may_see(account)]

    def _may_see(self, account: Account) -> bool:
        return not self.linked or account.hash in self.linked

    def order(self) -> Order:
        """Return the order in the path.

        Raises:
            Refused: the account has no such order.
        """
        account, text = self.account(), self.names["order"]
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise trader_error(400, "Invalid order id")
        order = ledger.find(self.broker, int(text))
        if order is None or order.account != account.hash:
            raise trader_error(404, "Order not found")
        return order


Handler = Callable[[Call], Response]
Route = tuple[str, re.Pattern[str], Handler]


class Router:
    """A table of methods and paths; `{name}` in a path stands for one part of it.

    Args:
        parts: tables that this one begins with.
    """

    def __init__(self, *parts: "Router") -> None:
        self.routes: list[Route] = [route for part in parts for route in part.routes]

    def on(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Let a function answer this method and path."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
        return lambda handler: self._add(method, pattern, handler)

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]]:
        """Find who answers, with the variable parts of the path.

        Raises:
            Refused: nobody does.
        """
        is_known = False
        for known_method, pattern, handler in self.routes:
            found = pattern.fullmatch(path)
            if found and known_method == method:
                return handler, found.groupdict()
            is_known = is_known or found is not None
        raise (
            gateway_error(405, "Method Not Allowed")
            if is_known
            else gateway_error(404, "Not Found")
        )

    def _add(self, method: str, pattern: re.Pattern[str], handler: Handler) -> Handler:
        self.routes.append((method, pattern, handler))
        return handler
