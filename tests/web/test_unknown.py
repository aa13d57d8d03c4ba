"""Orders of unknown outcome: first in the list, with their age, and the page of each."""

import re
from uuid import uuid4

import pytest
from django.utils import timezone

from orders.models import AccountOrder
from orders.selectors.desk import desk_rows
from orders.selectors.desk_facts import Kind
from tests.web.browsing import HTMX, text_of
from tests.web.losing import ask, grow_old, page_of

PANEL = "/desk/panels/orders/"


def numbers_in(answer):
    return re.findall(r'<tbody id="broadcast-(\d+)"', answer.content.decode())


# --- the list ---------------------------------------------------------------------------------


def test_broadcasts_with_an_unknown_order_stand_first_newest_first_whatever_their_age(
    agent, fleet, lose
):
    clear = [fleet.broadcast(fleet.call(n)).pk for n in (1, 2)]
    lost = [lose(0, ticket=fleet.call(n))[0].order_id for n in (3, 4)]
    clear += [fleet.broadcast(fleet.call(n)).pk for n in (5, 6)]

    shown = numbers_in(agent.get(PANEL, headers=HTMX))

    assert shown == [str(pk) for pk in [*reversed(lost), *reversed(clear)]]


def test_an_unknown_order_stays_in_the_list_when_more_newer_ones_follow_than_are_listed(
    agent, fleet, lose, monkeypatch
):
    monkeypatch.setattr("orders.selectors.desk.MOST_OPEN", 2)
    monkeypatch.setattr("orders.selectors.desk.MOST_DONE", 1)
    (lost,) = lose(1, ticket=fleet.call(9))
    newer = [fleet.create(fleet.call(n)).pk for n in range(1, 5)]

    today = timezone.now().date()
    rows = desk_rows(Kind.OPTIONS, today=today)

    assert [row.order.id for row in rows] == [lost.order_id, *reversed(newer[1:])]


def test_the_foot_names_the_last_broadcast_though_an_unknown_one_stands_first(agent, fleet, lose):
    lose(0)
    last = fleet.broadcast(fleet.condor(2), accounts=fleet.accounts[:2])

    page = text_of(agent.get("/"))

    assert f"2 sent in {last.broadcast_ms:.0f} ms" in page


def test_the_unknown_accounts_are_unfolded_and_stand_before_the_others(agent, fleet, lose):
    reject = {"method": "POST", "path": "/orders", "account": fleet.accounts[0].hash_value}
    fleet.broker.fault("reject", **reject)
    lost = lose(1, 2, ticket=fleet.call(1))
    ask(lost[1])
    fleet.poll()

    (details,) = re.findall(r'<details id="why.*?</details>', text_of(agent.get("/")))

    assert re.match(r'<details id="why-\d+-pressing" open>', details)
    assert "3 accounts with a reason, 2 to be settled" in details
    places = [details.index(f"<b>{account.alias}</b>") for account in fleet.accounts]
    assert places[2] < places[1] < places[0]


def test_a_broadcast_without_unknown_orders_keeps_its_reasons_folded(agent, fleet):
    fleet.broker.fault("reject", method="POST", account=fleet.accounts[0].hash_value)
    fleet.broadcast(fleet.call())
    fleet.poll()

    (details,) = re.findall(r'<details id="why[^>]*>', text_of(agent.get("/")))

    assert not details.endswith("open>")
    assert "pressing" not in details


def test_an_unknown_order_says_since_when_and_when_its_absence_can_be_proved(
    agent, fleet, lose, settings
):
    settings.QUIET_PERIOD_S, settings.ABSENCE_READS, settings.RECONCILE_EVERY_S = 60, 3, 5
    (lost,) = lose(1, age_s=23, ticket=fleet.call())

    page = text_of(agent.get(PANEL, headers=HTMX))

    since = re.search(r'for <time class="num" datetime="(\S+)" data-count="up">0:2\d</time>', page)
    assert since is not None
    assert since[1] == lost.claimed_at.isoformat()
    assert re.search(
        r'proof of absence at the earliest <time [^>]*data-count="down">in 0:4\d</time>', page
    )
    assert f'href="{page_of(lost)}"' in page


@pytest.mark.parametrize(("age_s", "shown"), [(20, r"0:2\d"), (31, r"0:3\d"), (3723, r"1:02:0\d")])
def test_an_unknown_order_shows_red_after_half_a_minute(agent, lose, age_s, shown):
    lose(1, age_s=age_s)

    page = text_of(agent.get("/desk/unknown/", headers=HTMX))

    (classes,) = re.findall(rf'<time class="([^"]+)"[^>]*data-count="up">{shown}<', page)
    assert ("late" in classes) == (age_s >= 30)


def test_time_alone_sends_no_new_list(agent, fleet, lose):
    (lost,) = lose(1, ticket=fleet.call())
    first = agent.get(PANEL, headers=HTMX)
    grow_old(lost, 300)

    again = agent.get(PANEL, headers=HTMX | {"HX-PTag": first["HX-PTag"]})

    assert again.status_code == 304


def test_the_agent_is_led_to_the_page_on_which_he_decides(agent, fleet, lose):
    (lost,) = lose(1, age_s=90, ticket=fleet.call())
    ask(lost)

    for address in (PANEL, "/desk/unknown/"):
        page = text_of(agent.get(address, headers=HTMX))
        assert re.search(rf'href="{page_of(lost)}"[^>]*>Decide</a>', page)
        assert "Which is ours?" in page
        assert "proof of absence" not in page


def test_every_unknown_order_is_listed_and_the_one_that_waits_longest_comes_first(agent, lose):
    young = lose(0, 1, contracts=1, age_s=5)
    (old,) = lose(2, contracts=2, age_s=50)

    page = text_of(agent.get("/desk/unknown/"))

    assert re.findall(r'<tr id="unknown-([^"]+)"', page) == [str(one.pk) for one in (old, *young)]


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


def test_orders_that_are_no_candidates_are_not_shown(agent, lose):
    lost, other = lose(1, 2, age_s=90)
    ask(other, "1")
    ask(lost, "3")
    AccountOrder.objects.filter(pk=lost.pk).update(candidates=[])

    assert "candidate-" not in text_of(agent.get(page_of(lost)))


def test_that_none_is_ours_is_offered_only_after_the_quiet_period(agent, lose, settings):
    settings.QUIET_PERIOD_S = 60
    (lost,) = lose(1, age_s=30)
    early = text_of(agent.get(page_of(lost)))
    grow_old(lost, 61)

    late = text_of(agent.get(page_of(lost)))

    assert "None is ours" not in early
    assert "can be said <time" in early
    assert f'href="{page_of(lost, "none")}"' in late


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
