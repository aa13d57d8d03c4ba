"""Lists are asked for where something was traded elsewhere, and again until they settle it."""

import pytest

from orders.models import ElsewhereLook, ExternalOrder
from orders.services.elsewhere import look_elsewhere
from orders.services.external import note_external
from orders.services.known_orders import known_orders
from tests.integration.orders.strangers import at, by_hand, differs, hold, journal, read_again

PLAIN = {
    "orderId": 71,
    "status": "WORKING",
    "enteredTime": "2026-01-05T15:00:00+0000",
    "orderLegCollection": [
        {"instruction": "BUY", "quantity": 5, "instrument": {"symbol": "AAPL"}},
    ],
}
# No arithmetic of ours takes such a quantity.
ABSURD = {
    "orderId": 72,
    "orderStrategyType": "OCO",
    "childOrderStrategies": [
        {"orderLegCollection": [{"quantity": "1e999999999", "instrument": {"symbol": "AAPL"}}]}
    ],
}


@pytest.fixture(autouse=True)
def _nothing_known():
    known_orders.forget()


def test_a_position_that_no_set_explains_costs_one_list_of_that_account(fleet):
    hold(fleet, 0, {"AAPL": 7})
    look_elsewhere(gateway=fleet.gateway, now=at(0))
    calls = len(journal(fleet))
    number = by_hand(fleet)
    read_again(fleet, 60)

    looked = look_elsewhere(gateway=fleet.gateway, now=at(61))
    again = look_elsewhere(gateway=fleet.gateway, now=at(62))

    asked = journal(fleet)[calls:]
    assert (looked.asked, looked.written) == (1, 1)
    assert [one["account"] for one in asked] == [fleet.accounts[0].hash_value]
    assert ExternalOrder.objects.get().broker_order_id == str(number)
    assert again.asked == 0


def test_a_difference_that_does_not_last_costs_nothing(fleet):
    """A fill is on record before its position is read."""
    read_again(fleet, 0)
    fleet.broadcast(fleet.condor())
    fleet.poll()
    first = look_elsewhere(gateway=fleet.gateway, now=at(0))
    read_again(fleet, 60)

    second = look_elsewhere(gateway=fleet.gateway, now=at(61))

    assert first.asked == second.asked == 0
    assert not ElsewhereLook.objects.exclude(difference={}).exists()


def test_an_order_that_still_works_is_asked_about_once_a_minute(fleet):
    by_hand(fleet)
    look_elsewhere(gateway=fleet.gateway, now=at(0), logins=[fleet.logins[0].pk])

    asked = [look_elsewhere(gateway=fleet.gateway, now=at(s)).asked for s in (1, 30, 62, 90, 125)]

    assert asked == [1, 0, 1, 0, 1]


def test_a_login_that_is_silent_is_asked_again(fleet):
    hold(fleet, 0, {"AAPL": 7})
    look_elsewhere(gateway=fleet.gateway, now=at(0))
    read_again(fleet, 60)
    fleet.broker.fault("http_500", method="GET", path="/orders", times=1)

    failed = look_elsewhere(gateway=fleet.gateway, now=at(61))
    second = look_elsewhere(gateway=fleet.gateway, now=at(91))

    assert (failed.asked, len(failed.failed)) == (0, 1)
    assert second.asked == 1


def test_a_list_that_is_full_settles_nothing(fleet, monkeypatch):
    number = by_hand(fleet)
    differs(fleet)
    with monkeypatch.context() as patch:
        patch.setattr("brokerage.schwab.messages.MOST_ROWS", 1)
        full = look_elsewhere(gateway=fleet.gateway, now=at(61))

    again = look_elsewhere(gateway=fleet.gateway, now=at(91))

    assert (full.asked, list(full.failed.values())) == (0, ["the list ends after 1 orders"])
    assert ExternalOrder.objects.get().broker_order_id == str(number)
    assert again.asked == 1


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"orderId": "none"}], "1 of 2 orders are unreadable"),
        ([ABSURD], "some of its orders may be ours, or could not be written"),
    ],
)
def test_a_list_with_what_cannot_be_read_or_written_settles_nothing(fleet, rows, words):
    differs(fleet)
    number = fleet.broker.logins()[0]["accounts"][0]["number"]
    shown = [row | {"accountNumber": number} for row in [PLAIN, *rows]]
    fleet.broker.fault("bad_json", method="GET", path="/orders", body=shown)

    odd = look_elsewhere(gateway=fleet.gateway, now=at(61))
    again = look_elsewhere(gateway=fleet.gateway, now=at(91))

    assert (odd.asked, list(odd.failed.values())) == (0, [words])
    assert again.asked == 1


def test_what_may_still_be_ours_is_looked_at_again(fleet):
    """An order whose answer was lost is nobody's until reconciliation has found it."""
    fleet.broker.fault("drop_after", method="POST", account=fleet.accounts[0].hash_value)
    fleet.broker.market(fills="manual")
    fleet.broadcast(fleet.shares(10))
    differs(fleet)

    first = look_elsewhere(gateway=fleet.gateway, now=at(61))
    second = look_elsewhere(gateway=fleet.gateway, now=at(91))

    assert [(one.asked, len(one.failed), one.calls) for one in (first, second)] == [(0, 1, 1)] * 2
    assert not ExternalOrder.objects.exists()


def test_a_login_that_could_not_be_listed_is_named(fleet):
    fleet.broker.fault("http_500", method="GET", path="/orders", times=1)

    looked = look_elsewhere(gateway=fleet.gateway, now=at(0), logins=[fleet.logins[0].pk])

    assert looked.failed.keys() == {fleet.logins[0].pk}


def test_many_lists_are_kept_a_few_at_a_time(fleet, monkeypatch):
    """Read, a day's orders of a fleet take hundreds of megabytes."""
    numbers = {str(by_hand(fleet, place)) for place in (0, 2)}
    sizes = []

    def note(orders, *, now):
        sizes.append(len(orders))
        return note_external(orders, now=now)

    monkeypatch.setattr("orders.services.elsewhere.note_external", note)
    monkeypatch.setattr("orders.services.elsewhere.ORDERS_AT_ONCE", 1)
    logins = [login.pk for login in fleet.logins]

    looked = look_elsewhere(gateway=fleet.gateway, now=at(0), logins=logins)

    assert (looked.asked, looked.written, max(sizes)) == (len(logins), 2, 1)
    assert set(ExternalOrder.objects.values_list("broker_order_id", flat=True)) == numbers
