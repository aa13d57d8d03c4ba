"""The list of live orders: whole page, updates, what can be read in it, and what it costs."""

import re
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Account
from orders.models import AccountOrderLeg
from orders.selectors.desk import desk_rows
from orders.selectors.desk_facts import Kind
from tests.integration.orders.hands import force
from tests.web.browsing import text_of
from tests.web.listing import numbers, updates

LIMIT = Decimal("9.00")


def icons(answer):
    grid = re.search(r'<span class="sg".*?</span>', answer.content.decode(), re.DOTALL)
    return re.findall(r'<i class="st st-([\w -]+)"', grid[0]) if grid else []


def tips(answer):
    return re.findall(r'data-tips="([^"]*)"', answer.content.decode())[0].split("|")


def test_the_page_shows_every_broadcast_with_legs_price_and_a_cell_per_account(agent, fleet):
    order = fleet.broadcast(fleet.condor(2))
    fleet.poll()

    answer = agent.get("/")

    page = text_of(answer)
    assert answer.status_code == 200
    assert page.startswith("<!DOCTYPE html>")
    assert "Iron condor" in page
    assert "CREDIT 0.05 ×2" in page
    assert icons(answer) == ["filled"] * 3
    assert "3/3" in page
    assert f"3 sent in {order.broadcast_ms:.0f} ms" in page


def test_every_leg_stands_with_what_it_was_filled_at_on_average(agent, fleet):
    order = fleet.broadcast(fleet.condor(2))
    fleet.poll()
    symbol = order.legs.get(number=1).symbol
    legs = AccountOrderLeg.objects.filter(child__order=order, symbol=symbol)
    for leg, price in zip(legs, ("1.10", "1.20", "1.40"), strict=True):
        AccountOrderLeg.objects.filter(pk=leg.pk).update(average_price=Decimal(price))

    page = text_of(updates(agent))

    (row,) = desk_rows(Kind.OPTIONS, today=timezone.now().date())
    assert row.legs[0].average == Decimal("1.23")
    assert page.count('<b class="sell">STO</b> SPXW') == 2
    assert page.count('<span class="at">') == 4
    assert '<span class="at">1.23</span>' in page


def test_an_update_is_the_list_with_what_stands_around_it(agent, fleet):
    fleet.broadcast(fleet.call())

    page = text_of(updates(agent))

    assert "<html" not in page
    assert "Call" in page
    for target in ("orders-counts", "orders-problems", "orders-sort", "strip"):
        assert f'<hx-partial hx-target="#{target}"' in page


def test_the_page_is_told_nothing_until_something_changed(agent, fleet):
    order = fleet.create(fleet.condor())
    tag = updates(agent)["HX-PTag"]

    unchanged = updates(agent, **{"HX-PTag": tag})
    fleet.send(order)
    changed = updates(agent, **{"HX-PTag": tag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert changed.status_code == 200
    assert changed["HX-PTag"] != tag


def test_cells_stand_in_the_fleets_order_and_absent_accounts_leave_a_gap(agent, fleet):
    fleet.broadcast(fleet.condor(), accounts=[fleet.accounts[0], fleet.accounts[2]])

    answer = updates(agent)

    assert icons(answer) == ["working", "none", "working"]
    assert tips(answer) == ["Working", "not part of this broadcast", "Working"]
    names = "|".join(account.alias for account in fleet.accounts)
    assert f'data-accounts="{names}"' in text_of(answer)
    assert 'aria-label="2 working"' in text_of(answer)


def test_a_partly_filled_order_that_still_works_has_a_cell_of_its_own(agent, fleet):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.call(10, limit=Decimal("9.00")))
    fleet.broker.fill(fleet.children(order)[1].broker_order_id, quantity=4, price=5)
    fleet.poll()

    answer = updates(agent)

    assert icons(answer) == ["working", "partial", "working"]
    assert tips(answer)[1] == "Partly filled 4 at 5.00"


def test_an_order_whose_cancel_is_on_its_way_has_a_cell_of_its_own(agent, fleet):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.call(1, limit=Decimal("1.00")))
    force(fleet.children(order)[2], cancel_asked_at=timezone.now())

    answer = updates(agent)

    assert icons(answer) == ["working", "working", "canceled st-leaving"]
    assert tips(answer)[2] == "Being canceled"


