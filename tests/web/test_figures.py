"""The figures and checks of a ticket while it is typed: what is said, and what is asked for it."""

from decimal import Decimal

import pytest

from orders.models import ComplexOrder
from tests.web.browsing import HTMX, form_in, open_ticket, text_of
from tests.web.building import act, change, figures

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def calls(agent, broker):
    """Count what the broker was asked for about the market since the last look."""
    seen = 0

    def since() -> int:
        nonlocal seen
        before, seen = seen, len([one for one in broker.journal() if "/marketdata/" in one["path"]])
        return seen - before

    return since


@pytest.mark.parametrize(
    ("typed", "note", "words"),
    [
        ({"limit": "5.00"}, "limit", "below the width of 5.00"),
        ({"limit": "1.23"}, "limit", "must be a multiple of 0.05"),
        ({"limit": "0.05"}, "limit", "worse than the natural price"),
        ({"limit": ""}, "limit", "needs a limit"),
        ({"contracts": "501"}, "contracts", "501 contracts on a ticket is more than 500"),
        ({"contracts": "0"}, "contracts", "whole number from 1"),
    ],
)
def test_a_limit_is_checked_as_it_is_typed_beside_its_field(agent, typed, note, words):
    values = open_ticket(agent)
    if typed.get("limit") == "0.05":  # a market that gives much more
        values = form_in(act(agent, values, "width:50"))

    page = text_of(figures(agent, values, **typed))

    beside = page.partition(f'hx-target="#iron_condor-{note}_notes"')[2].partition("</hx-partial>")
    assert words in beside[0]
    assert ComplexOrder.objects.count() == 0


def test_too_little_buying_power_is_said_as_one_types(agent, fleet):
    fleet.accounts[0].buying_power = Decimal(1)
    fleet.accounts[0].save()

    page = text_of(figures(agent, open_ticket(agent)))

    assert f"{fleet.accounts[0].alias} needs $" in page


def test_typing_asks_the_broker_for_nothing_and_a_look_for_fresh_prices_once(agent, calls, cache):
    values = open_ticket(agent)
    calls()

    for limit in ("1", "1.", "1.0", "1.05"):
        figures(agent, values, limit=limit, contracts="2")
    assert calls() == 0

    for key in cache.client.keys("answers:*:chain:*"):
        cache.client.delete(key)
    agent.post("/desk/ticket/figures/?fresh=1", values, headers=HTMX)
    agent.post("/desk/ticket/figures/?fresh=1", values, headers=HTMX)
    assert calls() == 1


def test_drawing_a_ticket_again_within_seconds_asks_nothing(agent, calls):
    values = open_ticket(agent)
    calls()

    act(agent, values, "delta:0.30")
    change(agent, values, width="25")

    assert calls() == 0


def test_figures_without_known_prices_say_so_and_keep_the_page(agent, cache):
    values = open_ticket(agent)
    cache.client.flushall()

    page = text_of(figures(agent, values))

    assert "The prices are too old" in page


def test_the_figures_multiply_one_account_by_all_that_are_sent(agent, fleet):
    fleet.accounts[2].is_active = False
    fleet.accounts[2].save()
    values = open_ticket(agent)

    page = text_of(figures(agent, values, limit="1.00", contracts="2"))

    assert '<dd class="neg"> −$800.00 </dd>' in page  # (5.00 - 1.00) x 100 x 2
    assert "× 2 accounts</dt> <dd> $1,600.00 at risk" in page
    assert "−$1,600.00" in page.partition("Buying power")[2]
    assert "2 of 3 accounts get 4 in all" in page
    assert f"<b>{fleet.accounts[2].alias}</b> The account is switched off." in page


def test_a_wrong_limit_still_has_its_payoff(agent):
    assert "Max gain" in text_of(figures(agent, open_ticket(agent), limit="1.23"))


def test_a_naked_call_has_no_end_of_loss(agent):
    values = open_ticket(
        agent, strategy="SINGLE_OPTION", side="CALL", instruction="SELL_TO_OPEN", underlying="SPY"
    )

    page = text_of(figures(agent, values))

    assert "loses without end" in page
    assert "unlimited risk" in page
    assert "only the broker can tell" in page


@pytest.mark.parametrize(
    ("order_type", "has_limit", "has_stop"),
    [
        ("LIMIT", True, False),
        ("MARKET", False, False),
        ("STOP", False, True),
        ("STOP_LIMIT", True, True),
    ],
)
def test_a_single_option_asks_only_for_the_prices_of_its_order_type(
    agent, order_type, has_limit, has_stop
):
    values = open_ticket(agent, strategy="SINGLE_OPTION", underlying="SPY")

    page = text_of(agent.post("/desk/ticket/", values | {"order_type": order_type}, headers=HTMX))

    assert ('for="single_option-limit"' in page) == has_limit
    assert ('for="single_option-stop"' in page) == has_stop


def test_a_stop_order_goes_without_the_limit_that_was_typed_before(agent, fleet, queue):
    values = open_ticket(agent, strategy="SINGLE_OPTION", underlying="SPY")
    stop = values | {"order_type": "STOP", "stop": "90.00", "instruction": "BUY_TO_OPEN"}

    reviewed = agent.post("/desk/review/", stop, headers=HTMX)
    agent.post("/desk/send/", form_in(reviewed), headers=HTMX)

    order = ComplexOrder.objects.get()
    assert (order.order_type, order.limit, order.stop) == ("STOP", None, Decimal(90))
