"""Cancel, replace and retry from their pages: what is said first, and what is asked then."""

from decimal import Decimal

import pytest

from orders.models import AccountOrder, ComplexOrder
from tests.integration.orders.hands import force
from tests.integration.orders.leaving import enter, fill_by_hand
from tests.web.browsing import HTMX, become, text_of

LIMIT = Decimal("1.00")


@pytest.fixture
def click(agent, queue, settings, django_capture_on_commit_callbacks):
    """Post to a page, and let its transaction commit."""
    settings.CACHE_URL = queue.url

    def post(address, values, **options):
        with django_capture_on_commit_callbacks(execute=True):
            return agent.post(address, values, **options)

    return post


@pytest.fixture
def resting(fleet, broker):
    """Calls that rest at the broker in three accounts."""
    broker.market(fills="manual")
    order = fleet.broadcast(fleet.call(10, limit=LIMIT))
    fleet.poll()
    return order


@pytest.fixture
def failed(fleet, broker):
    """Calls of which two of three accounts have nothing: refused, and rejected."""
    first, second, _ = fleet.accounts
    broker.fault("drop_before", method="POST", account=first.hash_value, times=2)
    broker.fault("reject", method="POST", account=second.hash_value)
    order = fleet.broadcast(fleet.call(5))
    fleet.poll()
    force(fleet.children(order)[0], status="FAILED_TO_PLACE", reason="It was not sent.")
    return order


def page_of(order, what):
    return f"/desk/orders/{order.pk}/{what}/"


def wishes(order):
    """Return in which accounts a cancel is asked for, and the limits to go on at."""
    rows = AccountOrder.objects.filter(order=order).order_by("account__position")
    return [(row.cancel_asked_at is not None, row.replace_limit) for row in rows]


def attempts(order):
    rows = AccountOrder.objects.filter(order=order).order_by("account__position", "attempt")
    return list(rows.values_list("account__position", "attempt"))


def test_the_list_leads_to_what_can_be_done_and_to_nothing_else(agent, fleet, resting, failed):
    page = text_of(agent.get("/"))

    assert f'href="{page_of(resting, "cancel")}"' in page
    assert f'href="{page_of(resting, "replace")}"' in page
    assert f'href="{page_of(resting, "retry")}"' not in page
    assert f'href="{page_of(failed, "retry")}"' in page


def test_the_list_leads_to_the_set_of_a_broadcast_and_of_its_exit(agent, fleet, queue, settings):
    settings.CACHE_URL = queue.url
    way = enter(fleet, fleet.condor(1))
    way.leave()

    page = text_of(agent.get("/"))

    assert page.count(f'href="/desk/sets/{way.placed_set.pk}/">Set {way.placed_set.pk}</a>') == 2
    assert "Exit: Iron condor" in page
    assert "Cancel</a>" not in page


def test_a_cancel_names_what_works_and_what_stays_open(agent, fleet, resting):
    first, second, _ = fleet.children(resting)
    fill_by_hand(fleet, first)
    fill_by_hand(fleet, second, 4)
    fleet.poll()

    page = text_of(agent.get(page_of(resting, "cancel")))

    assert "2 of 3 accounts" in page
    assert "<b>1 already filled</b> and stays open" in page
    assert f"<b>{second.account.alias}</b>" in page
    assert "4 of 10 filled already: that stays." in page
    assert "CANCEL IN 2 ACCOUNTS" in page
    assert wishes(resting) == [(False, None)] * 3


def test_all_that_works_is_canceled_with_one_click(agent, resting, click, queue):
    before = queue.messages("placement")

    answer = click(page_of(resting, "cancel"), {"scope": "all"})

    assert (answer.status_code, answer["Location"]) == (302, f"/#broadcast-{resting.pk}")
    assert wishes(resting) == [(True, None)] * 3
    assert queue.messages("placement") == before + 1
    said = f"Canceling broadcast #{resting.pk} in 3 accounts."
    assert said in text_of(agent.get("/"))


def test_only_the_chosen_accounts_are_canceled(agent, fleet, resting, click):
    values = {"scope": "some", "accounts": [str(fleet.accounts[1].pk)]}

    click(page_of(resting, "cancel"), values)

    assert wishes(resting) == [(False, None), (True, None), (False, None)]


def test_a_second_cancel_is_the_same_wish(agent, resting, click):
    click(page_of(resting, "cancel"), {"scope": "all"})
    asked = AccountOrder.objects.values_list("cancel_asked_at", flat=True).first()

    assert "A cancel is on its way." in text_of(agent.get(page_of(resting, "cancel")))
    assert click(page_of(resting, "cancel"), {"scope": "all"}).status_code == 302
    assert AccountOrder.objects.values_list("cancel_asked_at", flat=True).first() == asked


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"scope": "some"}, "Choose at least one account."),
        ({"scope": "some", "accounts": "x"}, "there is nothing to do any more"),
        ({"scope": "few"}, "few is not one of the available choices"),
        ({}, "This field is required."),
    ],
    ids=["nobody", "stranger", "scope", "empty"],
)
@pytest.mark.parametrize("what", ["cancel", "replace"])
def test_a_bad_choice_is_named_and_nothing_is_asked(resting, click, what, values, words):
    answer = click(page_of(resting, what), values | {"limit": "1.50", "n": "1"})

    assert words in text_of(answer)
    assert wishes(resting) == [(False, None)] * 3


