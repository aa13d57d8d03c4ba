"""A kept connection that the broker closes or babbles on: nothing is sent twice or mixed up."""

import asyncio
import itertools
import time

import aiohttp
import pytest

from brokerage.schwab.exchange import FailureKind
from tests.integration.transport.sending import call, gateway_to
from tests.support.raw_server import CREATED, RawServer, http


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_nothing_is_repeated_when_a_reused_connection_closes(method):
    async def answer_once(heard, writer):
        writer.write(http(200, b"[]")) if heard.number == 0 else writer.close()

    with RawServer(answer_once) as server, gateway_to(server) as gateway:
        gateway.send_all([call("GET")])
        (exchange,) = gateway.send_all([call(method)])

    assert exchange.failure.kind is FailureKind.MAYBE_WRITTEN
    assert server.connections == 1
    assert len(server.heard) == 2


@pytest.mark.parametrize("ending", [b"", http(408)], ids=["silently", "with a 408"])
def test_a_connection_closed_while_idle_is_not_used_again(ending):
    async def answer_and_leave(_, writer):
        writer.write(CREATED)
        await asyncio.sleep(0.05)
        writer.write(ending)
        writer.close()

    with RawServer(answer_and_leave) as server, gateway_to(server) as gateway:
        gateway.send_all([call()])
        time.sleep(0.15)
        (exchange,) = gateway.send_all([call("PUT")])

    assert exchange.reply.status == 201
    assert (server.connections, len(server.heard)) == (2, 2)


def test_words_on_an_idle_connection_are_not_taken_for_the_next_answer():
    async def answer_and_babble(_, writer):
        writer.write(CREATED)
        await asyncio.sleep(0.05)
        writer.write(http(403))

    with RawServer(answer_and_babble) as server, gateway_to(server) as gateway:
        gateway.send_all([call()])
        time.sleep(0.15)
        (exchange,) = gateway.send_all([call()])

    assert exchange.reply.status == 201
    assert server.connections == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_request_that_meets_the_closing_of_its_connection_arrives_once_at_most(method):
    """The broker closes a little before, at, or a little after the moment we write."""
    for pause_ms in itertools.chain(range(8), range(8)):

        async def take_one_and_leave(heard, writer, pause_s=pause_ms / 4000):
            writer.write(http(200, b"[]") if heard.number == 0 else CREATED)
            await asyncio.sleep(pause_s)
            writer.close()

        with RawServer(take_one_and_leave) as server, gateway_to(server) as gateway:
            gateway.send_all([call("GET")])
            (exchange,) = gateway.send_all([call(method)])

        arrived = sum(line.startswith(method) for line in server.lines)
        if exchange.reply:
            assert (arrived, exchange.reply.status) == (1, 201)
        else:
            assert arrived <= (exchange.failure.kind is FailureKind.MAYBE_WRITTEN)


async def answer_the_first_too_late(heard, writer):
    await asyncio.sleep(0.5 if heard.number == 0 else 0)
    writer.write(CREATED.replace(b"17", b"%d" % (100 + heard.number)))


def test_an_answer_that_comes_after_the_deadline_is_not_taken_for_the_next_one():
    with (
        RawServer(answer_the_first_too_late) as server,
        gateway_to(server, total_timeout_s=0.3) as gateway,
    ):
        gateway.warm(1)
        (late,) = gateway.send_all([call()])
        time.sleep(0.3)
        (next_one,) = gateway.send_all([call()])

    assert late.failure.kind is FailureKind.MAYBE_WRITTEN
    assert next_one.reply.headers["location"].endswith("/101")
    assert (server.connections, len(server.heard)) == (2, 2)


@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["together", "one after the other"])
def test_a_second_answer_to_one_request_is_not_taken_for_the_next_one(pause):
    async def answer_twice(heard, writer):
        for one in (1, 2):
            writer.write(CREATED.replace(b"17", b"%d%d" % (heard.number + 1, one)))
            await asyncio.sleep(pause)

    with RawServer(answer_twice) as server, gateway_to(server) as gateway:
        gateway.send_all([call()])
        time.sleep(0.15)
        (exchange,) = gateway.send_all([call()])

    assert exchange.reply.headers["location"].endswith("/21")
    assert server.connections == 2


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_aiohttps_own_session_would_have_sent_it_twice(method):
    """Why the session is not used: should this fail one day, it may be."""

    async def answer_once(heard, writer):
        writer.write(http(200, b"[]")) if heard.number == 0 else writer.close()

    async def use_its_session(url):
        async with aiohttp.ClientSession() as session:
            await (await session.get(url)).read()
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await session.request(method, url)

    with RawServer(answer_once) as server:
        asyncio.run(use_its_session(server.url))

    assert [line.split()[0] for line in server.lines] == ["GET", method, method]
