"""A connected fleet on the paper broker, and hands to create, send and read broadcasts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from django.utils import timezone

from accounts.domain.words import Environment
from accounts.models import Account, BrokerLogin, User
from accounts.services.asking import FanOut
from accounts.services.connecting import add_login, exchange, keep_connection
from accounts.services.people import set_agent
from orders.models import AccountOrder, ComplexOrder
from orders.selectors import chains
from orders.selectors.choosing import AccountChoice
from orders.services import placing, polling
from orders.services.creating import create_order
from strategies.domain.catalog import iron_condor, share_order
from strategies.domain.new_york import exchange_date
from strategies.domain.tickets import Instruction, Leg, OrderType, PriceEffect, Strategy, Ticket
from tests.support.paper import PaperBroker

PASSWORD = "a long enough password"


@dataclass(frozen=True)
class Fleet:
    """Connected accounts in grid order, with the agent who trades them."""

    broker: PaperBroker
    gateway: FanOut
    agent: User
    accounts: list[Account]

    @property
    def logins(self) -> list[BrokerLogin]:
        return [account.login for account in self.accounts]

    def shares(self, contracts: int = 10, *, limit: Decimal | None = None, **more) -> Ticket:
        """BUY shares of AAPL: at the market, or at a limit."""
        structure = share_order("AAPL", Instruction.BUY)
        ticket = Ticket(
            strategy=Strategy.EQUITY,
            legs=structure.legs,
            order_type=OrderType.LIMIT if limit else OrderType.MARKET,
            contracts=contracts,
            limit=limit,
        )
        return replace(ticket, **more)

    def condor(self, contracts: int = 1, *, limit: Decimal = Decimal("0.05"), **more) -> Ticket:
        """Build a five-wide SPXW iron condor around the market; its low limit fills at once."""
        day = next(e.expiration for e in chains.expirations("SPX") if e.days >= 7)
        rows = chains.chain("SPX", day)
        strikes = sorted({row.strike for row in rows})
        price = self._price("SPX")
        middle = min(strikes, key=lambda strike: abs(strike - price))
        structure = iron_condor(
            root="SPXW",
            expiration=day,
            put_wing=middle - 105,
            put_body=middle - 100,
            call_body=middle + 100,
            call_wing=middle + 105,
        )
        ticket = Ticket(
            strategy=Strategy.IRON_CONDOR,
            legs=structure.legs,
            order_type=OrderType.LIMIT,
            contracts=contracts,
            limit=limit,
            price_effect=PriceEffect.NET_CREDIT,
        )
        return replace(ticket, **more)

    def call(self, contracts: int = 10, *, limit: Decimal | None = None, **more) -> Ticket:
        """BUY_TO_OPEN one SPXW call far above the market: at the market, or at a limit."""
        day = next(e.expiration for e in chains.expirations("SPX") if e.days >= 7)
        price = self._price("SPX") + 100
        row = min(
            (row for row in chains.chain("SPX", day) if row.put_call == "CALL"),
            key=lambda row: abs(row.strike - price),
        )
        ticket = Ticket(
            strategy=Strategy.SINGLE_OPTION,
            legs=(Leg(row.symbol, Instruction.BUY_TO_OPEN),),
            order_type=OrderType.LIMIT if limit else OrderType.MARKET,
            contracts=contracts,
            limit=limit,
        )
        return replace(ticket, **more)

    def create(
        self,
        ticket: Ticket,
        *,
        accounts: Sequence[Account] | None = None,
        key: UUID | None = None,
        age_s: float = 0,
        confirm: Collection[str] = ("PRICE_AWAY", "DUPLICATE_ORDER"),
    ) -> ComplexOrder:
        """Create a broadcast that was clicked `age_s` seconds ago; nothing is sent.

        Most tests trade at any price and again and again, so that is confirmed.
        """
        clicked_at = timezone.now() - timedelta(seconds=age_s)
        ids = None if accounts is None else tuple(account.pk for account in accounts)
        return create_order(
            agent=self.agent,
            ticket=ticket,
            choice=AccountChoice(ids=ids),
            idempotency_key=key or uuid4(),
            clicked_at=clicked_at,
            now=clicked_at,
            today=exchange_date(clicked_at),
            confirm=confirm,
        ).order

    def send(self, order: ComplexOrder):
        """Send what is READY, once; return the outcome."""
        return placing.place_account_orders(ids=self.ready(order), gateway=self.gateway)

    def broadcast(self, ticket: Ticket, **more) -> ComplexOrder:
        """Create and send."""
        order = self.create(ticket, **more)
        self.send(order)
        order.refresh_from_db()
        return order

    def ready(self, order: ComplexOrder) -> list[UUID]:
        """Return the account orders that wait to be sent, in grid order."""
        return [child.pk for child in self.children(order) if child.status == "READY"]

    def poll(self):
        """Read stock and option orders once."""
        stocks = polling.sync_stock_orders(gateway=self.gateway)
        options = polling.sync_option_orders(gateway=self.gateway)
        return stocks, options

    def children(self, order: ComplexOrder) -> list[AccountOrder]:
        """Return the account orders in grid order."""
        rows = AccountOrder.objects.filter(order=order).select_related("account")
        return list(rows.order_by("account__position", "attempt"))

    def statuses(self, order: ComplexOrder) -> list[str]:
        return [child.status for child in self.children(order)]

    def _price(self, underlying: str) -> Decimal:
        name = f"${underlying}"
        quote = chains.quotes([name]).by_symbol[name]
        assert quote.last is not None
        return quote.last


def connect(broker: PaperBroker, gateway: FanOut, *, accounts: int) -> Fleet:
    """Connect the first logins of the paper broker, as the Connect button does."""
    now = timezone.now()
    for offer in broker.logins()[:accounts]:
        login = add_login(
            label=offer["label"],
            environment=Environment.PAPER,
            app_key=offer["app_key"],
            app_secret=offer["app_secret"],
            callback_url=offer["callback_url"],
        )
        keep_connection(login, exchange(login, broker.authorize(offer)), now=now)
    agent = set_agent(name="agent", password=PASSWORD, now=now)
    rows = list(Account.objects.select_related("login").order_by("position"))
    return Fleet(broker, gateway, agent, rows)
