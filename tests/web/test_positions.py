"""The positions of the fleet: what is listed, what explains it, how it is narrowed and sorted."""

import csv
import io
import re
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Account, Position
from accounts.services.balances import sync_accounts
from accounts.services.read_times import forget_reads
from tests.support.history import fill_history
from tests.support.make import make_user
from tests.web.browsing import HTMX, text_of


@pytest.fixture
def held(fleet, agent):
    """A condor filled in every account and read at the broker, and shares bought elsewhere."""
    order = fleet.broadcast(fleet.condor(2))
    fleet.poll()
    first = fleet.accounts[0].hash_value
    holdings = fleet.broker.positions()
    holdings[first] = holdings.get(first, {}) | {"AAPL": 30}
    fleet.broker.positions(holdings)
    read(fleet)
    return order


def test_every_position_says_which_set_explains_it_and_how_much(agent, held):
    page = text_of(agent.get("/positions/"))

    set_id = held.placed_order_set.pk
    assert page.count("data-row>") == 3 * 4 + 1
    assert f'href="/desk/sets/{set_id}/">#{set_id}<span class="num">2</span>' in page
    assert "SPXW" in page
    assert page.count("not ours:") == 1
    assert 'not ours: <span class="num">30</span>' in page


def test_what_went_elsewhere_is_marked_as_gone(agent, fleet, held):
    Position.objects.filter(account=fleet.accounts[1], quantity__gt=0).update(quantity=1)

    page = text_of(agent.get("/positions/?strange=1"))

    assert page.count('gone: <span class="num">1</span>') == 2
    assert page.count("data-row>") == 3


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("", 13),
        ("?kind=stocks", 1),
        ("?kind=options", 12),
        ("?q=aapl", 1),
        ("?q=spx", 12),
        ("?strange=1", 1),
        ("?symbol=AAPL", 1),
        ("?view=symbols", 5),
        ("?q=nothing+like+it", 0),
        ("?kind=nonsense&sort=nonsense&account=nonsense&page=x", 13),
        ("?page=99", 13),
    ],
)
def test_positions_are_narrowed(agent, held, query, rows):
    assert text_of(agent.get(f"/positions/{query}")).count("data-row>") == rows


def test_positions_of_one_account_and_of_one_set(agent, fleet, held):
    account = fleet.accounts[0]

    of_account = text_of(agent.get(f"/positions/?account={account.pk}"))
    of_set = text_of(agent.get(f"/positions/?set={held.placed_order_set.pk}"))
    sought = text_of(agent.get(f"/positions/?q=%23{held.placed_order_set.pk}"))

    assert of_account.count("data-row>") == 5
    assert of_set.count("data-row>") == sought.count("data-row>") == 12
    assert f"set #{held.placed_order_set.pk} ✕" in of_set


def test_a_symbol_sums_its_positions_and_what_no_set_explains(agent, fleet, held):
    Position.objects.create(
        account=fleet.accounts[1],
        symbol="AAPL",
        asset_type="EQUITY",
        quantity=Decimal(10),
        average_price=Decimal(150),
        market_value=Decimal(2000),
        read_at=timezone.now(),
    )
    Position.objects.filter(account=fleet.accounts[0], symbol="AAPL").update(
        average_price=Decimal(200), market_value=Decimal(6000)
    )

    (row,) = [
        line
        for line in text_of(agent.get("/positions/?view=symbols&kind=stocks")).split("<tr ")
        if "data-row>" in line
    ]

    assert '<td class="num">2</td>' in row
    assert '<td class="num pos">40</td>' in row
    assert "187.50" in row  # (30 × 200 + 10 × 150) / 40
    assert "8,000.00" in row
    assert "+500.00" in row
    assert 'not ours: <span class="num">40</span>' in row


@pytest.mark.parametrize("name", ["account", "symbol", "quantity", "average", "value", "strange"])
def test_every_column_sorts_both_ways(agent, held, name):
    def order(sort):
        page = agent.get(f"/positions/?sort={sort}").content.decode()
        return re.findall(r'<tr id="(p\d[^"]*)"', page)

    rising, falling = order(name), order(f"-{name}")

    assert len(rising) == 13
    assert sorted(rising) == sorted(falling)
    assert rising != falling


def test_a_head_says_how_it_is_sorted_and_what_a_click_asks_for(agent, held):
    page = text_of(agent.get("/positions/?sort=-value"))

    assert '<th class="num" scope="col" aria-sort="descending">' in page
    assert 'name="sort" value="value">Value' in page
    assert 'name="sort" value="-gain">Open P/L' in page


