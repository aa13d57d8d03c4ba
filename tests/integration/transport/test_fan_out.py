"""Many requests at the same moment: nobody waits for another, every answer finds its place."""

import asyncio
import gc
import time

import pytest

from brokerage.schwab.exchange import FailureKind, Reply
from brokerage.transport import Gateway
from tests.integration.transport.sending import call, gateway_to, send
from tests.support.raw_server import CREATED, RawServer, created, dead_port, make_tls, mute, says


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return make_tls(tmp_path_factory.mktemp("tls"))


def test_the_stamp_lies_between_the_start_and_the_arrival():
    async def answer_late(_, writer):
        await asyncio.sleep(0.1)
        writer.write(CREATED)

    with RawServer(answer_late) as server, gateway_to(server) as gateway:
        gateway.warm(8)
        started = time.time()
        exchanges = gateway.send_all([call(path=f"/{number}") for number in range(8)])

    arrived = {heard.head.split()[1]: heard.at for heard in server.heard}
    for exchange in exchanges:
        # The server may read before the sender has taken its stamp: leave the scheduler some time.
        assert started <= exchange.sent_at <= arrived[exchange.request.path] + 0.05
        assert exchange.answered_at - exchange.sent_at > 0.09


def test_one_mute_account_of_45_holds_nobody_up():
    async def answer(heard, writer):
        await (mute if "/mute" in heard.head else created)(heard, writer)

    with RawServer(answer) as server, gateway_to(server, total_timeout_s=0.8) as gateway:
        gateway.warm(45)
        started = time.monotonic()
        ended = {}
        for batch in gateway.stream([call(path="/mute" if n == 20 else "/x") for n in range(45)]):
            ended.update(dict.fromkeys((n for n, _ in batch), time.monotonic() - started))

    last = ended.pop(20)
    assert len(ended) == 44
    assert max(ended.values()) < 0.5
    assert 0.7 < last < 1.3


# A connection after this is not lent again.
LAST_ANSWER = CREATED.replace(b"Content-Length", b"Connection: close\r\nContent-Length")


def test_an_account_that_cannot_connect_keeps_the_others_back_only_for_a_while(tls):
    async def stall_the_third(number, writer):
        stalls = number == 2 or number > 4  # and whatever is opened instead of it
        await (mute(None, writer) if stalls else writer.start_tls(tls[0]))

    patience = {"connect_timeout_s": 9, "total_timeout_s": 9}
    with (
        RawServer(says(LAST_ANSWER, close=True), greet=stall_the_third) as server,
        gateway_to(server.url.replace("http", "https"), ca_file=tls[1], **patience) as gateway,
    ):
        started = time.monotonic()
        first = next(gateway.stream([call() for _ in range(5)]))

    assert [exchange.reply.status for _, exchange in first] == [201] * 4
    assert 1.4 < time.monotonic() - started < 2.5


def test_every_exchange_comes_back_in_its_place():
    async def echo(heard, writer):
        name = heard.head.split()[1].encode()
        await asyncio.sleep(0.1 if name == b"/0" else 0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name))

    with RawServer(echo) as server:
        exchanges = send(server, *[call("GET", f"/{number}") for number in range(12)])

    assert [exchange.reply.body for exchange in exchanges] == [b"/%d" % n for n in range(12)]


def test_warming_tops_connections_up_and_sends_nothing(tls):
    with RawServer(created, tls=tls[0]) as server, gateway_to(server, ca_file=tls[1]) as gateway:
        warm = (gateway.warm(6), gateway.warm(6))
        heard_by_then = len(server.heard)
        exchanges = gateway.send_all([call() for _ in range(6)])
        opened_by_then = server.connections
        gateway.warm(7)
        gateway.send_all([call() for _ in range(7)])

    assert warm == (6, 6)
    assert (heard_by_then, opened_by_then, server.connections) == (0, 6, 7)
    assert all(exchange.reply.status == 201 for exchange in exchanges)


def test_warming_tells_that_the_broker_is_away():
    with gateway_to(f"http://127.0.0.1:{dead_port()}") as gateway:
        assert gateway.warm(30) == 0


def test_closing_ends_what_is_under_way():
    with RawServer(mute) as server:
        gateway = Gateway(server.url, ca_file=None, total_timeout_s=30)
        batches = gateway.stream([call()])
        while not server.heard:
            time.sleep(0.01)
        gateway.close()
        ((index, exchange),) = next(batches)

    assert exchange.failure
    assert (index, exchange.failure.kind) == (0, FailureKind.MAYBE_WRITTEN)
    assert list(batches) == []
    gateway.close()


def test_answers_that_were_read_are_not_kept():
    """They may be megabytes: all orders of two months, before an exit."""
    marked = CREATED.replace(b"Content-Length", b"X-Kept: yes\r\nContent-Length")
    with RawServer(says(marked)) as server, gateway_to(server) as gateway:
        answered = sum(len(batch) for batch in gateway.stream([call() for _ in range(5)]))
        until = time.monotonic() + 1
        while (kept := _kept_answers()) and time.monotonic() < until:
            time.sleep(0.01)

    assert (answered, kept) == (5, 0)


def _kept_answers():
    replies = [one for one in gc.get_objects() if type(one) is Reply]  # no proxies
    return sum("x-kept" in reply.headers for reply in replies)


def test_no_calls_are_no_trouble():
    with gateway_to(f"http://127.0.0.1:{dead_port()}") as gateway:
        assert gateway.send_all([]) == []
