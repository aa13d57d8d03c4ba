"""The page of accounts: what it shows, how it is sorted and found, and what it costs."""

import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.domain.words import Environment, LoginStatus, Mode, ModeScope, Role
from accounts.models import Account, BrokerLogin, Token, User
from accounts.services.balances import sync_accounts
from tests.support.make import (
    make_account,
    make_balances,
    make_group,
    make_login,
    make_mode,
    make_token,
)
from tests.web.browsing import HTMX, text_of

ROW = re.compile(r'<tr id="a-.*?</tr>', re.DOTALL)


def rows_of(answer):
    """Return the rows of the grid as text, in order."""
    return [re.sub(r"<[^>]+>", " ", row) for row in ROW.findall(text_of(answer))]


def aliases_of(answer):
    return re.findall(r'<th scope="row">(.*?)</th>', text_of(answer))


@pytest.fixture
def three(db):
    """Three accounts: a rich one, a poor one, and one never read."""
    login = make_login(label="Schwab 1")
    make_token(login, access_expires_at=timezone.now() + timedelta(minutes=12, seconds=30))
    made = [make_account(login, alias=name) for name in ("Fjord Cap", "alder Trust", "Birch LLC")]
    for account, value in zip(made[:2], ("22000.50", "9.99"), strict=True):
        make_balances(account, Decimal(value))
    Account.objects.filter(pk=made[0].pk).update(opening_value=Decimal("22100.00"), kind="CASH")
    Account.objects.filter(pk=made[1].pk).update(opening_value=Decimal("9.00"))
    return made


def fill(accounts):
    """Write so many accounts under a login each, read a moment ago."""
    for number in range(accounts):
        login = make_login(label=f"Schwab {number:04d}", app_key=f"key {number}")
        make_token(login)
        make_balances(make_account(login, alias=f"Alder Trust {number}"), Decimal("22000.00"))


def test_every_account_stands_in_its_place_with_its_figures(trader, three):
    first, second, third = rows_of(trader.get("/accounts/"))

    for words in (f"…{three[0].last4}", "Schwab 1", "12 min", "CASH", "22,000.50", "▼ −99.50"):
        assert words in first
    assert "▲ +0.99" in second
    assert "never" in third
    assert "—" in third


def test_an_account_number_is_never_shown(trader, three):
    for address in ("/accounts/", "/accounts/grid/", f"/accounts/{three[0].pk}/"):
        page = text_of(trader.get(address))
        assert three[0].number.open() not in page
        assert three[0].hash_value not in page


def test_the_sums_say_what_is_missing(trader, three):
    page = text_of(trader.get("/accounts/"))

    assert "$22,010.49" in page
    assert "2 of 3 known" in page
    assert "1 never" in page
    assert "1 ok" in page
    assert "3 / 3" in page


def test_a_fleet_of_which_nothing_is_known_is_worth_nothing_that_is_written(trader, db):
    make_account()

    page = text_of(trader.get("/accounts/"))

    assert "0 of 1 known" in page
    assert "<dd> $0.00" not in page


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (LoginStatus.LOGIN_REQUIRED, "Sign in again"),
        (LoginStatus.ERROR, "Error"),
        (LoginStatus.EXPIRING, "Sign in by"),
    ],
)
def test_a_login_that_needs_somebody_says_so_in_every_row_and_is_counted(
    trader, three, status, words
):
    reason = "Its refresh token has ended."
    BrokerLogin.objects.update(status=status, status_reason=reason)

    page = text_of(trader.get("/accounts/"))

    assert len([row for row in rows_of(trader.get("/accounts/")) if words in row]) == 3
    is_out = status != LoginStatus.EXPIRING
    assert ("· 1 to sign in" in page) is is_out
    assert (f'title="{reason}"' in page) is is_out


def test_a_token_that_has_ended_is_being_renewed(trader, three):
    Token.objects.update(access_expires_at=timezone.now() - timedelta(seconds=1))

    assert text_of(trader.get("/accounts/")).count("Renewing") == 3


def test_groups_and_the_mode_in_force_stand_in_the_row(trader, three):
    make_group("family", three[0])
    make_group("IRAs", *three)
    make_mode(Mode.CLOSE_ONLY, ModeScope.GROUP, "family")

    first, second, _ = rows_of(trader.get("/accounts/"))

    assert "IRAs, family" in first
    assert "Close only" in first
    assert "Close only" not in second
    assert 'title="The group is close only: a test says so."' in text_of(trader.get("/accounts/"))


def test_accounts_of_the_other_environment_are_not_shown(trader, three):
    live = make_account(make_login(environment=Environment.LIVE), alias="Real money")

    assert "Real money" not in text_of(trader.get("/accounts/"))
    assert trader.get(f"/accounts/{live.pk}/").status_code == 404
    assert trader.post(f"/accounts/switch/?to=off&only={live.pk}").status_code == 404


@pytest.mark.parametrize(
    ("sort", "wanted"),
    [
        ("", ["Fjord Cap", "alder Trust", "Birch LLC"]),
        ("alias", ["alder Trust", "Birch LLC", "Fjord Cap"]),
        ("-alias", ["Fjord Cap", "Birch LLC", "alder Trust"]),
        ("value", ["alder Trust", "Fjord Cap", "Birch LLC"]),
        ("-value", ["Fjord Cap", "alder Trust", "Birch LLC"]),
        ("gain", ["Fjord Cap", "alder Trust", "Birch LLC"]),
        ("-gain", ["alder Trust", "Fjord Cap", "Birch LLC"]),
        ("kind", ["Fjord Cap", "alder Trust", "Birch LLC"]),
        ("-nonsense", ["Fjord Cap", "alder Trust", "Birch LLC"]),
    ],
)
def test_columns_sort_and_what_is_unknown_comes_last(trader, three, sort, wanted):
    assert aliases_of(trader.get("/accounts/", {"sort": sort})) == wanted


