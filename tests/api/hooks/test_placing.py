"""A hook places a saved order of its agent, once for each delivery."""

from threading import Thread
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent, HookDelivery
from orders.models import AccountOrder, ComplexOrder, SavedOrder
from orders.selectors.choosing import AccountChoice
from orders.services.saving import rename_saved
from tests.api.caller import problem_of
from tests.api.hooks.saving import save
from tests.support.hooking import make_program


def test_a_signed_call_places_the_saved_order_as_a_click_does(
    program, fleet, queue, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = program.call("Mine")

    assert answer.status_code == 201
    order = ComplexOrder.objects.get()
    assert answer.json()["id"] == order.pk
    assert order.agent == fleet.agent
    assert order.idempotency_key == HookDelivery.objects.get().pk
    assert [(row.status, row.contracts) for row in fleet.children(order)] == [("READY", 10)] * 3
    assert queue.client.llen("placement") == 1
    fleet.send(order)
    fleet.poll()
    assert fleet.statuses(order) == ["FILLED"] * 3


def test_what_is_saved_for_some_accounts_goes_to_these(fleet, program):
    chosen = fleet.accounts[1]
    save(fleet, fleet.shares(5), "One", AccountChoice(ids=(chosen.pk,)))
    save(fleet, fleet.shares(6), "Others", AccountChoice(leave_out=(chosen.pk,)))

    one, others = program.call("One").json(), program.call("Others").json()

    assert [row["alias"] for row in one["accounts"]] == [chosen.alias]
    placed = [row["alias"] for row in others["accounts"] if row["status"] == "READY"]
    assert placed == [fleet.accounts[0].alias, fleet.accounts[2].alias]


def test_it_is_on_record_who_came_and_what_for(program):
    delivery = uuid4()
    program.call(delivery=delivery)

    came = AuditEvent.objects.get(subject=f"hook:{program.hook.pk}", kind="delivered")
    assert came.actor == "hook signals"
    assert came.data["delivery"] == str(delivery)
    assert came.data["key"] == str(ComplexOrder.objects.get().idempotency_key)
    assert came.request_id


# --- once for each delivery (A22) ---------------------------------------------------------------


def test_the_same_delivery_again_finds_the_same_order(program, fleet):
    delivery = uuid4()
    first = program.call(delivery=delivery)
    again = program.call(delivery=delivery)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert ComplexOrder.objects.count() == 1
    assert AccountOrder.objects.count() == 3


def test_it_finds_it_however_the_id_is_spelled_and_whatever_became_of_the_saved_order(
    program, saved
):
    delivery = uuid4()
    first = program.call(delivery=delivery).json()
    SavedOrder.objects.update(ticket={})
    rename_saved(saved, name="Another", number=0, now=timezone.now())

    again = program.call(delivery=str(delivery).upper())

    assert (again.status_code, again.json()["id"]) == (200, first["id"])


def test_a_delivery_with_another_body_is_refused(program, fleet):
    save(fleet, fleet.shares(400), "Much")
    delivery = uuid4()
    program.call(delivery=delivery)

    problem_of(program.call("Much", delivery=delivery), 409, "delivery_used")
    assert ComplexOrder.objects.count() == 1


def test_two_hooks_may_use_the_same_id(program, fleet):
    other, delivery = make_program(fleet.agent, "other"), uuid4()
    save(fleet, fleet.shares(7), "Theirs")

    assert program.call(delivery=delivery).status_code == 201
    assert other.call("Theirs", delivery=delivery).status_code == 201
    assert ComplexOrder.objects.count() == 2


def test_a_captured_call_places_nothing_a_second_time(program):
    """A22: within the window it finds its order, after it nobody is let in."""
    delivery = uuid4()
    for age_s in (0, 10, 20):
        program.call(delivery=delivery, age_s=age_s)

    assert ComplexOrder.objects.count() == 1
    problem_of(program.call(delivery=delivery, age_s=90), 401, "authentication_failed")


@pytest.mark.django_db(transaction=True)
def test_many_of_the_same_delivery_at_once_make_one_order(program):
    delivery, codes = uuid4(), []

    def call():
        try:
            codes.append(program.call(delivery=delivery).status_code)
        finally:
            connection.close()

    threads = [Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(codes) == [200] * 5 + [201]
    assert ComplexOrder.objects.count() == 1
