"""Tasks that cancel, replace and follow: what each does in one go, and what it rings for."""

from django.utils import timezone

from accounts.models import AuditEvent
from orders import tasks
from orders.models import AccountOrder
from orders.services.canceling import ask_cancel
from orders.services.sweeping import sweep
from tests.integration.orders.hands import only
from tests.integration.orders.stopping import ask, change, due_again, fault_cancels, resting, stop
from tests.integration.orders.test_tasks import rung
from tradeswim.schedule import BEAT_SCHEDULE, ROUTES


def test_a_replace_is_canceled_proved_and_sent_in_one_go(fleet, broker, queue):
    order = resting(fleet, accounts=3)
    broker.fill(fleet.children(order)[0].broker_order_id, quantity=3)
    asked = change(order)

    tasks.send_cancels(ids=[str(pk) for pk in asked.asked])

    assert fleet.statuses(order) == ["CANCELED", "WORKING"] * 3
    assert sorted(child.contracts for child in fleet.children(order)) == [7, 10, 10, 10, 10, 10]


def test_only_the_named_orders_are_canceled(fleet, queue):
    one, other = resting(fleet), resting(fleet, contracts=4)
    ask(one)
    ask(other)

    tasks.send_cancels(ids=[str(only(fleet, one).pk)])

    assert (fleet.statuses(one), fleet.statuses(other)) == (["CANCELED"], ["WORKING"])


def test_a_poll_that_proves_the_end_rings_for_the_rest(
    fleet, broker, queue, django_capture_on_commit_callbacks
):
    order = resting(fleet)
    fault_cancels(fleet, "drop_after")
    broker.fault("http_500", method="GET", path="/orders/")
    change(order)
    stop(fleet)
    assert fleet.statuses(order) == ["WORKING"]

    with django_capture_on_commit_callbacks(execute=True):
        tasks.sync_stock_orders()

    assert ("orders.send_rests", {}) in rung(queue)
    tasks.send_rests()
    assert fleet.statuses(order) == ["CANCELED", "WORKING"]


def test_a_refused_token_is_renewed(fleet, queue, django_capture_on_commit_callbacks):
    order = resting(fleet)
    fault_cancels(fleet, "http_401")
    ask(order)

    with django_capture_on_commit_callbacks(execute=True):
        tasks.send_cancels()

    ((task, arguments),) = rung(queue, "logins")
    assert (task, arguments["login_id"]) == (
        "accounts.renew_login",
        str(fleet.accounts[0].login.pk),
    )


def test_a_lost_ring_is_made_up_for_by_the_sweep(fleet, queue):
    order = resting(fleet)
    ask(order)

    (name,) = sweep(now=timezone.now()).tasks
    tasks.send_cancels()

    assert name == tasks.send_cancels.name
    assert fleet.statuses(order) == ["CANCELED"]


def test_a_successor_is_followed(fleet, broker, queue):
    order = resting(fleet)
    broker.replace(only(fleet, order).broker_order_id)
    fleet.poll()

    tasks.follow_successors()

    assert fleet.statuses(order) == ["REPLACED", "WORKING"]


def test_an_idle_worker_asks_neither_broker_nor_much_of_the_database(
    fleet, wire, queue, django_assert_max_num_queries
):
    resting(fleet)
    reads = len(wire.reads)

    with django_assert_max_num_queries(3):
        tasks.send_cancels()
        tasks.follow_successors()

    assert len(wire.reads) == reads


def test_every_task_has_its_queue_and_following_its_beat():
    names = [tasks.send_cancels.name, tasks.send_rests.name, tasks.follow_successors.name]

    assert [ROUTES[name]["queue"] for name in names] == ["placement", "placement", "recon"]
    assert BEAT_SCHEDULE["follow_successors"]["task"] == names[-1]


def test_messages_that_come_twice_cancel_and_replace_once(fleet, broker, queue):
    order = resting(fleet)
    change(order)

    for _ in range(3):
        tasks.send_cancels()
        due_again(order)

    assert fleet.statuses(order) == ["CANCELED", "WORKING"]
    assert len(broker.orders()) == 2
    assert AuditEvent.objects.filter(kind="cancel").count() == 1
    old = AccountOrder.objects.get(attempt=1)
    assert ask_cancel(children=[old.pk], by="agent", now=timezone.now()).asked != [old.pk]
