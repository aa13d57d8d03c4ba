"""Panels are told of what changed when it is committed, and their versions change with it."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

import pytest
from django.db import transaction

from accounts.live.asking import session_name
from accounts.live.panels import CHANNEL, PANELS, nudge, panel_version
from accounts.models import Account, AuditEvent
from accounts.services.alarms import raise_alarm
from accounts.services.audit import event, record
from accounts.services.session_ends import end_all_sessions
from accounts.services.session_store import SessionStore
from tests.support.fleet import connect
from tests.support.make import make_user
from tradeswim.up.home import free_port

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


@pytest.fixture
def heard(redis_for_pages):
    """Return what was published since it was asked last, a message per entry."""
    with closing(redis_for_pages.client.pubsub(ignore_subscribe_messages=True)) as pubsub:
        pubsub.subscribe(CHANNEL)
        pubsub.get_message(timeout=1)

        def messages() -> list[str]:
            found = []
            while (message := pubsub.get_message(timeout=0.1)) is not None:
                found.append(message["data"].decode())
            return found

        yield messages


def roll_back(doing: Callable[[], None]) -> None:
    """Do it in a savepoint, and undo it."""
    with transaction.atomic():
        doing()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_a_panel_is_told_of_once_per_transaction_when_it_commits(heard):
    with transaction.atomic():
        nudge("orders")
        nudge("orders", "sets")
        with transaction.atomic():
            nudge("sets")
        assert heard() == []

    assert sorted(" ".join(heard()).split()) == ["orders", "sets"]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_told_to_nobody(heard):
    with transaction.atomic():
        roll_back(lambda: nudge("sets"))
        nudge("fleet")

    assert heard() == ["fleet"]


@pytest.mark.django_db(transaction=True)
def test_a_nudge_asked_again_after_its_savepoint_was_rolled_back_is_told(heard):
    with transaction.atomic():
        roll_back(lambda: nudge("sets"))
        nudge("sets")

    assert heard() == ["sets"]


@pytest.mark.django_db(transaction=True)
def test_an_event_names_the_panels_that_show_its_table(heard):
    record([event("placedorderset:1", "flat", at=NOW)])
    told = heard()
    raise_alarm("X", "login:1", "Words.", now=NOW)

    assert [sorted(one.split()) for one in told] == [["orders", "sets"]]
    assert [set(one.split()) for one in heard()] == [set(PANELS)]


@pytest.mark.django_db(transaction=True)
def test_a_quiet_event_tells_nobody(heard):
    record([event("complexorder:1", "created", at=NOW)], is_quiet=True)

    assert heard() == []


@pytest.mark.django_db(transaction=True)
def test_a_redis_that_is_silent_costs_a_commit_a_quarter_of_a_second_once(redis_for_pages):
    redis_for_pages.pause()
    try:
        began = datetime.now(UTC)
        for _ in range(5):
            nudge("orders")
        took = (datetime.now(UTC) - began).total_seconds()
    finally:
        redis_for_pages.go_on()

    assert took < 1


@pytest.mark.django_db(transaction=True)
def test_a_redis_that_is_gone_costs_nobody_his_transaction(settings):
    settings.CACHE_URL = f"redis://127.0.0.1:{free_port()}/0"
    with transaction.atomic():
        AuditEvent.objects.create(at=NOW, subject="x:1", kind="test")
        nudge("orders")

    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_broadcast_tells_pages_only_when_its_answers_are_recorded(
    broker, gateway_to_paper, heard
):
    fleet = connect(broker, gateway_to_paper, accounts=3)
    heard()

    order = fleet.create(fleet.shares())
    before_sending = heard()
    fleet.send(order)

    assert before_sending == []
    assert {"orders", "sets", "fleet"} <= set(" ".join(heard()).split())


@pytest.mark.django_db
def test_an_event_that_is_seen_after_a_later_one_makes_a_new_version():
    AuditEvent.objects.create(id=5, at=NOW, subject="x:1", kind="a")
    AuditEvent.objects.create(id=7, at=NOW, subject="x:1", kind="b")
    seen = panel_version("orders")

    AuditEvent.objects.create(id=6, at=NOW, subject="x:1", kind="late")

    assert panel_version("orders") != seen


def test_new_balances_make_a_new_version_of_figures_and_not_of_orders(fleet):
    orders, figures = panel_version("orders"), panel_version("accounts")

    Account.objects.update(balances_at=NOW)

    assert panel_version("orders") == orders
    assert panel_version("accounts") != figures


@pytest.mark.django_db(transaction=True)
def test_the_end_of_a_session_is_told_by_its_name_and_never_by_its_key(heard):
    user = make_user(username="agent")
    store = SessionStore()
    store["_auth_user_id"] = str(user.pk)
    store.save()
    heard()

    end_all_sessions(user, actor="", reason="a test says so", now=NOW)

    assert heard() == [f"over:{session_name(store.session_key or '')}"]
