"""Hooks and receivers on their page: admins make and change them, traders look, secrets show once."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.domain.allow_list import AllowList
from accounts.domain.happenings import Kind
from accounts.domain.words import Role
from accounts.models import Alarm, AuditEvent, Delivery, Hook, Receiver
from accounts.services.alarms import raise_alarm
from accounts.services.hooks import add_receiver
from accounts.services.outbox import keep_mailbox, publish, tell_alarms
from orders.selectors.hooks import list_hooks, list_receivers
from tests.support.hooking import make_program
from tests.support.make import make_user
from tests.web.browsing import text_of

URL = "https://hooks.example.com/in"


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.WEBHOOKS_TO = AllowList.read(["https://hooks.example.com"], takes_http=False)


@pytest.fixture
def admin(db):
    browser = Client()
    browser.force_login(make_user(Role.ADMIN, username="owner"))
    return browser


def make_hook(admin, agent, name="signals"):
    return admin.post("/settings/hooks/add/", {"hook-name": name, "hook-agent": agent.pk})


def make_receiver(admin, **fields):
    values = {"receiver-name": "ops", "receiver-url": URL, **fields}
    return admin.post("/settings/receivers/add/", values)


def secret_in(answer):
    found = re.search(r"<dt>Secret</dt> <dd> <code>(.+?)</code>", text_of(answer))
    assert found is not None
    return found[1]


def test_a_hook_is_made_for_an_agent_and_its_secret_shown_once(admin, fleet):
    answer = make_hook(admin, fleet.agent)

    hook = Hook.objects.get()
    assert secret_in(answer) == hook.secret.open()
    assert len(secret_in(answer)) >= 43
    assert (hook.name, hook.agent) == ("signals", fleet.agent)
    assert "no-store" in answer["Cache-Control"]
    assert hook.secret.open() not in text_of(admin.get("/settings/hooks/"))
    assert hook.secret.open() not in repr(list(AuditEvent.objects.values()))
    assert AuditEvent.objects.filter(kind="added", actor="owner", new="signals").exists()


def test_a_receiver_is_made_at_an_allowed_address(admin):
    answer = make_receiver(admin, **{"receiver-kinds": ["alarm", "mode.changed"]})

    row = Receiver.objects.get()
    assert secret_in(answer) == row.secret.open()
    assert (row.url, row.kinds) == (URL, ["alarm", "mode.changed"])


@pytest.mark.parametrize(
    "fields",
    [
        {"receiver-url": "https://evil.example/in"},
        {"receiver-url": "http://169.254.169.254/"},
        {"receiver-url": ""},
        {"receiver-name": ""},
        {"receiver-kinds": ["everything"]},
    ],
)
def test_no_receiver_is_made_anywhere_else(admin, fields):
    answer = make_receiver(admin, **fields)

    assert answer.status_code == 200
    assert 'class="errorlist"' in text_of(answer) or 'role="alert"' in text_of(answer)
    assert not Receiver.objects.exists()


def test_names_are_taken_once(admin, fleet):
    make_hook(admin, fleet.agent)

    assert "one of this name already" in text_of(make_hook(admin, fleet.agent))
    assert Hook.objects.count() == 1


def test_who_may_not_trade_gets_no_hook(admin):
    make_hook(admin, make_user(Role.EXIT_ONLY))

    assert not Hook.objects.exists()


@pytest.mark.parametrize(
    ("act", "is_there", "is_enabled"), [("disable", True, False), ("remove", False, None)]
)
def test_a_hook_is_switched_off_or_removed(admin, fleet, act, is_there, is_enabled):
    hook = make_program(fleet.agent).hook

    answer = admin.post(f"/settings/hooks/{hook.pk}/", {"act": act})

    assert answer["Location"] == "/settings/hooks/"
    row = Hook.objects.filter(pk=hook.pk).first()
    assert (row is not None) == is_there
    assert row is None or row.is_enabled == is_enabled


def test_a_new_secret_takes_the_place_of_the_old_one(admin, fleet):
    program = make_program(fleet.agent)

    answer = admin.post(f"/settings/hooks/{program.hook.pk}/", {"act": "secret"})

    assert secret_in(answer) == Hook.objects.get().secret.open() != program.secret


def test_the_mailbox_of_the_settings_is_not_changed_here(admin, settings):
    settings.ALERT_TO = ["agent@example.com"]
    keep_mailbox()
    box = Receiver.objects.get()

    assert admin.post(f"/settings/receivers/{box.pk}/", {"act": "remove"}).status_code == 404
    assert "alarms to 1 address" in text_of(admin.get("/settings/hooks/"))


def test_nonsense_changes_nothing(admin, fleet):
    hook = make_program(fleet.agent).hook

    admin.post(f"/settings/hooks/{hook.pk}/", {"act": "sell"})

    assert Hook.objects.get().is_enabled


def test_an_agent_looks_and_changes_nothing(agent, admin, fleet):
    hook = make_program(fleet.agent).hook
    make_receiver(admin)
    page = text_of(agent.get("/settings/hooks/"))

    assert "signals" in page
    assert URL in page
    assert "Make hook" not in page
    for address, body in (
        ("/settings/hooks/add/", {"hook-name": "x", "hook-agent": fleet.agent.pk}),
        ("/settings/receivers/add/", {"receiver-name": "x", "receiver-url": URL}),
        (f"/settings/hooks/{hook.pk}/", {"act": "remove"}),
        (f"/settings/receivers/{Receiver.objects.get().pk}/", {"act": "remove"}),
    ):
        assert agent.post(address, body).status_code == 403
    assert (Hook.objects.count(), Receiver.objects.count()) == (1, 1)


def test_who_may_only_look_does_not_see_it(viewer):
    assert viewer.get("/settings/hooks/").status_code == 403


def test_the_last_deliveries_are_shown_with_what_became_of_them(admin, fleet, settings, queue):
    settings.HOOK_IN, settings.CACHE_URL = True, queue.url
    program = make_program(fleet.agent)
    program.call("No such")
    make_receiver(admin)
    publish(Kind.MODE_CHANGED, "mode:FLEET", {}, at=timezone.now())
    Delivery.objects.update(attempts=3, words="HTTP 503")

    page = text_of(admin.get("/settings/hooks/"))

    assert "Refused: agent has no saved order of this name." in page
    assert "mode.changed" in page
    assert "HTTP 503" in page
    assert "1 waiting" in page


def test_each_shows_its_own_last_eight_in_as_many_queries_as_one_would_cost(
    fleet, settings, queue, django_assert_num_queries
):
    settings.HOOK_IN, settings.CACHE_URL = True, queue.url
    for name in ("first", "second"):
        program = make_program(fleet.agent, name)
        for number in range(9):
            program.call(f"{name} {number}")
        add_receiver(name=name, url=URL, kinds=[], actor="owner", now=timezone.now())
    for number in range(9):
        publish(Kind.MODE_CHANGED, f"mode:{number}", {}, at=timezone.now())

    with django_assert_num_queries(5):
        hooks, receivers = list_hooks(), list_receivers()
        came = {one.hook.name: [row.saved_order for row in one.came] for one in hooks}
        went = {one.receiver.name: [row.message.subject for row in one.went] for one in receivers}

    assert came == {name: [f"{name} {n}" for n in range(8, 0, -1)] for name in ("first", "second")}
    assert went == {name: [f"mode:{n}" for n in range(8, 0, -1)] for name in ("first", "second")}


def test_every_alarm_says_who_was_told_of_it(admin, settings):
    raise_alarm("A_TEST", "a test", "Told to nobody.", now=timezone.now())
    assert "nobody" in text_of(admin.get("/desk/alarms/"))
    make_receiver(admin)
    tell_alarms(now=timezone.now())

    assert 'ops: <span class="warn">waiting</span>' in text_of(admin.get("/desk/alarms/"))
    Delivery.objects.update(state="DELIVERED", done_at=timezone.now())
    Alarm.objects.update(times_told=3)
    page = text_of(admin.get("/desk/alarms/"))
    assert re.search(r"ops: [A-Z]\w\w \d", page)
    assert "sent 3 times" in page
    Delivery.objects.update(state="DEAD", words="HTTP 500")
    assert "given up, HTTP 500" in text_of(admin.get("/desk/alarms/"))
