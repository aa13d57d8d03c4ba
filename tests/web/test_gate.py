"""The closed gate: said on every page, opened by an agent in two steps."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.services.gate import close_gate, find_gate
from orders.models import ComplexOrder
from tests.web.browsing import HTMX, become, open_ticket, text_of

WORDS = "This database was restored from a backup. <script>alert(1)</script>"
SHOWN = "This database was restored from a backup. &lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture
def closed(db):
    return close_gate(WORDS, now=timezone.now())


@pytest.mark.parametrize("address", ["/", "/desk/unknown/", "/desk/alarms/", "/desk/gate/"])
def test_every_page_says_that_trading_is_closed_and_why(agent, closed, address):
    page = text_of(agent.get(address))

    assert "Trading is closed: nothing can be sent." in page
    assert SHOWN in page
    assert "<script>alert" not in page
    assert "Open trading…" in page


def test_an_open_gate_is_not_mentioned(agent):
    assert "Trading is closed" not in text_of(agent.get("/"))
    assert "Trading is open." in text_of(agent.get("/desk/gate/"))


def test_an_open_page_learns_with_its_figures_that_the_gate_closed_and_opened(agent):
    before = agent.get("/desk/fleet/", headers=HTMX)["HX-PTag"]
    close_gate(WORDS, now=timezone.now())
    shut = agent.get("/desk/fleet/", headers=HTMX | {"HX-PTag": before})
    agent.post("/desk/gate/")

    opened = agent.get("/desk/fleet/", headers=HTMX | {"HX-PTag": shut["HX-PTag"]})

    assert "Trading is closed" in text_of(shut)
    assert opened.status_code == 200
    assert "Trading is closed" not in text_of(opened)


def test_an_agent_opens_in_two_steps(agent, fleet, closed):
    asked = text_of(agent.get("/desk/gate/"))
    still_closed = find_gate()
    answer = agent.post("/desk/gate/", follow=True)

    assert "Orders will be sent to every active account again." in asked
    assert still_closed is not None
    assert find_gate() is None
    assert "Trading is open." in text_of(answer)
    assert AuditEvent.objects.filter(subject="gate", new="OPEN", actor="agent").count() == 1


def test_opening_what_is_open_says_so(agent, closed):
    agent.post("/desk/gate/")

    answer = agent.post("/desk/gate/", follow=True)

    assert "Trading was open already; nothing was changed." in text_of(answer)
    assert AuditEvent.objects.filter(subject="gate", new="OPEN").count() == 1


def test_behind_a_closed_gate_the_review_says_that_nothing_can_be_sent(agent, fleet, closed):
    values = open_ticket(agent)

    page = text_of(agent.post("/desk/review/", values, headers=HTMX))

    assert f"Nothing can be sent: {SHOWN}" in page
    assert re.search(r"disabled[^>]*> SEND TO 0 ACCOUNTS", page)
    assert ComplexOrder.objects.count() == 0


def test_behind_an_open_gate_the_review_does_not_speak_of_it(agent, fleet):
    page = text_of(agent.post("/desk/review/", open_ticket(agent), headers=HTMX))

    assert "SEND TO 3 ACCOUNTS" in page
    assert "Nothing can be sent" not in page


@pytest.mark.parametrize("role", ["VIEWER", "EXIT_ONLY"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_not_trade_sees_the_banner_and_opens_nothing(agent, fleet, closed, role, method):
    become(agent, fleet.agent, role)

    page = text_of(agent.get("/"))

    assert SHOWN in page
    assert "Open trading…" not in page
    assert getattr(agent, method)("/desk/gate/").status_code == 403
    assert find_gate() is not None


def test_a_forged_opening_is_refused(fleet, closed):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(fleet.agent)

    assert browser.post("/desk/gate/").status_code == 403
    assert find_gate() is not None


def test_strangers_are_sent_to_sign_in(client, closed):
    assert client.get("/desk/gate/")["Location"] == "/sign-in/?next=/desk/gate/"
    assert client.post("/desk/gate/")["Location"] == "/sign-in/?next=/desk/gate/"
    assert find_gate() is not None
