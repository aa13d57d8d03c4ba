"""What the record says of orders, sets, logins and modes reaches receivers and people, once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.domain.allow_list import AllowList
from accounts.domain.happenings import Kind
from accounts.domain.modes import ModeRule
from accounts.domain.words import Mode, ModeScope
from accounts.models import Alarm, Bookmark, Message
from accounts.services.alarms import acknowledge
from accounts.services.beat_watch import late_tellings
from accounts.services.hooks import add_receiver
from accounts.services.sealing import seal_events
from accounts.services.tokens import refresh_login
from orders.selectors import tellings
from orders.services import telling
from orders.services.freezing import change_mode
from orders.services.telling import tell_record
from tests.integration.orders.leaving import enter


@pytest.fixture(autouse=True)
def _receiver(fleet, settings):
    """Somebody who is told everything, from now on; nothing is sent to him here."""
    settings.WEBHOOKS_TO = AllowList.read(["https://hooks.example.com"], takes_http=False)
    url = "https://hooks.example.com/in"
    add_receiver(name="ops", url=url, kinds=(), actor="owner", now=timezone.now())
    tell()


def tell():
    """Seal and tell what happened until now, as the workers do within seconds."""
    later = timezone.now() + timedelta(seconds=5)
    seal_events(now=later)
    return tell_record(now=later)


def told(kind):
    return [one.data for one in Message.objects.filter(kind=kind).order_by("pk")]


def refuse(fleet):
    """Let the broker refuse a broadcast in every account."""
    fleet.broker.fault("reject", times=3)
    order = fleet.broadcast(fleet.shares())
    fleet.poll()
    return order


def codes():
    return list(Alarm.objects.order_by("pk").values_list("code", flat=True))


def test_the_past_is_told_to_nobody(fleet):
    fleet.broadcast(fleet.shares())
    Bookmark.objects.all().delete()

    tell()
    assert tell() == 0

    assert not Message.objects.exists()


def test_a_broadcast_that_fills_is_told_once_for_all_accounts(fleet):
    order = fleet.broadcast(fleet.shares(7))
    fleet.poll()

    tell()

    statuses = told(Kind.ORDER_STATUS)
    assert [(one["order"], one["status"], one["was"]) for one in statuses] == [
        (order.pk, "FILLED", None)
    ]
    (filled,) = told(Kind.ORDER_FILLED)
    assert [one["alias"] for one in filled["accounts"]] == [one.alias for one in fleet.accounts]
    assert [one["filled"] for one in filled["accounts"]] == [7, 7, 7]
    assert all(one["net_price"] for one in filled["accounts"])
    assert codes() == []
    assert tell() >= 0
    assert len(told(Kind.ORDER_STATUS)) == 1


def test_every_status_of_a_broadcast_is_told_with_the_one_before(fleet):
    order = fleet.broadcast(fleet.shares(limit=Decimal("1.00")))
    tell()
    for child in fleet.children(order):
        fleet.broker.fill(child.broker_order_id)
    fleet.poll()
    tell()

    words = [(one["was"], one["status"]) for one in told(Kind.ORDER_STATUS)]
    assert words == [(None, "WORKING"), ("WORKING", "FILLED")]


def test_refusals_make_one_alarm_for_the_whole_broadcast(fleet):
    order = refuse(fleet)
    tell()

    assert fleet.statuses(order) == ["REJECTED"] * 3
    (refused,) = told(Kind.ORDER_REJECTED)
    assert len(refused["accounts"]) == 3
    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.subject) == ("ORDERS_REJECTED", f"complexorder:{order.pk}")
    assert "3 account orders refused" in alarm.words
    assert fleet.accounts[2].alias in alarm.words
    assert alarm.times_told == 0


def test_an_unknown_order_is_told_of(fleet):
    fleet.broker.fault("drop_after", method="POST", account=fleet.accounts[1].hash_value)

    order = fleet.broadcast(fleet.shares())
    tell()

    (unknown,) = told(Kind.ORDER_UNKNOWN)
    assert unknown["order"] == order.pk
    assert [one["alias"] for one in unknown["accounts"]] == [fleet.accounts[1].alias]
    assert told(Kind.ORDER_STATUS)[0]["status"] == "NEEDS_AGENT"


def test_a_set_that_is_flat_is_told_of(fleet):
    way = enter(fleet, fleet.condor(2))
    tell()
    exit_order = way.leave()
    assert way.is_flat()

    tell()

    assert told(Kind.EXIT_FLAT) == [{"set": way.placed_set.pk, "order": way.placed_set.order_id}]
    closing = [one for one in told(Kind.ORDER_STATUS) if one["purpose"] == "CLOSE"]
    assert closing[-1]["order"] == exit_order.pk
    fills = told(Kind.ORDER_FILLED)
    assert {one["set"] for one in fills if one["order"] == exit_order.pk} == {way.placed_set.pk}


def test_a_freeze_by_anybody_is_told_and_is_an_alarm(fleet):
    wish = ModeRule(ModeScope.UNDERLYING, "SPX", Mode.FROZEN, "bad news")
    change_mode(wish, by=fleet.agent, now=timezone.now())

    tell()

    (mode,) = told(Kind.MODE_CHANGED)
    assert mode == {
        "scope": "UNDERLYING",
        "target": "SPX",
        "was": "OPEN",
        "mode": "FROZEN",
        "why": "bad news",
        "by": "agent",
    }
    assert Alarm.objects.get().words == "SPX was frozen by agent: bad news"


def test_opening_again_is_told_and_is_no_alarm(fleet):
    for mode in (Mode.CLOSE_ONLY, Mode.OPEN):
        wish = ModeRule(ModeScope.FLEET, "", mode, "a test")
        change_mode(wish, by=None, now=timezone.now(), may_loosen=True)

    tell()

    assert [one["mode"] for one in told(Kind.MODE_CHANGED)] == ["CLOSE_ONLY", "OPEN"]
    assert codes() == []


def test_a_login_that_must_be_connected_again_is_an_alarm(fleet):
    fleet.broker.tokens(refresh="revoke")
    login = fleet.logins[0]

    refresh_login(login.pk, now=timezone.now())
    tell()

    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.subject) == ("LOGIN_REQUIRED", f"brokerlogin:{login.pk}")
    assert login.label in alarm.words


def test_an_acknowledged_alarm_is_told_of(fleet):
    refuse(fleet)
    tell()
    acknowledge(Alarm.objects.get().pk, user=fleet.agent, now=timezone.now())

    tell()

    assert told(Kind.ALARM_ACKNOWLEDGED) == [{"code": "ORDERS_REJECTED", "by": "agent"}]


def test_what_another_has_told_meanwhile_is_not_told_again(fleet, monkeypatch):
    fleet.broadcast(fleet.shares())
    seal_events(now=timezone.now() + timedelta(seconds=5))
    read = tellings.read_tellings

    def read_while_another_tells(events):
        monkeypatch.setattr(telling, "read_tellings", read)
        assert tell_record(now=timezone.now()) > 0
        return read(events)

    monkeypatch.setattr(telling, "read_tellings", read_while_another_tells)

    assert tell_record(now=timezone.now()) == 0
    assert len(told(Kind.ORDER_STATUS)) == 1


def test_the_sweeper_rings_for_what_nobody_told(fleet):
    refuse(fleet)
    tell()

    soon, late = timezone.now() + timedelta(seconds=6), timezone.now() + timedelta(seconds=40)

    assert late_tellings(now=soon) == []
    assert late_tellings(now=late) == ["orders.tell_record", "accounts.deliver_messages"]
