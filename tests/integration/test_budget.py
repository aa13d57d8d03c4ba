"""The budget in the cache Redis, which must do what the one in memory does, and without it."""

import logging
import random

import pytest
from django.conf import settings as django_settings

from brokerage.budget import Budget, Lane, NoPayer, Terms, the_budget, thrifty
from brokerage.budget.bucket import Bucket
from brokerage.schwab import messages
from brokerage.schwab.exchange import Call, FailureKind

KEY = "b1"


@pytest.fixture
def cache(redis_server, settings):
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url
    return redis_server


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("seed", range(8))
def test_the_script_grants_what_the_bucket_in_memory_grants(cache, seed):
    dice, clock = random.Random(seed), Clock()  # noqa: S311 - to be repeated
    budget, bucket = Budget(clock), Bucket()
    terms = Terms(django_settings.BUDGET_PER_MINUTE, django_settings.BUDGET_RESERVE)
    for _ in range(150):
        clock.now += dice.choice([0.0, 0.3, 1.0, 5.0, 17.0])
        lane, wanted = dice.choice(list(Lane)), dice.randrange(40)
        if dice.random() < 0.05:
            budget.note_throttled(lane, {KEY: 7.0})
            bucket.stop(lane, 7.0, now=clock.now)
        granted = budget.take(lane, {KEY: wanted})
        assert granted == {KEY: bucket.take(lane, wanted, now=clock.now, terms=terms)}


def test_keys_are_budgeted_apart_in_one_round_trip(cache):
    budget = Budget()
    budget.take(Lane.EXITS, {"k3": 1})  # the script is known from here on
    cache.client.config_resetstat()

    granted = budget.take(Lane.EXITS, {"k1": 130, "k2": 3})

    assert granted == {"k1": 120, "k2": 3}
    assert cache.client.info("commandstats")["cmdstat_evalsha"]["calls"] == 1
    assert budget.take(Lane.EXITS, {"k1": 1, "k2": 1}) == {"k1": 0, "k2": 1}


def test_thousands_of_keys_never_hold_up_redis_for_all_of_them(cache):
    budget = Budget()
    budget.take(Lane.EXITS, {"k": 1})
    cache.client.config_resetstat()

    granted = budget.take(Lane.EXITS, {f"k{one}": 1 for one in range(1100)})

    assert set(granted.values()) == {1}
    assert len(granted) == 1100
    assert cache.client.info("commandstats")["cmdstat_evalsha"]["calls"] == 11


def test_a_redis_that_forgot_the_script_is_told_again(cache):
    budget = Budget()
    budget.take(Lane.POLLS, {KEY: 1})
    cache.client.script_flush()

    assert budget.take(Lane.POLLS, {KEY: 1}) == {KEY: 1}
    assert budget.uses([KEY])[KEY].used == {Lane.POLLS: 2}


def test_all_processes_count_on_one_account(cache):
    mine, yours = Budget(), Budget()
    mine.take(Lane.EXITS, {KEY: 100})

    assert yours.take(Lane.EXITS, {KEY: 30}) == {KEY: 20}
    assert yours.uses([KEY])[KEY].total == 120


def test_the_first_key_that_can_afford_it_is_taken(cache):
    budget = Budget()
    budget.take(Lane.EXITS, {"k1": 120})

    assert budget.take_any(Lane.QUOTES, ["k1", "k2", "k3"]) == "k2"
    assert budget.uses(["k2", "k3"])["k3"].total == 0


def test_a_call_that_is_made_anyway_is_counted_anyway(cache):
    budget = Budget()
    budget.take(Lane.EXITS, {KEY: 120})

    budget.charge(KEY, Lane.QUOTES)

    assert budget.uses([KEY])[KEY].total == 121