def test_a_head_says_how_it_sorts_and_leads_to_the_other_way(trader, three):
    page = text_of(trader.get("/accounts/", {"sort": "value", "q": "schwab"}))

    assert 'aria-sort="ascending"' in page
    assert 'href="/accounts/?q=schwab&amp;sort=-value"' in page
    assert 'hx-get="/accounts/grid/?q=schwab&amp;sort=value"' in page


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("trust", ["alder Trust"]),
        ("SCHWAB 1", ["Fjord Cap", "alder Trust", "Birch LLC"]),
        ("fam", ["Fjord Cap"]),
        ("cash", ["Fjord Cap"]),
        ("  birch   schwab ", ["Birch LLC"]),
        ("nobody", []),
        ("%", []),
        ("\x00", ["Fjord Cap", "alder Trust", "Birch LLC"]),
    ],
)
def test_accounts_are_found_by_name_login_group_and_type(trader, three, words, wanted):
    make_group("family", three[0])

    assert aliases_of(trader.get("/accounts/", {"q": words})) == wanted


def test_an_account_is_found_by_its_last_digits(trader, three):
    assert aliases_of(trader.get("/accounts/", {"q": three[1].last4})) == ["alder Trust"]


def test_nothing_found_says_so_and_leads_back(trader, three):
    page = text_of(trader.get("/accounts/", {"q": "<b>x"}))

    assert "No account matches “&lt;b&gt;x”." in page
    assert "Show all 3" in page


def test_no_accounts_at_all_say_where_they_come_from(trader, db):
    assert "No accounts yet." in text_of(trader.get("/accounts/"))


def test_an_open_page_is_told_nothing_until_something_changed(agent, fleet):
    sync_accounts(gateway=fleet.gateway, now=timezone.now())
    first = agent.get("/accounts/grid/", headers=HTMX)
    tag = {"HX-PTag": first["HX-PTag"]}
    assert "<html" not in text_of(first)
    assert '<hx-partial hx-target="#sums"' in text_of(first)
    assert agent.get("/accounts/grid/", headers=HTMX | tag).status_code == 304

    sync_accounts(gateway=fleet.gateway, now=timezone.now() + timedelta(seconds=15))

    assert agent.get("/accounts/grid/", headers=HTMX | tag).status_code == 200


def test_a_panel_holds_nothing_of_one_user_and_nothing_he_may_not_do(trader, viewer, three):
    for browser, may in ((trader, True), (viewer, False)):
        panel = text_of(browser.get("/accounts/grid/", headers=HTMX))
        assert "csrf" not in panel
        assert "trader" not in panel
        assert ('role="switch"' in panel) is may
        assert ("data-open" in panel) is may


def test_who_may_only_look_sees_everything_and_changes_nothing(viewer, three):
    page = text_of(viewer.get("/accounts/"))

    assert "22,000.50" in page
    for words in ("REFRESH", 'role="switch"', 'type="checkbox"', ">Edit</a>"):
        assert words not in page
    for address in ("switch/?to=off&all=1", "refresh/?all=1", "group/", f"{three[0].pk}/"):
        assert viewer.post(f"/accounts/{address}").status_code == 403
    assert Account.objects.filter(is_active=True).count() == 3


def test_who_may_only_exit_changes_no_account(client, three):
    client.force_login(User.objects.create_user("closer", role=Role.EXIT_ONLY))

    assert client.get("/accounts/").status_code == 200
    assert client.post(f"/accounts/switch/?to=off&only={three[0].pk}").status_code == 403


def test_strangers_sign_in_first(client, three):
    for address in ("", "grid/", "aum.json", f"{three[0].pk}/"):
        assert client.get(f"/accounts/{address}").status_code == 302


@pytest.mark.parametrize(("accounts", "most_bytes"), [(45, 89_000), (150, 180_000)])
def test_page_and_panel_ask_and_weigh_the_same_however_many_accounts(
    trader, accounts, most_bytes, django_assert_max_num_queries
):
    fill(accounts)
    trader.get("/accounts/")  # the frame is rendered once for all

    with django_assert_max_num_queries(15):
        page = trader.get("/accounts/")
    with django_assert_max_num_queries(13):
        panel = trader.get("/accounts/grid/", headers=HTMX)

    assert len(page.content) < most_bytes
    assert len(panel.content) < most_bytes


def test_more_than_a_hundred_accounts_come_in_pages(trader, db):
    fill(130)

    first, second = trader.get("/accounts/"), trader.get("/accounts/", {"page": "2"})

    assert (len(aliases_of(first)), len(aliases_of(second))) == (100, 30)
    assert 'href="/accounts/?page=2"' in text_of(first)
    assert aliases_of(trader.get("/accounts/", {"page": "99"})) == aliases_of(second)
    assert aliases_of(trader.get("/accounts/", {"page": "x"})) == aliases_of(first)


def test_an_account_that_does_not_exist_is_not_found(trader, three):
    assert trader.get(f"/accounts/{uuid4()}/").status_code == 404
    for address in (f"switch/?to=on&only={uuid4()}", "switch/?to=on&only=x"):
        assert trader.post(f"/accounts/{address}").status_code == 404


def test_hostile_words_are_shown_and_never_run(trader, three):
    Account.objects.filter(pk=three[0].pk).update(alias='<b hx-post="/">"x')

    for address in ("/accounts/", f"/accounts/{three[0].pk}/"):
        assert "<b hx-post" not in text_of(trader.get(address))
