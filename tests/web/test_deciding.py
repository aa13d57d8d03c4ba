"""The agent decides which order at the broker is ours, or that none is: twice asked, once done."""

import pytest
from django.test import Client

from accounts.models import AuditEvent
from orders.models import AccountOrder, ExternalOrder
from tests.web.browsing import HTMX, become, text_of
from tests.web.losing import ask, page_of, status_of

HOSTILE = '"><script>alert(1)</script><b hx-get="/desk/gate/" hx-trigger="load">'


def test_a_candidate_becomes_ours_in_two_steps(agent, fleet, lose):
    (lost,) = lose(1)
    candidate = ask(lost)

    asked = text_of(agent.get(page_of(lost, "ours", "1234")))
    before = status_of(lost)
    answer = agent.post(page_of(lost, "ours", "1234"), follow=True)

    assert 'will count as placed under number <b class="num">1234</b>' in asked
    assert "made by hand or elsewhere" in asked
    assert before == "UNKNOWN"
    lost.refresh_from_db()
    assert (lost.status, lost.broker_order_id) == ("WORKING", "1234")
    assert not ExternalOrder.objects.filter(pk=candidate.pk).exists()
    assert "Order 1234 is this one" in text_of(answer)


def test_none_is_ours_in_two_steps(agent, fleet, lose, settings):
    (lost,) = lose(1, age_s=settings.QUIET_PERIOD_S + 1)
    ask(lost)

    asked = text_of(agent.get(page_of(lost, "none")))
    before = status_of(lost)
    answer = agent.post(page_of(lost, "none"), {"seen": ["1234"]}, follow=True)

    assert "The order counts as not placed; you may send it again." in asked
    assert "0 of 3 complete lists were without it" in asked
    assert '<input type="hidden" name="seen" value="1234">' in asked
    assert before == "UNKNOWN"
    assert status_of(lost) == "FAILED_TO_PLACE"
    assert "None is this one" in text_of(answer)


def test_a_candidate_that_nobody_has_seen_is_not_ruled_out(agent, lose, settings):
    (lost,) = lose(1, age_s=settings.QUIET_PERIOD_S + 1)
    ask(lost, "1")
    ask(lost, "2")

    answer = agent.post(page_of(lost, "none"), {"seen": ["1"]})

    assert answer.status_code == 409
    assert "other orders than a moment ago" in text_of(answer)
    assert status_of(lost) == "UNKNOWN"
    assert AccountOrder.objects.get(pk=lost.pk).ruled_out == []


def test_none_is_ours_too_early_is_refused_in_words(agent, lose):
    (lost,) = lose(1)

    answer = agent.post(page_of(lost, "none"))

    assert answer.status_code == 409
    assert "It is too early" in text_of(answer)
    assert status_of(lost) == "UNKNOWN"


@pytest.mark.parametrize("decision", [("ours", "1234"), ("none",)])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_second_decision_gets_a_sentence_and_changes_nothing(
    agent, lose, settings, decision, method
):
    (lost,) = lose(1, age_s=settings.QUIET_PERIOD_S + 1)
    ask(lost)
    agent.post(page_of(lost, "ours", "1234"))
    events = AuditEvent.objects.count()

    answer = getattr(agent, method)(page_of(lost, *decision), {"seen": "1234"})

    assert answer.status_code == 409
    assert "not unknown any more" in text_of(answer)
    assert status_of(lost) == "WORKING"
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("number", ["999", "1234%00", "%3Cscript%3E"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_order_that_is_no_candidate_cannot_be_ours(agent, lose, method, number):
    (lost,) = lose(1)
    ask(lost)

    answer = getattr(agent, method)(page_of(lost, "ours", number))

    assert answer.status_code == 409
    assert "is not one of its candidates any more" in text_of(answer)
    assert "<script>" not in text_of(answer)
    assert status_of(lost) == "UNKNOWN"


@pytest.mark.parametrize("more", [(), ("ours", "1234"), ("none",)])
@pytest.mark.parametrize("headers", [HTMX, {}])
def test_looking_changes_nothing(agent, lose, settings, more, headers):
    (lost,) = lose(1, age_s=settings.QUIET_PERIOD_S + 1)
    ask(lost)
    events = AuditEvent.objects.count()

    assert agent.get(page_of(lost, *more), headers=headers).status_code == 200

    assert status_of(lost) == "UNKNOWN"
    assert ExternalOrder.objects.count() == 1
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("role", ["VIEWER", "EXIT_ONLY"])
@pytest.mark.parametrize("decision", [("ours", "1234"), ("none",)])
def test_who_may_not_trade_sees_the_order_and_decides_nothing(agent, fleet, lose, role, decision):
    (lost,) = lose(1, age_s=90)
    ask(lost)
    become(agent, fleet.agent, role)

    page = text_of(agent.get(page_of(lost)))

    assert "candidate-1234" in page
    assert "is ours…" not in page
    for method in ("get", "post"):
        answer = getattr(agent, method)(page_of(lost, *decision), {"seen": "1234"})
        assert answer.status_code == 403
    assert status_of(lost) == "UNKNOWN"


@pytest.mark.parametrize("decision", [("ours", "1234"), ("none",)])
def test_a_forged_decision_is_refused(fleet, lose, decision):
    (lost,) = lose(1, age_s=90)
    ask(lost)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(fleet.agent)

    assert browser.post(page_of(lost, *decision), {"seen": "1234"}).status_code == 403
    assert status_of(lost) == "UNKNOWN"


def test_hostile_words_of_broker_and_accounts_are_shown_and_never_run(agent, fleet, lose):
    (lost,) = lose(1, age_s=90, ticket=fleet.call())
    candidate = ask(lost, tag=HOSTILE[:60], status_description=HOSTILE, price=HOSTILE)
    ExternalOrder.objects.filter(pk=candidate.pk).update(broker_status=HOSTILE[:40])
    AccountOrder.objects.filter(pk=lost.pk).update(reason=HOSTILE)
    lost.account.alias = HOSTILE[:60]
    lost.account.save(update_fields=["alias"])

    for address in (
        "/",
        "/desk/unknown/",
        page_of(lost),
        page_of(lost, "ours", "1234"),
        page_of(lost, "none"),
    ):
        page = text_of(agent.get(address))
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>" not in page
        assert "<b hx-get" not in page
        assert " style=" not in page


@pytest.mark.parametrize("more", [(), ("ours", "1234"), ("none",)])
def test_strangers_are_sent_to_sign_in(fleet, lose, more):
    (lost,) = lose(1)
    ask(lost)

    answer = Client().get(page_of(lost, *more))

    assert answer["Location"].startswith("/sign-in/?next=/desk/unknown/")
