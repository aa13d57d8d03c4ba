"""One broadcast of the history: fills, milliseconds, accounts, allocation, and every order's life."""

from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.models import Account
from orders.models import AccountOrder, ComplexOrder
from tests.integration.orders.hands import force
from tests.support.history import fill_history
from tests.support.make import make_user
from tests.web.browsing import HTMX, text_of

IN_DIALOG = HTMX | {"HX-Target": "dialog#modal"}


@pytest.fixture
def filled(agent, fleet):
    order = fleet.broadcast(fleet.condor(2))
    fleet.poll()
    return order


def pane(client, order):
    return text_of(client.get(f"/history/{order.pk}/pane/", headers=HTMX))


def test_the_pane_shows_fills_milliseconds_accounts_and_the_allocation(agent, fleet, filled):
    page = pane(agent, filled)

    assert "<html" not in page
    assert "3 account orders filled from" in page
    assert "3 requests sent within" in page
    assert "Where the time went: form, guards, rows" in page
    assert page.count('<tbody id="part-') == 3
    assert "6 in 3 accounts." in page
    assert "no exit yet" in page
    assert all(child.broker_order_id in page for child in fleet.children(filled))


def test_without_javascript_it_is_a_page_of_its_own(agent, filled):
    page = text_of(agent.get(f"/history/{filled.pk}/"))

    assert page.startswith("<!DOCTYPE html>")
    assert f"<h1>#{filled.pk} Iron condor</h1>" in page
    assert "Fill drift" in page


def test_on_the_desk_it_is_a_dialog(agent, filled):
    page = text_of(agent.get(f"/history/{filled.pk}/", headers=IN_DIALOG))

    assert "<html" not in page
    assert "data-wide" in page
    assert f'<h2 id="modal-title">#{filled.pk} Iron condor</h2>' in page
    assert "data-close" in page


def test_a_broadcast_that_is_not_there_is_not_found(agent):
    assert agent.get("/history/999999/").status_code == 404
    assert agent.get("/history/999999/pane/", headers=HTMX).status_code == 404
    assert agent.get(f"/history/orders/{uuid4()}/").status_code == 404


def test_who_was_left_out_is_named_with_the_reason(agent, fleet):
    Account.objects.filter(pk=fleet.accounts[1].pk).update(is_active=False)
    order = fleet.broadcast(fleet.shares(7))

    page = pane(agent, order)

    assert "14 in 2 accounts, 1 left out." in page
    assert f"<b>{fleet.accounts[1].alias}</b> The account is switched off." in page


def test_what_the_guards_objected_to_and_the_agent_confirmed_stays_on_record(agent, fleet):
    fleet.broadcast(fleet.shares(7))
    order = fleet.broadcast(fleet.shares(7))

    page = pane(agent, order)

    assert "<dt>Confirmed</dt>" in page
    assert "<b>Duplicate order</b>" in page


def test_the_life_of_an_order_is_told_from_the_first_step_to_the_last(agent, fleet, filled):
    child = fleet.children(filled)[0]

    part = text_of(agent.get(f"/history/orders/{child.pk}/", headers=HTMX))
    whole = text_of(agent.get(f"/history/orders/{child.pk}/"))

    words = ("Queued", "Sending", "Working", "Filled 2 SPXW", "orderStrategyType")
    assert all(one in part for one in words)
    assert part.index("Queued") < part.index("Sending") < part.index("Working")
    assert child.broker_order_id in part
    assert "<html" not in part
    assert whole.startswith("<!DOCTYPE html>")
    assert f"#{filled.pk} in {fleet.accounts[0].alias}" in whole


def test_a_cancel_is_part_of_the_life(agent, fleet):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.shares())
    agent.post(f"/desk/orders/{order.pk}/cancel/", {"everywhere": "on"})
    child = fleet.children(order)[0]
    child.refresh_from_db()

    page = text_of(agent.get(f"/history/orders/{child.pk}/", headers=HTMX))

    assert ("Cancel asked for" in page) == (child.cancel_asked_at is not None)


def test_a_later_attempt_stands_below_the_one_it_took_the_place_of(agent, fleet, filled):
    first = fleet.children(filled)[0]
    second = AccountOrder.objects.get(pk=first.pk)
    second.pk, second.attempt, second.broker_order_id = uuid4(), 2, None
    second.save(force_insert=True)
    force(first, successor=second, status="REPLACED")

    page = pane(agent, filled)

    assert "attempt 1, followed by 2" in page
    assert "attempt 2<" in page
    assert page.count('<tbody id="part-') == 4


def test_a_rejection_is_told_in_the_words_of_the_broker(agent, fleet, filled):
    child = fleet.children(filled)[0]
    force(child, status="REJECTED", broker_text="Not enough <buying> power.")

    assert "Not enough &lt;buying&gt; power." in pane(agent, filled)


def test_the_pane_of_what_still_works_follows_what_happens(agent, fleet):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.shares(limit=Decimal("1.00")))
    address = f'hx-get="/history/{order.pk}/pane/"'

    working = pane(agent, order)
    AccountOrder.objects.filter(order=order).update(status="CANCELED")

    assert address in working
    assert "Cancel" in working


def test_who_only_looks_is_offered_nothing_to_do(viewer, fleet):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.shares(limit=Decimal("1.00")))

    assert f"/desk/orders/{order.pk}/cancel/" not in pane(viewer, order)


@pytest.mark.timeout(180)
def test_a_broadcast_to_45_accounts_costs_few_queries_and_bytes(
    client, db, django_assert_max_num_queries
):
    numbers = fill_history(accounts=45, broadcasts=3, working=1)
    client.force_login(make_user())
    order = ComplexOrder.objects.get(pk=numbers[-1])

    with django_assert_max_num_queries(15):
        answer = client.get(f"/history/{order.pk}/pane/", headers=HTMX)
    with django_assert_max_num_queries(7):
        client.get(
            f"/history/orders/{order.children.values_list('pk', flat=True)[0]}/", headers=HTMX
        )

    assert len(answer.content) < 60_000
