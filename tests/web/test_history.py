"""The history of broadcasts: what is listed, how it is narrowed, sorted and paged."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.models import AccountOrder, ComplexOrder
from strategies.domain.new_york import EASTERN
from tests.integration.orders.hands import force
from tests.support.history import fill_history
from tests.web.browsing import HTMX, text_of
from tests.web.listing import history_numbers

PAGE = "/history/"


def link_to(name, answer):
    """Return where the list loads its next rows from, or its first page again."""
    (link,) = re.findall(rf'hx-get="(/history/{name}/[^"]*)"', answer.content.decode())
    return link.replace("&amp;", "&")


def test_every_broadcast_stands_with_time_legs_prices_and_a_cell_per_account(agent, fleet):
    order = fleet.broadcast(fleet.condor(2))
    fleet.poll()

    page = text_of(agent.get(PAGE))

    placed = order.clicked_at.astimezone(EASTERN)
    assert page.startswith("<!DOCTYPE html>")
    assert f"{placed:%m/%d/%y}<br><b>{placed:%H:%M:%S}</b>" in page
    assert "Iron condor" in page
    assert "CREDIT 0.05 ×2" in page
    assert page.count('<span class="at">@ ') == 4
    assert page.count('class="st st-filled"></i>') == 3 + 1
    assert 'aria-label="3 filled"' in page
    assert "3/3" in page


def test_average_and_drift_are_of_all_that_was_filled(agent, fleet):
    order = fleet.broadcast(fleet.condor(2))
    fleet.poll()
    for child, price in zip(fleet.children(order), ("0.05", "0.06", "0.10"), strict=True):
        AccountOrder.objects.filter(pk=child.pk).update(net_price=Decimal(price))

    page = text_of(agent.get(PAGE))

    assert '<td class="num">0.07</td>' in page
    assert '<td class="num drift">0.05\N{EN DASH}0.10</td>' in page
    assert "Filled 0.05|Filled 0.06|Filled 0.10" in page


def test_an_account_that_was_not_part_keeps_its_place_in_the_grid(agent, fleet):
    fleet.broadcast(fleet.shares(), accounts=fleet.accounts[:1])

    page = text_of(agent.get(PAGE))

    assert page.count('class="st st-none"></i>') == 2


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("kind=STOCKS", lambda order: order.strategy == "EQUITY"),
        ("kind=OPTIONS", lambda order: order.strategy != "EQUITY"),
        ("strategy=IRON_CONDOR", lambda order: order.strategy == "IRON_CONDOR"),
        ("status=FILLED", lambda order: order.status == "FILLED"),
        ("status=PARTIAL", lambda order: order.status == "PARTIAL"),
        (
            "status=SOME_WORKING",
            lambda order: order.children.filter(status="WORKING").exists(),
        ),
        ("purpose=OPEN", lambda order: True),
        ("purpose=CLOSE", lambda order: False),
        ("q=SPX", lambda order: order.underlying == "SPX"),
        ("q=spxw", lambda order: order.underlying == "SPX"),
        ("q=condor", lambda order: order.strategy == "IRON_CONDOR"),
        ("q=Account+3", lambda order: True),
        ("q=nothing+like+it", lambda order: False),
        ("kind=STOCKS&status=FILLED", lambda o: o.strategy == "EQUITY" and o.status == "FILLED"),
    ],
)
def test_the_list_is_narrowed(client, past, query, wanted):
    expected = [order.pk for order in ComplexOrder.objects.order_by("-pk") if wanted(order)]

    answer = client.get(f"{PAGE}?{query}")

    assert history_numbers(answer) == expected
    assert f'was loaded">{len(expected)}<' in text_of(answer)


def test_a_number_finds_its_broadcast_alone(client, past):
    assert history_numbers(client.get(f"{PAGE}?q=%23{past[3]}")) == [past[3]]
    assert past[3] in history_numbers(client.get(f"{PAGE}?q={past[3]}"))
    assert history_numbers(client.get(f"{PAGE}?q=%23999999999999999")) == []


def test_the_last_digits_of_an_account_find_what_it_was_sent(agent, fleet):
    first = fleet.broadcast(fleet.shares(), accounts=fleet.accounts[:1])
    fleet.broadcast(fleet.shares(), accounts=fleet.accounts[1:])

    answer = agent.get(f"{PAGE}?q={fleet.accounts[0].last4}")

    assert history_numbers(answer) == [first.pk]


def test_days_are_those_of_new_york_and_both_ends_belong(client, past):
    order = ComplexOrder.objects.get(pk=past[7])
    late = (timezone.now() - timedelta(days=9)).astimezone(EASTERN).replace(hour=23, minute=59)
    ComplexOrder.objects.filter(pk=order.pk).update(clicked_at=late)

    day = f"{late:%Y-%m-%d}"
    other = f"{late - timedelta(days=1):%Y-%m-%d}"

    assert history_numbers(client.get(f"{PAGE}?since={day}&until={day}")) == [order.pk]
    assert history_numbers(client.get(f"{PAGE}?until={day}")) == [order.pk]
    assert history_numbers(client.get(f"{PAGE}?since={other}&until={other}")) == []
    assert order.pk in history_numbers(client.get(f"{PAGE}?since={day}"))


@pytest.mark.parametrize(
    ("query", "words", "kept"),
    [
        ("since=yesterday&q=SPX", "This is no day.", 'value="SPX"'),
        ("since=2026-11-28&until=2026-11-20", "before the first day", 'value="2026-11-20"'),
        ("status=LOST&q=SPX", "There is no such choice", 'value="SPX"'),
        (f"q={'x' * 61}", "at most 60 characters", "x" * 61),
    ],
)
def test_a_filter_that_cannot_be_meant_is_named_at_its_field_and_nothing_is_lost(
    client, past, query, words, kept
):
    page = text_of(client.get(f"{PAGE}?{query}"))
    update = client.get(f"{PAGE}?{query}", headers=HTMX)

    assert words in page
    assert kept in page
    assert words in text_of(update)
    assert update["HX-Replace-Url"].startswith(f"{PAGE}?")


def test_the_list_is_answered_alone_to_an_open_page_with_its_address(client, past):
    answer = client.get(f"{PAGE}?since=&q=SPX&sort=placed&kind=", headers=HTMX)

    assert "<html" not in text_of(answer)
    assert answer["HX-Replace-Url"] == f"{PAGE}?q=SPX&sort=placed"
    assert '<hx-partial hx-target="#history-count"' in text_of(answer)


@pytest.mark.parametrize("name", ["id", "placed", "strategy", "average", "status"])
def test_every_column_sorts_both_ways(client, past, name):
    rising = history_numbers(client.get(f"{PAGE}?sort={name}"))
    falling = history_numbers(client.get(f"{PAGE}?sort=-{name}"))

    assert sorted(rising) == sorted(falling) == past
    assert rising != falling


def test_what_has_no_price_comes_last_whichever_way(agent, fleet):
    fleet.broadcast(fleet.shares())
    fleet.poll()
    fleet.broker.market(fills="manual")
    unfilled = fleet.broadcast(fleet.shares())

    assert history_numbers(agent.get(f"{PAGE}?sort=average"))[-1] == unfilled.pk
    assert history_numbers(agent.get(f"{PAGE}?sort=-average"))[-1] == unfilled.pk


def test_a_head_says_how_it_is_sorted_and_where_a_click_leads(client, past):
    page = text_of(client.get(f"{PAGE}?sort=-average&q=SPX"))

    assert '<th class="num" scope="col" aria-sort="descending">' in page
    assert 'href="/history/?q=SPX&amp;sort=average"' in page
    assert 'href="/history/?q=SPX&amp;sort=strategy"' in page


def test_more_come_as_they_are_scrolled_to_and_none_twice(client, long_past):
    first = client.get(PAGE)
    link = link_to("rows", first)
    fill_history(accounts=2, broadcasts=3, working=0, detailed=0)  # sent while the page is open

    second = client.get(link, headers=HTMX)
    link = link_to("rows", second)
    third = client.get(link, headers=HTMX)

    assert (
        history_numbers(first) + history_numbers(second) + history_numbers(third) == long_past[::-1]
    )
    assert 'class="more"' not in third.content.decode()


def test_without_javascript_the_pages_are_numbered(client, long_past):
    first = text_of(client.get(f"{PAGE}?kind=OPTIONS"))
    third = client.get(f"{PAGE}?kind=OPTIONS&page=2")

    assert "kind=OPTIONS&amp;page=2&amp;upto=" in first
    assert len(history_numbers(third)) == 100
    assert len(history_numbers(client.get(f"{PAGE}?page=99"))) == 50


def test_an_open_page_shows_what_was_sent_since_down_to_its_last_row(client, long_past):
    first = client.get(PAGE)
    link = link_to("panel", first)
    new = fill_history(accounts=2, broadcasts=2, working=0, detailed=0)

    panel = client.get(link, headers=HTMX)
    same = client.get(link, headers=HTMX | {"HX-PTag": panel["HX-PTag"]})

    assert history_numbers(panel) == new[::-1] + history_numbers(first)
    assert (same.status_code, same.content) == (304, b"")
    assert "aria-selected" not in panel.content.decode()


def test_only_the_first_page_of_the_newest_is_live(client, long_past):
    assert 'hx-get="/history/panel/' in text_of(client.get(PAGE))
    assert 'hx-get="/history/panel/' not in text_of(client.get(f"{PAGE}?page=2"))
    assert 'hx-get="/history/panel/' not in text_of(client.get(f"{PAGE}?sort=status"))


def test_an_empty_history_says_what_will_be_seen(agent, fleet):
    assert "Nothing was sent yet." in text_of(agent.get(PAGE))
    fleet.broadcast(fleet.shares())
    assert "No broadcast is like that." in text_of(agent.get(f"{PAGE}?q=x"))


def test_a_cancel_on_its_way_and_a_part_of_a_fill_are_shown_as_such(agent, fleet):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.shares())
    first, second, _ = fleet.children(order)
    force(first, cancel_asked_at=timezone.now())
    force(second, filled=Decimal(3), net_price=Decimal("150.00"))

    page = text_of(agent.get(PAGE))

    assert "st-leaving" in page
    assert "Partly filled 3 at 150.00" in page


def test_strangers_see_nothing_and_viewers_everything(client, viewer, past):
    client.logout()

    for address in (PAGE, "/history.csv", f"/history/{past[0]}/", "/history/rows/"):
        assert client.get(address).status_code == 302
        assert viewer.get(address).status_code == 200
    assert viewer.post(PAGE).status_code == 405
