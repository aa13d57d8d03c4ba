"""The list of broadcasts: whole page, updates, and what can be read in it."""

import re
from decimal import Decimal

import pytest

from accounts.models import Account
from tests.web.browsing import HTMX, text_of


def updates(client, **headers):
    return client.get("/desk/broadcasts/", headers=HTMX | headers)


def icons(answer):
    return re.findall(r'<i class="st st-(\w+)" title', answer.content.decode())


def test_the_page_shows_every_broadcast_with_legs_price_and_a_cell_per_account(agent, fleet):
    order = fleet.broadcast(fleet.condor(2))
    fleet.poll()

    answer = agent.get("/")

    page = text_of(answer)
    assert answer.status_code == 200
    assert page.startswith("<!DOCTYPE html>")
    assert "Iron condor" in page
    assert "CREDIT 0.05 ×2" in page
    assert page.count('<b class="sell">STO</b> SPXW') == 2
    assert icons(answer) == ["filled"] * 3
    assert "3/3" in page
    assert f"3 sent in {order.broadcast_ms:.0f} ms" in page


def test_an_update_is_the_list_alone(agent, fleet):
    fleet.broadcast(fleet.shares())

    answer = updates(agent)

    assert "<html" not in text_of(answer)
    assert "Shares" in text_of(answer)
    assert '<hx-partial hx-target="#last-broadcast"' in text_of(answer)


def test_the_page_is_told_nothing_until_something_changed(agent, fleet):
    order = fleet.create(fleet.condor())
    seen = re.search(r'hx-ptag="(\d+)"', text_of(agent.get("/")))
    assert seen is not None

    unchanged = updates(agent, **{"HX-PTag": seen[1]})
    fleet.send(order)
    changed = updates(agent, **{"HX-PTag": seen[1]})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert changed.status_code == 200
    assert int(changed["HX-PTag"]) > int(seen[1])


def test_cells_stand_in_the_fleets_order_and_absent_accounts_leave_a_gap(agent, fleet):
    fleet.broadcast(fleet.condor(), accounts=[fleet.accounts[0], fleet.accounts[2]])

    answer = updates(agent)

    assert icons(answer) == ["working", "none", "working"]
    assert f"{fleet.accounts[1].alias} — not part of this broadcast" in text_of(answer)
    assert 'aria-label="2 working"' in text_of(answer)


def test_a_partly_filled_order_that_still_works_has_a_cell_of_its_own(agent, fleet):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.shares(10, limit=Decimal("500.00")))
    fleet.broker.fill(fleet.children(order)[1].broker_order_id, quantity=4, price=231)
    fleet.poll()

    answer = updates(agent)

    assert icons(answer) == ["working", "partial", "working"]
    assert f"{fleet.accounts[1].alias} — Partly filled 4 at 231.00" in text_of(answer)


def test_the_average_is_weighted_and_its_range_shown(agent, fleet):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.shares(10, limit=Decimal("500.00")))
    children = fleet.children(order)
    fleet.broker.fill(children[0].broker_order_id, quantity=10, price=200)
    fleet.broker.fill(children[1].broker_order_id, quantity=5, price=203)
    fleet.poll()

    page = text_of(updates(agent))
    assert re.search(r'201.00 <br> <span class="muted">200.00.203.00</span>', page)


def test_the_brokers_reason_can_be_read_without_hovering(agent, fleet):
    fleet.broker.fault(
        "reject", method="POST", path="/orders", account=fleet.accounts[1].hash_value
    )
    fleet.broadcast(fleet.condor())
    fleet.poll()
    rejected = fleet.accounts[1].orders.get()
    assert rejected.broker_text

    listed = re.search(r"<details.*?</details>", text_of(updates(agent)))

    assert listed is not None
    assert f"<b>{rejected.account.alias}</b>" in listed[0]
    assert "Rejected" in listed[0]
    assert rejected.broker_text in listed[0]


def test_an_unknown_order_and_a_skipped_account_say_why(agent, fleet):
    Account.objects.filter(pk=fleet.accounts[0].pk).update(is_active=False)
    fleet.broker.fault("drop_after", method="POST", account=fleet.accounts[1].hash_value)
    fleet.broadcast(fleet.condor())
    unknown = fleet.accounts[1].orders.get()

    page = text_of(updates(agent))

    assert "2 accounts with a reason" in page
    assert f"{fleet.accounts[0].alias} — Skipped: The account is switched off." in page
    assert "<span>The account is switched off.</span>" in page
    assert unknown.reason
    assert f"<span>{unknown.reason}</span>" in page
    assert "0/2" in page


def test_a_list_without_broadcasts_says_what_will_be_in_it(agent):
    assert "No broadcasts yet." in text_of(agent.get("/"))


@pytest.mark.parametrize("broadcasts", [1, 6])
def test_an_update_asks_the_database_no_more_often_for_a_longer_list(
    agent, fleet, broadcasts, django_assert_num_queries
):
    for number in range(broadcasts):
        fleet.broadcast(fleet.shares(number + 1))

    with django_assert_num_queries(10):
        updates(agent)


def test_an_unchanged_page_costs_three_queries(agent, fleet, django_assert_num_queries):
    fleet.broadcast(fleet.shares())
    tag = updates(agent)["HX-PTag"]

    with django_assert_num_queries(3):
        updates(agent, **{"HX-PTag": tag})


def test_the_frame_sums_the_fleet(agent, fleet):
    Account.objects.filter(pk=fleet.accounts[0].pk).update(is_active=False, value=1000)
    Account.objects.exclude(pk=fleet.accounts[0].pk).update(value=20500, buying_power=41000)
    Account.objects.filter(pk=fleet.accounts[0].pk).update(buying_power=2000)

    for address in ("/", "/desk/fleet/"):
        page = text_of(agent.get(address))
        assert "Active <b>2/3</b>" in page
        assert "AUM <b>$42,000.00</b>" in page
        assert "BP <b>$84,000.00</b>" in page


def test_a_viewer_sees_the_list_and_no_ticket(viewer, fleet):
    fleet.broadcast(fleet.shares())

    page = text_of(viewer.get("/"))

    assert "Shares" in page
    assert 'id="ticket"' not in page
