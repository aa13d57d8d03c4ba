"""The builder: strikes by delta, width and a click, prices by a button, figures as one types."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import AccountGroup
from orders.models import ComplexOrder
from orders.selectors import chains
from tests.support.redis_server import RedisServer
from tests.web.browsing import HTMX, form_in, open_ticket, text_of

DIALOG = HTMX | {"HX-Target": "dialog#modal"}


@pytest.fixture(autouse=True)
def cache(redis_server: RedisServer, settings) -> RedisServer:
    """An empty cache for what was read."""
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url
    return redis_server


@pytest.fixture
def calls(agent, broker):
    """Count what the broker was asked for about the market since the last look."""
    seen = 0

    def since() -> int:
        nonlocal seen
        before, seen = seen, len([one for one in broker.journal() if "/marketdata/" in one["path"]])
        return seen - before

    return since


def act(client, values, button, **typed):
    """Press a button of the ticket."""
    return client.post("/desk/ticket/", values | typed | {"act": button}, headers=HTMX)


def change(client, values, **typed):
    """Type something, and leave the field."""
    return form_in(client.post("/desk/ticket/", values | typed, headers=HTMX))


def figures(client, values, **typed):
    """Type something; what comes back are figures and notes, no field."""
    return client.post("/desk/ticket/figures/", values | typed, headers=HTMX)


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


def picked(values, choice, accounts):
    return values | {"accounts": choice, "picked": [str(account.pk) for account in accounts]}


def test_only_the_ticked_accounts_get_the_order(agent, fleet):
    values = picked(open_ticket(agent), "only", fleet.accounts[:1])

    page = text_of(agent.post("/desk/review/", values, headers=HTMX))

    assert "SEND TO 1 ACCOUNT " in page
    assert fleet.accounts[0].alias in page
    assert fleet.accounts[1].alias not in page


def test_all_but_the_ticked_accounts_get_the_order(agent, fleet, queue):
    values = picked(open_ticket(agent), "except", fleet.accounts[:1])

    reviewed = agent.post("/desk/review/", values, headers=HTMX)
    assert "SEND TO 2 ACCOUNTS" in text_of(reviewed)
    agent.post("/desk/send/", picked(form_in(reviewed), "except", fleet.accounts[:1]), headers=HTMX)

    sent = set(ComplexOrder.objects.get().children.values_list("account_id", flat=True))
    assert sent == {account.pk for account in fleet.accounts[1:]}


def test_ticks_survive_the_review_and_the_way_back(agent, fleet):
    values = picked(open_ticket(agent), "except", fleet.accounts[:2])

    reviewed = agent.post("/desk/review/", values, headers=HTMX).content.decode()

    for account in fleet.accounts[:2]:
        assert f'name="picked" value="{account.pk}"' in reviewed
    back = agent.post("/desk/ticket/", values, headers=HTMX).content.decode()
    assert back.count("checked") == 2 + 2  # the strategy, the tied widths, and the two accounts


def test_nobody_ticked_is_refused_in_words(agent):
    values = open_ticket(agent) | {"accounts": "only"}

    assert "Choose at least one" in text_of(agent.post("/desk/review/", values, headers=HTMX))


def test_a_group_is_offered_beside_all_active_ones_and_ticks(agent, fleet):
    AccountGroup.objects.create(name="Family").members.add(fleet.accounts[2])

    page = text_of(agent.get("/desk/ticket/", headers=HTMX))

    for words in ("All active (3 of 3)", "Group Family", "Only those ticked", "All but those"):
        assert words in page


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
