"""Where messages may go to: what the settings name, and nothing that only looks like it."""

import pytest

from accounts.domain.allow_list import AllowList, NotAllowed

OURS = ["https://hooks.example.com", "https://ops.example.com:8443", "10.1.0.0/16"]


def read(*entries, takes_http=False):
    return AllowList.read(entries, takes_http=takes_http)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/in",
        "https://hooks.example.com:443/in?x=1",
        "https://HOOKS.example.com./in",
        "https://ops.example.com:8443/",
    ],
)
def test_an_allowed_origin_may_be_written_to(url):
    read(*OURS).check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/in",
        "https://hooks.example.com:8443/in",
        "https://ops.example.com/",
        "https://hooks.example.com.evil.example/in",
        "https://evil.example/?https://hooks.example.com",
        "https://hooks.example.com@evil.example/in",
        "https://user:password@hooks.example.com/in",
        "https://hooks.example.com\\@evil.example/",
        "https://hooks.example.com/in#elsewhere",
        "https://hooks.example.com /in",
        "https://hooks.exämple.com/in",
        "https://hooks.example.com:99999/in",
        "https:///in",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "hooks.example.com",
        "https://[::1/",
        "https://hooks.example.com/" + "x" * 300,
        "https://hooks.example.com/\r\nX: y",
    ],
)
def test_everything_else_is_refused(url):
    with pytest.raises(NotAllowed):
        read(*OURS).check_url(url)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "10.1.2.3"]
)
def test_public_addresses_and_those_that_are_named_may_be_connected_to(address):
    assert read(*OURS).permits(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.2.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "255.255.255.255",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
    ],
)
def test_no_other_address_may(address):
    assert not read(*OURS).permits(address)


def test_an_origin_that_names_an_address_allows_it():
    allowed = read("https://10.9.9.9:8443")

    allowed.check_url("https://10.9.9.9:8443/in")
    assert allowed.permits("10.9.9.9")
    assert not allowed.permits("10.9.9.8")


def test_plain_http_is_for_this_machine_alone_and_only_where_it_is_taken():
    allowed = read("http://127.0.0.1:9000", takes_http=True)

    allowed.check_url("http://127.0.0.1:9000/in")
    for entry in ("http://127.0.0.1:9000", "http://localhost"):
        with pytest.raises(NotAllowed):
            read(entry)
    with pytest.raises(NotAllowed):
        read("http://hooks.example.com", takes_http=True)


@pytest.mark.parametrize("entry", ["hooks.example.com", "10.1.2.3/8", "*", "ftp://x.example"])
def test_an_entry_that_is_neither_is_refused(entry):
    with pytest.raises(NotAllowed):
        read(entry)
