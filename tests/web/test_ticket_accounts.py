"""Which accounts a ticket goes to: ticked ones, all but those, a group."""

import pytest

from accounts.models import AccountGroup
from orders.models import ComplexOrder
from tests.web.browsing import HTMX, form_in, open_ticket, text_of

pytestmark = pytest.mark.usefixtures("cache")


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
