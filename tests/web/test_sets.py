"""The list of placed order sets and the page of one: progress, accounts, what is left over."""

import re

import pytest

from orders.models import ExitStep
from tests.integration.orders.leaving import enter
from tests.web.browsing import HTMX, become, text_of
from tests.web.leaving import leave_over, page_of


@pytest.fixture
def way(fleet):
    """A condor of two contracts, filled in three accounts."""
    return enter(fleet, fleet.condor(2))


def tag_in(answer):
    found = re.search(r'id="sets?" data-flash .*?hx-ptag="([^"]+)"', text_of(answer))
    assert found is not None
    return found[1]


def test_a_filled_broadcast_stands_in_the_list_with_its_exit(agent, way):
    page = text_of(agent.get("/desk/sets/"))

    assert "Iron condor SPX" in page
    assert page.count('<b class="sell">STO</b> SPXW') == 2
    assert f'href="/desk/sets/{way.placed_set.pk}/exit/"' in page
    assert ">EXIT</a>" in page
    assert "</i>open</span>" in page


def test_what_the_broker_has_not_reported_yet_is_not_called_nothing(agent, way):
    page = text_of(agent.get("/desk/sets/"))

    assert "?/6" in page
    assert "3 not read" in page
    assert page_of(way) in page


def test_a_flat_set_says_so_with_its_time_and_goes_into_the_fold(agent, way):
    way.leave()
    assert way.is_flat()

    page = text_of(agent.get("/desk/sets/"))

    assert "No open sets." in page
    assert "1 flat set, newest first" in page
    assert re.search(r'flat at the broker 3/3, <span class="num">[\d:]{8} ET</span>', page)
    assert ">EXIT</a>" not in page


def test_an_exit_at_work_shows_how_far_it_is_and_what_is_left(agent, way):
    way.open()
    leave_over(way, 1)

    for address in ("/desk/sets/", page_of(way)):
        page = text_of(agent.get(address))
        assert 'closing <span class="num">0/3</span>' in page
        assert "1 left to you</a>" in page


def test_an_open_page_is_told_nothing_until_something_changed(agent, way):
    for address in ("/desk/sets/", page_of(way)):
        tag = tag_in(agent.get(address))
        assert agent.get(address, headers=HTMX | {"HX-PTag": tag}).status_code == 304

    way.open()

    for address in ("/desk/sets/", page_of(way)):
        changed = agent.get(address, headers=HTMX | {"HX-PTag": tag})
        assert changed.status_code == 200
        assert "<html" not in text_of(changed)


@pytest.mark.parametrize("sets", [1, 3])
def test_the_list_asks_the_database_no_more_often_for_more_sets(
    agent, fleet, way, sets, django_assert_num_queries
):
    for number in range(1, sets):
        enter(fleet, fleet.shares(number))

    with django_assert_num_queries(10):
        agent.get("/desk/sets/", headers=HTMX)


def test_the_page_of_a_set_lists_every_account(agent, fleet, way):
    page = text_of(agent.get(page_of(way)))

    for account in fleet.accounts:
        assert f"{account.alias} <span" in page
        assert f'aria-label="Exit {account.alias} alone"' in page
    assert "CREDIT" in page
    assert "Left to you:" not in page


def test_the_board_names_what_is_left_why_and_a_remedy_each(agent, fleet, way):
    way.open()
    leave_over(way, 1, "The broker refused it.")

    page = text_of(agent.get(page_of(way)))

    assert "Left to you: 1 account<" in page
    assert f'<th scope="row">{fleet.accounts[1].alias}</th>' in page
    assert '<b class="buy">+2</b> SPXW' in page
    assert '<b class="sell">−2</b> SPXW' in page
    assert "<td>The broker refused it.</td>" in page
    for words in ("Retry</button>", "Chase</button>", "Mark as handled…</a>"):
        assert words in page


def test_a_rest_with_legs_missing_is_chased_to_the_natural_price(agent, way):
    way.open()
    step = leave_over(way, 0)
    symbol = way.symbols[1]
    ExitStep.objects.filter(pk=step.pk).update(residual={symbol: step.plan[symbol]})

    page = text_of(agent.get(page_of(way)))

    assert "Chase to natural</button>" in page
    assert 'name="limit"' not in page


def test_who_may_only_look_sees_sets_and_no_way_out(viewer, way):
    way.open()
    leave_over(way, 1)

    listed, page = text_of(viewer.get("/desk/sets/")), text_of(viewer.get(page_of(way)))

    assert "Iron condor SPX" in listed
    assert "EXIT" not in listed
    assert "Close everything" not in listed
    assert "Left to you: 1 account<" in page
    assert "Retry" not in page
    assert "EXIT" not in page


def test_who_may_only_exit_has_the_ways_out(agent, fleet, way):
    become(agent, fleet.agent, "EXIT_ONLY")

    assert ">EXIT</a>" in text_of(agent.get("/desk/sets/"))
    assert "Close everything…" in text_of(agent.get("/desk/sets/"))


@pytest.mark.parametrize("number", [7, 10**30])
def test_a_set_that_does_not_exist_is_not_found(agent, number):
    for more in ("", "exit/"):
        assert agent.get(f"/desk/sets/{number}/{more}").status_code == 404


def test_hostile_words_are_shown_and_never_run(agent, way):
    way.open()
    leave_over(way, 1, '<script>alert(1)</script><b hx-post="/" hx-trigger="load">')

    page = text_of(agent.get(page_of(way)))

    assert "&lt;script&gt;alert(1)" in page
    assert "<b hx-post" not in page
