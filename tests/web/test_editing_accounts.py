"""The dialog of an account, and groups of several: what is changed, and what is refused in words."""

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.domain.words import Mode, ModeScope
from accounts.models import Account, AccountGroup, BalanceSnapshot
from tests.support.make import make_group, make_mode
from tests.web.browsing import HTMX, form_in, text_of
from tests.web.changing import ON_BODY, events


def typed(**changes):
    return {"alias": "Alder", "multiplier": "1", "is_active": "on", "new_group": "", **changes}


def test_the_dialog_shows_what_is_and_changes_it(trader, trio):
    make_group("family", trio[1])
    address = f"/accounts/{trio[1].pk}/"
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
    account = Account.objects.get(pk=trio[1].pk)
    assert (account.alias, account.multiplier, account.is_active) == (
        "Grandma",
        Decimal("0.5"),
        True,
    )
    assert sorted(account.groups.values_list("name", flat=True)) == ["family", "the IRAs"]
    assert events(account, "groups") == [("family", "family, the IRAs", "trader")]
    assert events(account, "alias") == [("Alder", "Grandma", "trader")]
    assert events(account, "is_active") == []


def test_the_place_in_the_grid_cannot_be_changed(trader, trio):
    trader.post(f"/accounts/{trio[1].pk}/", typed(position="0", number="1", login="x"))

    assert Account.objects.get(pk=trio[1].pk).position == trio[1].position
    assert "2, fixed for ever" in text_of(trader.get(f"/accounts/{trio[1].pk}/"))


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
def test_bad_input_is_said_at_its_field_and_changes_nothing(trader, trio, changes, field, words):
    before = Account.objects.values().get(pk=trio[1].pk)

    answer = trader.post(f"/accounts/{trio[1].pk}/", typed(**changes), headers=HTMX)

    assert answer.status_code == 422
    error = re.search(rf'id="account-{field}_error">(.*?)</p>', text_of(answer))
    assert error is not None
    assert words in error[1]
    assert Account.objects.values().get(pk=trio[1].pk) == before


def test_without_javascript_the_dialog_is_a_page(trader, trio):
    address = f"/accounts/{trio[1].pk}/"
    assert "<html" in text_of(trader.get(address))
    assert "<html" in text_of(trader.post(address, typed(alias="")))

    done = trader.post(address, typed(alias="Grandma"), follow=True)

    assert done.redirect_chain == [("/accounts/", 302)]
    assert "Grandma is changed" in text_of(done)


def test_an_account_does_not_leave_a_group_that_is_closed(trader, trio):
    make_group("family", trio[1])
    make_mode(Mode.CLOSE_ONLY, ModeScope.GROUP, "family")

    answer = trader.post(f"/accounts/{trio[1].pk}/", typed(alias="New"), headers=HTMX)

    assert answer.status_code == 422
    assert "It stays in family: leaving would loosen what is in force." in text_of(answer)
    assert Account.objects.get(pk=trio[1].pk).alias == "Alder"


def test_the_dialog_draws_the_accounts_own_history(trader, trio):
    for days, value in ((3, 100), (2, 110), (1, 120)):
        at = timezone.now() - timedelta(days=days)
        BalanceSnapshot.objects.create(account=trio[1], at=at, value=value, cash=1, buying_power=1)

    page = text_of(trader.get(f"/accounts/{trio[1].pk}/", headers=HTMX))

    assert re.search(r'aria-label="From \$100.00 on .*? to \$120.00"', page)


def group(browser, *accounts, **fields):
    ticked = {"account": [str(one.pk) for one in accounts]}
    body = {"name": "", "new_group": "", "is_in": "in", **fields, **ticked}
    return browser.post("/accounts/group/", body, headers=HTMX)


def members(name):
    rows = AccountGroup.objects.get(name=name).members.order_by("position")
    return list(rows.values_list("alias", flat=True))


def test_ticked_accounts_are_taken_into_a_new_group_and_out_of_it(trader, trio):
    asked = trader.get("/accounts/group/", {"account": [one.pk for one in trio[:2]]}, headers=HTMX)
    assert "Group 2 accounts" in text_of(asked)

    done = group(trader, *trio[:2], new_group="family")
    assert "2 accounts into family" in text_of(done)
    assert members("family") == ["Fjord Cap 1", "Alder"]
    assert events(trio[0], "groups") == [("", "family", "trader")]

    group(trader, *trio, name="family", is_in="out")
    assert members("family") == []


def test_a_group_must_be_named(trader, trio):
    answer = group(trader, trio[0])

    assert answer.status_code == 422
    assert "Choose a group, or name a new one." in text_of(answer)


def test_none_leaves_a_closed_group(trader, trio):
    make_group("family", *trio)
    make_mode(Mode.FROZEN, ModeScope.GROUP, "family")

    answer = group(trader, *trio, name="family", is_in="out")

    assert answer.status_code == 422
    assert "It stays in family" in text_of(answer)
    assert len(members("family")) == 3


def test_nobody_ticked_opens_no_dialog(trader, trio):
    assert trader.get("/accounts/group/", headers=HTMX).status_code == 409
