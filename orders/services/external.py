"""Keep orders that were made elsewhere, by hand or by other programs; none is ever adopted here."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Q

from accounts.fields import key_ring
from accounts.selectors import our_accounts
from accounts.services.alarms import raise_alarm
from accounts.services.audit import event, record
from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.replies import BrokerOrder
from orders.domain.lifecycle import UNRESOLVED, Status, any_of
from orders.domain.matching import OUR_TAG
from orders.domain.naming import few_of
from orders.models import AccountOrder, ExternalOrder
from orders.selectors.explaining import explained
from orders.services.known_orders import OrderKey, key_of, known_orders
from orders.services.resurrecting import GIVEN_UP
from orders.services.settling import candidate

log = logging.getLogger(__name__)

TOUCHES = "EXTERNAL_TOUCHES_SET"
WORDS = (
    "An order made elsewhere touches {}: order {} in {}, {}. "
    "Look at the positions before you exit; Tradeswim leaves that order alone."
)
# What carries our tag may be ours for so long: its answer, or its successor, is on the way.
OURS_FOR = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of orders that a list showed.

    Args:
        written: rows that changed.
        left: orders about which nothing is on record yet: what may be ours, and what could not be
            written.
    """

    written: int = 0
    left: frozenset[OrderKey] = field(default=frozenset(), repr=False)

    def has_left(self, orders: Iterable[BrokerOrder]) -> bool:
        """Tell whether one of these orders must be shown again."""
        return any(key_of(order) in self.left for order in orders)


def note_external(orders: Sequence[BrokerOrder], *, now: datetime) -> Noted:
    """Keep those of these orders that belong to no account order.

    Ours may be among them. One that may still turn out to be ours is passed over: reconciliation
    decides about it. The first time one touches an open placed order set, an alarm says so.
    """
    fresh = {key_of(order): order for order in orders if not known_orders.has(order)}
    if not fresh:
        return Noted()
    try:
        return _note(list(fresh.values()), now)
    except (DatabaseError, ArithmeticError):
        # Most often another process keeps them at this moment; the next list shows them again.
        log.exception("%s orders made elsewhere are not kept yet", len(fresh))
        return Noted(left=frozenset(fresh))


def _note(orders: Sequence[BrokerOrder], now: datetime) -> Noted:
    ids = _accounts_of(orders)
    placed = [(ids[order.account_number], order) for order in orders if order.account_number in ids]
    owned = _owned(placed)
    strange = []
    for account_id, order in placed:
        if (account_id, order.order_id) in owned:
            known_orders.note(order, is_ours=True)
        else:
            strange.append((account_id, order))
    if owned:
        _let_go(owned)
    certain = _without_doubtful(strange, now)
    written = _keep(certain, now) if certain else 0
    for _, order in certain:
        known_orders.note(order, is_ours=False)
    kept = {key_of(order) for _, order in certain}
    return Noted(written, frozenset(key_of(order) for _, order in strange) - kept)


def _accounts_of(orders: Sequence[BrokerOrder]) -> dict[str, UUID]:
    """Return our accounts by their numbers."""
    ring = key_ring()
    numbers = {order.account_number for order in orders} - {""}
    by_index = {ring.blind_index(number, column="number"): number for number in numbers}
    rows = our_accounts().filter(number_index__in=by_index).values_list("pk", "number_index")
    return {by_index[index]: pk for pk, index in rows}


_Placed = tuple[UUID, BrokerOrder]


def _owned(placed: Sequence[_Placed]) -> set[tuple[UUID, str]]:
    rows = AccountOrder.objects.filter(
        account__in={account_id for account_id, _ in placed},
        broker_order_id__in={order.order_id for _, order in placed},
    )
    pairs = rows.values_list("account_id", "broker_order_id")
    return {(account_id, name) for account_id, name in pairs if name}


def _let_go(owned: Collection[tuple[UUID, str]]) -> None:
    """Remove rows of orders that turned out to be ours."""
    rows = ExternalOrder.objects.filter(
        account__in={account_id for account_id, _ in owned},
        broker_order_id__in={name for _, name in owned},
    )
    pairs = list(rows.values_list("pk", "account_id", "broker_order_id"))
    if gone := [pk for pk, *pair in pairs if tuple(pair) in owned]:
        ExternalOrder.objects.filter(pk__in=gone).delete()


def _without_doubtful(strange: Sequence[_Placed], now: datetime) -> list[_Placed]:
    """Leave out what may be ours: what was sent without a recorded answer, or took its place."""
    if not strange:
        return []
    accounts = {account_id for account_id, _ in strange}
    rows = AccountOrder.objects.filter(
        Q(status__in=any_of(UNRESOLVED | {Status.READY}))
        | Q(status=Status.FAILED_TO_PLACE, reason_code__in=GIVEN_UP)
        | Q(status=Status.REPLACED, successor__isnull=True, needs_agent=True),
        account__in=accounts,
    ).values_list("account_id", "fingerprint", "status")
    sought, replaced = set(), set()
    for account_id, sent, status in rows:
        if status == Status.REPLACED:
            replaced.add(account_id)
        else:
            sought.add((account_id, sent))
    return [
        (account_id, order)
        for account_id, order in strange
        if (account_id, fingerprint(order.raw)) not in sought
        and not (_has_our_tag(order) and (account_id in replaced or _is_young(order, now)))
    ]