def test_without_the_cache_polls_go_on_at_a_quarter(settings, caplog):
    settings.CACHE_URL = "redis://127.0.0.1:9/0"
    budget = Budget(Clock())

    with caplog.at_level(logging.WARNING):
        assert budget.take(Lane.CHANGES, {KEY: 100}) == {KEY: 25}
    assert budget.take(Lane.EXITS, {KEY: 100}) == {KEY: 95}
    assert budget.uses([KEY])[KEY].is_shared is False
    assert caplog.text.count("counted in memory") == 1


def test_a_silent_cache_is_waited_for_once(cache, settings):
    budget = Budget()
    cache.pause()
    try:
        assert budget.take(Lane.CHANGES, {KEY: 1}) == {KEY: 1}
        assert budget.take(Lane.CHANGES, {KEY: 1}) == {KEY: 1}
    finally:
        cache.go_on()


def call(payer=KEY):
    return Call(messages.account_numbers(), "Bearer nobody", payer=payer)


def test_calls_that_cannot_be_afforded_are_put_off_and_never_sent(cache, broker, gateway_to_paper):
    the_budget().take(Lane.EXITS, {KEY: 118})
    seq = broker.journal()[-1]["seq"] if broker.journal() else 0

    batches = thrifty(gateway_to_paper, Lane.UNKNOWN).stream([call(), call(), call()])
    ended = dict(pair for batch in batches for pair in batch)

    failures = [ended[index].failure for index in range(3)]
    kinds = [failure and failure.kind for failure in failures]
    assert kinds == [None, None, FailureKind.PUT_OFF]
    assert len(broker.journal(seq)) == 2


def test_a_read_that_nobody_pays_for_is_not_made(cache, broker, gateway_to_paper):
    seq = broker.journal()[-1]["seq"] if broker.journal() else 0

    with pytest.raises(NoPayer):
        thrifty(gateway_to_paper, Lane.UNKNOWN).stream([call(), call("")])

    assert broker.journal(seq) == []
    assert the_budget().uses([KEY])[KEY].total == 0


def test_a_429_stops_the_lane_of_its_key_and_those_below(cache, broker, gateway_to_paper):
    broker.fault("http_429", path="/accountNumbers", retry_after="20")

    list(thrifty(gateway_to_paper, Lane.BALANCES).stream([call()]))

    use = the_budget().uses([KEY])[KEY]
    assert use.stopped.keys() == {Lane.BALANCES, Lane.QUOTES}
    assert 15 < use.stopped[Lane.BALANCES] <= 20
    assert the_budget().take(Lane.POLLS, {KEY: 1}) == {KEY: 1}
    assert the_budget().take(Lane.BALANCES, {KEY: 1}) == {KEY: 0}


def test_429s_of_many_keys_are_noted_in_one_round_trip(cache):
    budget = Budget()
    budget.note_throttled(Lane.POLLS, {"k9": 1.0})  # the script is known from here on
    cache.client.config_resetstat()

    budget.note_throttled(Lane.POLLS, {"k1": 20.0, "k2": 5.0})

    assert cache.client.info("commandstats")["cmdstat_evalsha"]["calls"] == 1
    first, second = (budget.uses(["k1", "k2"])[key].stopped for key in ("k1", "k2"))
    assert first.keys() == second.keys() == {Lane.POLLS, Lane.BALANCES, Lane.QUOTES}
    assert all(15 < left <= 20 for left in first.values())
    assert all(3 < left <= 5 for left in second.values())


def test_a_429_without_a_pause_stops_for_five_seconds(cache, broker, gateway_to_paper):
    broker.fault("http_429", path="/accountNumbers")

    list(thrifty(gateway_to_paper, Lane.QUOTES).stream([call()]))

    assert 3 < the_budget().uses([KEY])[KEY].stopped[Lane.QUOTES] <= 5


def test_app_keys_themselves_are_not_in_redis(cache, fleet):
    fleet.broadcast(fleet.shares())
    fleet.poll()

    names = b" ".join(cache.client.keys("*")).decode()
    assert "budget:PAPER:" in names
    for offer in fleet.broker.logins():
        assert offer["app_key"] not in names
