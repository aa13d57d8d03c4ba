"""What a supervisor hears of a process."""

import socket

import pytest

from brokerage.supervision import notify


@pytest.fixture(params=["a file", "an abstract name"])
def heard(request, monkeypatch, tmp_path):
    """Listen as systemd does, at either kind of address."""
    is_file = request.param == "a file"
    address = str(tmp_path / "notify") if is_file else f"@{tmp_path}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address.replace("@", "\0", 1))
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield lambda: listening.recv(100)


def test_a_process_says_that_it_is_ready_and_alive(heard):
    notify()

    assert heard() == b"READY=1\nWATCHDOG=1"


@pytest.mark.parametrize("address", ["", "/no/such/socket", "@no such name"])
def test_a_supervisor_that_does_not_listen_stops_nobody(monkeypatch, address):
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    notify()


def test_a_supervisor_that_does_not_read_holds_up_nobody(monkeypatch, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        for _ in range(2000):
            notify()
