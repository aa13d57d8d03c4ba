"""The ports that an installation chooses for itself."""

import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.support import paper
from tradeswim.up import home

FIRST_THAT_LINUX_LENDS = 32_768  # net.ipv4.ip_local_port_range, as kernels come


def listening(stack: ExitStack, port: int) -> None:
    stack.enter_context(socket.create_server(("127.0.0.1", port)))


@pytest.mark.parametrize("free_port", [home.free_port, paper.free_port])
def test_a_free_port_is_none_that_an_outgoing_connection_is_lent(
    free_port: Callable[[], int],
) -> None:
    assert max(home.PORTS) + 1 < FIRST_THAT_LINUX_LENDS
    assert free_port() in home.PORTS


def test_a_port_in_use_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    first = paper.free_port()
    monkeypatch.setattr(home, "PORTS", range(first, first + 2))

    with ExitStack() as stack:
        listening(stack, first)
        found = {home.free_port() for _ in range(20)}

    assert found == {first + 1}
