"""The pages of logins: the board, secrets that are written only, connecting out and back."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from accounts.domain.words import Environment, LoginStatus
from accounts.fields import Secret
from accounts.models import Account, AuditEvent, BrokerLogin, LoginAttempt, Token
from tests.support.fleet import Fleet
from tests.support.make import make_account, make_login, make_token
from tests.support.visiting import Visitor
from tests.web.browsing import HTMX, text_of

NEW = {
    "label": "Alder",
    "app_key": "planted-app-key",
    "app_secret": "planted-app-secret",
    "callback_url": "https://127.0.0.1/callback",
    "user_name": "planted-user",
    "password": "planted-password",
    "totp_secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
}
PLANTED = [value for name, value in NEW.items() if name not in {"label", "callback_url"}]


@pytest.fixture
def own(fleet: Fleet, settings) -> BrokerLogin:
    settings.AUTHORIZE_URL = fleet.broker.url
    return fleet.logins[0]


@pytest.fixture
def visitor(fleet) -> Iterator[Visitor]:
    visitor = Visitor(fleet.broker, fleet.broker.logins()[0])
    yield visitor
    visitor.session.close()


def said(answer) -> str:
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


def address_in(answer) -> str:
    return str(answer.context["address"])


def back(client: Client, address: str):
    """Come back from the broker: only path and query reach us, whatever the host was."""
    return client.get("/oauth/callback/", QUERY_STRING=urlsplit(address).query)


def test_the_board_shows_the_login_that_ends_first_in_front_and_says_what_is_lost(agent, fleet):
    Token.objects.filter(login=fleet.logins[1]).update(
        refresh_expires_at=timezone.now() + timedelta(hours=30)
    )
    fleet.broadcast(fleet.shares())
    fleet.poll()

    page = text_of(agent.get("/logins/"))

    labels = [login.label for login in fleet.logins]
    assert page.index(labels[1]) < page.index(labels[0])
    assert "1 login, 1 account, 1 open set loses access" in page
    assert "Connect 1 due login, one after the other" in page


@pytest.mark.parametrize("logins", [3, 30])
def test_the_board_costs_no_more_queries_for_more_logins(
    agent, fleet, logins, django_assert_max_num_queries
):
    for _ in range(logins):
        make_account(make_token().login)
    agent.get("/logins/")  # the frame around it is rendered once for all pages
    with django_assert_max_num_queries(15):
        agent.get("/logins/")


def test_the_panel_says_nothing_until_something_changed(agent, fleet):
    tag = agent.get("/logins/panel/", headers=HTMX)["HX-PTag"]
    assert agent.get("/logins/panel/", headers=HTMX | {"HX-PTag": tag}).status_code == 304
    agent.post(f"/logins/{fleet.logins[0].pk}/automatic/", {"is_on": "1"})
    assert agent.get("/logins/panel/", headers=HTMX | {"HX-PTag": tag}).status_code == 200


def test_a_new_login_is_kept_and_none_of_its_secrets_is_ever_shown(agent, fleet):
    answer = agent.post("/logins/new/", NEW, follow=True)

    login = BrokerLogin.objects.get(label="Alder")
    assert "Alder is kept. Connect it now." in text_of(answer)
    assert login.password.open() == NEW["password"]
    shown = [answer, agent.get("/logins/"), agent.get("/logins/logins.csv")]
    pages = " ".join(one.content.decode() for one in shown)
    events = " ".join(str(one) for one in AuditEvent.objects.values("data", "reason", "new", "old"))
    assert [one for one in PLANTED if one in pages + events] == []
    assert "Stored. Leave it empty to keep it." in pages


def test_what_was_typed_comes_back_with_an_error_but_no_secret_does(agent, fleet):
    answer = agent.post("/logins/new/", NEW | {"callback_url": "http://example.org/x"})
    page = answer.content.decode()
    assert 'value="Alder"' in page
    assert "Write it as https://host/path" in page
    assert [one for one in PLANTED if one in page] == []
    assert not BrokerLogin.objects.filter(label="Alder").exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("label", "", "required"),
        ("app_secret", "", "required"),
        ("totp_secret", "not base32!", "Not a TOTP secret"),
    ],
)
def test_bad_input_is_told_at_its_field(agent, fleet, field, value, words):
    answer = agent.post("/logins/new/", NEW | {field: value})
    assert words in " ".join(answer.context["form"].errors[field])


def test_a_label_is_used_once(agent, fleet):
    answer = agent.post("/logins/new/", NEW | {"label": fleet.logins[0].label})
    assert "Another login has this label." in text_of(answer)


def test_an_empty_secret_keeps_what_is_stored_and_forgetting_removes_it(agent, fleet):
    agent.post("/logins/new/", NEW)
    login = BrokerLogin.objects.get(label="Alder")
    plain = {"label": "Alder II", "callback_url": NEW["callback_url"]}

    agent.post(f"/logins/{login.pk}/", plain | {"password": "another password"})
    login.refresh_from_db()
    assert (login.label, login.password.open()) == ("Alder II", "another password")
    assert login.user_name.open() == NEW["user_name"]

    agent.post(f"/logins/{login.pk}/", plain | {"forget": "on"})
    login.refresh_from_db()
    assert (login.user_name, login.password, login.totp_secret) == (None, None, None)
    assert login.app_secret.open() == NEW["app_secret"]
    event = AuditEvent.objects.filter(kind="login changed").latest("pk")
    assert event.data == {"fields": ["password", "totp_secret", "user_name"]}


def test_connecting_leads_to_the_broker_and_back_with_fresh_tokens(agent, own, visitor):
    version = own.token.version
    out = agent.post(f"/logins/{own.pk}/connect/")
    assert 'http-equiv="refresh"' in text_of(out)

    answer = back(agent, visitor.walk(address_in(out)))

    assert (answer.status_code, answer["Location"]) == (302, f"/logins/{own.pk}/")
    assert "is connected for seven days" in said(answer)
    assert Token.objects.get(login=own).version > version


def test_the_queue_opens_the_next_login_by_itself(agent, fleet, own):
    BrokerLogin.objects.filter(pk__in=[one.pk for one in fleet.logins]).update(
        status=LoginStatus.LOGIN_REQUIRED
    )
    address = address_in(agent.post("/logins/connect-due/"))
    by_key = {one["app_key"]: one for one in fleet.broker.logins()}

    for left in (2, 1, 0):
        key = address.split("client_id=")[1].split("&")[0]
        person = Visitor(fleet.broker, by_key[key])
        answer = back(agent, person.walk(address))
        person.session.close()
        assert (f"{left} more to go" in said(answer)) is (left > 0)
        address = answer["Location"]

    statuses = BrokerLogin.objects.values_list("status", flat=True)
    assert set(statuses) == {LoginStatus.CONNECTED}


def test_a_browser_from_another_site_is_let_in_by_a_page_that_asks_once_more(own, visitor, agent):
    address = visitor.walk(address_in(agent.post(f"/logins/{own.pk}/connect/")))
    stranger = Client()  # a Strict cookie does not come along from another site

    first = back(stranger, address)
    again = address_in(first)

    assert first.status_code == 200
    assert agent.get(again).status_code == 302
    assert stranger.get(again)["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("query", ["", "code=C0.x%40", "code=C0.x%40&state=wrong", "state=x"])
def test_what_is_not_ours_is_refused_plainly_and_nothing_stored(agent, own, query):
    version = own.token.version
    answer = agent.get("/oauth/callback/", QUERY_STRING=query)
    assert answer.status_code == 400
    assert "Nothing was stored." in text_of(answer)
    assert Token.objects.get(login=own).version == version


def test_an_address_can_be_pasted(agent, own, visitor):
    begun = agent.post(f"/logins/{own.pk}/paste/")
    address = visitor.walk(address_in(begun))
    wrong = agent.post(f"/logins/{own.pk}/paste/", {"address": "https://example.org/"})
    answer = agent.post(f"/logins/{own.pk}/paste/", {"address": address})
    assert "Copy the whole line" in text_of(wrong)
    assert answer["Location"] == f"/logins/{own.pk}/"


def test_a_connection_is_tested_in_plain_words(agent, own, fleet):
    agent_says = [said(agent.post(f"/logins/{own.pk}/test/"))]
    fleet.broker.tokens(login=own.label, access="revoke")
    agent_says.append(said(agent.post(f"/logins/{own.pk}/test/")))
    new = make_login(label="Never")
    agent_says.append(said(agent.post(f"/logins/{new.pk}/test/")))

    assert "It works: the broker lists 1 account." in agent_says[0]
    assert "Press Connect." in agent_says[1]
    assert "It was never connected." in agent_says[2]


def test_an_unlinked_account_is_left_out_until_its_login_is_connected_again(agent, fleet, own):
    account = fleet.accounts[0]
    agent.post(f"/logins/accounts/{account.pk}/unlink/")
    account.refresh_from_db()
    assert (account.is_linked, account.is_active) == (False, False)
    Account.objects.filter(pk=account.pk).update(is_active=True)

    order = fleet.create(fleet.shares())

    assert fleet.children(order)[0].status == "SKIPPED"
    assert "not linked" in fleet.children(order)[0].reason


def test_logins_are_imported_all_or_none(agent, fleet):
    head = "label,app_key,app_secret,callback_url,user_name"
    good = "Birch,key-1,secret-1,https://127.0.0.1/callback,user-1"
    bad = agent.post("/logins/import/", {"text": f"{head}\n{good}\nCedar,,secret,nowhere,"})
    assert "Line 3: no app_key." in text_of(bad)
    assert not BrokerLogin.objects.filter(label="Birch").exists()

    agent.post("/logins/import/", {"text": f"{head}\n{good}"})
    assert BrokerLogin.objects.get(label="Birch").user_name.open() == "user-1"


def test_who_may_only_look_sees_the_board_and_changes_nothing(viewer, fleet):
    own = fleet.logins[0]
    assert own.label in text_of(viewer.get("/logins/"))
    refused = [
        viewer.get("/logins/new/"),
        viewer.get(f"/logins/{own.pk}/"),
        viewer.get("/logins/logins.csv"),
        viewer.post(f"/logins/{own.pk}/connect/"),
        viewer.post("/logins/connect-due/"),
        viewer.post(f"/logins/{own.pk}/automatic/", {"is_on": "1"}),
    ]
    assert {one.status_code for one in refused} == {403}


@pytest.mark.parametrize(("environment", "status"), [("PAPER", 200), ("LIVE", 404)])
def test_pictures_are_those_of_this_environment_s_logins(agent, environment, status):
    login = make_login(environment=Environment(environment))
    picture = b64encode(b"what the page looked like").decode()
    attempt = LoginAttempt.objects.create(
        login=login, began_at=timezone.now(), screenshot=Secret(picture)
    )

    assert agent.get(f"/logins/attempts/{attempt.pk}.png").status_code == status
