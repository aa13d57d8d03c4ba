"""Before an exit all orders are listed: whole however many, only the end of what is known, brackets too."""

from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from accounts.models import Account
from orders import tasks
from orders.domain.matching import CLOCKS_APART
from orders.services.exits.advancing import advance_exits
from orders.services.exits.beginnings import keep_beginnings, read_beginnings
from orders.services.exits.looking import look
from orders.services.whole_lists import LONGEST_WINDOW
from tests.integration.orders.leaving import enter
from tests.integration.orders.strangers import at, by_hand
from tests.support.make import make_account
from tests.support.raw_server import dead_port

pytestmark = pytest.mark.usefixtures("prices")

SOON = timedelta(seconds=30)


class Listening:
    """A gateway that remembers from when on orders were listed."""

    def __init__(self, gateway):
        self._gateway = gateway
        self.begun: list[datetime] = []

    def stream(self, calls):
        for call in calls:
            since = parse_qs(urlsplit(call.request.path).query).get("fromEnteredTime", ())
            self.begun += map(datetime.fromisoformat, since)
        return self._gateway.stream(calls)


def see(fleet, now=None):
    """Look at all accounts before an exit, and keep where the next lists begin."""
    gateway, now = Listening(fleet.gateway), now or timezone.now()
    ours = Account.objects.filter(pk__in=[account.pk for account in fleet.accounts])
    accounts = list(ours.select_related("login__token"))
    looked = look(accounts, gateway=gateway, now=now)
    keep_beginnings(looked.beginnings, looked.linked)
    return looked, sorted(now - since for since in gateway.begun)


def rest(fleet, **more):
    """Let somebody sell by hand at a price that nobody pays; return the order's number."""
    return str(by_hand(fleet, instruction="SELL", quantity=5, limit="9000.00", **more))


@pytest.fixture
def held(fleet):
    """Ten shares in each of three accounts, each under a login of its own."""
    return enter(fleet, fleet.shares(10))


@pytest.mark.usefixtures("held")
def test_what_is_over_is_not_listed_again(fleet):
    _, first = see(fleet)
    looked, second = see(fleet)

    assert [age.days for age in first] == [LONGEST_WINDOW.days] * 3
    assert all(CLOCKS_APART <= age < CLOCKS_APART + SOON for age in second)
    assert len(looked.seen) == len(second) == 3


@pytest.mark.usefixtures("held")
def test_an_order_that_still_works_is_listed_however_old_it_is(fleet):
    number = rest(fleet)
    see(fleet, at(3600))
    looked, ages = see(fleet, at(7200))

    assert looked.seen[fleet.accounts[0].pk].foreign == {number: {"AAPL"}}
    assert [age > timedelta(hours=2) for age in ages] == [False, False, True]


@pytest.mark.usefixtures("held")
def test_another_account_brings_orders_of_its_own(fleet):
    see(fleet)
    make_account(fleet.logins[0], position=9)

    _, ages = see(fleet)
    _, again = see(fleet)  # the broker does not show it yet

    for found in (ages, again):
        assert [age > timedelta(days=58) for age in found] == [False, False, True]


@pytest.mark.usefixtures("held")
def test_a_list_with_a_row_that_makes_no_sense_teaches_nothing(fleet):
    odd = [{"orderId": "none", "status": "WORKING"}]
    fleet.broker.fault("bad_json", method="GET", path="/trader/v1/orders", body=odd)

    looked, _ = see(fleet)

    assert len(looked.seen) == 3
    assert len(looked.beginnings) == 2


@pytest.mark.usefixtures("held")
def test_without_the_memory_every_list_is_long(fleet, settings):
    see(fleet)
    settings.CACHE_URL = f"redis://127.0.0.1:{dead_port()}/0"

    looked, ages = see(fleet)

    assert len(looked.seen) == 3
    assert all(age > timedelta(days=58) for age in ages)


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("kept", ["", "[]", "{", '{"since": 7}'])
def test_what_another_version_kept_is_nothing(fleet, prices, kept):
    see(fleet)
    for name in prices.client.keys("exit:*"):
        prices.client.set(name, kept)

    looked, ages = see(fleet)

    assert len(looked.seen) == 3
    assert all(age > timedelta(days=58) for age in ages)


@pytest.mark.usefixtures("held")
def test_a_clock_that_was_set_back_makes_the_list_long(fleet):
    see(fleet, at(7200))

    assert all(age > timedelta(days=58) for age in see(fleet)[1])


@pytest.mark.usefixtures("held")
def test_a_full_list_is_asked_for_in_halves_until_all_of_it_is_there(fleet, monkeypatch):
    fleet.broker.clock(400)
    number = rest(fleet)
    monkeypatch.setattr("brokerage.schwab.messages.MOST_ROWS", 2)

    looked, ages = see(fleet)

    assert len(ages) > 3
    assert looked.seen[fleet.accounts[0].pk].foreign == {number: {"AAPL"}}
    assert not looked.silent


@pytest.mark.usefixtures("held")
def test_an_account_of_which_a_part_was_not_read_is_not_closed(fleet, monkeypatch):
    fleet.broker.clock(400)
    rest(fleet)
    monkeypatch.setattr("brokerage.schwab.messages.MOST_ROWS", 2)
    monkeypatch.setattr("orders.services.whole_lists.SHORTEST_WINDOW", timedelta(days=20))

    looked, _ = see(fleet)

    assert looked.silent == {fleet.accounts[0].pk: "A list of orders ends after 2 rows"}
    assert fleet.accounts[0].pk not in looked.seen
    assert fleet.accounts[0].login_id not in looked.beginnings


def test_what_a_bracket_sells_is_canceled_first(fleet, held):
    """Its parent has filled, the profit and the stop work: none is a row of the list by itself."""
    number = rest(fleet)
    shown = next(one for one in fleet.broker.orders() if str(one["orderId"]) == number)
    either = {"orderId": 6, "orderStrategyType": "OCO", "childOrderStrategies": [shown]}
    bracket = {
        **shown,
        "orderId": 5,
        "status": "FILLED",
        "orderStrategyType": "TRIGGER",
        "childOrderStrategies": [either],
    }
    fleet.broker.fault("bad_json", method="GET", path="/trader/v1/orders", body=[bracket], times=3)
    before = fleet.broker.journal()[-1]["seq"]
    held.open(limit=Decimal("0.01"))

    advance_exits(gateway=fleet.gateway)

    canceled = [row for row in fleet.broker.journal(before) if row["method"] == "DELETE"]
    assert [row["order_id"] for row in canceled] == [number]
    assert held.states() == ["WAITING", "CLOSING", "CLOSING"]


def test_the_worker_remembers_where_lists_begin(fleet, held, monkeypatch):
    monkeypatch.setattr("orders.tasks.exiting.process_gateway", lambda: fleet.gateway)
    held.open(limit=Decimal("0.01"))
    tasks.advance_exits()

    linked = {
        login.pk: frozenset({account.number_index})
        for login, account in zip(fleet.logins, fleet.accounts, strict=True)
    }
    known = read_beginnings(linked)

    assert known.keys() == linked.keys()
    assert all(timezone.now() - since < CLOCKS_APART + SOON for since in known.values())
