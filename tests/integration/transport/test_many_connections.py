"""Thousands of connections that are opened at once: each gets its turn, and its whole patience."""

import time

from brokerage.transport.pool import OPENED_AT_ONCE
from tests.integration.transport.sending import call, gateway_to
from tests.support.raw_server import RawServer, created, mute

CALLS = OPENED_AT_ONCE + 50


def test_the_others_wait_for_their_turn():
    with RawServer(created, greet=mute) as server:
        address = server.url.replace("http:", "https:")
        with gateway_to(address, connect_timeout_s=1.0, total_timeout_s=20.0) as gateway:
            batches = gateway.stream([call() for _ in range(CALLS)])
            time.sleep(0.7)
            at_first = server.connections
            ended = [exchange for batch in batches for _, exchange in batch]

        assert 0 < at_first <= OPENED_AT_ONCE
        assert server.connections == CALLS
    assert {one.failure.words for one in ended if one.failure} == {"No connection in time"}


def test_a_connection_that_comes_back_is_lent_again_instead_of_a_new_one():
    calls = 10 * OPENED_AT_ONCE
    with RawServer(created) as server, gateway_to(server, total_timeout_s=20.0) as gateway:
        ended = gateway.send_all([call() for _ in range(calls)])

        assert [one.reply.status for one in ended] == [201] * calls
        assert len(server.heard) == calls
        assert server.connections < 0.9 * calls
