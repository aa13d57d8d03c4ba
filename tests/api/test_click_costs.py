"""What a click costs beside the order itself: who asks is read in one query, and counted once."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.api.caller import shares
from tests.web.signing_in import sign_in

PEOPLE = ('FROM "accounts_usersession"', 'FROM "accounts_user"')


@pytest.fixture
def cached(queue, settings):
    """The queue, which is the cache as well."""
    settings.CACHE_URL = queue.url
    return queue


def about_people(queries: CaptureQueriesContext) -> list[str]:
    return [one["sql"] for one in queries if any(name in one["sql"] for name in PEOPLE)]


def commands(server) -> dict[str, int]:
    """How often each command was sent so far."""
    return {name: told["calls"] for name, told in server.client.info("commandstats").items()}


def test_a_program_that_clicks_is_read_in_one_query(caller, accounts, queue):
    with CaptureQueriesContext(connection) as asked:
        assert caller.order(shares()).status_code == 201

    assert len(about_people(asked)) == 1


def test_a_person_who_clicks_is_read_in_one_query(caller):
    browser: Client = sign_in(caller.user)

    with CaptureQueriesContext(connection) as asked:
        assert browser.post("/desk/send/", {}).status_code == 200

    assert len(about_people(asked)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_click_says_four_things_to_redis(caller, accounts, cached):
    caller.order(shares())
    before = commands(cached)

    assert caller.order(shares()).status_code == 201

    after = commands(cached)
    said = {name: calls - before.get(name, 0) for name, calls in after.items()}
    del said["cmdstat_info"]
    # It is counted, the queue is asked whether it hears, a price is looked up, the bell is rung.
    assert {name.removeprefix("cmdstat_"): calls for name, calls in said.items() if calls} == {
        "incrby": 1,
        "expire": 1,
        "set": 1,
        "hmget": 1,
        "lpush": 1,
    }
