"""A past of a million account orders: a few broadcasts written as placing leaves them, then copied.

The copies are made by the database, a broadcast at a time; their sets are flat.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection, models, transaction
from django.utils import timezone

from accounts.models import Account
from orders.models import AccountOrder, AccountOrderLeg, ComplexOrder, OrderLeg, PlacedOrderSet
from tests.support.history import fill_history, gather_statistics

PATTERNS = 10
AT_ONCE = 100
FEW = 45
_BETWEEN = timedelta(minutes=19)


def fill_long_history(
    *, accounts: int = 1000, broadcasts: int = 2000, working: int = 40, detailed: int = 20
) -> None:
    """Write broadcasts, oldest first: every second copy to all accounts, the others to 45 of them.

    Args:
        working, detailed: as `fill_history` has them; these newest ones are no copies.
    """
    _hurry()
    now = timezone.now()
    newest = max(working, detailed)
    copies = broadcasts - newest - PATTERNS
    begun = now - _BETWEEN * broadcasts
    patterns = fill_history(
        accounts=accounts, broadcasts=PATTERNS, working=0, detailed=0, now=begun
    )
    gather_statistics()
    few = list(Account.objects.order_by("position").values_list("position", flat=True)[:FEW])
    for start in range(0, copies, AT_ONCE):
        with transaction.atomic():
            for number in range(start, min(start + AT_ONCE, copies)):
                clicked_at = begun + _BETWEEN * (number + 1)
                last = None if number % 2 == 0 else few[-1]
                _copy(patterns[number % PATTERNS], clicked_at=clicked_at, last_place=last)
    PlacedOrderSet.objects.update(flat_at=now - timedelta(days=1))
    fill_history(
        accounts=accounts, broadcasts=newest, working=working, detailed=detailed, seed=8, now=now
    )
    gather_statistics()


def _hurry() -> None:
    """Take the time it takes; let SQLite keep its indexes in memory, and not wait for the disk."""
    faster = {
        "sqlite": ["PRAGMA cache_size = -600000", "PRAGMA synchronous = OFF"],
        "postgresql": [
            "SET statement_timeout = 0",
            "SET idle_in_transaction_session_timeout = 0",
            "SET synchronous_commit = off",
        ],
    }
    with connection.cursor() as cursor:
        for sql in faster[connection.vendor]:
            cursor.execute(sql)


def _copy(pattern: int, *, clicked_at: datetime, last_place: int | None) -> None:
    """Write a broadcast like another to all of its accounts, or to those up to a place."""
    order = ComplexOrder.objects.get(pk=pattern)
    shift = clicked_at - order.clicked_at
    for name in ("clicked_at", "first_sent_at", "last_sent_at"):
        setattr(order, name, getattr(order, name) + shift)
    order.pk, order.idempotency_key = None, uuid4()
    order.save(force_insert=True)
    legs = OrderLeg.objects.filter(order=pattern)
    OrderLeg.objects.bulk_create(
        OrderLeg(order=order, number=leg.number, symbol=leg.symbol, instruction=leg.instruction)
        for leg in legs
    )
    if PlacedOrderSet.objects.filter(order=pattern).exists():
        PlacedOrderSet.objects.create(order=order)
    _copy_children(pattern, order, last_place)


def _copy_children(pattern: int, order: ComplexOrder, last_place: int | None) -> None:
    is_postgresql = connection.vendor == "postgresql"
    new_id = "gen_random_uuid()" if is_postgresql else "lower(hex(randomblob(16)))"
    stamps = {"claimed_at": order.clicked_at, "sent_at": order.first_sent_at}
    stamps |= {"answered_at": order.last_sent_at}
    changed: dict[str, tuple[str, Sequence[Any]]] = {
        "id": (new_id, ()),
        "order_id": ("%s", (order.pk,)),
        "broker_order_id": (
            "CAST(CAST(one.broker_order_id AS bigint) + %s AS varchar(24))",
            ((order.pk - pattern) * 10_000,),
        ),
        "fingerprint": (f"CAST({new_id} AS varchar(36))", ()),
        **{
            name: (f"CASE WHEN one.{name} IS NOT NULL THEN {_time(is_postgresql)} END", (_at(at),))
            for name, at in stamps.items()
        },
    }
    places = ("", ()) if last_place is None else (" AND account.position <= %s", (last_place,))
    source = "orders_accountorder one JOIN accounts_account account ON account.id = one.account_id"
    where = (f"one.order_id = %s{places[0]}", (pattern, *places[1]))
    _insert(AccountOrder, changed, source, where)
    source = (
        "orders_accountorder old JOIN orders_accountorderleg one ON one.child_id = old.id "
        "JOIN orders_accountorder new ON new.account_id = old.account_id"
    )
    where = ("old.order_id = %s AND new.order_id = %s", (pattern, order.pk))
    _insert(AccountOrderLeg, {"child_id": ("new.id", ())}, source, where)


def _time(is_postgresql: bool) -> str:
    return "CAST(%s AS timestamptz)" if is_postgresql else "%s"


def _at(at: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def _insert(
    model: type[models.Model],
    changed: Mapping[str, tuple[str, Sequence[Any]]],
    source: str,
    where: tuple[str, Sequence[Any]],
) -> None:
    """Insert a row for each of a source; what is not changed is as it is in `one`."""
    fields = [one for one in model._meta.concrete_fields if not _is_counted(one)]
    columns = [str(one.column) for one in fields]
    chosen = [changed.get(name, (f"one.{name}", ())) for name in columns]
    into, what = ", ".join(columns), ", ".join(sql for sql, _ in chosen)
    given = [value for _, values in chosen for value in values]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({into}) SELECT {what} FROM {source} "  # noqa: S608
            f"WHERE {where[0]}",
            [*given, *where[1]],
        )


def _is_counted(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, models.BigAutoField)
