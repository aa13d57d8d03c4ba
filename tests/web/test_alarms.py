"""Open alarms: above every page until somebody who trades acknowledges them."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Alarm
from accounts.services.alarms import raise_alarm
from tests.web.browsing import HTMX, become, text_of

PAGES = ["/", "/desk/unknown/", "/desk/alarms/", "/desk/gate/"]


def alarm(words="Something happened.", subject="login:1", age_s=0):
    raise_alarm("TEST", subject, words, now=timezone.now() - timedelta(seconds=age_s))
    return Alarm.objects.get(subject=subject, acknowledged_at__isnull=True)


def seen(raised):
    return f"/desk/alarms/{raised.pk}/seen/"


def words_in(answer):
    return re.findall(r'<span role="alert">(.*?)</span>', answer.content.decode())


@pytest.mark.parametrize("address", PAGES)
def test_open_alarms_stand_above_every_page_oldest_first(agent, address):
    alarm("The second.", "login:2", age_s=10)
    alarm("The first.", "login:1", age_s=83)

    answer = agent.get(address)

    assert words_in(answer) == ["The first.", "The second."]
    assert re.search(r'data-count="up">1:[2-5]\d</time>', text_of(answer))


def test_an_open_page_gets_alarms_with_its_figures(agent):
    alarm("Look!")

    answer = agent.get("/desk/fleet/", headers=HTMX)

    assert '<hx-partial hx-target="#notices"' in text_of(answer)
    assert words_in(answer) == ["Look!"]


def test_a_new_alarm_makes_a_new_version_of_the_frame(agent):
    tag = agent.get("/desk/fleet/", headers=HTMX)["HX-PTag"]
    alarm("Look!")

    answer = agent.get("/desk/fleet/", headers=HTMX | {"HX-PTag": tag})

    assert answer.status_code == 200


def test_an_alarm_leads_to_the_order_it_is_about(agent, fleet):
    child = fleet.children(fleet.create(fleet.shares()))[0]
    alarm(subject=f"accountorder:{child.pk}")

    page = text_of(agent.get("/"))

    assert f'<a href="/desk/unknown/{child.pk}/">Look</a>' in page
    assert agent.get(f"/desk/unknown/{child.pk}/").status_code == 200


def test_an_alarm_about_a_broadcast_leads_to_its_place_in_the_list(agent, fleet):
    for ticket, desk in ((fleet.call(), "/"), (fleet.shares(), "/stocks/")):
        order = fleet.create(ticket)
        alarm(subject=f"complexorder:{order.pk}")

        page = text_of(agent.get("/"))
        led = agent.get(f"/desk/orders/{order.pk}/")

        assert f'<a href="/desk/orders/{order.pk}/">Look</a>' in page
        assert led["Location"] == f"{desk}#broadcast-{order.pk}"
        assert f'id="broadcast-{order.pk}"' in text_of(agent.get(desk))

    assert agent.get("/desk/orders/7777/").status_code == 404


@pytest.mark.parametrize(
    "subject", ["login:1", "complexorder:x", "accountorder:1", "accountorder:", "gate", ""]
)
def test_an_alarm_about_what_has_no_page_has_no_link(agent, subject):
    alarm(subject=subject)

    page = text_of(agent.get("/"))

    assert "Something happened." in page
    assert ">Look<" not in page


def test_an_acknowledged_alarm_leaves_everybodys_pages_and_is_kept(agent, viewer, fleet):
    first, second = alarm("One.", "login:1"), alarm("Two.", "login:2")

    answer = agent.post(seen(first), headers=HTMX)

    assert words_in(answer) == ["Two."]
    assert words_in(viewer.get("/")) == ["Two."]
    first.refresh_from_db()
    assert first.acknowledged_by == fleet.agent
    assert "One." in text_of(viewer.get("/desk/alarms/"))
    assert second.acknowledged_at is None


def test_acknowledging_twice_keeps_the_first_hand(agent, fleet):
    raised = alarm()
    agent.post(seen(raised), headers=HTMX)
    Alarm.objects.filter(pk=raised.pk).update(acknowledged_by=None)

    answer = agent.post(seen(raised), headers=HTMX)

    assert answer.status_code == 200
    raised.refresh_from_db()
    assert raised.acknowledged_by is None


def test_without_javascript_acknowledging_leads_back_to_the_desk(agent):
    raised = alarm()

    assert agent.post(seen(raised))["Location"] == "/"
    assert words_in(agent.get("/")) == []


def test_a_link_acknowledges_nothing(agent):
    raised = alarm()

    assert agent.get(seen(raised)).status_code == 405
    assert words_in(agent.get("/")) == ["Something happened."]


@pytest.mark.parametrize("role", ["VIEWER", "EXIT_ONLY"])
@pytest.mark.parametrize("headers", [HTMX, {}])
def test_who_may_not_trade_sees_alarms_and_acknowledges_none(agent, fleet, role, headers):
    raised = alarm()
    become(agent, fleet.agent, role)

    page = agent.get("/")

    assert words_in(page) == ["Something happened."]
    assert "Acknowledge" not in text_of(page)
    assert agent.post(seen(raised), headers=headers).status_code == 403
    raised.refresh_from_db()
    assert raised.acknowledged_at is None


def test_a_forged_acknowledgement_is_refused(fleet):
    raised = alarm()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(fleet.agent)

    assert browser.post(seen(raised)).status_code == 403
    raised.refresh_from_db()
    assert raised.acknowledged_at is None


def test_hostile_words_are_shown_and_never_run(agent):
    hostile = '<script>alert(1)</script><b hx-post="/desk/gate/" hx-trigger="load">'
    raised = alarm(hostile)
    open_page = text_of(agent.get("/"))
    agent.post(seen(raised))

    for page in (open_page, text_of(agent.get("/desk/alarms/"))):
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>" not in page
        assert "<b hx-post" not in page
