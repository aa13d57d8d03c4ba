"""A past to look at: hundreds of broadcasts with all their rows, written at once.

The trades are valid and the rows are what placing and polling would have left; nothing was sent.
`python -m tests.support.fill_history` writes one into an installation.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from accounts.models import Account, AuditEvent, User
from orders.models import AccountOrder, AccountOrderLeg, ComplexOrder, LegFill, OrderLeg
from orders.services.parents import refresh_parents
from orders.services.sets import keep_sets
from tests.support.history_trades import options, shares
from tests.support.make import make_account, make_balances, make_token, make_user

HOW_IT_ENDED = {
    # How many of 100 accounts of a finished broadcast end so; the rest is filled.
    "REJECTED": 3,
    "CANCELED": 3,
    "EXPIRED": 1,
    "FAILED_TO_PLACE": 2,
    "SKIPPED": 3,
}
WORDS = {
    "REJECTED": "You do not have enough available cash/buying power for this order.",
    "CANCELED": "The order was canceled at the broker.",
    "EXPIRED": "The order expired at the broker.",
    "FAILED_TO_PLACE": "No answer before the deadline; three complete lists do not show it.",
    "SKIPPED": "The account is switched off.",
}


@dataclass(slots=True)
class _Rows:
    """What is to be written, by table."""

    children: list[AccountOrder] = field(default_factory=list)
    legs: list[OrderLeg] = field(default_factory=list)
    child_legs: list[AccountOrderLeg] = field(default_factory=list)
    fills: list[LegFill] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)

    def save(self) -> None:
        """Write all of them; their parents are written."""
        OrderLeg.objects.bulk_create(self.legs, batch_size=2000)
        AccountOrder.objects.bulk_create(self.children, batch_size=1000)
        AccountOrderLeg.objects.bulk_create(self.child_legs, batch_size=2000)
        # The numbers of the legs are known only now that they are written.
        for fill in self.fills:
            fill.leg_id = fill.leg.pk
        LegFill.objects.bulk_create(self.fills, batch_size=2000)
        AuditEvent.objects.bulk_create(sorted(self.events, key=lambda one: one.at), batch_size=2000)


def fill_history(
    *,
    accounts: int = 45,
    broadcasts: int = 500,
    working: int = 40,
    detailed: int = 20,
    seed: int = 7,
    now: datetime | None = None,
) -> list[int]:
    """Write broadcasts to all accounts, oldest first; return their numbers, newest last.

    Accounts that are missing are made. Every fifth broadcast is in shares.

    Args:
        working: how many of the newest still have accounts in which they work.
        detailed: how many of the newest have single fills and audit events, too.
    """
    now = now or timezone.now()
    dice = random.Random(seed)  # noqa: S311
    fleet = _fleet(accounts)
    agent = User.objects.filter(role="AGENT").first() or make_user(username="agent")
    rows, orders = _Rows(), []
    for number in range(broadcasts):
        age = broadcasts - number
        order = _parent(dice, number, agent, clicked_at=now - timedelta(minutes=19 * age))
        order.save(force_insert=True)
        orders.append(order)
        _write(dice, order, fleet, rows, is_working=age <= working, in_detail=age <= detailed)
    rows.save()
    numbers = [order.pk for order in orders]
    for start in range(0, len(numbers), 500):
        refresh_parents(numbers[start : start + 500])
        keep_sets(numbers[start : start + 500], now=now)
    gather_statistics()
    return numbers


def gather_statistics() -> None:
    """Let PostgreSQL know how many rows there are before it plans; SQLite is left without."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _fleet(wanted: int) -> list[Account]:
    for _ in range(wanted - Account.objects.count()):
        account = make_account()
        make_token(account.login)
        make_balances(account, Decimal("22000.00"))
    return list(Account.objects.order_by("position")[:wanted])


def _parent(dice: random.Random, number: int, agent: Any, *, clicked_at: datetime) -> Any:
    """Return the row to be, with its legs beside it until theirs are written."""
    trade = shares(dice) if number % 5 == 4 else options(dice, clicked_at.date())
    order: Any = ComplexOrder(
        agent=agent,
        idempotency_key=uuid4(),
        body_hash=uuid4().hex * 2,
        clicked_at=clicked_at,
        first_sent_at=clicked_at + timedelta(milliseconds=24 + dice.random() * 9),
        last_sent_at=clicked_at + timedelta(milliseconds=36 + dice.random() * 14),
        contracts=dice.choice((1, 1, 2, 5)) if trade["strategy"] != "EQUITY" else 10,
        duration="DAY",
        session="NORMAL",
        **{name: value for name, value in trade.items() if name != "legs"},
    )
    order.broadcast_ms = (order.last_sent_at - clicked_at).total_seconds() * 1000
    order.trade_legs = trade["legs"]
    return order


