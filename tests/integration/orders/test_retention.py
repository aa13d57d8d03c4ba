"""The nightly thinning: what goes, what stays, in small pieces, again and again."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.core.management import call_command
from django.utils import timezone

from accounts.models import AuditEvent, BalanceSnapshot, RefreshRun
from accounts.services.retention import PIECE, thin_snapshots
from orders.models import ExternalOrder
from orders.selectors.table_sizes import forget_sizes, table_sizes
from orders.services.retention import thin_history
from tests.support.make import make_account

NOW = datetime(2026, 11, 27, 7, 30, tzinfo=UTC)


def snapshots(account, *moments):
    BalanceSnapshot.objects.bulk_create(
        BalanceSnapshot(account=account, at=at, value=Decimal(n)) for n, at in enumerate(moments)
    )


def kept():
    return list(BalanceSnapshot.objects.order_by("account", "at").values_list("at", flat=True))


def test_of_an_old_day_at_the_exchange_the_last_snapshot_stays(db):
    day = datetime(2026, 10, 1, 14, 0, tzinfo=UTC)
    late = datetime(2026, 10, 2, 3, 30, tzinfo=UTC)  # 23:30 of the same day in New York
    next_day = datetime(2026, 10, 2, 4, 30, tzinfo=UTC)
    snapshots(make_account(), day, day + timedelta(hours=2), late, next_day)

    assert thin_snapshots(now=NOW) == 2
    assert kept() == [late, next_day]


def test_every_account_keeps_its_own_days(db):
    day = datetime(2026, 10, 1, 14, 0, tzinfo=UTC)
    for _ in range(2):
        snapshots(make_account(), day, day + timedelta(hours=1))

    assert thin_snapshots(now=NOW) == 2
    assert kept() == [day + timedelta(hours=1)] * 2


def test_the_last_thirty_days_stay_whole(db):
    young = datetime(2026, 10, 28, 5, 0, tzinfo=UTC)
    snapshots(make_account(), young, young + timedelta(hours=1), NOW)

    assert thin_snapshots(now=NOW) == 0


def test_a_second_run_finds_nothing(db):
    day = datetime(2026, 9, 1, 14, 0, tzinfo=UTC)
    snapshots(make_account(), *(day + timedelta(minutes=n) for n in range(30)))

    first, second = (thin_history(now=NOW)["snapshots"] for _ in range(2))

    assert (first, second) == (29, 0)


def test_it_goes_in_pieces_and_pauses_between_them(db):
    day = datetime(2026, 9, 1, 14, 0, tzinfo=UTC)
    snapshots(make_account(), *(day + timedelta(seconds=n) for n in range(2 * PIECE + 2)))
    pauses: list[float] = []

    assert thin_snapshots(now=NOW, wait=pauses.append) == 2 * PIECE + 1
    assert len(pauses) == 2


def test_orders_made_elsewhere_go_thirty_days_after_their_end(db):
    account = make_account()
    for number, ended in enumerate([None, NOW - timedelta(days=29), NOW - timedelta(days=31)]):
        ExternalOrder.objects.create(
            account=account,
            broker_order_id=str(number),
            broker_status="FILLED",
            entered_at=NOW - timedelta(days=60),
            seen_at=NOW,
            ended_at=ended,
        )

    assert thin_history(now=NOW)["external"] == 1
    assert set(ExternalOrder.objects.values_list("broker_order_id", flat=True)) == {"0", "1"}


def test_what_went_is_on_record(db):
    RefreshRun.objects.create(asked_at=NOW - timedelta(days=40), asked_by="agent", scope="all")

    gone = thin_history(now=NOW)

    assert gone["refreshes"] == 1
    assert AuditEvent.objects.get(kind="thinned").data == gone


def test_the_command_says_what_went(db, capsys):
    call_command("thin_history")

    assert "snapshots" in capsys.readouterr().out


def test_sizes_are_told_in_two_queries_and_remembered(db, django_assert_num_queries):
    forget_sizes()
    snapshots(make_account(), timezone.now())
    with django_assert_num_queries(2):
        sizes = table_sizes()
    with django_assert_num_queries(0):
        again = table_sizes()

    assert sizes == again
    rows = {table.words: table.rows for table in sizes.tables}
    assert sizes.size > 0
    assert "Balance snapshots" in rows
    forget_sizes()
