"""Where nothing is sent, whoever writes the address down (A26), and what no log says."""

import logging
import socket

import pytest
from django.utils import timezone
from urllib3.connection import HTTPConnection

from accounts.alerts.guarded import Lines
from accounts.domain.allow_list import AllowList
from accounts.models import Delivery, Receiver
from accounts.services.delivering import deliver_due
from accounts.services.hooks import BadHook, add_receiver
from tests.integration.accounts.outbox.receivers import receiver, say
from tests.support.receiving import receiving

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "url", ["https://evil.example/in", "http://169.254.169.254/latest", "file:///etc/passwd"]
)
def test_no_receiver_is_made_at_an_address_that_the_host_does_not_allow(url):
    with pytest.raises(BadHook):
        add_receiver(name="x", url=url, kinds=(), actor="owner", now=timezone.now())
    assert not Receiver.objects.exists()


def test_a_row_changed_by_hand_leads_nowhere_else(server, settings):
    one = receiver(server)
    say(1)
    with receiving() as inside:
        Receiver.objects.filter(pk=one.pk).update(url=inside.url)

        deliver_due(now=timezone.now())

        assert inside.connections == 0
    assert "allow-list" in Delivery.objects.get().words


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "10.0.0.7"])
def test_an_allowed_name_that_leads_inside_is_not_followed(server, settings, monkeypatch, address):
    """The name's owner answers with an address of ours, as in DNS rebinding."""
    receiver(server)
    port = int(server.url.split(":")[2].removesuffix("/in"))
    settings.WEBHOOKS_TO = AllowList.read([f"https://hooks.example.com:{port}"], takes_http=False)
    Receiver.objects.update(url=f"https://hooks.example.com:{port}/in")
    asked = []

    def resolve(host, port, *args, **more):
        asked.append(host)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    say(1)

    deliver_due(now=timezone.now())

    assert asked == ["hooks.example.com"]
    assert server.connections == 0
    assert "not allowed" in Delivery.objects.get().words


def test_no_proxy_and_no_netrc_of_the_environment_is_used(server, monkeypatch):
    receiver(server)
    say(1)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    (outcome,) = deliver_due(now=timezone.now())

    assert outcome.is_delivered


def test_a_server_whose_certificate_nobody_signed_gets_nothing(broker, settings):
    """The paper broker's TLS port has a certificate of our own CA, which receivers do not."""
    origin = broker.tls_url
    settings.WEBHOOKS_TO = AllowList.read([origin], takes_http=False)
    add_receiver(name="tls", url=origin + "/in", kinds=(), actor="owner", now=timezone.now())
    say(1)

    (outcome,) = deliver_due(now=timezone.now())

    assert (outcome.is_delivered, outcome.is_busy) == (False, True)
    assert "SSLError" in outcome.words


def test_the_secret_and_the_address_are_in_no_log(server, caplog):
    caplog.set_level(logging.DEBUG)
    one = receiver(server)
    server.answers = ["drop"]
    say(1)

    deliver_due(now=timezone.now())

    ours = [record for record in caplog.records if record.name.startswith("accounts")]
    assert ours
    assert server.secret not in caplog.text
    assert "/in" not in "".join(record.getMessage() for record in ours)
    assert server.secret not in repr(one)


def test_a_name_whose_look_up_takes_all_the_time_leaves_none_for_the_call(server):
    """Else a receiver could hold the sending thread for as long as it drips."""
    port = int(server.url.split(":")[2].removesuffix("/in"))
    lines = Lines(lambda address: True)

    lines.cut()
    with lines.connect(HTTPConnection("127.0.0.1", port, timeout=5)) as line:
        assert line.recv(1) == b""

    lines.close()
