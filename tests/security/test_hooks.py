"""Rows A22 and A26 for the doors to other programs, and their secrets in everything left behind."""

import logging
import socket
from contextlib import closing

import pytest
from django.test import Client
from django.utils import timezone

from accounts.domain.allow_list import AllowList
from accounts.domain.happenings import Kind
from accounts.domain.words import Role
from accounts.models import AuditEvent, Delivery, Receiver
from accounts.services.delivering import deliver_due
from accounts.services.hooks import add_receiver
from accounts.services.outbox import publish
from orders.models import ComplexOrder, SavedOrder
from orders.selectors.choosing import AccountChoice
from orders.services.saving import save_order
from tests.security.evidence import database, leaks, log_lines, redis_contents, rows
from tests.support.hooking import make_program
from tests.support.make import make_user
from tests.support.receiving import receiving

# Spellings of this machine and of what clouds tell their machines at.
INSIDE = [
    "https://127.0.0.1:{port}/",
    "https://localhost:{port}/",
    "https://localhost.:{port}/",
    "https://127.1:{port}/",
    "https://2130706433:{port}/",
    "https://0x7f000001:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://[::1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://0.0.0.0:{port}/",
    "https://hooks.example.com@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@hooks.example.com/",
    "https://127.0.0.1:{port}\\@hooks.example.com/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.google.internal/",
    "redis://127.0.0.1:{port}/0",
]


@pytest.fixture
def listener():
    """A service of this machine that nobody may be led to."""
    with closing(socket.create_server(("127.0.0.1", 0))) as service:
        service.settimeout(0.2)
        yield service


@pytest.fixture
def admin(db, settings) -> Client:
    settings.WEBHOOKS_TO = AllowList.read(["https://hooks.example.com"], takes_http=True)
    client = Client()
    client.force_login(make_user(Role.ADMIN))
    return client


def was_connected_to(service) -> bool:
    try:
        service.accept()[0].close()
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("address", INSIDE)
def test_a26_no_receiver_leads_inside_whoever_makes_it(admin, listener, address):
    url = address.format(port=listener.getsockname()[1])
    admin.post("/settings/receivers/add/", {"receiver-name": "x", "receiver-url": url})
    assert not Receiver.objects.exists()

    # Nor does a row that somebody wrote into the database.
    Receiver.objects.create(name="x", channel="WEBHOOK", url=url, secret="a secret")
    publish(Kind.TEST, "test", {}, at=timezone.now())
    deliver_due(now=timezone.now())

    assert Delivery.objects.get().state == "PENDING"
    assert not was_connected_to(listener)


def test_a26_the_listener_would_notice(listener):
    with closing(socket.create_connection(listener.getsockname())):
        assert was_connected_to(listener)


def test_a22_a_captured_call_is_worth_nothing(fleet, queue, settings):
    settings.HOOK_IN, settings.CACHE_URL = True, queue.url
    save(fleet)
    program, delivery = make_program(fleet.agent), "0b2e1f6e-8a49-4c3c-9a5e-3f6a5c2d7b11"
    first = program.call(delivery=delivery)

    replays = [program.call(delivery=delivery, age_s=age_s) for age_s in (0, 30, 120)]

    assert [first.status_code, *(one.status_code for one in replays)] == [201, 200, 200, 401]
    assert ComplexOrder.objects.count() == 1


def save(fleet):
    now, ticket = timezone.now(), fleet.shares()
    choice = AccountChoice()
    save_order(agent=fleet.agent, name="Mine", number=0, ticket=ticket, choice=choice, now=now)


def test_the_secrets_of_hooks_and_receivers_can_be_read_nowhere(
    transactional_db, fleet, queue, settings, caplog
):
    for name in [None, *logging.root.manager.loggerDict]:
        caplog.set_level(logging.DEBUG, logger=name)
    settings.HOOK_IN, settings.CACHE_URL = True, queue.url
    save(fleet)
    program = make_program(fleet.agent)
    with receiving() as server:
        settings.WEBHOOKS_TO = AllowList.read([server.url.removesuffix("/in")], takes_http=True)
        made = add_receiver(name="x", url=server.url, kinds=(), actor="x", now=timezone.now())
        for answer in (200, 500, "drop", 302, 404):
            server.answers = [answer]
            publish(Kind.TEST, "test", {}, at=timezone.now())
            Receiver.objects.update(resume_at=None)
            deliver_due(now=timezone.now())
    program.call()
    program.call(Signature="v1=wrong")

    secrets = {"hook": program.secret, "receiver": made.secret}
    places = {
        "database": database(),
        "rows": rows(),
        "record": repr(list(AuditEvent.objects.values())).encode(),
        "logs": log_lines(caplog.records),
        "redis": redis_contents(queue.client),
        "values": repr([made, made.row, program.hook, vars(made.row)]).encode(),
    }
    assert {name: leaks(text, secrets) for name, text in places.items()} == {
        name: [] for name in places
    }
    assert SavedOrder.objects.exists()
    SavedOrder.objects.update(name=made.secret[:60])
    assert leaks(rows(), secrets) == ["receiver"]
