"""The stock desk: orders in shares, the ticket beside them, what the fleet holds of shares."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from orders.models import ComplexOrder, SavedOrder
from strategies.domain.catalog import share_order
from strategies.domain.tickets import Instruction, OrderType, Session
from tests.support.history import fill_history
from tests.support.make import make_user
from tests.web.browsing import HTMX, form_in, text_of
from tests.web.test_positions import read


@pytest.fixture
def prices(redis_server, settings):
    """A cache that remembers prices, empty at first."""
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url


TICKET = "/desk/ticket/?strategy=EQUITY&underlying=AAPL"


def ticket(client, **typed):
    """Open the stock ticket in its pane; return what stands in it."""
    return form_in(client.get("/desk/ticket/", {"strategy": "EQUITY", **typed}, headers=HTMX))


def test_an_order_in_shares_is_a_row_and_one_in_options_is_not(agent, fleet):
    fleet.broadcast(fleet.condor())
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.shares(10, limit=Decimal("187.20")))
    fleet.poll()

    page = text_of(agent.get("/stocks/"))

    assert page.count("data-row>") == 1
    assert '<b class="buy">BUY</b>' in page
    assert "<b>AAPL</b>" in page
    assert "LMT 187.20" in page
    assert f'id="broadcast-{order.pk}"' in page
    assert "Cancel" in page
    assert "3 working" in page


@pytest.mark.parametrize(
    ("instruction", "more", "words"),
    [
        (Instruction.SELL_SHORT, {"limit": Decimal("500.00")}, ("SHORT", "LMT 500.00")),
        (Instruction.BUY, {"order_type": OrderType.MARKET, "limit": None}, ("BUY", "MKT")),
        (
            Instruction.BUY,
            {"order_type": OrderType.STOP, "limit": None, "stop": Decimal("500.00")},
            ("BUY", "STP 500.00"),
        ),
        (
            Instruction.BUY,
            {
                "order_type": OrderType.STOP_LIMIT,
                "stop": Decimal("500.00"),
                "limit": Decimal("501.00"),
            },
            ("BUY", "STP LMT 500.00 · 501.00"),
        ),
        (Instruction.BUY, {"session": Session.PM, "limit": Decimal("1.00")}, ("BUY", "Pm")),
    ],
)
def test_side_type_and_session_are_told(agent, fleet, instruction, more, words):
    fleet.broker.market(fills="manual")
    legs = share_order("AAPL", instruction).legs
    fleet.create(replace(fleet.shares(10, limit=Decimal("1.00")), legs=legs, **more))

    page = text_of(agent.get("/stocks/"))

    for word in words:
        assert word in page


def test_the_filter_answers_with_the_list_alone_and_its_address(agent, fleet):
    fleet.broadcast(fleet.shares(10))
    fleet.poll()

    found = agent.get("/stocks/?q=aapl&show=all", headers=HTMX)
    missed = agent.get("/stocks/?q=msft", headers=HTMX)

    assert "<html" not in text_of(found)
    assert text_of(found).count("data-row>") == 1
    assert found["HX-Replace-Url"] == "/stocks/?q=aapl"
    assert "No stock order is like that." in text_of(missed)


def test_an_open_page_is_told_nothing_until_something_changed(agent, fleet):
    order = fleet.create(fleet.shares(10))
    tag = agent.get("/stocks/orders/", headers=HTMX)["HX-PTag"]

    same = agent.get("/stocks/orders/", headers=HTMX | {"HX-PTag": tag})
    fleet.send(order)
    changed = agent.get("/stocks/orders/", headers=HTMX | {"HX-PTag": tag})

    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == 200


def test_the_ticket_tells_the_market_and_what_all_of_it_comes_to(agent, fleet):
    answer = text_of(agent.get(f"{TICKET}&contracts=10&limit=187.20", headers=HTMX))

    assert re.search(r'bid <b class="num">\d+\.\d\d</b>', answer)
    assert re.search(r'ask <b class="num">\d+\.\d\d</b>', answer)
    assert "× 3 accounts" in answer
    assert "30 sh" in answer
    assert "$5,616.00" in answer  # 30 × 187.20


def test_the_last_trade_is_told_where_the_cache_knows_it(agent, fleet, prices):
    answer = text_of(agent.get(TICKET, headers=HTMX))

    assert re.search(r'last <b class="num">\d+\.\d\d</b>', answer)


@pytest.mark.parametrize(
    ("order_type", "prices"),
    [
        ("MARKET", set()),
        ("LIMIT", {"limit"}),
        ("STOP", {"stop"}),
        ("STOP_LIMIT", {"limit", "stop"}),
    ],
)
def test_each_type_shows_the_prices_it_needs(agent, fleet, order_type, prices):
    answer = text_of(agent.get(f"{TICKET}&order_type={order_type}", headers=HTMX))

    shown = {
        name
        for name in ("limit", "stop")
        if re.search(rf'<input type="text" name="{name}"', answer)
    }
    assert shown == prices


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"contracts": "0"}, "from 1 to"),
        ({"contracts": "x"}, "whole number"),
        ({"limit": "-1"}, "above zero"),
        ({"limit": ""}, "limit"),
        ({"order_type": "STOP", "stop": ""}, "stop"),
        ({"order_type": "MARKET", "session": "PM"}, "PM"),
        ({"limit": "187.205"}, "too many decimals"),
    ],
)
def test_every_limit_is_checked_as_it_is_typed(agent, fleet, prices, typed, words):
    values = ticket(agent, underlying="AAPL") | typed

    answer = text_of(agent.post("/desk/ticket/figures/", values, headers=HTMX))

    assert 'class="error"' in answer
    assert words.lower() in answer.lower()


def test_from_the_ticket_to_the_list_in_two_steps(agent, fleet, queue):
    values = ticket(agent, underlying="AAPL", contracts="10", limit="187.20")
    review = agent.post("/desk/review/", values, headers=HTMX)
    assert "SEND TO 3 ACCOUNTS" in text_of(review)
    reviewed = form_in(review)

    sent = agent.post("/desk/send/", reviewed, headers=HTMX)
    again = agent.post("/desk/send/", reviewed, headers=HTMX)

    assert "is on its way" in text_of(sent)
    assert "nothing was sent twice" in text_of(again)
    order = ComplexOrder.objects.get()
    assert (order.strategy, order.contracts, order.limit) == ("EQUITY", 10, Decimal("187.20"))
    assert "LMT 187.20" in text_of(agent.get("/stocks/"))


def test_saved_stock_orders_stand_beside_the_ticket_and_option_orders_do_not(agent, fleet):
    values = ticket(agent, underlying="AAPL", contracts="10", limit="187.20")
    agent.post(
        "/desk/saved/save/", values | {"save-name": "Apples", "save-number": "1"}, headers=HTMX
    )
    assert SavedOrder.objects.get().name == "Apples"

    assert "Apples" in text_of(agent.get("/stocks/"))
    assert "Apples" not in text_of(agent.get("/"))


def test_shares_held_are_summed_by_symbol_with_a_way_to_sell_them(agent, fleet):
    fleet.broadcast(fleet.shares(10))
    fleet.poll()
    held = fleet.broker.positions()
    first = fleet.accounts[0].hash_value
    fleet.broker.positions(held | {first: held.get(first, {}) | {"MSFT": -4}})
    read(fleet)

    page = text_of(agent.get("/stocks/positions/", headers=HTMX))

    assert '<td class="num ">30</td>' in page
    assert "Write a ticket to sell AAPL" in page
    assert "Write a ticket to cover MSFT" in page
    assert page.count("partly not ours") == 1


def test_a_viewer_sees_the_desk_without_a_ticket(viewer, fleet):
    fleet.broadcast(fleet.shares(10))

    page = text_of(viewer.get("/stocks/"))

    assert "<b>AAPL</b>" in page
    assert 'id="ticket"' not in page
    assert "Cancel" not in page


def test_an_empty_desk_says_what_fills_it(agent, fleet):
    page = text_of(agent.get("/stocks/"))

    assert "No open stock orders." in page
    assert "No open stock positions." in page


@pytest.mark.timeout(240)
def test_forty_orders_to_45_accounts_cost_few_queries_and_bytes(
    client, db, django_assert_max_num_queries
):
    fill_history(accounts=45, broadcasts=200, working=200)
    client.force_login(make_user())
    client.get("/settings/")  # the frame is the same for all pages

    with django_assert_max_num_queries(15):
        page = client.get("/stocks/")
    with django_assert_max_num_queries(4):
        warm = client.get("/stocks/")
    with django_assert_max_num_queries(7):
        panel = client.get("/stocks/orders/?sort=id", headers=HTMX)

    assert page.content.count(b"data-row>") == warm.content.count(b"data-row>") == 40
    assert len(page.content) < 170_000
    assert len(panel.content) < 160_000
