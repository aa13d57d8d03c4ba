"""The terms of an exit: a part, some accounts, the limit, and what needs a tick."""

import pytest

from orders.models import ExitStep
from tests.integration.orders.leaving import enter
from tests.web.browsing import form_in, text_of
from tests.web.leaving import exits, page_of, redraw


@pytest.fixture
def typed(agent, way):
    """What stands in the form at first."""
    return form_in(agent.get(page_of(way, "exit")))


def test_a_part_in_one_account_is_said_and_done(agent, way, typed, click, fleet):
    account = fleet.accounts[1]
    values = typed | {
        "percent": "50",
        "scope": "some",
        "listed": "1",
        "accounts": [str(account.pk)],
    }

    page = text_of(redraw(agent, way, values))
    click(page_of(way, "exit"), values)

    assert "<b>1</b> contract in 1 account" in page
    step = ExitStep.objects.get()
    assert step.account_id == account.pk
    assert {abs(quantity) for quantity in step.plan.values()} == {1}


def test_choosing_begins_with_all_accounts_ticked(agent, way, typed):
    page = text_of(redraw(agent, way, typed | {"scope": "some"}))

    assert page.count('name="accounts"') == 3
    assert page.count("checked") == 6  # with price, part and scope


def test_the_link_of_one_account_means_that_account_alone(agent, way, fleet):
    page = agent.get(page_of(way, "exit"), {"account": str(fleet.accounts[2].pk)})

    assert "<b>2</b> contracts in 1 account" in text_of(page)
    assert form_in(page)["accounts"] == str(fleet.accounts[2].pk)


def test_choosing_nobody_is_refused_in_words(agent, way, typed, click):
    answer = click(page_of(way, "exit"), typed | {"scope": "some", "listed": "1"})

    assert "Choose at least one account." in text_of(answer)
    assert exits() == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"limit": "abc"}, "Enter a number."),
        ({"limit": ""}, "Enter the limit to close at."),
        ({"limit": "1.23"}, "1.23"),
        ({"percent": "0"}, "Select a valid choice."),
        ({"percent": "101"}, "Select a valid choice."),
        ({"pricing": "CHEAP"}, "Select a valid choice."),
        ({"intent": "1"}, "Enter a valid UUID."),
        ({"scope": "some", "listed": "1", "accounts": ["1"]}, "not one of the available choices"),
    ],
    ids=["words", "empty", "off-tick", "nothing", "too-much", "pricing", "intent", "account"],
)
def test_bad_input_is_named_and_nothing_typed_is_lost(way, typed, click, wrong, words):
    answer = click(page_of(way, "exit"), typed | wrong)

    page = text_of(answer)
    assert page.startswith("<!DOCTYPE html>")
    assert words in page
    kept = form_in(answer)
    assert kept["limit"] == (wrong.get("limit", typed["limit"]))
    assert exits() == []


def test_a_limit_far_from_the_market_needs_its_tick(agent, way, typed, click):
    far = typed | {"limit": "90.00"}

    drawn = text_of(redraw(agent, way, far))
    refused = click(page_of(way, "exit"), far)

    for page in (drawn, text_of(refused)):
        assert "worse than the natural price" in page
        assert 'name="confirm" value="PRICE_AWAY"' in page
    assert form_in(refused)["limit"] == "90.00"
    assert exits() == []
    assert click(page_of(way, "exit"), far | {"confirm": "PRICE_AWAY"}).status_code == 302
    assert len(exits()) == 1


def test_a_market_exit_of_several_legs_needs_its_tick(agent, way, typed, click):
    market = typed | {"pricing": "MARKET"}

    page = text_of(redraw(agent, way, market))
    refused = click(page_of(way, "exit"), market)

    assert 'name="confirm" value="NO_MARKET_MULTILEG"' in page
    assert refused.status_code == 200
    assert exits() == []
    click(page_of(way, "exit"), market | {"confirm": "NO_MARKET_MULTILEG"})
    assert [order.order_type for order in exits()] == ["MARKET"]


def test_a_market_exit_of_shares_has_a_warning_and_no_tick(agent, fleet, queue, settings, click):
    settings.CACHE_URL = queue.url
    way = enter(fleet, fleet.shares(10))
    typed = form_in(agent.get(page_of(way, "exit"))) | {"pricing": "MARKET"}

    page = text_of(redraw(agent, way, typed))

    assert "it fills at any price" in page
    assert "confirm" not in page
    assert "<b>30</b> shares in 3 accounts" in page
    assert click(page_of(way, "exit"), typed).status_code == 302


def test_a_typed_limit_that_is_not_asked_for_is_kept_and_does_no_harm(agent, way, typed, click):
    values = typed | {"pricing": "NATURAL", "limit": "abc"}

    drawn = redraw(agent, way, values)
    click(page_of(way, "exit"), values)

    assert form_in(drawn)["limit"] == "abc"
    assert [order.pricing for order in exits()] == ["NATURAL"]


def test_without_quotes_the_limit_is_asked_for_and_nothing_else_can_be_chosen(
    agent, way, broker, queue
):
    broker.fault("http_500", path="/quotes", times=20)
    queue.client.flushall()

    page = text_of(agent.get(page_of(way, "exit")))

    assert "no quote of every leg now" in page
    assert "Enter the limit to close at." in page
    assert 'value="MID"' not in page
    assert 'value="MARKET"' in page