def test_the_average_is_weighted_and_its_range_shown(agent, fleet):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.call(10, limit=Decimal("9.00")))
    children = fleet.children(order)
    fleet.broker.fill(children[0].broker_order_id, quantity=10, price=5)
    fleet.broker.fill(children[1].broker_order_id, quantity=5, price=8)
    fleet.poll()

    page = text_of(updates(agent))
    assert re.search(r'6.00 <br> <span class="muted">5.00.8.00</span>', page)


def test_the_brokers_reason_can_be_read_without_hovering(agent, fleet):
    fleet.broker.fault(
        "reject", method="POST", path="/orders", account=fleet.accounts[1].hash_value
    )
    fleet.broadcast(fleet.condor())
    fleet.poll()
    rejected = fleet.accounts[1].orders.get()
    assert rejected.broker_text

    listed = re.search(r'<details id="why.*?</details>', text_of(updates(agent)))

    assert listed is not None
    assert f"<b>{rejected.account.alias}</b>" in listed[0]
    assert "Rejected" in listed[0]
    assert rejected.broker_text in listed[0]


def test_an_unknown_order_and_a_skipped_account_say_why(agent, fleet):
    Account.objects.filter(pk=fleet.accounts[0].pk).update(is_active=False)
    fleet.broker.fault("drop_after", method="POST", account=fleet.accounts[1].hash_value)
    fleet.broadcast(fleet.condor())
    unknown = fleet.accounts[1].orders.get()

    answer = updates(agent)

    page = text_of(answer)
    assert "2 accounts with a reason" in page
    assert tips(answer)[0] == "Skipped: The account is switched off."
    assert "<span>The account is switched off.</span>" in page
    assert unknown.reason
    assert f"<span>{unknown.reason}</span>" in page
    assert "0/2" in page


def test_an_account_cannot_break_out_of_the_tips(agent, fleet):
    name = 'A|B "<script>'
    Account.objects.filter(pk=fleet.accounts[0].pk).update(alias=name)
    fleet.broadcast(fleet.condor())

    page = text_of(updates(agent))

    assert 'data-accounts="A/B &quot;&lt;script&gt;|' in page
    assert "<script>" not in page


def test_a_list_without_broadcasts_says_what_will_be_in_it(agent):
    page = text_of(agent.get("/"))

    assert "<b>No open orders.</b> Press N to build one." in page
    assert "<b>No open sets.</b>" in page
    assert "<b>Nothing was sent yet.</b>" in page


def test_shares_are_on_the_other_desk(agent, fleet):
    fleet.broadcast(fleet.shares())
    option = fleet.broadcast(fleet.condor())

    assert numbers(updates(agent)) == [option.pk]


@pytest.mark.parametrize("broadcasts", [1, 6])
def test_an_update_asks_the_database_no_more_often_for_a_longer_list(
    agent, fleet, broadcasts, django_assert_num_queries
):
    for number in range(broadcasts):
        fleet.broadcast(fleet.call(number + 1))

    with django_assert_num_queries(7):
        updates(agent)


def test_an_unchanged_page_costs_two_queries(agent, fleet, django_assert_num_queries):
    fleet.broadcast(fleet.call())
    tag = updates(agent)["HX-PTag"]

    with django_assert_num_queries(2):
        updates(agent, **{"HX-PTag": tag})


def test_a_viewer_sees_the_list_and_no_ticket(viewer, fleet):
    fleet.broadcast(fleet.call())

    page = text_of(viewer.get("/"))

    assert "Call" in page
    assert 'data-key="n"' not in page
    assert "Cancel" not in page
