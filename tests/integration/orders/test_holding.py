"""What a start finds at the broker that this database cannot explain, and who opens the gate then."""

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Alarm, Instance
from accounts.services.alarms import acknowledge
from accounts.services.gate import close_gate, find_gate, open_gate
from orders.domain.errors import GuardRefused
from orders.models import ExternalOrder
from orders.tasks.starting import open_gate as open_gate_task
from tests.integration.orders.booting import attempt, boot, by_other_hands, ran_before
from tests.integration.orders.hands import hit

LIST = "/trader/v1/orders"


@pytest.fixture(autouse=True)
def _home(settings, tmp_path):
    settings.HOME = tmp_path


def test_an_unknown_order_does_not_keep_the_gate_closed_and_is_no_orphan(fleet, by_hand):
    hit(fleet, "drop_after")
    order = fleet.broadcast(fleet.shares(), accounts=fleet.accounts[:1])
    assert fleet.statuses(order) == ["UNKNOWN"]
    ran_before(fleet)

    assert boot(fleet).is_open
    assert fleet.statuses(order) == ["UNKNOWN"]
    assert not ExternalOrder.objects.exists()
    assert not Alarm.objects.filter(code="ORPHAN").exists()


def test_an_order_in_our_name_that_nobody_knows_raises_one_alarm(fleet, by_hand):
    number, _ = by_other_hands(fleet, tag="TA_somebody")

    boot(fleet)

    (orphan,) = ExternalOrder.objects.all()
    account = fleet.accounts[0]
    assert (orphan.account_id, orphan.broker_order_id) == (account.pk, number)
    (alarm,) = Alarm.objects.all()
    assert (alarm.code, alarm.subject) == ("ORPHAN", f"account:{account.pk}")
    assert number in alarm.words
    acknowledge(alarm.pk, user=fleet.agent, now=timezone.now())
    boot(fleet)
    assert Alarm.objects.count() == 1


def test_an_order_made_by_hand_is_none_of_our_business(fleet, by_hand):
    by_other_hands(fleet, tag="API_TOS:CHART")
    by_other_hands(fleet, tag="")

    assert boot(fleet)
    assert not ExternalOrder.objects.exists()
    assert not Alarm.objects.exists()


def test_orders_in_our_name_newer_than_the_database_hold_the_gate(fleet, by_hand, wire):
    ran_before(fleet, hours=20)
    by_other_hands(fleet, tag="TA_before_the_backup_was_restored")

    opening = boot(fleet)

    assert opening.is_held
    assert "newer than itself" in opening.words
    assert attempt(fleet).is_held
    with pytest.raises(GuardRefused, match="restored backup"):
        fleet.broadcast(fleet.shares())
    assert boot(fleet).is_held  # nor does another start open it
    assert open_gate(now=timezone.now(), by=fleet.agent)
    assert boot(fleet).is_open
    assert wire.posts == []


def test_a_restored_backup_is_held_and_read_and_opened_by_an_agent(fleet, by_hand, wire):
    ran_before(fleet, hours=20)
    backup = Instance.objects.values().get()
    ran_before(fleet, hours=1)
    Instance.objects.update(**backup)
    by_other_hands(fleet, tag="TA_after_the_backup")
    left_over = fleet.create(fleet.shares())

    opening = boot(fleet)

    assert opening.is_held
    assert "restored backup" in opening.words
    assert wire.reads == [LIST] * 3
    assert Alarm.objects.filter(code="ORPHAN").count() == 1
    fleet.send(left_over)
    assert wire.posts == []
    assert open_gate(now=timezone.now(), by=fleet.agent)
    assert attempt(fleet).is_open
    assert fleet.statuses(fleet.broadcast(fleet.shares())) == ["WORKING"] * 3


def test_an_open_gate_and_a_held_one_cost_next_to_nothing(fleet, django_assert_num_queries):
    boot(fleet)
    with django_assert_num_queries(1):
        attempt(fleet)
    close_gate("Held by a test.", now=timezone.now())
    attempt(fleet)
    with django_assert_num_queries(3):
        attempt(fleet)


def test_the_beat_goes_on_trying(fleet, wire):
    fleet.broker.fault("http_500", method="GET", path=LIST)
    boot(fleet)

    open_gate_task()

    assert find_gate() is None


def test_the_command_says_what_is_missing_and_opens_in_the_name_of_an_agent(fleet, capsys):
    fleet.broker.fault("http_500", method="GET", path=LIST)
    boot(fleet)
    call_command("open_gate", "--wait")
    assert capsys.readouterr().out == "Trading is open.\n"

    close_gate("Held by a test.", now=timezone.now())
    with pytest.raises(CommandError, match=r"Trading is closed. Held by a test."):
        call_command("open_gate")
    with pytest.raises(CommandError, match="nobody is no user who may trade"):
        call_command("open_gate", "--by", "nobody")
    call_command("open_gate", "--by", "agent")
    assert find_gate() is None
