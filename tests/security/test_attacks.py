"""Attacks and bad input of every kind, on every address at once where that is possible.

What a single call or page refuses is tested beside it: prices, sizes and symbols in tests/api,
swapped secrets in tests/integration/accounts, hostile answers of the broker in tests/unit.
"""

import csv
import io
import json
import logging
import re
from uuid import uuid4

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads, prepare_accept_content

from accounts.domain.words import Role
from accounts.models import Account, Alarm, AuditEvent, BrokerLogin, User
from orders.models import AccountOrder, ComplexOrder, ExternalOrder, SavedOrder
from orders.services import placing
from tests.api.caller import PROBLEM
from tests.security.walking import World, every_place, everything, settle, visit
from tests.support.make import PASSWORD, make_group, make_user
from tradeswim.celery import app
from tradeswim.logs import Indented

HOSTILE = '"><script>alert(1)</script><b hx-post=/desk/freeze/ hx-trigger=load>'
FORMULA = "=HYPERLINK(1)"
# Every word that an address of ours reads from its query, by what kind of nonsense it gets.
QUERY = [
    "account",
    "after",
    "all",
    "before",
    "by",
    "dir",
    "expiration",
    "from",
    "group",
    "kind",
    "limit",
    "mode",
    "of",
    "only",
    "open",
    "order",
    "page",
    "per",
    "q",
    "root",
    "scope",
    "search",
    "show",
    "shown",
    "since",
    "sort",
    "span",
    "state",
    "status",
    "strategy",
    "symbol",
    "target",
    "text",
    "to",
    "underlying",
    "until",
]
NONSENSE = ["' OR 1=1 --", "1; DROP TABLE x", "%00\x00", "9" * 400, "-1", "\ud7ff\u202e", "{{7*7}}"]


@pytest.fixture
def world(fleet, queue, settings) -> World:
    settings.CACHE_URL = queue.url
    return settle(fleet)


@pytest.fixture
def agent(world) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(world.fleet.agent)
    return client


def content_of(answer) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(body.decode("utf-8", "replace"))


# --- what others wrote is shown, and never obeyed ---------------------------------------------


def plant(words: str, world: World) -> None:
    """Write these words wherever a broker, a file or a person may write."""
    Account.objects.filter(pk=world.fleet.accounts[0].pk).update(alias=words[:60])
    BrokerLogin.objects.filter(pk=world.fleet.logins[0].pk).update(label=words, status_reason=words)
    Alarm.objects.update(words=words)
    SavedOrder.objects.update(name=words[:60])
    AccountOrder.objects.update(reason=words)
    ExternalOrder.objects.update(tag=words[:60], data={"status_description": words})
    AuditEvent.objects.update(reason=words, old=words[:40], new=words[:40])
    User.objects.filter(pk=world.fleet.agent.pk).update(username=words)
    make_group(words[:60], *world.fleet.accounts[:1])


def test_no_page_obeys_what_was_written_into_it(world, agent):
    plant(HOSTILE, world)
    shown, wrong = 0, []
    for place in every_place(world.values):
        answer = visit(agent, place, "GET")
        text = content_of(answer)
        if answer["Content-Type"].startswith("text/html"):
            shown += "&lt;script&gt;alert(1)" in text
            if "<script>alert" in text or "<b hx-post" in text or answer.status_code >= 500:
                wrong.append(place.address)
    assert wrong == []
    assert shown > 20


def test_no_file_holds_a_formula(world, agent):
    plant(FORMULA, world)
    files = 0
    for place in every_place(world.values):
        answer = visit(agent, place, "GET")
        if answer["Content-Type"].startswith("text/csv"):
            cells = [cell for row in csv.reader(io.StringIO(content_of(answer))) for cell in row]
            assert not [cell for cell in cells if re.match(r"[=@\t\r]|[+-](?!\d)", cell)]
            files += any(cell.startswith(f"'{FORMULA[:5]}") for cell in cells)
    assert files >= 2


def test_no_line_of_the_log_passes_for_a_record_of_its_own():
    said = "refused\r\n2026-01-01 00:00:00,000 INFO orders placed [1]\x1b[2K\u2028INFO"
    record = logging.LogRecord("x", logging.INFO, "x", 1, "broker: %s", (said,), None)

    first, second = Indented("%(message)s").format(record).split("\n")

    assert first == "broker: refused\\r"
    assert second.startswith("    2026-01-01")
    assert second.endswith("\\x1b[2K\\u2028INFO")


# --- what is asked for --------------------------------------------------------------------------


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_in_a_query_breaks_nothing_and_writes_nothing(world, agent, nonsense):
    before, wrong = everything(), []
    for place in every_place(world.values):
        if place.name == "record-file" or place.is_admin:
            continue
        answer = agent.get(place.address, dict.fromkeys(QUERY, nonsense))
        if answer.status_code >= 500:
            wrong.append((place.address, answer.status_code))
    assert wrong == []
    assert everything() == before


@pytest.mark.parametrize("number", [0, 987_654_321, 2**31, 2**63, 10**30])
def test_what_is_not_there_is_not_found(world, agent, number):
    values = {
        name: number if isinstance(value, int) else uuid4() if name.endswith("_id") else "none"
        for name, value in world.values.items()
        if name not in {"expiration", "kind", "underlying", "app_label"}
    }
    wrong = []
    gone = every_place({**world.values, **values})
    for here, there in zip(every_place(world.values), gone, strict=True):
        # An alarm that is gone was seen by somebody: that is all a click wants.
        if here.address == there.address or here.is_admin or here.name == "acknowledge":
            continue
        for method in ("GET", "POST"):
            answer = visit(agent, there, method)
            if answer.status_code not in {404, 405, 400}:
                wrong.append((method, there.address, answer.status_code))
    assert wrong == []


