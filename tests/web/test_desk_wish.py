"""Which broadcasts the list of live orders holds: by day, filter, sorting and address."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.models import ComplexOrder
from tests.web.browsing import HTMX, text_of
from tests.web.listing import numbers, updates

LIMIT = Decimal("9.00")


def test_what_ended_before_today_is_history_and_what_works_stays_however_old(agent, fleet):
    fleet.broker.market(fills="manual")
    works, ended, newest = (fleet.broadcast(fleet.condor(n)) for n in (1, 2, 3))
    for child in [*fleet.children(ended), *fleet.children(newest)]:
        fleet.broker.fill(child.broker_order_id)
    fleet.poll()
    yesterday = timezone.now() - timedelta(days=2)
    ComplexOrder.objects.update(clicked_at=yesterday)

    answer = updates(agent)

    assert numbers(answer) == [works.pk, newest.pk]
    assert "1 open" in text_of(answer)


def test_more_open_broadcasts_than_anybody_reads_are_not_listed(agent, fleet, monkeypatch):
    monkeypatch.setattr("orders.selectors.desk_list.MOST_OPEN", 2)
    orders = [fleet.create(fleet.call(n)) for n in (1, 2, 3, 4)]

    answer = updates(agent)

    assert numbers(answer) == [orders[3].pk, orders[2].pk]
    assert "The newest 2 open ones are listed." in text_of(answer)
    assert "2+ open" in text_of(answer)


@pytest.fixture
def three(fleet):
    """A condor that works, a call that is filled, and one that is rejected in an account."""
    fleet.broker.market(fills="manual")
    works = fleet.broadcast(fleet.condor())
    filled = fleet.broadcast(fleet.call(2, limit=LIMIT))
    for child in fleet.children(filled):
        fleet.broker.fill(child.broker_order_id, price=5)
    fleet.broker.fault("reject", method="POST", account=fleet.accounts[1].hash_value)
    bad = fleet.broadcast(fleet.call(3, limit=LIMIT), accounts=fleet.accounts[1:2])
    fleet.poll()
    return works, filled, bad


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", [0, 2, 1]),
        ("?show=working", [0]),
        ("?show=problems", [2]),
        ("?show=bananas", [0, 2, 1]),
        ("?q=iron", [0]),
        ("?q=SPX", [0, 2, 1]),
        ("?q=nothing", []),
        ("?show=working&q=call", []),
        ("?sort=id", [0, 1, 2]),
        ("?sort=-id", [0, 2, 1]),
        ("?sort=strategy", [1, 2, 0]),
        ("?sort=-strategy", [0, 2, 1]),
        ("?sort=bananas", [0, 2, 1]),
    ],
)
def test_the_address_says_what_is_shown(agent, three, query, shown):
    expected = [three[place].pk for place in shown]

    assert numbers(updates(agent, query)) == expected
    assert numbers(agent.get(f"/{query}")) == expected


def test_a_number_or_an_account_is_found(agent, fleet, three):
    works, filled, bad = three

    assert numbers(updates(agent, f"?q=%23{filled.pk}")) == [filled.pk]
    alias = fleet.accounts[0].alias.upper()
    assert numbers(agent.get("/", {"q": alias})) == [works.pk, filled.pk]
    assert bad.pk not in numbers(agent.get("/", {"q": alias}))


def test_counts_stay_whatever_is_filtered(agent, three):
    page = text_of(updates(agent, "?q=nothing"))

    assert "1 open" in page
    assert '<hx-partial hx-target="#orders-problems" hx-swap="innerMorph"> 1 </hx-partial>' in page
    assert "<b>No order is like that.</b>" in page


def test_what_is_sorted_by_is_said_to_a_screen_reader_and_reversed_by_a_click(agent, three):
    page = text_of(agent.get("/?sort=strategy"))

    assert page.count('aria-sort="none"') == 2
    assert 'aria-sort="ascending"' in page
    assert 'name="sort" value="-strategy">Strategy</button>' in page
    assert '<input type="hidden" name="sort" value="strategy">' in page


def test_the_filter_answers_an_open_page_with_the_list_alone(agent, three):
    answer = agent.get("/?q=iron", headers=HTMX)

    assert "<html" not in text_of(answer)
    assert numbers(answer) == [three[0].pk]


def test_what_was_typed_stands_in_the_filter_and_cannot_break_out(agent, three):
    page = text_of(agent.get("/", {"q": '"><script>'}))

    assert 'value="&quot;&gt;&lt;script&gt;"' in page
