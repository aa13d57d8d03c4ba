"""Rings: on commit, with ids only, once per chunk; and what a task does when it hears one."""

import base64
import json
import logging
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.tasks import renew_login
from accounts.tasks.queue import open_queue
from brokerage.transport import Gateway, process
from brokerage.transport.process import close_process_gateway
from orders import tasks
from orders.models import AccountOrder
from orders.services.placing import place_account_orders
from orders.services.sweeping import sweep
from tests.integration.orders.hands import hit, seconds_from_now
from tests.support.redis_server import point_celery_to


@pytest.fixture
def worker(queue, fleet):
    """A process gateway as a placement worker has one, closed at the end."""
    yield fleet
    close_process_gateway()


def rung(queue, name="placement"):
    """Return what waits in a queue, oldest first: the task's name and its arguments."""
    messages = [json.loads(raw) for raw in queue.client.lrange(name, 0, -1)][::-1]
    found = []
    for message in messages:
        args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
        assert args == []
        found.append((message["headers"]["task"], kwargs))
    return found


def ids_of(fleet, order):
    return [str(child.pk) for child in fleet.children(order)]


def test_a_broadcast_is_rung_for_when_it_is_committed_and_not_before(
    fleet, queue, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True) as callbacks, transaction.atomic():
        order = fleet.create(fleet.shares())
        tasks.ring_for(fleet.ready(order))
        assert rung(queue) == []

    assert len(callbacks) == 1
    assert rung(queue) == [("orders.place_account_orders", {"ids": ids_of(fleet, order)})]


def test_a_broadcast_that_is_rolled_back_is_never_rung_for(
    fleet, queue, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True) as callbacks, transaction.atomic():
        tasks.ring_for(fleet.ready(fleet.create(fleet.shares())))
        transaction.set_rollback(True)

    assert callbacks == []
    assert rung(queue) == []


def test_a_broadcast_is_rung_for_in_chunks(
    fleet, queue, settings, django_capture_on_commit_callbacks
):
    settings.CHUNK_ACCOUNTS = 2
    order = fleet.create(fleet.shares())

    with django_capture_on_commit_callbacks(execute=True):
        tasks.ring_for(fleet.ready(order))

    ids = ids_of(fleet, order)
    assert [kwargs["ids"] for _, kwargs in rung(queue)] == [ids[:2], ids[2:]]