def _has_our_tag(order: BrokerOrder) -> bool:
    return order.tag.startswith(OUR_TAG)


def _is_young(order: BrokerOrder, now: datetime) -> bool:
    return order.entered_at is None or order.entered_at > now - OURS_FOR


def _keep(strange: Sequence[_Placed], now: datetime) -> int:
    """Write what is new or changed, and the alarms about what is new."""
    with transaction.atomic():
        found = ExternalOrder.objects.filter(
            account__in={account_id for account_id, _ in strange},
            broker_order_id__in={order.order_id for _, order in strange},
        )
        kept = {(row.account_id, row.broker_order_id): row for row in found}
        new, changed = [], []
        for account_id, order in strange:
            row = _row(account_id, order, now)
            before = kept.get((account_id, order.order_id))
            if before is None:
                new.append(row)
            elif _take_over(before, row):
                changed.append(before)
        columns = ["broker_status", "data", "seen_at", "ended_at"]
        ExternalOrder.objects.bulk_update(changed, columns)
        ExternalOrder.objects.bulk_create(new)
        record(_events(new, changed, now))
        _warn(new, now)
    return len(new) + len(changed)


def _row(account_id: UUID, order: BrokerOrder, now: datetime) -> ExternalOrder:
    row = candidate(account_id, order, now=now)
    row.data["legs"] = list(_legs(order.raw))
    row.data |= {"quantity": _plain(order.quantity), "filled": _plain(order.filled)}
    row.ended_at = (order.closed_at or now) if order.is_terminal else None
    return row


def _legs(raw: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the legs of an order and of those it holds: an OCO has none of its own."""
    for leg in raw.get("orderLegCollection") or ():
        yield {
            "symbol": str((leg.get("instrument") or {}).get("symbol") or ""),
            "instruction": str(leg.get("instruction") or ""),
            "quantity": _plain(leg.get("quantity")),
        }
    for child in raw.get("childOrderStrategies") or ():
        yield from _legs(child)


def _plain(quantity: Any) -> str:
    """Write 5, 5.0 and "5.00" alike; what is no number is nothing."""
    try:
        return f"{Decimal(str(quantity)).normalize():f}"
    except InvalidOperation:
        return "0"


def _take_over(before: ExternalOrder, row: ExternalOrder) -> bool:
    """Put what is shown now into the row that is kept; what has ended stays as it is."""
    if before.ended_at is not None:
        return False
    figures = ("broker_status", "data", "ended_at")
    if all(getattr(before, name) == getattr(row, name) for name in figures):
        return False
    for name in (*figures, "seen_at"):
        setattr(before, name, getattr(row, name))
    return True


def _events(
    new: Sequence[ExternalOrder], changed: Sequence[ExternalOrder], now: datetime
) -> list[Any]:
    return [
        event(row, "external", at=now, new=row.broker_status, data={"order": row.broker_order_id})
        for row in (*new, *changed)
    ]


def _warn(new: Sequence[ExternalOrder], now: datetime) -> None:
    """Note which open sets new orders touch, and raise an alarm for each order that does."""
    symbols = {row.pk: {leg["symbol"] for leg in row.data["legs"]} for row in new}
    moved = [row for row in new if row.ended_at is None or row.data["filled"] != "0"]
    if not moved:
        return
    ours = explained(
        accounts={row.account_id for row in moved},
        symbols={symbol for row in moved for symbol in symbols[row.pk]},
    )
    touched: dict[ExternalOrder, set[int]] = defaultdict(set)
    for row in moved:
        for symbol, parts in ours.get(row.account_id, {}).items():
            if symbol in symbols[row.pk]:
                touched[row] |= {part.set_id for part in parts}
    if not touched:
        return
    link = ExternalOrder.touches.through
    link.objects.bulk_create(
        link(externalorder_id=row.pk, placedorderset_id=set_id)
        for row, set_ids in touched.items()
        for set_id in sorted(set_ids)
    )
    aliases = dict(our_accounts().values_list("pk", "alias"))
    for row, set_ids in touched.items():
        words = WORDS.format(
            _names(sorted(set_ids)), row.broker_order_id, aliases[row.account_id], _said(row)
        )
        raise_alarm(TOUCHES, f"externalorder:{row.pk}", words, now=now)


def _names(set_ids: Sequence[int]) -> str:
    names = [f"#{set_id}" for set_id in set_ids]
    return f"set{'s' if len(set_ids) > 1 else ''} {few_of(names, 5)}"


def _said(row: ExternalOrder) -> str:
    return row.broker_status.replace("_", " ").lower()
