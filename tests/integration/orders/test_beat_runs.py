"""A beat never runs twice at once, and what reads cost is on record, whoever made them."""

import threading
import time
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from accounts.domain.beats import Beat
from accounts.models import BeatDay
from accounts.services.beat_lock import BeatBusy, beat_lock
from accounts.services.beat_runs import beat_ages, flush_days
from accounts.services.refreshing import ask_refresh, run_refresh
from brokerage.budget import the_budget
from orders.services.elsewhere import look_elsewhere
from orders.services.order_beats import run_order_beat
from orders.services.polling import sync_logins, sync_orders
from tests.integration.orders.strangers import at, differs


@pytest.fixture
def cache(redis_server, settings):
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url
    the_budget().forget()  # that there was none when the fleet was connected
    return redis_server


def test_a_beat_that_runs_is_not_started_again(fleet, cache):
    with beat_lock(Beat.STOCKS), pytest.raises(BeatBusy):
        run_order_beat(Beat.STOCKS, gateway=fleet.gateway)
    with beat_lock(Beat.STOCKS):  # the others do not care
        run_order_beat(Beat.OPTIONS, gateway=fleet.gateway)


def test_an_operator_waits_for_the_run_that_is_under_way(tmp_path):
    entered = threading.Event()

    def hold():
        with beat_lock(Beat.ACCOUNTS):
            entered.set()
            time.sleep(0.3)

    holder = threading.Thread(target=hold)
    with mock.patch("accounts.services.database_lock.connection") as connection:
        connection.vendor = "sqlite"
        connection.settings_dict = {"NAME": str(tmp_path / "database")}
        holder.start()
        entered.wait()
        with beat_lock(Beat.ACCOUNTS, wait_s=5):
            pass
        holder.join()


def test_runs_are_kept_by_the_day_and_the_pages_know_how_old_they_are(fleet, by_hand, cache):
    fleet.broadcast(fleet.shares())
    run_order_beat(Beat.STOCKS, gateway=fleet.gateway)
    run_order_beat(Beat.STOCKS, gateway=fleet.gateway)
    assert not BeatDay.objects.exists()  # once a minute is enough
    flush_days()

    row = BeatDay.objects.get(beat=Beat.STOCKS)
    assert (row.runs, row.calls, row.every_order, row.every_working) == (2, 3, 6, 6)
    assert (row.every_account, row.points_read, row.points_kept) == (6, 3, 3)
    ages = {one.beat: one for one in beat_ages(now=timezone.now())}
    assert (ages[Beat.STOCKS].age_s or 99) < 5
    assert ages[Beat.OPTIONS].words == "never"
    assert ages[Beat.OPTIONS].is_late


def test_without_the_cache_the_ages_are_those_of_the_last_minute(fleet, settings):
    settings.CACHE_URL = "redis://127.0.0.1:9/0"
    good_at = timezone.now() - timedelta(seconds=40)
    BeatDay.objects.create(on=good_at.date(), beat=Beat.ACCOUNTS, good_at=good_at)

    ages = {one.beat: one for one in beat_ages(now=timezone.now())}

    assert 39 < (ages[Beat.ACCOUNTS].age_s or 0) < 45


def calls_of(beat: Beat) -> tuple[int, int]:
    """Return calls and runs that are on record."""
    return BeatDay.objects.values_list("calls", "runs").get(beat=beat)


def test_looks_elsewhere_are_counted_where_no_beat_runs(fleet, monkeypatch):
    monkeypatch.setattr("orders.services.elsewhere.WRITE_EVERY_S", 0)
    differs(fleet)
    assert look_elsewhere(gateway=fleet.gateway, now=at(61)).calls == 1

    look_elsewhere(gateway=fleet.gateway, now=at(91))

    assert calls_of(Beat.ACCOUNTS) == (1, 0)


def test_what_a_refresh_asks_is_counted(fleet, monkeypatch):
    monkeypatch.setattr("accounts.services.refreshing.WRITE_EVERY_S", 0)
    run = ask_refresh(account_ids=None, by="trader", now=timezone.now())

    run_refresh(run.pk, gateway=fleet.gateway)

    assert calls_of(Beat.ACCOUNTS) == (3, 0)


def test_what_the_streams_wake_is_counted(fleet, by_hand):
    order = fleet.broadcast(fleet.shares())
    child = fleet.children(order)[0]
    sync_orders(child_ids=[child.pk], gateway=fleet.gateway)
    sync_logins(login_ids=[login.pk for login in fleet.logins[1:]], gateway=fleet.gateway)

    flush_days()

    assert calls_of(Beat.STOCKS) == (3, 0)
