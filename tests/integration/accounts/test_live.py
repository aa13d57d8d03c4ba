"""Nudges, the hub that passes them on, and the stream, with a real Redis."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime

import pytest
from django.db import transaction

from accounts.live.hub import OVER, QUEUE_SIZE, RESYNC, Hub, HubDown
from accounts.live.panels import CHANNEL, PANELS, forget_silence, nudge, panel_version, tell_beat
from accounts.live.streaming import ENDED, HELLO, NOTHING, Pace, events
from accounts.models import Account, AuditEvent
from accounts.services.alarms import raise_alarm
from accounts.services.audit import event, record
from tests.support.fleet import connect
from tests.support.redis_server import RedisServer
from tradeswim.up.home import free_port

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


@pytest.fixture
def redis_for_pages(redis_server, settings):
    """The Redis that pages are told through."""
    settings.CACHE_URL = redis_server.url
    forget_silence()
    return redis_server


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


async def next_of(queues) -> list[str]:
    async with asyncio.timeout(2):
        return [await queue.get() for queue in queues]


# --- nudges -----------------------------------------------------------------------------------------


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


# --- versions ---------------------------------------------------------------------------------------


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


# --- the hub ----------------------------------------------------------------------------------------


def test_a_nudge_reaches_every_page(redis_for_pages):
    async def listen() -> list[str]:
        hub = Hub(redis_for_pages.url)
        await hub.open()
        async with AsyncExitStack() as stack:
            queues = [stack.enter_context(hub.listener()) for _ in range(20)]
            redis_for_pages.client.publish(CHANNEL, "orders")
            return await next_of(queues)

    assert asyncio.run(listen()) == ["orders"] * 20


def test_a_process_has_one_subscription_and_none_when_nobody_listens(redis_for_pages):
    def subscribers() -> int:
        return int(redis_for_pages.client.pubsub_numsub(CHANNEL)[0][1])

    async def listen() -> tuple[int, int]:
        hub = Hub(redis_for_pages.url)
        await hub.open()
        await hub.open()
        with hub.listener(), hub.listener():
            during = subscribers()
        await asyncio.sleep(0.2)
        return during, subscribers()

    assert asyncio.run(listen()) == (1, 0)


def test_a_page_that_is_too_slow_asks_for_everything_and_holds_up_nobody(redis_for_pages):
    async def listen() -> tuple[list[str], int]:
        hub = Hub(redis_for_pages.url)
        await hub.open()
        with hub.listener() as slow, hub.listener() as quick:
            got = 0
            for _ in range(QUEUE_SIZE + 10):
                redis_for_pages.client.publish(CHANNEL, "orders")
                async with asyncio.timeout(2):
                    await quick.get()
                got += 1
            return [slow.get_nowait() for _ in range(slow.qsize())], got

    waiting, got = asyncio.run(listen())

    assert got == QUEUE_SIZE + 10
    assert waiting[0] == RESYNC
    assert len(waiting) <= 10


def test_when_redis_restarts_every_page_is_told_that_it_is_over_and_can_come_again(redis_for_pages):
    async def listen() -> tuple[list[str], list[str]]:
        hub = Hub(redis_for_pages.url)
        await hub.open()
        with hub.listener() as one, hub.listener() as another:
            redis_for_pages.kill()
            over = await next_of([one, another])
        redis_for_pages.start()
        await hub.open()
        with hub.listener() as again:
            redis_for_pages.client.publish(CHANNEL, "sets")
            return over, await next_of([again])

    assert asyncio.run(listen()) == ([OVER, OVER], ["sets"])


def test_a_redis_that_falls_silent_is_noticed(redis_for_pages):
    async def listen() -> list[str]:
        hub = Hub(redis_for_pages.url, ping_every_s=0.1)
        await hub.open()
        with hub.listener() as queue:
            redis_for_pages.pause()
            return await next_of([queue])

    try:
        assert asyncio.run(listen()) == [OVER]
    finally:
        redis_for_pages.go_on()


def test_a_hub_without_redis_says_so(settings):
    async def listen() -> None:
        await Hub(f"redis://127.0.0.1:{free_port()}/0").open()

    with pytest.raises(HubDown):
        asyncio.run(listen())


# --- the stream -------------------------------------------------------------------------------------


def stream(server: RedisServer, *, publish: str = "", signed_in: bool = True, **pace: float):
    """Return what a page is sent until the stream ends."""

    async def collect() -> list[bytes]:
        hub = Hub(server.url)
        await hub.open()
        sent = []

        async def is_signed_in() -> bool:
            return signed_in

        pieces = events(hub, is_signed_in=is_signed_in, pace=Pace(**pace))
        async for piece in pieces:
            sent.append(piece)
            if piece == HELLO and publish:
                server.client.publish(CHANNEL, publish)
        assert len(hub) == 0
        return sent

    return asyncio.run(collect())


def test_a_page_is_greeted_told_of_panels_once_each_and_sent_away_after_a_while(redis_for_pages):
    sent = stream(redis_for_pages, publish="orders sets orders", beat_s=5, life_s=0.5)

    assert sent == [HELLO, b"event: orders\ndata: 1\n\nevent: sets\ndata: 1\n\n"]


def test_a_page_that_hears_nothing_is_sent_a_comment(redis_for_pages):
    assert stream(redis_for_pages, beat_s=0.2, life_s=0.5) == [HELLO, NOTHING, NOTHING]


def test_a_page_whose_session_ended_is_told_so_and_nothing_more(redis_for_pages):
    sent = stream(redis_for_pages, signed_in=False, beat_s=0.1, life_s=5)

    assert sent == [HELLO, ENDED]


def test_a_page_is_told_when_a_beat_ran(redis_for_pages):
    async def listen() -> bytes:
        hub = Hub(redis_for_pages.url)
        await hub.open()

        async def is_signed_in() -> bool:
            return True

        pieces = events(hub, is_signed_in=is_signed_in)
        assert await anext(pieces) == HELLO
        await asyncio.to_thread(tell_beat, "STOCKS", NOW)
        async with asyncio.timeout(2):
            piece = await anext(pieces)
        await pieces.aclose()
        return piece

    assert asyncio.run(listen()) == b"event: beat\ndata: STOCKS:1795446000.000\n\n"
