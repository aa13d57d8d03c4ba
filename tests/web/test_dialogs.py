"""Questions in the dialog of an open page: what is asked there, and what a click answers."""

import json
import re
from decimal import Decimal

import pytest

from accounts.models import User
from orders.models import AccountOrder, ComplexOrder
from orders.services.exits.everything import PHRASE
from tests.web.browsing import HTMX, form_in, text_of
from tests.web.leaving import leave_over, page_of

DIALOG = HTMX | {"HX-Target": "dialog#modal"}


@pytest.fixture
def resting(fleet, queue, settings):
    """Calls that rest at the broker in three accounts."""
    settings.CACHE_URL = queue.url
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.call(1, limit=Decimal("1.00")))
    fleet.poll()
    return order


@pytest.fixture
def click(agent, django_capture_on_commit_callbacks):
    """Post from the dialog, and let the transaction commit."""

    def post(address, values):
        with django_capture_on_commit_callbacks(execute=True):
            return agent.post(address, values, headers=DIALOG)

    return post


def events(answer):
    return set(json.loads(answer["HX-Trigger"]))


def addresses(order):
    return [f"/desk/orders/{order.pk}/{what}/" for what in ("cancel", "replace", "ladder")]


def test_a_question_fills_the_dialog_and_its_answer_goes_there(agent, resting):
    for address in [*addresses(resting), "/desk/close-everything/"]:
        page = text_of(agent.get(address, headers=DIALOG))

        assert "<html" not in page
        assert '<h2 id="modal-title">' in page
        assert "data-close" in page
        assert f'hx-post="{address}" hx-target="#modal"' in page
        assert 'data-arm="400"' in page


def test_without_javascript_the_same_question_is_a_page(agent, resting):
    for address in [*addresses(resting), "/desk/close-everything/"]:
        page = text_of(agent.get(address))

        assert page.startswith("<!DOCTYPE html>")
        assert '<h1 id="modal-title">' in page
        assert f'method="post" action="{address}"' in page
        assert f'hx-post="{address}"' not in page


def test_a_click_in_the_dialog_closes_it_says_so_and_asks_for_the_panels(resting, click):
    answer = click(f"/desk/orders/{resting.pk}/cancel/", {"scope": "all"})

    assert answer.status_code == 200
    assert events(answer) == {"closeModal", "changed"}
    said = f"Canceling broadcast #{resting.pk} in 3 accounts."
    assert f'<p class="note note-success">{said}</p>' in text_of(answer).replace(" >", ">")
    assert '<hx-partial hx-target="#toasts"' in text_of(answer)
    assert AccountOrder.objects.filter(cancel_asked_at__isnull=False).count() == 3


def test_what_is_wrong_stays_in_the_dialog(resting, click):
    answer = click(f"/desk/orders/{resting.pk}/replace/", {"scope": "all", "limit": "x"})

    assert "HX-Trigger" not in answer.headers
    assert "Enter a number." in text_of(answer)
    assert "<html" not in text_of(answer)


def test_an_exit_from_the_dialog_says_its_number(agent, way, click):
    typed = form_in(agent.get(page_of(way, "exit"), headers=DIALOG))

    answer = click(page_of(way, "exit"), typed)
    again = click(page_of(way, "exit"), typed)

    order = ComplexOrder.objects.get(closes=way.placed_set)
    assert f"Exit #{order.pk} of set #{way.placed_set.pk} is on its way." in text_of(answer)
    assert f"Exit #{order.pk} of set #{way.placed_set.pk} was begun before" in text_of(again)
    assert events(answer) == events(again) == {"closeModal", "changed"}


def test_the_exit_says_what_the_market_brings_against_the_entry(agent, way):
    page = text_of(agent.get(page_of(way, "exit"), headers=DIALOG))

    assert "<dt>Entered</dt> <dd> credit <b>" in page
    assert re.search(r"mid <b>[\d.]+</b> <b class=\"(pos|neg)\">[▲▼] [+−]\$[\d,]+</b>", page)
    assert re.search(r"natural <b>[\d.]+</b> <b class=\"(pos|neg)\">[▲▼] [+−]\$[\d,]+</b>", page)


def test_closing_everything_needs_the_phrase_in_the_dialog_too(agent, way, click):
    typed = form_in(agent.get("/desk/close-everything/", headers=DIALOG))

    wrong = click("/desk/close-everything/", typed | {"phrase": "CLOSE"})
    right = click("/desk/close-everything/", typed | {"phrase": PHRASE})

    assert f"Type exactly {PHRASE}. Nothing was changed." in text_of(wrong)
    assert "Closing everything: 0 orders canceled, 1 sets exited." in text_of(right)
    assert events(right) == {"closeModal", "changed"}


def test_what_is_left_is_marked_as_handled_in_the_dialog(agent, way, click):
    way.open()
    step = leave_over(way, 1)
    address = page_of(way, step.pk, "handled")

    asked = text_of(agent.get(address, headers=DIALOG))
    refused = click(address, {"why": " "})
    done = click(address, {"why": "Closed by hand."})

    assert step.account.alias in asked
    assert "Nothing is sent." in asked
    assert 'role="alert"' in text_of(refused)
    assert "is marked as handled." in text_of(done)
    step.refresh_from_db()
    assert step.handled_why == "Closed by hand."


# --- one-click exit -----------------------------------------------------------------------------


@pytest.fixture
def hasty(agent, fleet):
    """The agent has set that an exit does not ask."""
    User.objects.filter(pk=fleet.agent.pk).update(one_click_exit=True)
    return agent


def test_one_click_goes_out_by_itself_unless_it_is_undone(hasty, way, click):
    answer = hasty.get(page_of(way, "exit"), headers=DIALOG)

    page = text_of(answer)
    assert 'data-undo="3"' in page
    assert "EXIT 3 accounts" in page
    assert "Undo" in page
    assert not ComplexOrder.objects.filter(closes=way.placed_set).exists()
    click(page_of(way, "exit"), form_in(answer))
    assert ComplexOrder.objects.filter(closes=way.placed_set).count() == 1


def test_a_key_a_page_and_whoever_has_not_set_it_are_asked(agent, hasty, way, fleet):
    asked = [
        hasty.get(page_of(way, "exit") + "?look=1", headers=DIALOG),
        hasty.get(page_of(way, "exit")),
        hasty.post(page_of(way, "exit", "terms"), {}, headers=DIALOG),
    ]
    User.objects.filter(pk=fleet.agent.pk).update(one_click_exit=False)
    asked.append(agent.get(page_of(way, "exit"), headers=DIALOG))

    for answer in asked:
        assert "data-undo" not in text_of(answer)
        assert "Keep position" in text_of(answer)


def test_one_click_asks_where_something_is_in_the_way(hasty, way):
    way.leave()

    page = text_of(hasty.get(page_of(way, "exit"), headers=DIALOG))

    assert "data-undo" not in page
    assert "disabled" in page
