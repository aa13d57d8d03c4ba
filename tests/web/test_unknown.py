"""Orders of unknown outcome: first in the list, with their age, and the pages to decide on them."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from orders.models import AccountOrder, ExternalOrder
from tests.web.browsing import HTMX, text_of

HOSTILE = '"><script>alert(1)</script><b hx-get="/desk/gate/" hx-trigger="load">'


@pytest.fixture
def lose(fleet):
    """Broadcast shares whose answers in these accounts get lost; return the lost orders."""

    def broadcast(*places, contracts=10, age_s=0):
        for place in places:
            account = fleet.accounts[place].hash_value
            fleet.broker.fault("drop_after", method="POST", account=account)
        order = fleet.broadcast(fleet.shares(contracts))
        lost = [child for child in fleet.children(order) if child.status == "UNKNOWN"]
        assert len(lost) == len(places)
        for child in lost:
            grow_old(child, age_s)
        return lost

    return broadcast


def grow_old(child, age_s):
    child.claimed_at = timezone.now() - timedelta(seconds=age_s)
    child.save(update_fields=["claimed_at"])


def ask(child, number="1234", tag="API_TOS:web", **fields):
    """Let the machine have seen an order that may be this one."""
    AccountOrder.objects.filter(pk=child.pk).update(needs_agent=True, reason="Which is ours?")
    data = {"price": "2.35", "quantity": "10", "filled": "4", "status_description": "", **fields}
    return ExternalOrder.objects.create(
        account=child.account,
        broker_order_id=number,
        tag=tag,
        broker_status="WORKING",
        entered_at=timezone.now(),
        seen_at=timezone.now(),
        fingerprint=child.fingerprint,
        data=data,
    )


def page_of(child, *more):
    return "/".join(["/desk/unknown", str(child.pk), *more, ""])


def numbers_in(answer):
    return re.findall(r'<tbody id="broadcast-(\d+)"', answer.content.decode())


def status_of(child):
    return AccountOrder.objects.get(pk=child.pk).status


# --- the list ---------------------------------------------------------------------------------


def test_broadcasts_with_an_unknown_order_stand_first_newest_first_whatever_their_age(
    agent, fleet, lose
):
    clear = [fleet.broadcast(fleet.shares(n)).pk for n in (1, 2)]
    lost = [lose(0, contracts=n)[0].order_id for n in (3, 4)]
    clear += [fleet.broadcast(fleet.shares(n)).pk for n in (5, 6)]

    shown = numbers_in(agent.get("/desk/broadcasts/", headers=HTMX))

    assert shown == [str(pk) for pk in [*reversed(lost), *reversed(clear)]]


def test_an_unknown_order_stays_in_the_list_when_thirty_newer_ones_follow(agent, fleet, lose):
    from orders.selectors.desk import desk_rows

    (lost,) = lose(1)
    newer = [fleet.create(fleet.shares(n)).pk for n in range(1, 5)]

    rows = [row.broadcast.id for row in desk_rows(most=3)]

    assert rows == [lost.order_id, *reversed(newer[1:])]


def test_the_foot_names_the_last_broadcast_though_an_unknown_one_stands_first(agent, fleet, lose):
    lose(0)
    last = fleet.broadcast(fleet.condor(2), accounts=fleet.accounts[:2])

    page = text_of(agent.get("/"))

    assert f"2 sent in {last.broadcast_ms:.0f} ms" in page


def test_the_unknown_accounts_are_unfolded_and_stand_before_the_others(agent, fleet, lose):
    reject = {"method": "POST", "path": "/orders", "account": fleet.accounts[0].hash_value}
    fleet.broker.fault("reject", **reject)
    lost = lose(1, 2)
    ask(lost[1])
    fleet.poll()

    (details,) = re.findall(r"<details.*?</details>", text_of(agent.get("/")))

    assert re.match(r'<details id="why-\d+-pressing" open>', details)
    assert "3 accounts with a reason, 2 to be settled" in details
    places = [details.index(f"<b>{account.alias}</b>") for account in fleet.accounts]
    assert places[2] < places[1] < places[0]


def test_a_broadcast_without_unknown_orders_keeps_its_reasons_folded(agent, fleet):
    fleet.broker.fault("reject", method="POST", account=fleet.accounts[0].hash_value)
    fleet.broadcast(fleet.shares())
    fleet.poll()

    (details,) = re.findall(r"<details[^>]*>", text_of(agent.get("/")))

    assert not details.endswith("open>")
    assert "pressing" not in details


def test_an_unknown_order_says_since_when_and_when_its_absence_can_be_proved(
    agent, lose, settings
):
    settings.QUIET_PERIOD_S, settings.ABSENCE_READS, settings.RECONCILE_EVERY_S = 60, 3, 5
    (lost,) = lose(1, age_s=23)

    page = text_of(agent.get("/desk/broadcasts/", headers=HTMX))

    since = re.search(r'for <time class="num" datetime="(\S+)" data-count="up">0:2\d</time>', page)
    assert since is not None
    assert since[1] == lost.claimed_at.isoformat()
    assert re.search(
        r'proof of absence at the earliest <time [^>]*data-count="down">in 0:4\d</time>', page
    )
    assert f'href="{page_of(lost)}"' in page


@pytest.mark.parametrize(("age_s", "shown"), [(29, "0:29"), (31, "0:31"), (3723, "1:02:03")])
def test_an_unknown_order_shows_red_after_half_a_minute(agent, lose, age_s, shown):
    lose(1, age_s=age_s)

    page = text_of(agent.get("/desk/unknown/", headers=HTMX))

    (classes,) = re.findall(rf'<time class="([^"]+)"[^>]*data-count="up">{shown}<', page)
    assert ("late" in classes) == (age_s >= 30)


def test_time_alone_sends_no_new_list(agent, lose):
    (lost,) = lose(1)
    first = agent.get("/desk/broadcasts/", headers=HTMX)
    grow_old(lost, 300)

    again = agent.get("/desk/broadcasts/", headers=HTMX | {"HX-PTag": first["HX-PTag"]})

    assert again.status_code == 304


def test_the_agent_is_led_to_the_page_on_which_he_decides(agent, lose):
    (lost,) = lose(1, age_s=90)
    ask(lost)

    for address in ("/desk/broadcasts/", "/desk/unknown/"):
        page = text_of(agent.get(address, headers=HTMX))
        assert re.search(rf'href="{page_of(lost)}">Decide</a>', page)
        assert "Which is ours?" in page
        assert "proof of absence" not in page


def test_every_unknown_order_is_listed_and_the_one_that_waits_longest_comes_first(agent, lose):
    young = lose(0, 1, contracts=1, age_s=5)
    (old,) = lose(2, contracts=2, age_s=50)

    page = text_of(agent.get("/desk/unknown/"))

    assert re.findall(r'<tr id="unknown-([^"]+)"', page) == [
        str(one.pk) for one in (old, *young)
    ]


def test_a_list_without_unknown_orders_says_what_would_be_in_it(agent):
    assert "No unknown orders." in text_of(agent.get("/desk/unknown/"))


# --- the page of one --------------------------------------------------------------------------


def test_the_page_shows_what_was_sent_what_came_back_and_what_happened(agent, lose):
    (lost,) = lose(1, age_s=70)
    AccountOrder.objects.filter(pk=lost.pk).update(clean_reads=2)

    page = text_of(agent.get(page_of(lost)))

    assert page.startswith("<!DOCTYPE html>")
    assert f"{lost.account.alias} {lost.account.mask}" in page
    assert lost.account.number.open() not in page
    assert '10 <b class="buy">BUY</b> AAPL' in page
    assert lost.reason in page
    assert "2 of 3 needed" in page
    assert "SUBMITTING → UNKNOWN" in page
    assert "None was seen so far." in page


def test_an_open_page_is_sent_the_middle_alone(agent, lose):
    (lost,) = lose(1)

    for address in (page_of(lost), "/desk/unknown/"):
        assert "<html" not in text_of(agent.get(address, headers=HTMX))


def test_a_candidate_made_by_hand_is_told_from_one_that_came_as_ours_do(agent, lose):
    (lost,) = lose(1, age_s=90)
    ask(lost, "1234", "API_TOS:web")
    ask(lost, "5678", "TA_key")

    page = text_of(agent.get(page_of(lost)))

    by_hand, ours = re.findall(r'<tr id="candidate-.*?</tr>', page)
    assert "By hand or elsewhere" in by_hand
    assert "API_TOS:web" in by_hand
    assert "Through the interface, as ours are" in ours
    assert "4 of 10" in ours
    assert "2.35" in ours
    assert " ET</td>" in ours


def test_orders_ruled_out_of_other_accounts_or_of_another_trade_are_no_candidates(agent, lose):
    lost, other = lose(1, 2, age_s=90)
    ask(other, "1")
    ExternalOrder.objects.filter(pk=ask(lost, "2").pk).update(ruled_out_at=timezone.now())
    ExternalOrder.objects.filter(pk=ask(lost, "3").pk).update(fingerprint="another")

    assert "candidate-" not in text_of(agent.get(page_of(lost)))


def test_that_none_is_ours_is_offered_only_after_the_quiet_period(agent, lose, settings):
    settings.QUIET_PERIOD_S = 60
    (lost,) = lose(1, age_s=30)
    early = text_of(agent.get(page_of(lost)))
    grow_old(lost, 61)

    late = text_of(agent.get(page_of(lost)))

    assert "None is ours" not in early
    assert "can be said <time" in early
    assert f'href="{page_of(lost, "none")}">None is ours' in late


def test_a_settled_order_shows_what_became_of_it_and_offers_nothing(agent, fleet, lose):
    (lost,) = lose(1, age_s=90)
    ask(lost)
    agent.post(page_of(lost, "ours", "1234"))

    page = text_of(agent.get(page_of(lost)))

    assert "Working" in page
    assert "1234" in page
    assert "candidate-" not in page
    assert "is ours…" not in page


@pytest.mark.parametrize("more", [(), ("ours", "1"), ("none",)])
def test_an_order_that_does_not_exist_is_not_found(agent, fleet, more):
    address = "/".join(["/desk/unknown", str(uuid4()), *more, ""])

    assert agent.get(address).status_code == 404


# --- deciding ---------------------------------------------------------------------------------


def test_a_candidate_becomes_ours_in_two_steps(agent, fleet, lose):
    (lost,) = lose(1)
    candidate = ask(lost)

    asked = text_of(agent.get(page_of(lost, "ours", "1234")))
    before = status_of(lost)
    answer = agent.post(page_of(lost, "ours", "1234"), follow=True)

    assert "will count as placed under number <b class=\"num\">1234</b>" in asked
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
    assert not ExternalOrder.objects.filter(ruled_out_at__isnull=False).exists()


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
    assert ExternalOrder.objects.filter(ruled_out_at__isnull=True).count() == 1
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("role", ["VIEWER", "EXIT_ONLY"])
@pytest.mark.parametrize("decision", [("ours", "1234"), ("none",)])
def test_who_may_not_trade_sees_the_order_and_decides_nothing(agent, fleet, lose, role, decision):
    (lost,) = lose(1, age_s=90)
    ask(lost)
    User.objects.filter(pk=fleet.agent.pk).update(role=role)

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


def test_hostile_words_of_broker_and_accounts_are_shown_and_never_run(agent, lose):
    (lost,) = lose(1, age_s=90)
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


@pytest.mark.parametrize("more", [(), ("ours", "1234"), ("none",)])
def test_strangers_are_sent_to_sign_in(fleet, lose, more):
    (lost,) = lose(1)
    ask(lost)

    answer = Client().get(page_of(lost, *more))

    assert answer["Location"].startswith("/sign-in/?next=/desk/unknown/")
