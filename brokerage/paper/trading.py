"""The life of orders at the paper broker: placed, matched, replaced, cancelled, expired."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from brokerage.paper import checks, matching
from brokerage.paper.books import Account, Books
from brokerage.paper.execution import book_end, book_fill
from brokerage.paper.happenings import Happening, Kind, ignore
from brokerage.paper.instruments import Instruments
from brokerage.paper.market import Market
from brokerage.paper.matching import Fill, Nets
from brokerage.paper.messages import trader_error
from brokerage.paper.orders import AT_ONCE_OR_NEVER, STOP_TYPES, Order, OrderSpec

AUTO, MANUAL = "auto", "manual"
CANNOT_CANCEL = "Order cannot be canceled"
CANNOT_REPLACE = "Order cannot be replaced"


@dataclass(frozen=True, slots=True)
class Twist:
    """What a fault does to an order as it is placed.

    Args:
        reject: the reason to reject it with.
        partial: units to fill now, the rest by hand only; None for no such fault, 0 for half.
        hidden_s: for how long lists do not show it.
    """

    reject: str | None = None
    partial: int | None = None
    hidden_s: float = 0.0


NO_TWIST = Twist()


class Trading:
    """Everything that changes orders; callers say what time it is.

    Args:
        tell: told of everything that happens to an order.

    Attributes:
        fills: `auto`, or `manual` when nothing fills until told.
    """

    def __init__(
        self,
        books: Books,
        market: Market,
        instruments: Instruments,
        *,
        tell: Callable[[Happening], None] = ignore,
    ) -> None:
        self.books = books
        self.fills = AUTO
        self._market = market
        self._instruments = instruments
        self._tell = tell

    def place(
        self, account: Account, spec: OrderSpec, tag: str, *, now: float, twist: Twist = NO_TWIST
    ) -> Order:
        """Take an order; it may be rejected or filled when this returns."""
        verdict = checks.judge(account, spec, self._market)
        return self._enter(account, spec, tag, verdict, now=now, twist=twist)

    def replace(
        self, old: Order, spec: OrderSpec, tag: str, *, now: float, twist: Twist = NO_TWIST
    ) -> Order:
        """Put a new order in the place of an open one; if that is rejected, the old one stays.

        Raises:
            Refused: the old order is closed, or the new one is the same.
        """
        if not old.is_open:
            raise trader_error(400, CANNOT_REPLACE)
        if spec == old.spec:
            raise trader_error(400, "The replacing order does not differ from the order.")
        return self._succeed(old, spec, tag, now=now, twist=twist)

    def replace_by_broker(self, old: Order, *, now: float) -> Order:
        """Let the broker itself put a new order of its own for what remains.

        Raises:
            Refused: the order is closed.
        """
        if not old.is_open:
            raise trader_error(400, CANNOT_REPLACE)
        return self._succeed(old, old.spec.of_units(old.remaining), old.tag, now=now)

    def cancel(self, order: Order, *, now: float, fills_first: bool = False) -> None:
        """Cancel an open order; with `fills_first` it fills while the cancel is on its way.

        Raises:
            Refused: the order is closed.
        """
        if not order.is_open:
            raise trader_error(400, CANNOT_CANCEL)
        if fills_first:
            self.fill(order, now=now)
        else:
            self._end(order, "CANCELED", now=now)

    def fill(
        self, order: Order, *, now: float, units: int | None = None, price: Decimal | None = None
    ) -> None:
        """Fill an open order by hand.

        All remaining units fill unless told, at the market's price unless one is given, in USD
        per unit and positive as in the order.

        Raises:
            Refused: the order is closed, or the units are not between 1 and what remains.
        """
        if not order.is_open:
            raise trader_error(400, f"The order is {order.status}.")
        units = order.remaining if units is None else units
        if not 0 < units <= order.remaining:
            raise trader_error(400, f"'{units}' is not a valid value for quantity")
        self._fill(order, units, self._fill_by_hand(order, price), now=now)

    def step(self, *, now: float) -> None:
        """Let the market look at every open order once."""
        nets = Nets(self._market)
        is_open = {kind: self._market.is_open(kind) for kind in ("OPTION", "EQUITY")}
        for order in list(self.books.open.values()):
            self._step_order(order, nets, is_open=is_open[_asset(order.spec)], now=now)

    def _step_order(self, order: Order, nets: Nets, *, is_open: bool, now: float) -> None:
        if not all(self._market.is_listed(leg.symbol) for leg in order.spec.legs):
            self._end(order, "EXPIRED", now=now)
            return
        if is_open != (order.status == "WORKING"):
            self._bell(order, is_open=is_open, now=now)
        if order.status == "WORKING" and self.fills == AUTO and not order.is_held:
            self._match(order, nets, now=now)

    def _bell(self, order: Order, *, is_open: bool, now: float) -> None:
        """Let the market open or close for an order; a day's order ends with the day."""
        if not is_open and order.spec.duration == "DAY":
            self._end(order, "EXPIRED", now=now)
            return
        order.status = "WORKING" if is_open else "PENDING_ACTIVATION"
        self.books.note(order)

    def _enter(
        self,
        account: Account,
        spec: OrderSpec,
        tag: str,
        verdict: checks.Verdict,
        *,
        now: float,
        twist: Twist,
        instead_of: Order | None = None,
    ) -> Order:
        rejection = twist.reject or verdict.rejection
        order = Order(
            id=self.books.next_order_id(),
            account=account.hash,
            spec=spec,
            tag=tag,
            entered_at=now,
            reserve=verdict.need,
            is_held=twist.partial is not None,
            hidden_until=now + twist.hidden_s if twist.hidden_s else 0.0,
        )
        if rejection:
            order.close("REJECTED", now=now, text=rejection)
        self.books.add_order(order)
        self._tell_entered(order, instead_of, now=now)
        if not rejection:
            self._start(order, twist, now=now)
        return order

    def _tell_entered(self, order: Order, instead_of: Order | None, *, now: float) -> None:
        taken = Kind.REPLACED if instead_of else Kind.PLACED
        kind = taken if order.is_open else Kind.REJECTED
        is_routed = self._market.is_open(_asset(order.spec))
        self._tell(Happening(kind, order, now, is_routed=is_routed, instead_of=instead_of))

    def _start(self, order: Order, twist: Twist, *, now: float) -> None:
        """Match a new order, or lay it aside until the market opens."""
        if twist.partial is not None:
            units = min(twist.partial or order.spec.units // 2, order.spec.units)
            if units:
                self._fill(order, units, self._fill_by_hand(order, None), now=now)
        elif not self._market.is_open(_asset(order.spec)):
            order.status = "PENDING_ACTIVATION"
            self.books.note(order)
        elif self.fills == AUTO:
            self._match(order, Nets(self._market), now=now)
        if order.is_open and order.spec.duration in AT_ONCE_OR_NEVER:
            self._end(order, "CANCELED", now=now)

    def _succeed(
        self, old: Order, spec: OrderSpec, tag: str, *, now: float, twist: Twist = NO_TWIST
    ) -> Order:
        account = self.books.account_of(old)
        verdict = checks.judge(account, spec, self._market, instead_of=old)
        if not (verdict.rejection or twist.reject):
            book_end(self.books, old, "REPLACED", self._instruments, now=now)
        return self._enter(account, spec, tag, verdict, now=now, twist=twist, instead_of=old)

    def _match(self, order: Order, nets: Nets, *, now: float) -> None:
        if order.spec.order_type in STOP_TYPES and not order.is_triggered:
            order.is_triggered = matching.reaches_stop(order.spec, self._market)
        found = matching.find_fill(order, nets)
        if found:
            self._fill(order, order.remaining, found, now=now)

    def _fill_by_hand(self, order: Order, price: Decimal | None) -> Fill:
        """Find the price of a fill that need not be due: the market's if it is, else the limit."""
        spec = order.spec
        if price is not None:
            return matching.at_price(spec, price * spec.direction, self._market)
        due = matching.find_fill(order, Nets(self._market))
        return due or matching.at_price(
            spec, checks.expected_price(spec, self._market), self._market
        )

    def _fill(self, order: Order, units: int, fill: Fill, *, now: float) -> None:
        book_fill(self.books, order, units, fill, self._instruments, now=now)
        self._tell(
            Happening(
                Kind.FILLED,
                order,
                now,
                units=units,
                filled=order.filled,
                leg_prices=fill.leg_prices,
            )
        )

    def _end(self, order: Order, status: str, *, now: float) -> None:
        book_end(self.books, order, status, self._instruments, now=now)
        kind = Kind.EXPIRED if status == "EXPIRED" else Kind.CANCELED
        self._tell(Happening(kind, order, now, units=order.remaining, filled=order.filled))


def _asset(spec: OrderSpec) -> str:
    return "OPTION" if spec.legs[0].is_option else "EQUITY"