def test_a_call_takes_each_parameter_once(agent, world):
    for path in ("orders/?limit=1&limit=2", "sets/?limit=1&limit=2"):
        assert agent.get(f"/api/v1/{path}").status_code == 400
    day = world.values["expiration"]
    answer = agent.get(f"/api/v1/chains/SPX/{day}/?root=SPX&root=SPXW")
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)


def test_what_nobody_offered_is_not_taken_from_a_form(world):
    user = make_user(Role.VIEWER)
    client = Client()
    client.force_login(user)
    wish = {"density": "ROOMY", "role": "ADMIN", "is_staff": "1", "is_superuser": "1"}

    client.post("/settings/", {**wish, "username": "owner", "one_click_exit": "on"})

    user.refresh_from_db()
    assert (user.density, user.role, user.is_staff, user.is_superuser) == (
        "ROOMY",
        "VIEWER",
        False,
        False,
    )
    assert not user.one_click_exit


def test_a_body_that_is_too_large_or_has_too_many_fields_is_refused(world, agent):
    before = everything()
    for body in ({"limit": "x" * 300_000}, {f"f{n}": "1" for n in range(1100)}):
        for address in ("/desk/send/", "/desk/ticket/", "/sign-in/", "/logins/import/"):
            answer = agent.post(address, body)
            assert answer.status_code in {400, 413}, address
    assert everything() == before


# --- who asks, and from where -------------------------------------------------------------------


@pytest.fixture
def strict(world) -> Client:
    """A browser whose forms are checked, and its token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.fleet.agent)
    client.get("/settings/")
    return client


def test_no_page_acts_without_its_token(world, strict):
    before, wrong = everything(), []
    for place in every_place(world.values):
        answer = visit(strict, place, "POST")
        is_open = place.address.startswith("/api/v1/auth/") or place.address == "/api/nothing/"
        if answer.status_code not in {403, 405} and not is_open:
            wrong.append((place.address, answer.status_code))
    assert wrong == []
    assert everything() == before


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_nothing_is_taken_from_a_page_of_another_site_even_with_a_token(world, agent, site):
    before, wrong = everything(), []
    agent.defaults["HTTP_SEC_FETCH_SITE"] = site
    for place in every_place(world.values):
        answer = visit(agent, place, "POST")
        if answer.status_code != 403:
            wrong.append((place.address, answer.status_code))
    assert wrong == []
    assert everything() == before
    assert agent.get("/").status_code == 200
    problem = json.loads(agent.post("/api/v1/orders/").content)
    assert problem["code"] == "from_elsewhere"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_a_form_cannot_pass_for_json(agent, world, kind):
    before = everything()
    answer = agent.generic("POST", "/api/v1/orders/", '{"contracts": 1, "x": "="}', kind)
    assert answer.status_code in {400, 415}
    assert everything() == before


def test_reading_cannot_be_turned_into_writing(agent, world):
    before = everything()
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        answer = agent.get("/desk/freeze/?_method=POST", headers={name: "POST"})
        assert answer.status_code == 405
    assert everything() == before


def sign_in(client: Client, user: User, after: str = "") -> None:
    client.post("/sign-in/", {"username": user.username, "password": PASSWORD, "next": after})


def test_signing_in_begins_a_session_that_nobody_knew_before(world):
    planted = SessionStore()
    planted["by"] = "somebody else"
    planted.save()
    client = Client()
    client.cookies["sessionid"] = planted.session_key or ""

    sign_in(client, make_user())

    assert client.get("/").status_code == 200
    assert client.cookies["sessionid"].value != planted.session_key
    assert not Session.objects.filter(pk=planted.session_key).exists()


def test_a_cookie_is_dead_once_its_session_was_ended(world):
    user, client, thief = make_user(), Client(), Client()
    sign_in(client, user)
    thief.cookies["sessionid"] = client.cookies["sessionid"].value
    assert thief.get("/").status_code == 200

    client.post("/sign-out/")

    assert thief.get("/").status_code == 302
    assert thief.get("/api/v1/orders/").status_code == 401


@pytest.mark.parametrize("after", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_who_is_signed_in_already_is_not_led_elsewhere(agent, after):
    assert agent.get("/sign-in/", {"next": after})["Location"] == "/"


def test_an_unknown_name_is_answered_as_a_wrong_password_is(world):
    make_user(username="known")
    answers, costs = [], []
    for name in ("another", "known", "nobody"):  # the first one begins the count of the address
        with CaptureQueriesContext(connection) as queries:
            body = json.dumps({"username": name, "password": "x"})
            answers.append(
                Client().post("/api/v1/auth/token/", body, content_type="application/json")
            )
        costs.append(len(queries))
    assert answers[0].content == answers[1].content == answers[2].content
    assert costs[1] == costs[2]
    assert answers[0].status_code == answers[1].status_code == 401


# --- what lies in Redis -------------------------------------------------------------------------


def test_the_queue_takes_json_alone():
    accepted = prepare_accept_content(app.conf.accept_content)
    assert accepted == {"application/json"}
    with pytest.raises(ContentDisallowed):
        loads(b"a pickle", "application/x-python-serialize", "binary", accept=accepted)


def test_a_message_forged_for_an_order_that_is_not_ready_sends_nothing(world):
    sent = len(world.fleet.broker.orders())
    before = everything()
    ids = list(AccountOrder.objects.exclude(status="READY").values_list("pk", flat=True))

    placing.place_account_orders(ids=[*ids, uuid4()], gateway=world.fleet.gateway)

    assert len(world.fleet.broker.orders()) == sent
    assert everything() == before
    assert ComplexOrder.objects.exists()
