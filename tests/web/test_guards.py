"""What a guard objects to, in the review: told with its numbers, confirmed with a box."""

from decimal import Decimal

import pytest

from accounts.models import Account
from orders.models import AccountOrder, ComplexOrder
from tests.web.browsing import HTMX, form_in, open_ticket, text_of, typed_in

BOX = 'name="confirm" value="{}"'


@pytest.fixture(autouse=True)
def prices(redis_server, settings):
    """An empty cache for quotes."""
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url


@pytest.fixture
def far_off(agent):
    """A ticket at a price far worse than the market's, whatever that is."""
    return open_ticket(agent, strategy="EQUITY", underlying="AAPL") | {"limit": "900.00"}


def review(agent, values):
    return agent.post("/desk/review/", values, headers=HTMX)


def send(agent, values):
    return agent.post("/desk/send/", values, headers=HTMX)


def test_the_ticket_as_it_is_offered_meets_no_objection(agent):
    page = text_of(review(agent, open_ticket(agent)))

    assert "SEND TO 3 ACCOUNTS" in page
    assert "confirm" not in page
    for of_another in ("hx-disable", '<button type="submit" disabled hidden>'):
        page = page.replace(of_another, "")
    assert "disabled" not in page


def test_the_review_shows_an_objection_with_its_numbers_and_a_box_that_must_be_ticked(
    agent, far_off
):
    answer = review(agent, far_off)

    page = text_of(answer)
    assert "The limit 900.00 is" in page
    assert "worse than the natural price" in page
    assert BOX.format("PRICE_AWAY") in page
    assert "required> Send anyway: at this limit" in page
    assert "SEND TO 3 ACCOUNTS" in page
    assert {name: text for name, text in form_in(answer).items() if name in far_off} == typed_in(
        far_off
    )


def test_without_the_tick_sending_is_refused_and_nothing_typed_is_lost(agent, far_off, queue):
    reviewed = form_in(review(agent, far_off))

    answer = send(agent, reviewed)

    assert BOX.format("PRICE_AWAY") in text_of(answer)
    assert form_in(answer) == reviewed
    assert ComplexOrder.objects.count() == 0


def test_with_the_tick_it_is_sent(agent, far_off, queue):
    reviewed = form_in(review(agent, far_off))

    answer = send(agent, reviewed | {"confirm": "PRICE_AWAY"})

    assert "is on its way" in text_of(answer)
    assert AccountOrder.objects.filter(status="READY").count() == 3


def test_a_tick_stays_when_another_guard_objects_only_at_the_click(agent, fleet, far_off, queue):
    reviewed = form_in(review(agent, far_off))
    send(agent, reviewed | {"confirm": "PRICE_AWAY"})
    again = reviewed | {"intent": "6f1c1dd3-3a0f-4a0e-9f4e-1f9f3c1b9a10", "confirm": "PRICE_AWAY"}

    answer = send(agent, again)

    page = text_of(answer)
    assert "The same order was made" in page
    assert f"{BOX.format('PRICE_AWAY')} checked" in page
    assert f"{BOX.format('DUPLICATE_ORDER')} required" in page
    assert ComplexOrder.objects.count() == 1
    both = ["PRICE_AWAY", "DUPLICATE_ORDER"]
    assert "is on its way" in text_of(send(agent, again | {"confirm": both}))


def test_a_second_click_of_the_same_intent_is_no_duplicate(agent, far_off, queue):
    reviewed = form_in(review(agent, far_off)) | {"confirm": "PRICE_AWAY"}
    send(agent, reviewed)

    assert "nothing was sent twice" in text_of(send(agent, reviewed))


def test_the_way_back_to_the_ticket_forgets_what_was_confirmed_and_nothing_else(agent, far_off):
    reviewed = form_in(review(agent, far_off)) | {"confirm": "PRICE_AWAY"}

    back = agent.post("/desk/ticket/", reviewed, headers=HTMX)

    assert form_in(back) == far_off


def test_what_cannot_be_confirmed_blocks_sending_with_words(agent, queue):
    values = open_ticket(agent) | {"contracts": "501"}

    answer = review(agent, values)

    page = text_of(answer)
    assert "501 contracts on a ticket is more than 500" in page
    assert BOX.format("MAX_CONTRACTS") not in page
    assert 'type="submit" disabled' in page
    assert form_in(answer)["contracts"] == "501"
    forced = send(agent, form_in(answer) | {"confirm": ["PRICE_AWAY", "BUYING_POWER"]})
    assert "501 contracts on a ticket is more than 500" in text_of(forced)
    assert ComplexOrder.objects.count() == 0


def test_many_accounts_are_counted_and_listed_behind_a_click(agent, settings, broker, fleet):
    Account.objects.update(buying_power=Decimal(1))
    donor = fleet.accounts[0]
    for number in range(4, 7):
        donor.pk, donor.number_index, donor.position = None, f"index {number}", number
        donor.alias = f"Poor {number}"
        donor.buying_power = Decimal(1)
        donor.save(force_insert=True)

    page = text_of(review(agent, open_ticket(agent)))

    assert "and 3 more." in page
    assert "<summary>All 6 accounts</summary>" in page
    assert "Poor 6</p>" in page


def test_a_confirmation_that_nobody_offered_is_refused_in_words(agent, far_off, queue):
    answer = send(agent, far_off | {"confirm": "MAX_CONTRACTS"})

    assert "MAX_CONTRACTS is not one of the available choices" in text_of(answer)
    assert ComplexOrder.objects.count() == 0


def test_without_javascript_the_objection_comes_with_the_whole_page(agent, far_off, queue):
    page = agent.post("/desk/review/", far_off)

    assert text_of(page).startswith("<!DOCTYPE html>")
    assert BOX.format("PRICE_AWAY") in text_of(page)
    answer = agent.post("/desk/send/", form_in(page) | {"confirm": "PRICE_AWAY"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert ComplexOrder.objects.count() == 1
