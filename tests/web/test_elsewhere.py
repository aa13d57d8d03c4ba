"""Orders made elsewhere, as pages show them and where they touch a set."""

import pytest

from orders.models import ExternalOrder
from orders.services.known_orders import known_orders
from tests.integration.orders.strangers import by_hand, works
from tests.web.browsing import HTMX, text_of


@pytest.fixture(autouse=True)
def _nothing_known():
    known_orders.forget()


@pytest.fixture
def touched(fleet):
    """A set that an order from elsewhere touched."""
    order = fleet.broadcast(fleet.condor())
    fleet.poll()
    leg = order.legs.filter(instruction="SELL_TO_OPEN").first()
    works(fleet)
    fleet.poll()
    by_hand(fleet, 1, symbol=leg.symbol, instruction="BUY_TO_CLOSE", quantity=1, limit="0.05")
    fleet.poll()
    return order.placed_order_set


def test_an_order_made_elsewhere_is_listed_with_who_made_it_and_what_it_touches(
    agent, fleet, touched
):
    page = text_of(agent.get("/positions/elsewhere/"))

    assert page.count("data-row>") == 1
    assert fleet.accounts[1].alias in page
    assert '<b class="buy">BTC</b> 1 SPXW' in page
    assert "LIMIT 0.05" in page
    assert "thinkorswim" in page
    assert f'href="/desk/sets/{touched.pk}/"' in page


def test_the_set_is_marked_on_its_page_in_the_list_and_in_the_pane(agent, touched):
    mark = "touched by 1 order from elsewhere"

    assert mark in text_of(agent.get(f"/desk/sets/{touched.pk}/"))
    assert mark in text_of(agent.get("/desk/sets/"))
    assert mark in text_of(agent.get("/desk/panels/sets/", headers=HTMX))


def test_the_alarm_leads_to_the_order(agent, touched):
    kept = ExternalOrder.objects.get()

    page = text_of(agent.get("/"))

    assert f"touches set #{touched.pk}" in page
    assert f'href="/positions/elsewhere/#external-{kept.pk}"' in page


def test_what_the_broker_says_cannot_write_into_the_page(agent, touched):
    hostile = "<script>alert(1)</script>"
    kept = ExternalOrder.objects.get()
    kept.data |= {"order_type": hostile, "legs": [{"symbol": hostile, "instruction": hostile}]}
    kept.tag, kept.broker_status = hostile, hostile
    kept.save()

    assert hostile not in text_of(agent.get("/positions/elsewhere/"))


def test_the_list_costs_three_queries_and_is_told_of_changes(
    agent, fleet, touched, django_assert_max_num_queries
):
    with django_assert_max_num_queries(9):
        panel = agent.get("/positions/elsewhere/panel/", headers=HTMX)
    tag = panel["HX-PTag"]

    same = agent.get("/positions/elsewhere/panel/", headers=HTMX | {"HX-PTag": tag})

    assert same.status_code == 304


def test_an_empty_list_says_what_would_be_seen(agent, fleet):
    assert "No order was made elsewhere." in text_of(agent.get("/positions/elsewhere/"))