def test_a_message_holds_neither_order_nor_account_nor_token(
    fleet, queue, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        tasks.ring_for(fleet.ready(fleet.create(fleet.shares())))

    ((raw),) = queue.client.lrange("placement", 0, -1)
    message = json.loads(raw)
    text = raw.decode() + base64.b64decode(message["body"]).decode()
    account = fleet.accounts[0]
    secrets = ["AAPL", account.hash_value, account.number.open()]
    secrets.append(account.login.token.access.open())
    assert not [secret for secret in secrets if secret in text]


def test_a_ring_that_is_lost_is_logged_and_the_sweep_makes_up_for_it(
    fleet, dead_queue, caplog, django_capture_on_commit_callbacks
):
    order = fleet.create(fleet.shares(limit=Decimal(500)))

    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        tasks.ring_for(fleet.ready(order))

    assert "could not ring for orders.place_account_orders" in caplog.text
    assert fleet.statuses(order) == ["READY"] * 3
    assert set(sweep(now=seconds_from_now(3)).to_ring) == {order.pk}


def test_a_task_that_is_delivered_twice_places_once(worker, wire):
    order = worker.create(worker.shares())

    for _ in range(2):
        tasks.place_account_orders(ids=ids_of(worker, order))

    assert worker.statuses(order) == ["WORKING"] * 3
    assert len(wire.posts) == 3
    assert len(worker.broker.orders()) == 3


def test_fresh_orders_are_read_without_waiting_for_the_beat(
    worker, queue, condor, django_capture_on_commit_callbacks
):
    stocks, options = worker.create(worker.shares()), worker.create(condor)

    with django_capture_on_commit_callbacks(execute=True):
        tasks.place_account_orders(ids=ids_of(worker, stocks))
        assert rung(queue, "options") == []
        tasks.place_account_orders(ids=ids_of(worker, options))

    # Once for every batch of answers, of which there is one most often.
    assert {name for name, _ in rung(queue, "stocks")} == {"orders.sync_stock_orders"}
    assert {name for name, _ in rung(queue, "options")} == {"orders.sync_option_orders"}
    tasks.sync_stock_orders(fresh=True)
    assert worker.statuses(stocks) == ["FILLED"] * 3
    assert worker.statuses(options) == ["WORKING"] * 3
    tasks.sync_option_orders(fresh=True)
    assert worker.statuses(options) == ["FILLED"] * 3


def test_a_task_that_places_nothing_rings_for_nothing(
    worker, queue, django_capture_on_commit_callbacks
):
    order = worker.create(worker.shares(), age_s=60)

    with django_capture_on_commit_callbacks(execute=True):
        tasks.place_account_orders(ids=ids_of(worker, order))

    assert rung(queue) == rung(queue, "stocks") == []


def test_a_refused_token_is_renewed_by_a_task_and_the_order_is_sent_once_more(
    worker, queue, wire, django_capture_on_commit_callbacks
):
    worker.broker.tokens(login=worker.logins[0].label, access="expire")
    order = worker.create(worker.shares())
    first = ids_of(worker, order)[0]

    with django_capture_on_commit_callbacks(execute=True):
        tasks.place_account_orders(ids=ids_of(worker, order))
    ((name, kwargs),) = rung(queue)
    assert name == "orders.renew_and_place"
    assert (kwargs["login_id"], kwargs["ids"]) == (str(worker.logins[0].pk), [first])
    queue.client.flushall()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.renew_and_place(**kwargs)
    assert rung(queue) == [("orders.place_account_orders", {"ids": [first]})]
    tasks.place_account_orders(ids=[first])

    assert worker.statuses(order) == ["WORKING"] * 3
    assert (len(wire.posts), wire.renewals) == (4, 1)
    assert len(worker.broker.orders()) == 3


def test_an_order_that_was_not_sent_is_rung_for_again_at_once(
    worker, queue, settings, wire, django_capture_on_commit_callbacks
):
    alive = settings.BROKER_URL
    settings.BROKER_URL = "https://127.0.0.1:1"
    order = worker.create(worker.shares())
    ids = ids_of(worker, order)

    with django_capture_on_commit_callbacks(execute=True):
        tasks.place_account_orders(ids=ids)
    close_process_gateway()
    settings.BROKER_URL = alive
    again = rung(queue)
    assert {name for name, _ in again} == {"orders.place_account_orders"}
    assert sorted(pk for _, kwargs in again for pk in kwargs["ids"]) == sorted(ids)
    for _, kwargs in again:
        tasks.place_account_orders(**kwargs)

    assert worker.statuses(order) == ["WORKING"] * 3
    assert len(wire.posts) == 3


def test_a_renewal_does_not_wait_for_an_account_that_never_answers(worker, queue, wire):
    hit(worker, "delay", delay_ms=1500)
    hit(worker, "http_401", index=1)
    order = worker.create(worker.shares())
    at = []

    def ring(outcome):
        if outcome.refused_logins:
            at.append(timezone.now())

    place_account_orders(ids=ids_of(worker, order), gateway=worker.gateway, ring=ring)

    assert (timezone.now() - at[0]).total_seconds() > 0.5
    assert worker.statuses(order) == ["WORKING", "READY", "WORKING"]


def test_a_process_has_one_gateway_for_its_life(worker):
    order = worker.create(worker.shares())
    tasks.place_account_orders(ids=ids_of(worker, order))
    gateway = process.process_gateway()

    tasks.sync_stock_orders()

    assert isinstance(gateway, Gateway)
    assert process.process_gateway() is gateway


def test_opening_the_queue_ahead_of_time_survives_a_queue_that_is_down(queue, caplog):
    open_queue()
    assert not caplog.records

    point_celery_to("redis://127.0.0.1:1/0")
    open_queue()
    assert "not open yet" in caplog.text


def test_an_order_of_unknown_outcome_is_looked_for_at_once(
    worker, queue, django_capture_on_commit_callbacks
):
    hit(worker, "drop_after")
    order = worker.create(worker.shares())
    with django_capture_on_commit_callbacks(execute=True):
        tasks.place_account_orders(ids=ids_of(worker, order))
    assert worker.statuses(order) == ["UNKNOWN", "WORKING", "WORKING"]

    assert rung(queue, "recon") == [("orders.reconcile", {})]
    tasks.reconcile()

    assert worker.statuses(order) == ["FILLED", "WORKING", "WORKING"]


@pytest.mark.parametrize(
    ("lost", "read"),
    [("drop_after", tasks.reconcile), (None, tasks.sync_stock_orders)],
    ids=["reconcile", "poll"],
)
def test_a_token_that_a_read_was_refused_for_is_renewed(
    worker, queue, lost, read, django_capture_on_commit_callbacks
):
    if lost:
        hit(worker, lost)
    order = worker.broadcast(worker.shares(), accounts=worker.accounts[:1])
    worker.broker.tokens(login=worker.broker.logins()[0]["user"], access="revoke")

    with django_capture_on_commit_callbacks(execute=True):
        read()
    ((name, kwargs),) = rung(queue, "logins")
    assert name == "accounts.renew_login"
    renew_login(**kwargs)
    AccountOrder.objects.update(looked_at=None)
    read()

    assert worker.statuses(order) == ["FILLED"]


def test_fresh_orders_are_read_before_a_mute_account_has_had_its_time(
    worker, queue, settings, django_capture_on_commit_callbacks
):
    settings.BROKER_TIMEOUT_S = 1.0
    hit(worker, "never_answer_after")
    order = worker.create(worker.shares())

    with django_capture_on_commit_callbacks() as callbacks:
        tasks.place_account_orders(ids=ids_of(worker, order))

    for call in callbacks[:2]:  # open pages are told, and the stocks' worker is rung
        call()
    assert rung(queue, "stocks") == [("orders.sync_stock_orders", {"fresh": True})]
    callbacks[-1]()
    assert rung(queue, "recon") == [("orders.reconcile", {})]