def test_the_list_is_answered_alone_to_an_open_page_with_its_address(agent, held):
    answer = agent.get("/positions/?q=AAPL&view=accounts&rows=100", headers=HTMX)

    assert "<html" not in text_of(answer)
    assert answer["HX-Replace-Url"] == "/positions/?q=AAPL"
    assert '<hx-partial hx-target="#positions-sums"' in text_of(answer)


def test_an_open_page_is_told_nothing_until_something_changed(agent, fleet, held):
    tag = agent.get("/positions/panel/", headers=HTMX)["HX-PTag"]

    same = agent.get("/positions/panel/", headers=HTMX | {"HX-PTag": tag})
    read(fleet)
    changed = agent.get("/positions/panel/", headers=HTMX | {"HX-PTag": tag})

    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == 200


def test_more_rows_come_as_they_are_scrolled_to_and_stay_up_to_date(agent, fleet):
    hold(fleet.accounts[:1], 250)

    first = text_of(agent.get("/positions/"))
    second = text_of(agent.get("/positions/rows/?page=2&shown=100", headers=HTMX))
    last = text_of(agent.get("/positions/rows/?page=3&shown=200", headers=HTMX))
    panel = text_of(agent.get("/positions/panel/?rows=200", headers=HTMX))

    assert first.count("data-row>") == second.count("data-row>") == 100
    assert 'hx-get="/positions/rows/?page=2&amp;shown=100"' in first
    assert 'hx-get="/positions/rows/?page=3&amp;shown=200"' in second
    assert 'name="rows" value="200"' in second
    assert last.count("data-row>") == 50
    assert "hx-get" not in last
    assert panel.count("data-row>") == 200


def test_without_javascript_the_pages_are_numbered(agent, fleet):
    hold(fleet.accounts[:1], 250)

    first = text_of(agent.get("/positions/?q=sym"))
    third = text_of(agent.get("/positions/?q=sym&page=3"))

    assert 'href="?q=sym&amp;page=3"' in first
    assert third.count("data-row>") == 50


def test_the_file_holds_what_is_shown_and_no_formula(agent, fleet, held):
    Account.objects.filter(pk=fleet.accounts[0].pk).update(alias="=HYPERLINK(1)")

    answer = agent.get("/positions.csv?sort=-value&q=aapl")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    assert [(row["symbol"], row["quantity"], row["not_ours"]) for row in rows] == [
        ("AAPL", "30", "30")
    ]
    assert rows[0]["account"] == "'=HYPERLINK(1)"
    whole = agent.get("/positions.csv?kind=options").content.decode()
    assert len(whole.splitlines()) == 1 + 12


def test_a_short_position_stays_a_number_in_the_file(agent, held):
    text = agent.get("/positions.csv").content.decode()

    assert ",-2," in text


def test_an_empty_fleet_says_what_will_be_seen(agent, fleet):
    assert "The broker was not asked yet." in text_of(agent.get("/positions/"))
    read(fleet)
    assert "The fleet holds nothing." in text_of(agent.get("/positions/"))
    assert "No position is like that." in text_of(agent.get("/positions/?q=x"))


def test_strangers_see_nothing_and_viewers_everything(client, viewer, held):
    client.logout()

    assert client.get("/positions/").status_code == 302
    assert client.get("/positions.csv").status_code == 302
    assert viewer.get("/positions/").status_code == 200
    assert client.post("/positions/").status_code == 405


@pytest.mark.timeout(180)
def test_five_thousand_positions_cost_few_queries_and_one_page(
    client, db, django_assert_max_num_queries
):
    fill_history(accounts=45, broadcasts=60, working=10)
    hold(Account.objects.all(), 110)
    client.force_login(make_user())
    client.get("/positions/elsewhere/")  # the frame is the same for all pages

    with django_assert_max_num_queries(15):
        answer = client.get("/positions/")
    with django_assert_max_num_queries(7):
        panel = client.get("/positions/panel/?sort=-value", headers=HTMX)

    assert Position.objects.count() == 45 * 110
    assert answer.status_code == 200
    assert len(answer.content) < 100_000
    assert len(panel.content) < 90_000


def read(fleet):
    """Let balances and positions be read at the broker now."""
    forget_reads()
    sync_accounts(gateway=fleet.gateway, now=timezone.now())


def hold(accounts, number):
    """Let accounts hold this many symbols."""
    now = timezone.now()
    Position.objects.bulk_create(
        Position(
            account=account,
            symbol=f"SYM{place}",
            asset_type="EQUITY",
            quantity=Decimal(place + 1),
            average_price=Decimal(10),
            market_value=Decimal(place + 1) * 12,
            read_at=now,
        )
        for account in accounts
        for place in range(number)
    )
    Account.objects.filter(pk__in=[account.pk for account in accounts]).update(positions_at=now)
