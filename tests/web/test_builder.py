"""The builder of option orders: strikes, buttons, chain, review and send, and what it costs."""

from datetime import date
from decimal import Decimal

import pytest

from orders.models import ComplexOrder
from orders.selectors import chains
from tests.web.browsing import HTMX, form_in, open_ticket, text_of
from tests.web.building import act, change, figures

DIALOG = HTMX | {"HX-Target": "dialog#modal"}
pytestmark = pytest.mark.usefixtures("cache")


def strikes(values):
    names = ("put_wing", "put_body", "call_body", "call_wing")
    return tuple(Decimal(values[name]) for name in names)


def deltas(values):
    day = date.fromisoformat(values["expiration"])
    return {(row.put_call, row.strike): row.delta for row in chains.chain("SPX", day)}


def test_the_dialog_comes_with_its_title_and_the_page_without_htmx_with_everything(agent):
    dialog = text_of(agent.get("/desk/ticket/", headers=DIALOG))
    page = text_of(agent.get("/desk/ticket/"))

    assert 'id="modal-title">New option order</h2>' in dialog
    assert "data-close" in dialog
    assert "<html" not in dialog
    assert page.startswith("<!DOCTYPE html>")
    assert 'id="modal-title">New option order</h1>' in page


def test_the_keys_v_and_c_switch_the_strategy_and_the_focus_starts_there(agent):
    dialog = text_of(agent.get("/desk/ticket/", headers=DIALOG))

    assert 'data-key="v"' in dialog
    assert 'data-key="c"' in dialog
    assert "checked" in dialog.partition("autofocus")[0].rpartition("<input")[2]
    assert "autofocus" not in text_of(agent.get("/desk/ticket/", headers=HTMX))


@pytest.mark.parametrize("kind", ["BULL_CALL", "BEAR_CALL", "BULL_PUT", "BEAR_PUT"])
def test_all_four_verticals_have_figures(agent, kind):
    page = text_of(agent.get("/desk/ticket/?strategy=VERTICAL", {"kind": kind}, headers=HTMX))

    assert "Max gain" in page
    assert "Probability of profit" in page
    assert 'role="img" aria-label="At expiration: gains at most $' in page


def test_a_delta_button_picks_both_bodies_and_keeps_the_width(agent):
    values = form_in(act(agent, open_ticket(agent), "width:25"))

    near = form_in(act(agent, values, "delta:0.30"))

    known = deltas(near)
    wing, put, call, other = strikes(near)
    assert known["PUT", put] == pytest.approx(Decimal("-0.30"), abs=Decimal("0.02"))
    assert known["CALL", call] == pytest.approx(Decimal("0.30"), abs=Decimal("0.02"))
    assert (put - wing, other - call) == (25, 25)
    assert (near["delta"], near["width"]) == ("0.30", "25")


def test_a_typed_delta_picks_however_it_is_written(agent):
    values = open_ticket(agent)

    assert strikes(change(agent, values, delta="0.30")) == strikes(
        change(agent, values, delta="30")
    )


def test_one_width_moves_both_wings(agent):
    values = open_ticket(agent)

    wing, put, call, other = strikes(change(agent, values, width="50"))

    assert (put - wing, other - call) == (50, 50)
    assert (put, call) == strikes(values)[1:3]


def test_a_typed_wing_moves_the_other_while_the_widths_are_tied(agent):
    values = open_ticket(agent)
    wider = str(strikes(values)[0] - 20)

    tied = change(agent, values, put_wing=wider)
    untied = change(agent, {k: v for k, v in values.items() if k != "symmetric"}, put_wing=wider)

    assert strikes(tied)[3] - strikes(tied)[2] == 25
    assert tied["width"] == "25"
    assert strikes(untied)[3] == strikes(values)[3]
    assert untied["width"] == ""


def test_a_click_in_the_chain_moves_that_side_and_its_wing(agent):
    values = open_ticket(agent)
    wing, put, call, other = strikes(values)

    moved = form_in(act(agent, values, f"put:{put - 50}"))

    assert strikes(moved) == (wing - 50, put - 50, call, other)
    assert moved["delta"] == ""


def test_the_chain_around_the_strikes_is_listed_with_what_a_click_does(agent):
    page = text_of(agent.get("/desk/ticket/", headers=HTMX))
    values = open_ticket(agent)

    assert f'value="put:{values["put_body"]}"' in page
    assert f'value="call:{values["call_wing"]}"' in page
    assert '<b class="sell">S</b>' in page


def test_buttons_set_the_limit_to_the_mid_the_natural_and_a_step_beside(agent):
    values = open_ticket(agent) | {"limit": "1.95"}

    mid = Decimal(form_in(act(agent, values, "mid"))["limit"])
    natural = Decimal(form_in(act(agent, values, "natural"))["limit"])
    up = form_in(act(agent, values, "up"))["limit"]
    down = form_in(act(agent, values, "down"))["limit"]

    assert natural < mid
    assert (up, down) == ("2", "1.90")


def test_a_step_from_between_two_ticks_goes_to_the_next_one(agent):
    values = open_ticket(agent) | {"limit": "1.93"}

    assert form_in(act(agent, values, "up"))["limit"] == "1.95"
    assert form_in(act(agent, values, "down"))["limit"] == "1.90"


@pytest.mark.parametrize("button", ["put:many", "put:NaN", "width:", "delta:-", "nothing:5", ":"])
def test_a_button_that_nobody_has_asks_for_nothing(agent, button):
    values = open_ticket(agent)

    assert strikes(form_in(act(agent, values, button))) == strikes(values)


def test_the_review_waits_a_moment_for_its_enter(agent):
    page = text_of(agent.post("/desk/review/", open_ticket(agent), headers=HTMX))

    assert 'data-arm="400"' in page
    assert "Market now" in page


def test_the_send_closes_the_dialog_and_says_the_number_in_a_toast(agent, queue):
    answer = agent.post("/desk/send/", open_ticket(agent), headers=HTMX)

    assert "closeModal" in answer["HX-Trigger"]
    assert "sent" in answer["HX-Trigger"]
    toast = text_of(answer).partition('hx-target="#toasts"')[2]
    assert f"Broadcast #{ComplexOrder.objects.get().pk}" in toast


def test_the_ticket_and_its_figures_keep_their_queries_and_bytes(
    agent, django_assert_max_num_queries
):
    values = open_ticket(agent)
    with django_assert_max_num_queries(10):
        page = agent.get("/desk/ticket/", headers=HTMX)
    with django_assert_max_num_queries(8):
        typed = figures(agent, values)

    assert len(page.content) < 32_000
    assert len(typed.content) < 5_500
