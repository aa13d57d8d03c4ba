"""Modes on the pages: the freeze button everywhere, the strip, and the page that sets them."""

import re
from decimal import Decimal

import pytest
from django.test import Client

from accounts.domain.modes import ModeRule
from accounts.domain.words import Mode, ModeScope
from accounts.models import AuditEvent
from accounts.selectors.modes import modes_in_force
from tests.support.fleet import PASSWORD
from tests.support.make import make_group, make_mode
from tests.web.browsing import HTMX, become, text_of

PAGES = ["/", "/desk/unknown/", "/desk/alarms/", "/desk/gate/", "/desk/modes/"]
BUTTON = re.compile(r'<button class="btn btn-small btn-exit"[^>]* data-key="F"')
OF_FLEET = {"what": "FLEET:", "underlying": "", "why": "bad news"}


def in_force():
    return [(one.name, one.rule.mode, one.rule.why) for one in modes_in_force()]


@pytest.mark.parametrize("address", PAGES)
def test_the_fleet_is_frozen_from_every_page(agent, address):
    page = text_of(agent.get(address))

    assert '<form method="post" action="/desk/freeze/">' in page
    assert BUTTON.search(page)


def test_one_press_freezes_and_shows_what_is_left_behind(agent, fleet):
    out = fleet.broadcast(fleet.shares(limit=Decimal("0.50")))
    waiting = fleet.create(fleet.shares(7, limit=Decimal("0.50")))

    page = text_of(agent.post("/desk/freeze/", follow=True))

    assert in_force() == [("Fleet", Mode.FROZEN, "by agent, from the desk")]
    assert fleet.statuses(waiting) == ["SKIPPED"] * 3
    assert "Fleet: now frozen. Stopped before they were sent: 3 orders." in page
    assert "3 orders at the broker." in page
    assert f'<a href="/desk/orders/{out.pk}/">#{out.pk}</a>' in page
    assert "3 working</span>" in page
    assert f"#{waiting.pk}</a>" not in page


def test_a_second_press_keeps_the_words_of_the_first(agent, fleet):
    agent.post("/desk/modes/", OF_FLEET | {"mode": "FROZEN"})

    page = text_of(agent.post("/desk/freeze/", follow=True))

    assert "Fleet: still frozen." in page
    assert in_force() == [("Fleet", Mode.FROZEN, "bad news")]


@pytest.mark.parametrize("address", PAGES)
def test_every_page_says_what_is_in_force_why_since_when_and_who(agent, fleet, address):
    script = "<script>alert(1)</script>"
    agent.post("/desk/modes/", OF_FLEET | {"mode": "FROZEN", "why": script})
    make_mode(Mode.CLOSE_ONLY, ModeScope.UNDERLYING, "SPX")

    page = text_of(agent.get(address))

    strips = page[page.index('id="notices"') : page.index("<main")]
    assert re.search(
        r"Frozen</span> <b>Fleet: nothing is sent.</b> <span>&lt;script&gt;alert", strips
    )
    assert re.search(
        r"Close only</span> <b>SPX: nothing is opened.</b> <span>a test says so</span>", strips
    )
    assert re.search(r"Since \w{3} \d\d \d\d:\d\d:\d\d ET, by agent\.", strips)
    assert "by the host." in strips
    assert "?scope=UNDERLYING&amp;target=SPX&amp;mode=OPEN#set-title" in strips
    assert script not in page


def test_while_all_is_open_there_is_no_strip(agent):
    page = text_of(agent.get("/desk/modes/"))

    assert 'class="in-force"' not in page
    assert "Everything is open." in page


def test_an_open_page_learns_of_a_freeze_with_its_figures(agent, fleet):
    before = agent.get("/desk/fleet/", headers=HTMX)["HX-PTag"]
    agent.post("/desk/freeze/")

    answer = agent.get("/desk/fleet/", headers=HTMX | {"HX-PTag": before})

    assert answer.status_code == 200
    assert "by agent, from the desk" in text_of(answer)


def test_an_open_page_of_modes_asks_for_the_list_alone(agent, fleet):
    agent.post("/desk/freeze/")

    part = text_of(agent.get("/desk/modes/", headers=HTMX))

    assert part.startswith('<table class="grid modes">')
    assert "Leaves nothing behind" in part
    assert "<form" not in part


