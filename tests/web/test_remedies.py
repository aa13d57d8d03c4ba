"""What an exit left over, settled from its board: retry, chase, mark as handled."""

from decimal import Decimal

import pytest

from orders.models import ComplexOrder, ExitStep
from orders.selectors.controlling import percent_of
from tests.integration.orders.leaving import enter
from tests.web.browsing import form_in, text_of
from tests.web.leaving import leave_over, page_of


@pytest.fixture
def way(fleet, queue, settings):
    """A condor of four contracts in three accounts, whose exit left the second one over."""
    settings.CACHE_URL = queue.url
    way = enter(fleet, fleet.condor(4))
    way.open()
    return way


@pytest.fixture
def left(way):
    return leave_over(way, 1)


def newest():
    return ComplexOrder.objects.latest("pk")


def test_a_retry_closes_that_account_again_at_the_same_price(agent, fleet, way, left, click):
    way.placed_set.exits.update(limit=Decimal("2.50"))

    answer = click(page_of(way, left.pk, "retry"))

    assert answer["Location"] == page_of(way)
    order = newest()
    assert order.pk != left.order_id
    assert (order.limit, order.pricing, order.percent) == (Decimal("2.50"), "LIMIT", 100)
    step = ExitStep.objects.get(order=order)
    assert step.account_id == fleet.accounts[1].pk
    left.refresh_from_db()
    assert left.state == "DONE"


def test_a_second_click_on_a_remedy_changes_nothing(agent, way, left, click):
    way.placed_set.exits.update(limit=Decimal("2.50"))
    click(page_of(way, left.pk, "retry"))

    for remedy in ("retry", "chase"):
        click(page_of(way, left.pk, remedy), {"limit": "3.00"})
        assert "settled, or tried again already" in text_of(agent.get(page_of(way)))

    assert ComplexOrder.objects.filter(closes=way.placed_set).count() == 2


def test_a_retry_that_a_guard_objects_to_asks_on_the_exits_page(agent, way, left, click):
    way.placed_set.exits.update(limit=Decimal("90.00"))

    answer = click(page_of(way, left.pk, "retry"))

    page = text_of(answer)
    assert 'name="confirm" value="PRICE_AWAY"' in page
    values = form_in(answer)
    assert (values["limit"], values["accounts"]) == ("90", str(left.account_id))
    assert click(page_of(way, "exit"), values | {"confirm": "PRICE_AWAY"}).status_code == 302
    assert newest().limit == Decimal(90)


def test_a_chase_goes_out_at_the_limit_typed(way, left, click):
    click(page_of(way, left.pk, "chase"), {"limit": "3.00"})

    assert (newest().limit, newest().pricing) == (Decimal("3.00"), "LIMIT")
    assert ExitStep.objects.get(order=newest()).account_id == left.account_id


@pytest.mark.parametrize(
    ("limit", "words"),
    [("", "Enter the limit to close at."), ("abc", "Enter a number."), ("-1", "-1")],
    ids=["empty", "words", "negative"],
)
def test_a_bad_limit_comes_back_on_the_exits_page(way, left, click, limit, words):
    answer = click(page_of(way, left.pk, "chase"), {"limit": limit})

    assert words in text_of(answer)
    assert form_in(answer)["accounts"] == str(left.account_id)
    assert newest().pk == left.order_id


def test_a_rest_with_legs_missing_goes_out_at_the_natural_price(way, left, click):
    symbol = way.symbols[1]
    ExitStep.objects.filter(pk=left.pk).update(residual={symbol: left.plan[symbol]})

    click(page_of(way, left.pk, "chase"), {"limit": "99.00"})

    assert newest().pricing == "NATURAL"


def test_a_retry_of_a_part_closes_just_what_was_left_of_that_part(way, left, click):
    way.placed_set.exits.update(limit=Decimal("2.50"), percent=50)
    rest = {symbol: quantity // abs(quantity) for symbol, quantity in left.plan.items()}
    ExitStep.objects.filter(pk=left.pk).update(residual=rest)

    click(page_of(way, left.pk, "retry"))

    step = ExitStep.objects.get(order=newest())
    assert {abs(quantity) for quantity in step.plan.values()} == {1}


@pytest.mark.parametrize(
    ("bookmarked", "units"), [(1, 1), (2, 1), (3, 2), (4, 1), (7, 3), (10, 3), (97, 41), (100, 33)]
)
def test_the_percent_of_a_rest_comes_to_just_that_rest(bookmarked, units):
    assert bookmarked * percent_of(bookmarked, units) // 100 == units


@pytest.mark.parametrize(("bookmarked", "units"), [(333, 100), (1000, 333), (5000, 1)])
def test_the_percent_of_a_rest_is_never_more_than_it_where_that_can_be(bookmarked, units):
    percent = percent_of(bookmarked, units)

    assert percent == 1 or bookmarked * percent // 100 <= units


def test_what_is_left_is_marked_as_handled_with_a_reason(agent, way, left, click):
    click(page_of(way, left.pk, "handled"), {"why": "Closed by hand."})

    page = text_of(agent.get(page_of(way)))
    assert "is marked as handled." in page
    assert "Left to you:" not in page
    assert "</i>Handled</span>" in page
    assert "<td>Closed by hand.</td>" in page


@pytest.mark.parametrize("why", ["", "  ", "x" * 201], ids=["empty", "blank", "long"])
def test_a_reason_that_is_none_is_refused_in_words(agent, way, left, click, why):
    answer = click(page_of(way, left.pk, "handled"), {"why": why})

    assert "how it was dealt with" in text_of(answer)
    left.refresh_from_db()
    assert left.state == "RESIDUAL"


def test_what_is_settled_cannot_be_handled_any_more(agent, way, left, click):
    click(page_of(way, left.pk, "handled"), {"why": "Once."})
    agent.get(page_of(way))

    answer = click(page_of(way, left.pk, "handled"), {"why": "Twice."})

    assert "leaves nothing to you any more" in text_of(answer)
    left.refresh_from_db()
    assert left.handled_why == "Once."


@pytest.mark.parametrize("remedy", ["retry", "chase", "handled"])
def test_a_step_of_another_set_is_not_found(agent, fleet, way, left, click, remedy):
    other = enter(fleet, fleet.shares(10))

    assert click(page_of(other, left.pk, remedy), {"why": "x", "limit": "3"}).status_code == 404
    left.refresh_from_db()
    assert left.state == "RESIDUAL"
