"""Price ladders on the pages: started, shown in the list, and stopped by a click."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounts.domain.words import Role
from accounts.models import User
from orders.models import ComplexOrder, PriceLadder
from orders.services.climbing import climb
from tests.integration.orders.climbers import step, up
from tests.integration.orders.hands import hit
from tests.support.fleet import Fleet
from tests.support.raw_server import dead_port
from tests.support.redis_server import point_celery_to
from tests.web.browsing import form_in, text_of

TYPED = {"step": "0.05", "every_s": "10", "bound": "1.20", "confirm": "PRICE_AWAY"}


@pytest.fixture
def order(fleet: Fleet, queue) -> ComplexOrder:
    """An order in calls that rests at 1.00 in one account."""
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.call(1, limit=Decimal("1.00")), accounts=fleet.accounts[:1])
    fleet.poll()
    return order


@pytest.fixture
def closer(db) -> Client:
    """A browser of somebody who may only close."""
    browser = Client()
    browser.force_login(User.objects.create_user("closer", role=Role.EXIT_ONLY))
    return browser


def address(order, *more: str) -> str:
    return "/".join(["/desk/orders", str(order.pk), "ladder", *more, ""])


def test_a_row_that_works_leads_to_the_form(agent, order):
    assert f'href="{address(order)}"' in text_of(agent.get("/"))

    page = text_of(agent.get(address(order)))

    assert f"Price ladder of broadcast #{order.pk}" in page
    assert "Cap" in page
    assert "The limit climbs to it, and no further." in page
    assert form_in(agent.get(address(order)))["every_s"] == "15"
    assert "STOP LADDER" not in page


def test_what_is_received_has_a_floor(agent, fleet, queue):
    fleet.broker.market(fills="manual")
    order = fleet.broadcast(fleet.condor(), accounts=fleet.accounts[:1])

    page = text_of(agent.get(address(order)))

    assert "Floor" in page
    assert "The limit falls to it, and no further." in page


def test_a_ladder_is_started_and_the_list_says_where_it_stands(agent, order):
    answer = agent.post(address(order), TYPED)

    ladder = PriceLadder.objects.get(order=order)
    assert answer["Location"] == f"/#broadcast-{order.pk}"
    assert (ladder.step, ladder.every_s, ladder.bound) == (Decimal("0.05"), 10, Decimal("1.20"))
    assert "ladder 1.00 → 1.20, next <time" in text_of(agent.get("/"))


def test_the_page_of_a_running_one_shows_it_and_fills_the_form_with_it(agent, order):
    agent.post(address(order), {**TYPED, "bound": "11.00", "step": "10"})

    answer = agent.get(address(order))

    assert "STOP LADDER" in text_of(answer)
    typed = form_in(answer)
    assert {name: typed[name] for name in ("step", "every_s", "bound")} == {
        "step": "10",
        "every_s": "10",
        "bound": "11",
    }


def test_a_click_stops_it_and_the_list_says_why(agent, order):
    agent.post(address(order), TYPED)

    page = text_of(agent.post(address(order, "stop"), follow=True))

    assert f"The price ladder of broadcast #{order.pk} is stopped." in page
    assert "STOP LADDER" not in page
    assert PriceLadder.objects.get(order=order).stopped_at is not None
    assert "ladder stopped at 1.00: Stopped by agent." in text_of(agent.get("/"))


def test_a_second_click_says_that_none_runs(agent, order):
    page = text_of(agent.post(address(order, "stop"), follow=True))

    assert "No price ladder of this order runs any more. Nothing was changed." in page


def test_the_list_says_what_it_waits_for(agent, fleet, queue):
    hit(fleet, "http_500")
    order = fleet.broadcast(fleet.call(1, limit=Decimal("1.00")), accounts=fleet.accounts[:2])
    fleet.poll()
    agent.post(address(order), TYPED)

    step(order)

    assert (
        f"ladder 1.00 → 1.20, waits: Whether the order in {fleet.accounts[0].alias} "
        "is at the broker is not known yet."
    ) in text_of(agent.get("/"))


def test_every_step_changes_the_list(agent, fleet, order):
    agent.post(address(order), TYPED)

    up(fleet, order)

    assert "ladder 1.05 → 1.20, next <time" in text_of(agent.get("/"))


def test_the_ladder_of_what_is_over_is_not_in_the_list(agent, fleet, order):
    agent.post(address(order), TYPED)
    fleet.broker.fill(fleet.children(order)[0].broker_order_id)
    fleet.poll()
    climb(now=timezone.now() + timedelta(seconds=1))
    page = text_of(agent.get("/"))

    assert "ladder 1.00" not in page
    assert "ladder stopped" not in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"step": "0.005"}, "The step must be a multiple of 0.05."),
        ({"every_s": "1"}, "Ensure this value is greater than or equal to 3."),
        ({"bound": "0.90"}, "The cap must be above the limit"),
        ({"bound": "much"}, "Enter a number."),
    ],
    ids=["step", "seconds", "bound", "no number"],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_started(agent, order, changes, words):
    answer = agent.post(address(order), {**TYPED, **changes})

    assert answer.status_code == 200
    assert words in text_of(answer)
    (name,) = changes
    assert f'id="ladder-{name}_error"' in text_of(answer)
    assert form_in(answer)[name] == changes[name]
    assert not PriceLadder.objects.exists()


def test_an_objection_to_the_bound_can_be_overridden(agent, order, settings):
    settings.CACHE_URL = settings.REDIS_URL
    far = {"step": "10", "every_s": "10", "bound": "1001"}

    page = text_of(agent.post(address(order), far))
    started = PriceLadder.objects.exists()
    agent.post(address(order), {**far, "confirm": "PRICE_AWAY"})

    assert "The cap 1001.00 is " in page
    assert 'name="confirm" value="PRICE_AWAY"' in page
    assert not started
    assert PriceLadder.objects.exists()


def test_what_is_over_is_refused_in_words(agent, fleet, order):
    fleet.broker.fill(fleet.children(order)[0].broker_order_id)
    fleet.poll()

    page = text_of(agent.post(address(order), TYPED))

    assert "Nothing of it works any more: there is no price to move." in page


def test_nothing_is_started_while_nobody_could_be_rung(agent, order, settings):
    before = settings.REDIS_URL
    settings.REDIS_URL = f"redis://127.0.0.1:{dead_port()}/0"
    point_celery_to(settings.REDIS_URL)
    try:
        page = text_of(agent.post(address(order), TYPED))
    finally:
        point_celery_to(before)

    assert "The task queue (Redis)" in page
    assert not PriceLadder.objects.exists()


def test_a_viewer_sees_no_ladder_and_starts_none(viewer, order):
    assert address(order) not in text_of(viewer.get("/"))
    assert viewer.get(address(order)).status_code == 403
    assert viewer.post(address(order), TYPED).status_code == 403
    assert viewer.post(address(order, "stop")).status_code == 403


def test_who_may_only_close_stops_any_and_starts_those_of_exits(agent, closer, order):
    agent.post(address(order), TYPED)
    assert "START LADDER" not in text_of(closer.get(address(order)))
    assert closer.post(address(order), TYPED).status_code == 403
    assert closer.post(address(order, "stop")).status_code == 302
    assert PriceLadder.objects.get().stopped_at is not None

    ComplexOrder.objects.filter(pk=order.pk).update(purpose="CLOSE")

    assert closer.post(address(order), TYPED).status_code == 302
    assert PriceLadder.objects.get().stopped_at is None


def test_strangers_sign_in_and_no_order_is_no_page(client, agent, db):
    assert Client().get("/desk/orders/1/ladder/").status_code == 302
    assert agent.get("/desk/orders/1/ladder/").status_code == 404
    assert agent.post("/desk/orders/1/ladder/stop/").status_code == 404
