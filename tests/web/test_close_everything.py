"""Close everything: what it would do is counted first, and the phrase is typed."""

from decimal import Decimal

import pytest

from orders.models import AccountOrder, ComplexOrder
from tests.integration.orders.leaving import enter
from tests.web.browsing import HTMX, become, form_in, text_of

ADDRESS = "/desk/close-everything/"
PHRASE = "CLOSE EVERYTHING"


@pytest.fixture
def out_there(fleet, broker, queue, settings):
    """A condor and shares that are held, and shares that rest in three accounts."""
    settings.CACHE_URL = queue.url
    ways = [enter(fleet, fleet.condor(2)), enter(fleet, fleet.shares(10))]
    broker.market(fills="manual")
    fleet.broadcast(fleet.shares(7, limit=Decimal("1.00")))
    fleet.poll()
    return ways


@pytest.fixture
def click(agent, django_capture_on_commit_callbacks):
    """Post to the page, and let its transaction commit."""

    def post(values, **options):
        with django_capture_on_commit_callbacks(execute=True):
            return agent.post(ADDRESS, values, **options)

    return post


@pytest.fixture
def typed(agent, out_there):
    """The form with the phrase typed."""
    return form_in(agent.get(ADDRESS)) | {"phrase": PHRASE}


def exits():
    return list(ComplexOrder.objects.filter(closes__isnull=False).order_by("closes_id"))


def canceled():
    return AccountOrder.objects.filter(cancel_asked_at__isnull=False).count()


def test_the_page_counts_what_it_would_do_and_does_nothing(agent, out_there):
    page = text_of(agent.get(ADDRESS))

    assert "3 orders in 3 accounts" in page
    assert "2 sets" in page
    for way in out_there:
        assert f'href="/desk/sets/{way.placed_set.pk}/"' in page
    assert "Type CLOSE EVERYTHING" in page
    assert exits() == []
    assert canceled() == 0


def test_with_the_phrase_all_is_canceled_and_every_set_exited(agent, out_there, typed, click):
    answer = click(typed)

    assert (answer.status_code, answer["Location"]) == (302, "/desk/sets/")
    assert canceled() == 3
    assert [order.closes_id for order in exits()] == [way.placed_set.pk for way in out_there]
    assert {order.pricing for order in exits()} == {"NATURAL"}
    assert "3 orders canceled, 2 sets exited." in text_of(agent.get("/desk/sets/"))


def test_the_pricing_chosen_is_that_of_every_exit(typed, click):
    click(typed | {"pricing": "MARKET"})

    assert [order.order_type for order in exits()] == ["MARKET", "MARKET"]


def test_a_second_click_begins_nothing_more(typed, click):
    click(typed)
    click(typed)

    assert len(exits()) == 2
    assert canceled() == 3


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"phrase": "close everything"}, "Type exactly CLOSE EVERYTHING."),
        ({"phrase": ""}, "This field is required."),
        ({"pricing": "LIMIT"}, "Select a valid choice."),
        ({"intent": "1"}, "Enter a valid UUID."),
    ],
    ids=["phrase", "empty", "pricing", "intent"],
)
def test_without_the_phrase_nothing_is_done_and_what_was_typed_stays(typed, click, wrong, words):
    answer = click(typed | {"pricing": "MID"} | wrong)

    assert words in text_of(answer)
    assert form_in(answer).get("phrase", "") == (typed | wrong)["phrase"]
    assert exits() == []
    assert canceled() == 0


def test_a_set_that_cannot_be_exited_is_named_and_costs_no_other_one(
    agent, broker, queue, typed, click
):
    broker.fault("http_500", path="/quotes", times=20)
    queue.client.flushall()

    click(typed)

    page = text_of(agent.get("/desk/sets/"))
    assert "2 sets exited" not in page
    assert "is not exited: There is no quote of every leg now." in page
    assert canceled() == 3


def test_with_the_queue_down_nothing_is_written(typed, click):
    from tradeswim.celery import app

    app.conf.update(broker_url="redis://127.0.0.1:9/0")

    answer = click(typed)

    assert "so nothing was sent" in text_of(answer)
    assert form_in(answer)["phrase"] == PHRASE
    assert exits() == []
    assert canceled() == 0


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_who_may_only_look_closes_nothing(agent, fleet, typed, click, headers):
    become(agent, fleet.agent, "VIEWER")

    assert agent.get(ADDRESS, headers=headers).status_code == 403
    assert click(typed, headers=headers).status_code == 403
    assert exits() == []


def test_who_may_only_exit_may_close_everything(agent, fleet, typed, click):
    become(agent, fleet.agent, "EXIT_ONLY")

    click(typed)

    assert len(exits()) == 2


@pytest.mark.parametrize("page", ["/desk/sets/", "/desk/modes/"])
def test_it_is_in_reach_where_things_are_stopped(agent, fleet, page):
    assert f'href="{ADDRESS}"' in text_of(agent.get(page))
