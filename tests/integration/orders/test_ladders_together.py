"""Many ladders climb in one pass, and what holds for all of them is asked for once."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.services.climbing import climb
from tests.integration.orders.climbers import let_pass, start
from tests.integration.orders.stopping import resting


def test_the_writes_of_accounts_are_counted_once_for_all_ladders_that_are_due(fleet, broker):
    orders = [resting(fleet, accounts=3) for _ in range(3)]
    for order in orders:
        start(fleet, order)
        let_pass(order)

    with CaptureQueriesContext(connection) as queries:
        climbed = climb(now=timezone.now())

    assert len(climbed.asked) == 3
    assert sum('"last_sent_at" >= ' in one["sql"] for one in queries) == 1


def test_a_pass_without_a_ladder_that_is_due_counts_nothing(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        climb(now=timezone.now())
