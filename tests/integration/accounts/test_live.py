"""The hub that passes nudges on, and the stream, with a real Redis."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from accounts.live.hub import OVER, QUEUE_SIZE, RESYNC, Hub, HubDown
from accounts.live.panels import CHANNEL, tell_beat
from accounts.live.streaming import ENDED, HELLO, NOTHING, Pace, events
from tests.support.redis_server import RedisServer
from tradeswim.up.home import free_port

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


async def next_of(queues) -> list[str]:
    async with asyncio.timeout(2):
        return [await queue.get() for queue in queues]


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

        pieces = events(hub, is_signed_in=is_signed_in, session="one", pace=Pace(**pace))
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


def test_a_page_whose_session_somebody_ended_is_told_so_at_once(redis_for_pages):
    sent = stream(redis_for_pages, publish="orders over:one sets", beat_s=5, life_s=5)

    assert sent == [HELLO, ENDED]


def test_a_page_is_not_told_of_the_sessions_of_others(redis_for_pages):
    sent = stream(redis_for_pages, publish="over:another orders over:", beat_s=5, life_s=0.5)

    assert sent == [HELLO, b"event: orders\ndata: 1\n\n"]


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