def _write(
    dice: random.Random,
    order: Any,
    fleet: Sequence[Account],
    rows: _Rows,
    *,
    is_working: bool,
    in_detail: bool,
) -> None:
    for number, leg in enumerate(order.trade_legs, 1):
        rows.legs.append(
            OrderLeg(order=order, number=number, symbol=leg.symbol, instruction=leg.instruction)
        )
    is_smooth = dice.random() < 0.7  # most are filled everywhere, whatever may go wrong
    shares = []
    for place, account in enumerate(fleet):
        child = _child(dice, order, account, place, is_working=is_working, is_smooth=is_smooth)
        rows.children.append(child)
        _write_fills(dice, child, order, rows, in_detail=in_detail)
        if in_detail:
            rows.events.extend(_steps(child))
        shares.append(
            {
                "account": str(account.pk),
                "alias": account.alias,
                "contracts": 0 if child.status == "SKIPPED" else child.contracts,
                "left_out": child.reason_code if child.status == "SKIPPED" else "",
                "why": child.reason if child.status == "SKIPPED" else "",
            }
        )
    ComplexOrder.objects.filter(pk=order.pk).update(
        allocation={"accounts": shares}, created_at=order.clicked_at + timedelta(milliseconds=11)
    )


def _child(
    dice: random.Random,
    order: Any,
    account: Account,
    place: int,
    *,
    is_working: bool,
    is_smooth: bool,
) -> AccountOrder:

    status = "FILLED" if is_smooth else _end(dice)
    if is_working:
        status = dice.choice(("WORKING", "FILLED"))
    claimed_at = order.clicked_at + timedelta(milliseconds=19)
    is_sent = status != "SKIPPED"
    sent_at = order.first_sent_at + timedelta(microseconds=70 * place) if is_sent else None
    filled = Decimal(order.contracts) if status == "FILLED" else Decimal(0)
    price = None if order.limit is None else order.limit + Decimal(dice.randrange(-2, 4)) / 100
    return AccountOrder(
        order=order,
        account=account,
        contracts=order.contracts,
        status=status,
        reason_code={"SKIPPED": "INACTIVE", "FAILED_TO_PLACE": "PROVED_ABSENT"}.get(status, ""),
        reason=WORDS.get(status, ""),
        broker_order_id=f"{10**12 + order.pk * 10_000 + place}" if is_sent else None,
        broker_status=status if is_sent else "",
        broker_text=WORDS["REJECTED"] if status == "REJECTED" else "",
        filled=filled,
        remaining=order.contracts - filled,
        net_price=price if filled else None,
        claimed_at=claimed_at if is_sent else None,
        sent_at=sent_at,
        answered_at=sent_at + timedelta(milliseconds=8 + dice.random() * 60) if sent_at else None,
        sends=int(is_sent),
        deadline_at=order.clicked_at + timedelta(seconds=10),
        fingerprint=uuid4().hex,
        body="{}",
        body_hash=uuid4().hex,
    )


def _end(dice: random.Random) -> str:
    throw = dice.randrange(100)
    for status, share in HOW_IT_ENDED.items():
        if throw < share:
            return status
        throw -= share
    return "FILLED"


def _write_fills(
    dice: random.Random, child: Any, order: Any, rows: _Rows, *, in_detail: bool
) -> None:
    for number, leg in enumerate(order.trade_legs, 1):
        price = Decimal(dice.randrange(200, 900)) / 100
        row = AccountOrderLeg(
            child=child,
            number=number,
            symbol=leg.symbol,
            instruction=leg.instruction,
            quantity=child.contracts,
            filled=child.filled,
            average_price=price if child.filled else None,
        )
        rows.child_legs.append(row)
        if in_detail and child.filled:
            at = child.answered_at + timedelta(milliseconds=400 + dice.random() * 3000)
            rows.fills.append(
                LegFill(leg=row, activity_id=f"{number}", quantity=child.filled, price=price, at=at)
            )


def _steps(child: AccountOrder) -> Iterator[AuditEvent]:
    if child.claimed_at is None or child.answered_at is None:
        return
    first = "FAILED_TO_PLACE" if child.status == "FAILED_TO_PLACE" else "WORKING"
    yield _step(child, "READY", "SUBMITTING", child.claimed_at)
    yield _step(child, "SUBMITTING", first, child.answered_at)
    if child.status != first:
        yield _step(child, first, child.status, child.answered_at + timedelta(seconds=3))


def _step(child: AccountOrder, old: str, new: str, at: datetime) -> AuditEvent:
    return AuditEvent(
        at=at,
        subject=f"accountorder:{child.pk}",
        kind="status",
        old=old,
        new=new,
        reason=child.reason if new == child.status else "",
        actor="poll" if old == "WORKING" else "placement",
    )
