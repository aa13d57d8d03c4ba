"""What stands between us and a second order, one guardian at a time: without it a test turns red."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection
from django.db.models import Count, F
from django.utils import timezone

from orders.domain.lifecycle import UNRESOLVED, Status
from orders.models import AccountOrder
from orders.services.claiming import claim
from orders.services.placing import place_account_orders
from orders.services.reconciling import reconcile
from tests.integration.orders.hands import force, hit, only
from tests.support.fleet import Fleet

TAKE = "orders.services.claiming._take"


def a_message_delivered_twice_sends_once(fleet: Fleet, monkeypatch) -> None:
    order = fleet.create(fleet.shares())
    ids = fleet.ready(order)

    for _ in range(2):
        place_account_orders(ids=ids, gateway=fleet.gateway)

    assert len(fleet.broker.orders()) == len(ids)


def twins_claimed_in_the_same_moment_are_not_both_under_way(fleet: Fleet, monkeypatch) -> None:
    """Neither claim sees the other's, as in two transactions at once: only the database is left."""
    monkeypatch.setattr(TAKE, take_without_seeing_others)
    for order in [fleet.create(fleet.shares()) for _ in range(2)]:
        try:
            claim(fleet.ready(order), clock=timezone.now)
        except IntegrityError:
            continue

    under_way = AccountOrder.objects.filter(status__in=UNRESOLVED)
    per_account = under_way.values("account").annotate(count=Count("pk"))
    assert [row["count"] for row in per_account] == [1] * len(fleet.accounts)


def an_order_typed_by_hand_is_not_ours(fleet: Fleet, monkeypatch) -> None:
    hit(fleet, "http_500")
    order = fleet.broadcast(fleet.shares(7), accounts=fleet.accounts[:1])
    child = only(fleet, order)
    fleet.broker.make_order(fleet.accounts[0].hash_value, BY_HAND)
    force(child, claimed_at=timezone.now() - timedelta(seconds=2))

    reconcile(gateway=fleet.gateway)

    child.refresh_from_db()
    assert (child.status, child.broker_order_id) == ("UNKNOWN", None)


BY_HAND = {
    "orderType": "MARKET",
    "session": "NORMAL",
    "duration": "DAY",
    "orderStrategyType": "SINGLE",
    "orderLegCollection": [
        {
            "instruction": "BUY",
            "quantity": 7,
            "instrument": {"symbol": "AAPL", "assetType": "EQUITY"},
        }
    ],
}


def take_whatever_is_named(ids: Collection[UUID], mark: UUID, now: datetime) -> int:
    return _take(ids, mark, now, list(Status))


def take_without_seeing_others(ids: Collection[UUID], mark: UUID, now: datetime) -> int:
    return _take(ids, mark, now, [Status.READY])


def _take(ids: Collection[UUID], mark: UUID, now: datetime, statuses: list[Status]) -> int:
    rows = AccountOrder.objects.filter(pk__in=ids, status__in=statuses)
    return rows.update(status=Status.SUBMITTING, claim=mark, claimed_at=now, sends=F("sends") + 1)


def without_the_claim(monkeypatch) -> None:
    monkeypatch.setattr(TAKE, take_whatever_is_named)


def without_the_constraint(monkeypatch) -> None:
    """Drop it inside the test's transaction, which brings it back."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_unresolved_twin")


def without_the_tag(monkeypatch) -> None:
    """Remove it from the search, and from the first read, which would find the search out."""
    monkeypatch.setattr("orders.domain.matching.OUR_TAG", "")
    monkeypatch.setattr("orders.services.applying.OUR_TAG", "")


Removal = Callable[[pytest.MonkeyPatch], None]
GUARDIANS = [
    pytest.param(a_message_delivered_twice_sends_once, without_the_claim, id="claim"),
    pytest.param(
        twins_claimed_in_the_same_moment_are_not_both_under_way,
        without_the_constraint,
        id="constraint",
    ),
    pytest.param(an_order_typed_by_hand_is_not_ours, without_the_tag, id="tag"),
]


@pytest.mark.parametrize(("scenario", "removal"), GUARDIANS)
def test_a_scenario_holds_while_its_guardian_stands(fleet, monkeypatch, scenario, removal):
    scenario(fleet, monkeypatch)


@pytest.mark.parametrize(("scenario", "removal"), GUARDIANS)
def test_a_scenario_breaks_without_its_guardian(fleet, monkeypatch, scenario, removal: Removal):
    removal(monkeypatch)

    with pytest.raises(AssertionError):
        scenario(fleet, monkeypatch)
