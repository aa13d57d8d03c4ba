"""Saved orders: kept from the ticket, loaded into the review, named, numbered and thrown away."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from orders.api.serializers import OrderInput
from orders.models import ComplexOrder, SavedOrder
from strategies.domain.new_york import exchange_date
from tests.support.make import make_user
from tests.web.browsing import HTMX, form_in, open_ticket, text_of

DIALOG = HTMX | {"HX-Target": "dialog#modal"}


def save(client, values, name="Weekly", number="1", **options):
    named = {"save-name": name, "save-number": number}
    return client.post("/desk/saved/save/", values | named, **({"headers": HTMX} | options))


def load(client, saved, headers=DIALOG):
    return client.get(f"/desk/saved/{saved.pk}/", headers=headers)


def edit(client, saved, headers=HTMX, **fields):
    values = {"name": saved.name, "number": saved.number} | fields
    return client.post(f"/desk/saved/{saved.pk}/edit/", values, headers=headers)


@pytest.fixture
def saved(agent):
    """An iron condor at 1.05, two contracts, saved under the key 1."""
    save(agent, open_ticket(agent) | {"limit": "1.05", "contracts": "2"})
    return SavedOrder.objects.get()


def test_what_is_kept_is_a_body_that_the_api_takes(saved):
    body = OrderInput(data=saved.ticket)

    assert body.is_valid(), body.errors
    ticket = body.ticket()
    assert (ticket.limit, ticket.contracts, len(ticket.legs)) == (Decimal("1.05"), 2, 4)
    assert saved.ticket["accounts"] == "active"


def test_saving_keeps_the_ticket_says_the_key_and_brings_the_list_up_to_date(agent):
    values = open_ticket(agent)

    answer = save(agent, values)

    assert "Saved as Weekly: key 1 opens its review" in text_of(answer)
    assert "savedOrders" in answer["HX-Trigger"]
    assert form_in(answer)["put_body"] == values["put_body"]
    assert ComplexOrder.objects.count() == 0
    assert AuditEvent.objects.filter(kind="saved", new="Weekly", actor="agent").count() == 1


@pytest.mark.parametrize(
    ("typed", "name", "words"),
    [
        ({}, "", "This field is required"),
        ({}, "x" * 61, "at most 60 characters"),
        ({"limit": "9.00"}, "Weekly", "below the width of 5.00"),
    ],
)
def test_what_cannot_be_saved_is_said_and_nothing_typed_is_lost(agent, typed, name, words):
    values = open_ticket(agent) | typed

    answer = save(agent, values, name=name)

    assert words in text_of(answer)
    assert form_in(answer)["limit"] == values["limit"]
    assert SavedOrder.objects.count() == 0


def test_a_name_is_used_once(agent, saved):
    answer = save(agent, open_ticket(agent))

    assert "You have a saved order named Weekly" in text_of(answer)
    assert SavedOrder.objects.count() == 1


def test_a_key_goes_to_the_order_that_was_given_it_last(agent, saved):
    save(agent, open_ticket(agent), name="Other", number="1")

    saved.refresh_from_db()
    assert saved.number == 0
    assert SavedOrder.objects.get(name="Other").number == 1


def test_the_next_free_key_is_offered(agent, saved):
    assert open_ticket(agent)["save-number"] == "2"


def test_loading_opens_the_review_at_the_saved_limit_beside_the_market_and_sends_nothing(
    agent, saved
):
    answer = load(agent, saved)

    page = text_of(answer)
    assert 'id="modal-title"' in page
    assert "<dt>Net credit</dt> <dd> <b>1.05</b>" in page
    assert "<dt>Market now</dt> <dd> mid " in page
    assert "2 each, 6 in all" in page
    assert ComplexOrder.objects.count() == 0


def test_a_loaded_order_is_sent_once_per_loading(agent, saved, queue):
    reviewed = form_in(load(agent, saved))
    reviewed["confirm"] = "PRICE_AWAY"

    agent.post("/desk/send/", reviewed, headers=HTMX)
    agent.post("/desk/send/", reviewed, headers=HTMX)

    order = ComplexOrder.objects.get()
    assert (order.limit, order.contracts, order.name) == (Decimal("1.05"), 2, "Iron condor")
    assert form_in(load(agent, saved))["intent"] != reviewed["intent"]


def test_loading_works_without_javascript(agent, saved):
    page = text_of(load(agent, saved, headers={}))

    assert page.startswith("<!DOCTYPE html>")
    assert "SEND TO 3 ACCOUNTS" in page


@pytest.mark.parametrize(
    ("strategy", "typed"),
    [
        ("VERTICAL", {"kind": "BEAR_CALL"}),
        ("VERTICAL", {"kind": "BULL_CALL"}),
        ("SINGLE_OPTION", {"side": "CALL", "instruction": "SELL_TO_OPEN"}),
        ("EQUITY", {"underlying": "AAPL", "instruction": "SELL_SHORT"}),
    ],
)
def test_every_strategy_comes_back_as_it_was(agent, strategy, typed):
    values = open_ticket(agent, strategy=strategy, **typed)
    save(agent, values)

    loaded = form_in(load(agent, SavedOrder.objects.get()))

    kept = {"strategy", "underlying", "kind", "side", "instruction", "expiration", "lower", "upper"}
    kept |= {"strike", "limit", "contracts", "duration", "root", "accounts", "order_type"}
    assert {name: loaded.get(name) for name in kept} == {name: values.get(name) for name in kept}


@pytest.mark.parametrize("choice", ["only", "except"])
def test_the_accounts_come_back_as_they_were(agent, fleet, choice):
    ids = [str(account.pk) for account in fleet.accounts[:2]]
    save(agent, open_ticket(agent) | {"accounts": choice, "picked": ids})

    page = load(agent, SavedOrder.objects.get()).content.decode()

    assert f'name="accounts" value="{choice}"' in page
    assert all(f'name="picked" value="{one}"' in page for one in ids)
    assert f"SEND TO {2 if choice == 'only' else 1} ACCOUNT" in page


def test_an_expired_order_says_so_and_has_no_load_button(agent, saved):
    gone = exchange_date(timezone.now()) - timedelta(days=1)
    for leg in saved.ticket["legs"]:
        leg["symbol"] = f"{leg['symbol'][:6]}{gone:%y%m%d}{leg['symbol'][12:]}"
    saved.save()

    listed = text_of(agent.get("/desk/saved/", headers=HTMX))
    loaded = text_of(load(agent, saved))

    assert f"Expired {gone:%m/%d/%Y}" in listed
    assert f'hx-get="/desk/saved/{saved.pk}/"' not in listed
    assert "expired on" in loaded
    assert "SEND TO" not in loaded


def test_what_the_ticket_cannot_show_is_said_in_words(agent, saved):
    for leg in saved.ticket["legs"]:
        buys = leg["instruction"].startswith("BUY")
        leg["instruction"] = "SELL_TO_OPEN" if buys else "BUY_TO_OPEN"
    saved.ticket["price_effect"] = "NET_DEBIT"
    saved.save()

    assert "Weekly cannot be loaded" in text_of(load(agent, saved))


def test_an_order_that_cannot_be_read_is_listed_to_be_deleted(agent, saved):
    SavedOrder.objects.update(ticket={"strategy": "IRON_CONDOR"})

    assert "It cannot be read any more" in text_of(agent.get("/desk/saved/", headers=HTMX))
    assert "cannot be loaded" in text_of(load(agent, saved))


def test_the_list_has_legs_terms_and_the_key_of_each(agent, saved):
    page = text_of(agent.get("/desk/saved/", headers=HTMX))

    assert "<b>Weekly</b>" in page
    assert "CREDIT 1.05 ×2" in page
    assert page.count("SPXW") == 4
    assert 'data-key="1"' in page


def test_the_desk_shows_options_and_not_shares(agent, saved):
    save(agent, open_ticket(agent, strategy="EQUITY", underlying="AAPL"), name="Apples")

    page = text_of(agent.get("/"))

    assert "<b>Weekly</b>" in page
    assert "Apples" not in page
    assert "Apples" in text_of(agent.get("/desk/saved/?kind=shares", headers=HTMX))


def test_shares_are_loaded_into_the_ticket_of_the_stock_desk_and_elsewhere_into_a_dialog(
    agent, saved
):
    save(agent, open_ticket(agent, strategy="EQUITY", underlying="AAPL"), name="Apples")

    for address, headers, targets in (
        ("/stocks/", {}, {"#ticket"}),
        ("/desk/saved/?kind=shares", HTMX, {"#ticket"}),
        ("/desk/saved/?kind=shares", {}, {"#modal"}),  # a page of its own has no ticket
        ("/", {}, {"#modal"}),
    ):
        page = text_of(agent.get(address, headers=headers))
        assert set(re.findall(r'hx-get="/desk/saved/\d+/" hx-target="([^"]+)"', page)) == targets


def test_an_order_is_renamed_and_numbered(agent, saved):
    answer = edit(agent, saved, name="Friday", number="3")

    assert "Kept as Friday." in text_of(answer)
    saved.refresh_from_db()
    assert (saved.name, saved.number) == ("Friday", 3)


def test_a_name_that_is_taken_is_refused_and_the_old_one_stays(agent, saved):
    save(agent, open_ticket(agent), name="Other", number="2")

    answer = edit(agent, saved, name="Other")

    assert "You have a saved order named Other" in text_of(answer)
    saved.refresh_from_db()
    assert saved.name == "Weekly"


def test_an_order_is_deleted_after_a_question(agent, saved):
    assert 'hx-confirm="Delete the saved order Weekly?"' in text_of(agent.get("/desk/saved/"))

    answer = agent.post(f"/desk/saved/{saved.pk}/delete/", headers=HTMX)

    assert "Weekly was deleted." in text_of(answer)
    assert SavedOrder.objects.count() == 0


@pytest.mark.parametrize("path", ["edit/", "delete/"])
def test_without_javascript_the_list_is_a_page(agent, saved, path):
    values = {"name": "Friday", "number": "2"}

    answer = agent.post(f"/desk/saved/{saved.pk}/{path}", values)

    assert (answer.status_code, answer["Location"]) == (302, "/desk/saved/")


def test_saved_orders_belong_to_one_agent(agent, saved, client):
    other = make_user()
    client.force_login(other)

    assert load(client, saved).status_code == 404
    assert client.post(f"/desk/saved/{saved.pk}/delete/").status_code == 404
    assert "Weekly" not in text_of(client.get("/desk/saved/"))
    assert SavedOrder.objects.count() == 1


def test_who_may_not_trade_has_none(viewer):
    assert viewer.get("/desk/saved/", headers=HTMX).status_code == 403


def test_the_list_costs_one_query_whatever_its_length(agent, saved, django_assert_num_queries):
    for number in range(2, 9):
        save(agent, open_ticket(agent), name=f"Number {number}", number=str(number))

    with django_assert_num_queries(2):  # the session with its user, orders
        agent.get("/desk/saved/", headers=HTMX)
