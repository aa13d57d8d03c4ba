"""Accounts are switched out of broadcasts and back: at once, together, undone, or refused."""

import json
import re
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.domain.words import Mode, ModeScope
from accounts.models import Account, AuditEvent
from accounts.services.gate import close_gate
from tests.support.make import make_group, make_mode
from tests.web.browsing import HTMX, form_in, text_of
from tests.web.changing import ON_BODY, events


def switch(browser, to, *accounts, only=None, **more):
    query = f"?to={to}" + (f"&only={only.pk}" if only else "")
    ticked = {"account": [str(one.pk) for one in accounts]}
    return browser.post(f"/accounts/switch/{query}", ticked, **more)


def active():
    return [one.is_active for one in Account.objects.order_by("position")]


def test_a_switch_acts_at_once_says_so_and_can_be_undone(trader, trio):
    answer = switch(trader, "off", only=trio[0], headers=HTMX)

    assert active() == [False, True, True]
    told = text_of(answer)
    assert '<hx-partial hx-target="#toasts" hx-swap="beforeend">' in told
    assert "Fjord Cap 1 is out of broadcasts</span>" in told
    assert json.loads(answer["HX-Trigger"]) == {"changed": ON_BODY}
    (address,) = re.findall(r'hx-post="([^"]+)"', told)

    trader.post(address, form_in(answer), headers=HTMX)

    assert active() == [True, True, True]
    assert events(trio[0], "is_active") == [
        ("True", "False", "trader"),
        ("False", "True", "trader"),
    ]


def test_a_click_on_an_old_page_does_not_switch_back(trader, trio):
    switch(trader, "off", only=trio[0])

    again = switch(trader, "off", only=trio[0], headers=HTMX)

    assert active() == [False, True, True]
    assert "Nothing changed: so it was already" in text_of(again)
    assert "Undo" not in text_of(again)


def test_several_are_switched_and_undone_together(trader, trio):
    answer = switch(trader, "off", *trio[:2], headers=HTMX)

    assert active() == [False, False, True]
    assert "2 accounts are out of broadcasts" in text_of(answer)
    assert all(f'name="account" value="{one.pk}"' in text_of(answer) for one in trio[:2])


def test_the_row_that_is_named_wins_over_what_is_ticked(trader, trio):
    switch(trader, "off", *trio[1:], only=trio[0])

    assert active() == [False, True, True]


def test_without_javascript_the_page_comes_back_and_says_it(trader, trio):
    page = trader.post(f"/accounts/switch/?to=off&only={trio[0].pk}", follow=True)

    assert page.redirect_chain == [("/accounts/", 302)]
    assert "Fjord Cap 1 is out of broadcasts</p>" in text_of(page)
    assert 'aria-checked="false"' in text_of(page)
    assert 'form="act" formaction="/accounts/switch/?to=on&amp;only=' in text_of(page)


def test_nothing_ticked_says_so(trader, trio):
    answer = switch(trader, "off", headers=HTMX)

    assert answer.status_code == 409
    assert 'role="alert"' in text_of(answer)
    assert "Tick at least one account first." in text_of(answer)


def test_what_stays_in_an_account_that_is_switched_off_is_said(agent, fleet):
    fleet.broadcast(fleet.shares(limit=Decimal("0.50")), accounts=fleet.accounts[:1])

    answer = switch(agent, "off", only=fleet.accounts[0], headers=HTMX)

    assert "1 order there still works." in text_of(answer)


@pytest.mark.parametrize("scope", [ModeScope.FLEET, ModeScope.GROUP, ModeScope.ACCOUNT])
def test_nothing_is_switched_on_while_it_is_frozen(trader, trio, scope):
    make_group("family", trio[0])
    target = {ModeScope.FLEET: "", ModeScope.GROUP: "family"}.get(scope, str(trio[0].pk))
    make_mode(Mode.FROZEN, scope, target)
    Account.objects.update(is_active=False)

    answer = switch(trader, "on", *trio[:1], headers=HTMX)

    assert answer.status_code == 409
    assert "is frozen: a test says so. Open it under Modes first." in text_of(answer)
    assert active() == [False, False, False]


def test_nothing_is_switched_on_while_trading_is_closed(trader, trio):
    Account.objects.update(is_active=False)
    close_gate("Starting: looking at the broker.", now=timezone.now())

    answer = switch(trader, "on", only=trio[0], headers=HTMX)

    assert answer.status_code == 409
    assert "trading is closed" in text_of(answer)


def test_switching_off_is_always_allowed(trader, trio):
    make_mode(Mode.FROZEN)

    assert switch(trader, "off", only=trio[0], headers=HTMX).status_code == 200
    assert active() == [False, True, True]


def test_of_several_either_all_are_switched_or_none(trader, trio):
    make_mode(Mode.FROZEN, ModeScope.ACCOUNT, str(trio[1].pk))
    Account.objects.update(is_active=False)

    switch(trader, "on", *trio)

    assert active() == [False, False, False]
    assert not AuditEvent.objects.filter(kind="is_active").exists()