@pytest.mark.parametrize(
    ("what", "underlying", "name"),
    [
        ("FLEET:", "", "Fleet"),
        ("GROUP:family", "", "Group family"),
        ("ACCOUNT:{}", "", "{}"),
        ("UNDERLYING:", "spx", "SPX"),
    ],
)
def test_a_mode_is_set_for_whatever_it_is_for(agent, fleet, what, underlying, name):
    account = fleet.accounts[0]
    make_group("family", account)
    values = {
        "what": what.format(account.pk),
        "underlying": underlying,
        "mode": "CLOSE_ONLY",
        "why": "earnings",
    }

    answer = agent.post("/desk/modes/", values, follow=True)

    assert in_force() == [(name.format(account.alias), Mode.CLOSE_ONLY, "earnings")]
    assert ": now close only." in text_of(answer)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"why": " "}, "why", "Say why, for everybody who finds it so."),
        ({"why": "x" * 201}, "why", "at most 200 characters"),
        ({"what": "GROUP:nobody"}, "what", "Select a valid choice."),
        ({"what": "GATE:"}, "what", "Select a valid choice."),
        ({"what": "UNDERLYING:", "underlying": "no ticker"}, "underlying", "is not a ticker"),
        ({"mode": "SHUT"}, "mode", "Select a valid choice."),
    ],
)
def test_what_cannot_be_set_is_said_at_its_field(agent, fleet, changes, field, words):
    page = text_of(agent.post("/desk/modes/", OF_FLEET | {"mode": "FROZEN"} | changes))

    assert words in page
    assert f'id="id_{field}_error"' in page
    assert in_force() == []


def test_opening_again_asks_for_the_password_and_takes_nothing_else(agent, fleet):
    agent.post("/desk/freeze/")
    asked = text_of(agent.get("/desk/modes/?scope=FLEET&target=&mode=OPEN"))
    wish = OF_FLEET | {"mode": "OPEN", "why": "all is well"}

    refused = {
        typed: text_of(agent.post("/desk/modes/", wish | {"password": typed}))
        for typed in ("", "not it")
    }

    assert re.search(r'value="OPEN"[^>]* checked', asked)
    assert "give your password" in refused[""]
    assert "That is not your password." in refused["not it"]
    assert "not it" not in refused["not it"]
    assert in_force() == [("Fleet", Mode.FROZEN, "by agent, from the desk")]

    opened = text_of(agent.post("/desk/modes/", wish | {"password": PASSWORD}, follow=True))
    assert "Fleet: now open." in opened
    assert in_force() == []
    event = AuditEvent.objects.filter(kind="mode").latest("id")
    assert (event.old, event.new, event.reason, event.actor) == (
        "FROZEN",
        "OPEN",
        "all is well",
        "agent",
    )


def test_the_link_to_open_again_fills_the_form(agent, fleet):
    make_group("A & B", fleet.accounts[0])
    make_mode(Mode.FROZEN, ModeScope.GROUP, "A & B")
    make_mode(Mode.FROZEN, ModeScope.UNDERLYING, "BRK/B")
    links = re.findall(r'href="(/desk/modes/\?[^"]*)#set-title"', text_of(agent.get("/")))

    for link in (one.replace("&amp;", "&") for one in links):
        page = text_of(agent.get(link))
        assert re.search(r'value="OPEN"[^>]* checked', page)
        assert 'value="BRK/B"' in page or '"GROUP:A &amp; B" selected' in page
    assert len(links) == 2


def test_a_group_that_is_gone_can_be_opened(agent, fleet):
    make_mode(Mode.FROZEN, ModeScope.GROUP, "gone")
    wish = {"what": "GROUP:gone", "mode": "OPEN", "password": PASSWORD}

    agent.post("/desk/modes/", wish)

    assert in_force() == []


def test_who_may_only_exit_freezes_but_is_offered_no_opening(agent, fleet):
    become(agent, fleet.agent, "EXIT_ONLY")

    page = text_of(agent.post("/desk/freeze/", follow=True))

    assert in_force()[0][1] == Mode.FROZEN
    assert "Open again…" not in page
    assert 'value="OPEN"' not in page
    assert 'name="password"' not in page
    softer = text_of(agent.post("/desk/modes/", OF_FLEET | {"mode": "CLOSE_ONLY"}))
    assert "Your role may stop trading, but not open it again." in softer
    assert in_force()[0][1] == Mode.FROZEN


def test_who_may_only_look_sees_the_modes_and_no_button(viewer, fleet):
    make_mode(Mode.FROZEN)

    page = text_of(viewer.get("/desk/modes/"))

    assert "a test says so" in page
    assert "/desk/freeze/" not in page
    assert "Open again" not in page.replace('hidden-label">Open again', "")
    assert viewer.post("/desk/freeze/").status_code == 403
    assert viewer.post("/desk/modes/", OF_FLEET | {"mode": "FROZEN"}).status_code == 403


def test_a_forged_freeze_is_refused(fleet):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(fleet.agent)

    assert browser.post("/desk/freeze/").status_code == 403
    assert browser.get("/desk/freeze/").status_code == 405
    assert in_force() == []


@pytest.mark.parametrize("address", ["/desk/freeze/", "/desk/modes/"])
def test_strangers_are_sent_to_sign_in(client, db, address):
    assert client.post(address)["Location"] == f"/sign-in/?next={address}"
    assert in_force() == []


def test_the_strictest_stands_first(agent, fleet):
    make_mode(Mode.FROZEN, ModeScope.UNDERLYING, "SPX")
    make_mode(Mode.CLOSE_ONLY)

    assert [one.rule for one in modes_in_force()] == [
        ModeRule(ModeScope.UNDERLYING, "SPX", Mode.FROZEN, "a test says so"),
        ModeRule(ModeScope.FLEET, "", Mode.CLOSE_ONLY, "a test says so"),
    ]
