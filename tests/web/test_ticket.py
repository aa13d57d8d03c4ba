"""The ticket before it is sent: what it offers, what it keeps, and what it refuses."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import AccountGroup, BrokerLogin
from orders.models import ComplexOrder
from orders.selectors import chains
from tests.web.browsing import HTMX, form_in, open_ticket, text_of, typed_in

STRIKES = ("put_wing", "put_body", "call_body", "call_wing")


def review(client, values):
    return client.post("/desk/review/", values, headers=HTMX)


def change(client, values, **typed):
    """Type something, and let the page ask for the ticket again."""
    return form_in(client.get("/desk/ticket/", values | typed, headers=HTMX))


def test_a_fresh_ticket_is_a_condor_around_fifteen_deltas_at_the_mid(agent, fleet):
    values = open_ticket(agent)

    day = date.fromisoformat(values["expiration"])
    deltas = {(row.put_call, row.strike): row.delta for row in chains.chain("SPX", day)}
    wing, put, call, other_wing = (Decimal(values[name]) for name in STRIKES)
    assert put - wing == other_wing - call == Decimal(5)
    assert deltas["PUT", put] == pytest.approx(Decimal("-0.15"), abs=Decimal("0.02"))
    assert deltas["CALL", call] == pytest.approx(Decimal("0.15"), abs=Decimal("0.02"))
    assert min(e.expiration for e in chains.expirations("SPX") if e.days >= 7) == day
    assert Decimal(values["limit"]) > 0
    assert (values["contracts"], values["duration"], values["accounts"]) == ("1", "DAY", "active")


def test_the_strikes_show_their_market_and_the_limit_mid_and_natural(agent):
    page = text_of(agent.get("/desk/ticket/", headers=HTMX))

    assert "Δ −0.15" in page
    assert "mid " in page
    assert "natural " in page


def test_the_page_itself_does_not_wait_for_the_broker(agent, settings):
    settings.BROKER_URL = "https://127.0.0.1:9"

    answer = agent.get("/")

    assert answer.status_code == 200
    assert 'hx-get="/desk/ticket/"' in text_of(answer)


def test_a_broker_that_is_down_is_said_in_words_and_nothing_typed_is_lost(agent, settings):
    values = open_ticket(agent) | {"contracts": "7"}
    settings.BROKER_URL = "https://127.0.0.1:9"

    answer = agent.get("/desk/ticket/", values, headers=HTMX)

    assert "No prices:" in text_of(answer)
    assert "Review order" not in text_of(answer)
    kept = form_in(answer)
    assert {name: kept[name] for name in STRIKES} == {name: values[name] for name in STRIKES}
    assert kept["contracts"] == "7"


def test_without_a_connected_login_the_ticket_says_so(agent):
    BrokerLogin.objects.update(status="LOGIN_REQUIRED")

    assert "No login is connected" in text_of(agent.get("/desk/ticket/", headers=HTMX))


def test_a_changed_strategy_brings_its_own_fields_and_keeps_size_and_intent(agent):
    condor = open_ticket(agent) | {"contracts": "4"}

    vertical = change(agent, condor, strategy="VERTICAL")

    assert {"lower", "upper", "kind"} <= vertical.keys()
    assert "put_wing" not in vertical
    assert Decimal(vertical["upper"]) - Decimal(vertical["lower"]) == 5
    assert vertical["limit"] != condor["limit"]
    assert (vertical["contracts"], vertical["intent"]) == ("4", condor["intent"])


def test_untouched_strikes_follow_the_expiration_and_typed_ones_stay(agent):
    values = open_ticket(agent)
    later = next(e.expiration for e in chains.expirations("SPX") if e.days > 60).isoformat()
    typed = str(Decimal(values["put_wing"]) - 20)

    follow = change(agent, values, expiration=later)
    stay = change(agent, values, expiration=later, put_wing=typed)

    assert Decimal(follow["put_body"]) < Decimal(values["put_body"])
    assert (stay["put_wing"], stay["put_body"]) == (typed, values["put_body"])


def test_the_limit_follows_the_mid_until_somebody_types_one(agent):
    values = open_ticket(agent)
    wider = str(Decimal(values["put_wing"]) - 50)

    follows = change(agent, values, put_wing=wider)
    stays = change(agent, values, put_wing=wider, limit="1.95")

    assert Decimal(follows["limit"]) > Decimal(values["limit"])
    assert stays["limit"] == "1.95"


def test_a_limit_typed_for_another_trade_is_not_kept(agent):
    values = open_ticket(agent)

    shares = change(agent, values, strategy="EQUITY", underlying="AAPL", limit="1.95")

    assert Decimal(shares["limit"]) > 100


def test_a_small_letter_ticker_is_understood(agent):
    assert open_ticket(agent, strategy="EQUITY", underlying="aapl")["underlying"] == "AAPL"


def test_an_index_has_no_shares(agent):
    page = text_of(agent.get("/desk/ticket/", {"strategy": "EQUITY"}, headers=HTMX))

    assert "SPX is an index, which has no shares" in page


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("contracts", "0", "whole number from 1"),
        ("contracts", "-1", "whole number from 1"),
        ("contracts", "1.5", "Enter a whole number."),
        ("limit", "1.23", "must be a multiple of 0.05"),
        ("limit", "-1", "must be above zero"),
        ("limit", "5.00", "below the width of 5.00"),
        ("limit", "much", "Enter a number."),
        ("put_wing", "99000", "strikes of an iron condor must rise"),
        ("accounts", "group:nobody", "Select a valid choice"),
        ("intent", "mine", "Enter a valid UUID"),
    ],
)
@pytest.mark.parametrize("address", ["/desk/review/", "/desk/send/"])
def test_what_is_wrong_is_said_the_values_stay_and_nothing_is_written(
    agent, address, field, typed, words
):
    values = open_ticket(agent) | {"limit": "1.05", field: typed}

    answer = agent.post(address, values, headers=HTMX)

    assert words in text_of(answer)
    kept = form_in(answer)
    assert kept | {"accounts": "", "intent": ""} == values | {"accounts": "", "intent": ""}
    assert ComplexOrder.objects.count() == 0


def test_a_strike_that_is_not_listed_is_refused_at_the_review(agent):
    values = open_ticket(agent)
    values["put_wing"] = str(Decimal(values["put_wing"]) - 1)

    answer = review(agent, values)

    assert f"There is no put at {Decimal(values['put_wing']):,.2f}." in text_of(answer)
    assert form_in(answer)["put_wing"] == values["put_wing"]


def test_strikes_of_another_underlying_are_refused(agent):
    values = open_ticket(agent) | {"underlying": "AAPL"}

    assert "The strikes are not those of AAPL" in text_of(review(agent, values))


def test_the_review_names_legs_price_and_who_is_left_out(agent, fleet):
    fleet.accounts[1].is_active = False
    fleet.accounts[1].save()
    values = open_ticket(agent) | {"contracts": "2", "limit": "1.05"}

    answer = review(agent, values)

    page = text_of(answer)
    assert page.count("SPXW") == 4 + 1  # the legs, and the root kept for the next step
    assert "<dt>Net credit</dt> <dd> <b>1.05</b>" in page
    assert "2 each, 4 in all" in page
    assert f"<b>{fleet.accounts[1].alias}</b> The account is switched off." in page
    assert "SEND TO 2 ACCOUNTS" in page
    assert {name: text for name, text in form_in(answer).items() if name in values} == typed_in(
        values
    )
    assert ComplexOrder.objects.count() == 0


def test_the_way_back_from_the_review_keeps_everything_typed(agent):
    values = open_ticket(agent) | {"contracts": "2", "limit": "1.05"}
    reviewed = form_in(review(agent, values))

    back = form_in(agent.post("/desk/ticket/", reviewed, headers=HTMX))

    assert back == values


def test_a_ticket_can_go_to_a_group(agent, fleet):
    AccountGroup.objects.create(name="Family").members.add(fleet.accounts[2])
    values = open_ticket(agent) | {"accounts": "group:Family"}

    assert "SEND TO 1 ACCOUNT<" in text_of(review(agent, values)).replace(" <", "<")
