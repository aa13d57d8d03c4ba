"""The numbers of account orders."""

import time
from uuid import RFC_4122

from orders.models import AccountOrder, new_id


def test_a_number_begins_with_the_moment_in_which_it_is_made():
    before = time.time_ns() // 1_000_000
    one = new_id()
    after = time.time_ns() // 1_000_000

    assert before <= one.int >> 80 <= after
    assert (one.version, one.variant) == (7, RFC_4122)


def test_a_later_number_is_larger():
    first = new_id()
    time.sleep(0.002)

    assert first < new_id()


def test_of_those_of_one_moment_none_is_like_another():
    made = [new_id() for _ in range(10_000)]

    assert len(set(made)) == len(made)
    assert len({one.int & 0xFFFF for one in made}) > 5_000


def test_account_orders_have_them():
    assert AccountOrder().pk.version == 7