@pytest.mark.parametrize("what", ["cancel", "replace", "retry"])
def test_what_has_ended_offers_nothing_and_a_late_click_is_told(agent, fleet, broker, click, what):
    order = fleet.broadcast(fleet.shares(10))
    fleet.poll()

    page = text_of(agent.get(page_of(order, what)))
    answer = click(page_of(order, what), {"scope": "all", "limit": "1.50"})

    assert 'name="scope"' not in page
    assert "Back to the desk" in page
    assert "nothing to do any more" in text_of(answer)
    assert attempts(order) == [(0, 1), (1, 1), (2, 1)]


def test_a_replace_shows_the_limit_and_its_steps_and_asks_for_another(agent, resting, click):
    page = text_of(agent.get(page_of(resting, "replace")))
    values = {"scope": "all", "limit": "1.10", "confirm": ["PRICE_AWAY", "BUYING_POWER"]}

    answer = click(page_of(resting, "replace"), values)

    assert "<dd> 1.00 </dd>" in page
    assert "In steps of 0.05." in page
    assert answer.status_code == 302
    assert wishes(resting) == [(True, Decimal("1.1000"))] * 3
    assert ComplexOrder.objects.get(pk=resting.pk).limit == Decimal("1.10")


def test_a_replace_in_one_account_leaves_the_others(fleet, resting, click):
    values = {"scope": "some", "accounts": str(fleet.accounts[2].pk), "limit": "1.10"}

    click(page_of(resting, "replace"), values | {"confirm": ["PRICE_AWAY", "BUYING_POWER"]})

    assert [asked for asked, _ in wishes(resting)] == [False, False, True]


def test_a_guard_objects_to_a_limit_and_the_tick_sends_it(resting, click):
    values = {"scope": "all", "limit": "900.00"}

    answer = click(page_of(resting, "replace"), values)

    page = text_of(answer)
    assert 'name="confirm" value="PRICE_AWAY"' in page
    assert 'name="limit" value="900.00"' in page
    assert wishes(resting) == [(False, None)] * 3
    both = {"confirm": ["PRICE_AWAY", "BUYING_POWER"]}
    assert click(page_of(resting, "replace"), values | both).status_code == 302


@pytest.mark.parametrize("limit", ["", "abc", "1.234567", "-1", "0"])
def test_a_limit_that_is_none_comes_back_with_words(resting, click, limit):
    answer = click(page_of(resting, "replace"), {"scope": "all", "limit": limit})

    page = text_of(answer)
    assert 'class="error"' in page or "note-error" in page
    assert f'name="limit" value="{limit}"' in page or not limit
    assert wishes(resting) == [(False, None)] * 3


def test_a_retry_says_why_each_failed_and_sends_a_new_attempt(agent, fleet, failed, click):
    page = text_of(agent.get(page_of(failed, "retry")))

    answer = click(page_of(failed, "retry"), {"scope": "all"})

    assert "It was not sent." in page
    assert "RETRY IN 2 ACCOUNTS" in page
    assert "Failed in</dt> <dd> 2 of 3 accounts" in page
    assert answer.status_code == 302
    assert attempts(failed) == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1)]


def test_a_second_click_retries_nothing(failed, click, agent):
    click(page_of(failed, "retry"), {"scope": "all"})

    answer = click(page_of(failed, "retry"), {"scope": "all"})

    assert "nothing to do any more" in text_of(answer)
    assert len(attempts(failed)) == 5


def test_a_retry_of_an_attempt_that_was_retried_meanwhile_sends_nothing(fleet, failed, click):
    seen = {"scope": "some", "accounts": [str(fleet.children(failed)[0].pk)]}
    click(page_of(failed, "retry"), seen)
    AccountOrder.objects.filter(attempt=2).update(status="REJECTED")

    answer = click(page_of(failed, "retry"), seen)

    assert "nothing to do any more" in text_of(answer)
    assert attempts(failed) == [(0, 1), (0, 2), (1, 1), (2, 1)]


@pytest.mark.parametrize("what", ["cancel", "replace", "retry"])
def test_with_the_queue_down_nothing_is_written(resting, failed, click, what):
    from tradeswim.celery import app

    order = failed if what == "retry" else resting
    app.conf.update(broker_url="redis://127.0.0.1:9/0")

    answer = click(page_of(order, what), {"scope": "all", "limit": "1.50"})

    assert "so nothing was sent" in text_of(answer)
    assert wishes(resting) == [(False, None)] * 3
    assert len(attempts(failed)) == 3


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
@pytest.mark.parametrize("what", ["cancel", "replace", "retry"])
def test_who_may_only_look_asks_nothing(agent, fleet, resting, what, headers):
    become(agent, fleet.agent, "VIEWER")

    for answer in (
        agent.get(page_of(resting, what), headers=headers),
        agent.post(page_of(resting, what), {"scope": "all", "limit": "1.5"}, headers=headers),
    ):
        assert answer.status_code == 403
    assert "Cancel</a>" not in text_of(agent.get("/"))
    assert wishes(resting) == [(False, None)] * 3


def test_who_may_only_exit_cancels_and_sends_nothing_that_opens(agent, fleet, resting, click):
    become(agent, fleet.agent, "EXIT_ONLY")

    page = text_of(agent.get("/"))

    assert page_of(resting, "cancel") in page
    assert page_of(resting, "replace") not in page
    assert click(page_of(resting, "replace"), {"scope": "all"}).status_code == 403
    assert click(page_of(resting, "retry"), {"scope": "all"}).status_code == 403
    assert click(page_of(resting, "cancel"), {"scope": "all"}).status_code == 302


@pytest.mark.parametrize("what", ["cancel", "replace", "retry"])
def test_an_order_that_does_not_exist_is_not_found(agent, fleet, what):
    assert agent.get(f"/desk/orders/7/{what}/").status_code == 404
