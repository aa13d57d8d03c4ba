"""Switch, undo, edit, group and refresh accounts on their page, with htmx and without JavaScript."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.domain.words import Mode, ModeScope, Role
from accounts.models import Account, AccountGroup, AuditEvent, BalanceSnapshot, RefreshRun
from accounts.services.gate import close_gate
from accounts.services.refreshing import run_refresh
from tests.support.make import make_account, make_group, make_login, make_mode, make_user
from tests.support.raw_server import dead_port
from tests.support.redis_server import point_celery_to
from tests.web.browsing import HTMX, form_in, text_of

# What asked may be gone from the page by then.
ON_BODY = {"target": "body"}


@pytest.fixture
def trader(client, db):
    """A browser of an agent, and no broker behind it."""
    client.force_login(make_user(Role.AGENT, username="trader"))
    return client


@pytest.fixture
def three(db):
    login = make_login()
    return [make_account(login, alias=name) for name in ("Fjord Cap 1", "Alder", "Birch")]


def switch(browser, to, *accounts, only=None, **more):
    query = f"?to={to}" + (f"&only={only.pk}" if only else "")
    ticked = {"account": [str(one.pk) for one in accounts]}
    return browser.post(f"/accounts/switch/{query}", ticked, **more)


def active():
    return [one.is_active for one in Account.objects.order_by("position")]


def events(account, kind):
    rows = AuditEvent.objects.filter(subject=f"account:{account.pk}", kind=kind)
    return [(row.old, row.new, row.actor) for row in rows]


# --- the switch -----------------------------------------------------------------------------------


def test_a_switch_acts_at_once_says_so_and_can_be_undone(trader, three):
    answer = switch(trader, "off", only=three[0], headers=HTMX)

    assert active() == [False, True, True]
    told = text_of(answer)
    assert '<hx-partial hx-target="#toasts" hx-swap="beforeend">' in told
    assert "Fjord Cap 1 is out of broadcasts</span>" in told
    assert json.loads(answer["HX-Trigger"]) == {"changed": ON_BODY}
    (address,) = re.findall(r'hx-post="([^"]+)"', told)

    trader.post(address, form_in(answer), headers=HTMX)

    assert active() == [True, True, True]
    assert events(three[0], "is_active") == [
        ("True", "False", "trader"),
        ("False", "True", "trader"),
    ]


def test_a_click_on_an_old_page_does_not_switch_back(trader, three):
    switch(trader, "off", only=three[0])

    again = switch(trader, "off", only=three[0], headers=HTMX)

    assert active() == [False, True, True]
    assert "Nothing changed: so it was already" in text_of(again)
    assert "Undo" not in text_of(again)


def test_several_are_switched_and_undone_together(trader, three):
    answer = switch(trader, "off", *three[:2], headers=HTMX)

    assert active() == [False, False, True]
    assert "2 accounts are out of broadcasts" in text_of(answer)
    assert all(f'name="account" value="{one.pk}"' in text_of(answer) for one in three[:2])


def test_the_row_that_is_named_wins_over_what_is_ticked(trader, three):
    switch(trader, "off", *three[1:], only=three[0])

    assert active() == [False, True, True]


def test_without_javascript_the_page_comes_back_and_says_it(trader, three):
    page = trader.post(f"/accounts/switch/?to=off&only={three[0].pk}", follow=True)

    assert page.redirect_chain == [("/accounts/", 302)]
    assert "Fjord Cap 1 is out of broadcasts</p>" in text_of(page)
    assert 'aria-checked="false"' in text_of(page)
    assert 'form="act" formaction="/accounts/switch/?to=on&amp;only=' in text_of(page)


def test_nothing_ticked_says_so(trader, three):
    answer = switch(trader, "off", headers=HTMX)

    assert answer.status_code == 409
    assert 'role="alert"' in text_of(answer)
    assert "Tick at least one account first." in text_of(answer)


def test_what_stays_in_an_account_that_is_switched_off_is_said(agent, fleet):
    fleet.broadcast(fleet.shares(limit=Decimal("0.50")), accounts=fleet.accounts[:1])

    answer = switch(agent, "off", only=fleet.accounts[0], headers=HTMX)

    assert "1 order there still works." in text_of(answer)


@pytest.mark.parametrize("scope", [ModeScope.FLEET, ModeScope.GROUP, ModeScope.ACCOUNT])
def test_nothing_is_switched_on_while_it_is_frozen(trader, three, scope):
    make_group("family", three[0])
    target = {ModeScope.FLEET: "", ModeScope.GROUP: "family"}.get(scope, str(three[0].pk))
    make_mode(Mode.FROZEN, scope, target)
    Account.objects.update(is_active=False)

    answer = switch(trader, "on", *three[:1], headers=HTMX)

    assert answer.status_code == 409
    assert "is frozen: a test says so. Open it under Modes first." in text_of(answer)
    assert active() == [False, False, False]


def test_nothing_is_switched_on_while_trading_is_closed(trader, three):
    Account.objects.update(is_active=False)
    close_gate("Starting: looking at the broker.", now=timezone.now())

    answer = switch(trader, "on", only=three[0], headers=HTMX)

    assert answer.status_code == 409
    assert "trading is closed" in text_of(answer)


def test_switching_off_is_always_allowed(trader, three):
    make_mode(Mode.FROZEN)

    assert switch(trader, "off", only=three[0], headers=HTMX).status_code == 200
    assert active() == [False, True, True]


def test_of_several_either_all_are_switched_or_none(trader, three):
    make_mode(Mode.FROZEN, ModeScope.ACCOUNT, str(three[1].pk))
    Account.objects.update(is_active=False)

    switch(trader, "on", *three)

    assert active() == [False, False, False]
    assert not AuditEvent.objects.filter(kind="is_active").exists()


# --- the dialog -----------------------------------------------------------------------------------


def typed(**changes):
    return {"alias": "Alder", "multiplier": "1", "is_active": "on", "new_group": "", **changes}


def test_the_dialog_shows_what_is_and_changes_it(trader, three):
    make_group("family", three[1])
    address = f"/accounts/{three[1].pk}/"
    dialog = trader.get(address, headers=HTMX)
    assert "<html" not in text_of(dialog)
    shown = {**form_in(dialog), "is_active": "on"}  # a box without a value sends "on"
    assert shown == typed(groups="family")

    answer = trader.post(
        address,
        typed(alias="Grandma", multiplier="0.5", groups=["family"], new_group=" the  IRAs "),
        headers=HTMX,
    )

    assert json.loads(answer["HX-Trigger"]) == {"closeModal": ON_BODY, "changed": ON_BODY}
    assert "Grandma is changed" in text_of(answer)
    account = Account.objects.get(pk=three[1].pk)
    assert (account.alias, account.multiplier, account.is_active) == (
        "Grandma",
        Decimal("0.5"),
        True,
    )
    assert sorted(account.groups.values_list("name", flat=True)) == ["family", "the IRAs"]
    assert events(account, "groups") == [("family", "family, the IRAs", "trader")]
    assert events(account, "alias") == [("Alder", "Grandma", "trader")]
    assert events(account, "is_active") == []


def test_the_place_in_the_grid_cannot_be_changed(trader, three):
    trader.post(f"/accounts/{three[1].pk}/", typed(position="0", number="1", login="x"))

    assert Account.objects.get(pk=three[1].pk).position == three[1].position
    assert "2, fixed for ever" in text_of(trader.get(f"/accounts/{three[1].pk}/"))


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"alias": "  "}, "alias", "This field is required."),
        ({"alias": "x" * 61}, "alias", "at most 60 characters"),
        ({"multiplier": "-1"}, "multiplier", "greater than or equal to 0"),
        ({"multiplier": "101"}, "multiplier", "less than or equal to 100"),
        ({"multiplier": "0.005"}, "multiplier", "no more than 2 decimal places"),
        ({"multiplier": "much"}, "multiplier", "Enter a number."),
        ({"multiplier": "NaN"}, "multiplier", "Enter a number."),
        ({"groups": "strangers"}, "groups", "not one of the available choices"),
        ({"new_group": "x" * 61}, "new_group", "at most 60 characters"),
    ],
)
def test_bad_input_is_said_at_its_field_and_changes_nothing(trader, three, changes, field, words):
    before = Account.objects.values().get(pk=three[1].pk)

    answer = trader.post(f"/accounts/{three[1].pk}/", typed(**changes), headers=HTMX)

    assert answer.status_code == 422
    error = re.search(rf'id="account-{field}_error">(.*?)</p>', text_of(answer))
    assert error is not None
    assert words in error[1]
    assert Account.objects.values().get(pk=three[1].pk) == before


def test_without_javascript_the_dialog_is_a_page(trader, three):
    address = f"/accounts/{three[1].pk}/"
    assert "<html" in text_of(trader.get(address))
    assert "<html" in text_of(trader.post(address, typed(alias="")))

    done = trader.post(address, typed(alias="Grandma"), follow=True)

    assert done.redirect_chain == [("/accounts/", 302)]
    assert "Grandma is changed" in text_of(done)


def test_an_account_does_not_leave_a_group_that_is_closed(trader, three):
    make_group("family", three[1])
    make_mode(Mode.CLOSE_ONLY, ModeScope.GROUP, "family")

    answer = trader.post(f"/accounts/{three[1].pk}/", typed(alias="New"), headers=HTMX)

    assert answer.status_code == 422
    assert "It stays in family: leaving would loosen what is in force." in text_of(answer)
    assert Account.objects.get(pk=three[1].pk).alias == "Alder"


def test_the_dialog_draws_the_accounts_own_history(trader, three):
    for days, value in ((3, 100), (2, 110), (1, 120)):
        at = timezone.now() - timedelta(days=days)
        BalanceSnapshot.objects.create(account=three[1], at=at, value=value, cash=1, buying_power=1)

    page = text_of(trader.get(f"/accounts/{three[1].pk}/", headers=HTMX))

    assert re.search(r'aria-label="From \$100.00 on .*? to \$120.00"', page)


# --- groups of several ----------------------------------------------------------------------------


def group(browser, *accounts, **fields):
    ticked = {"account": [str(one.pk) for one in accounts]}
    body = {"name": "", "new_group": "", "is_in": "in", **fields, **ticked}
    return browser.post("/accounts/group/", body, headers=HTMX)


def members(name):
    rows = AccountGroup.objects.get(name=name).members.order_by("position")
    return list(rows.values_list("alias", flat=True))


def test_ticked_accounts_are_taken_into_a_new_group_and_out_of_it(trader, three):
    asked = trader.get("/accounts/group/", {"account": [one.pk for one in three[:2]]}, headers=HTMX)
    assert "Group 2 accounts" in text_of(asked)

    done = group(trader, *three[:2], new_group="family")
    assert "2 accounts into family" in text_of(done)
    assert members("family") == ["Fjord Cap 1", "Alder"]
    assert events(three[0], "groups") == [("", "family", "trader")]

    group(trader, *three, name="family", is_in="out")
    assert members("family") == []


def test_a_group_must_be_named(trader, three):
    answer = group(trader, three[0])

    assert answer.status_code == 422
    assert "Choose a group, or name a new one." in text_of(answer)


def test_none_leaves_a_closed_group(trader, three):
    make_group("family", *three)
    make_mode(Mode.FROZEN, ModeScope.GROUP, "family")

    answer = group(trader, *three, name="family", is_in="out")

    assert answer.status_code == 422
    assert "It stays in family" in text_of(answer)
    assert len(members("family")) == 3


def test_nobody_ticked_opens_no_dialog(trader, three):
    assert trader.get("/accounts/group/", headers=HTMX).status_code == 409


# --- refresh --------------------------------------------------------------------------------------


def test_the_page_says_what_a_refresh_costs_before_it_is_pressed(agent, fleet):
    page = text_of(agent.get("/accounts/"))

    assert '<span class="muted push hint" id="cost">3 calls, one per login</span>' in page
    assert 'data-key="r"' in page


def test_logins_under_one_key_say_how_long_they_have_to_wait(trader, settings):
    settings.BUDGET_PER_MINUTE = 30
    for number in range(45):
        make_account(make_login(label=f"Schwab {number}", app_key="the same"))

    page = text_of(trader.get("/accounts/"))

    assert "Costs 45 requests of 1 app key; 1 key has to wait about" in page


def test_a_press_shows_progress_and_a_second_one_shows_the_same(
    agent, fleet, queue, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = agent.post("/accounts/refresh/?all=1", headers=HTMX)

    assert queue.messages("accounts") == 1
    assert '<hx-partial hx-target="#refresh"' in text_of(answer)
    assert '<span class="num">0/3</span> read' in text_of(answer)
    assert "3 calls, one per login; asked by agent" in text_of(answer)

    agent.post("/accounts/refresh/?all=1", headers=HTMX)
    assert RefreshRun.objects.count() == 1

    run_refresh(RefreshRun.objects.get().pk, gateway=fleet.gateway)
    panel = text_of(agent.get("/accounts/grid/", headers=HTMX))
    assert '<span class="num">3/3</span> read' in panel
    assert 'data-say="3 of 3 accounts read"' in panel


def test_failures_stand_by_name_in_plain_words(agent, fleet, queue):
    fleet.broker.fault("http_500", method="GET", path="/trader/v1/accounts")
    agent.post("/accounts/refresh/?all=1", headers=HTMX)

    run_refresh(RefreshRun.objects.get().pk, gateway=fleet.gateway)

    panel = text_of(agent.get("/accounts/grid/", headers=HTMX))
    assert '<span class="num">2/3</span> read' in panel
    assert "1 not read" in panel
    assert re.search(r"<b>Paper 00\d:</b> the broker is out of order or away", panel)


def test_one_and_several_are_refreshed_alone(agent, fleet, queue):
    one, *others = fleet.accounts
    ticked = {"account": [str(account.pk) for account in others]}
    agent.post(f"/accounts/refresh/?only={one.pk}", ticked, headers=HTMX)
    agent.post("/accounts/refresh/", ticked, headers=HTMX)

    wanted = [set(run.accounts) for run in RefreshRun.objects.order_by("pk")]
    assert wanted == [{str(one.pk)}, {str(account.pk) for account in others}]


def test_a_refresh_nobody_hears_is_refused_in_words(trader, three, queue):
    point_celery_to(f"redis://127.0.0.1:{dead_port()}/0")

    answer = trader.post("/accounts/refresh/?all=1", headers=HTMX)

    assert answer.status_code == 409
    assert "The task queue (Redis) does not answer, so nothing was read." in text_of(answer)
    assert not RefreshRun.objects.exists()


def test_a_refresh_that_nobody_finishes_says_so(trader, three, queue):
    trader.post("/accounts/refresh/?all=1")
    RefreshRun.objects.update(
        asked_at=timezone.now() - timedelta(seconds=125), failures={}, finished_at=None
    )

    assert "Nobody finished it" in text_of(trader.get("/accounts/"))


def test_without_javascript_a_refresh_says_its_cost_on_the_page(agent, fleet, queue):
    page = agent.post("/accounts/refresh/?all=1", follow=True)

    assert page.redirect_chain == [("/accounts/", 302)]
    assert "Reading 3 accounts: 3 calls, one per login." in text_of(page)


def test_an_account_that_is_not_here_is_not_refreshed(trader, three, queue):
    assert trader.post(f"/accounts/refresh/?only={uuid4()}").status_code == 404
