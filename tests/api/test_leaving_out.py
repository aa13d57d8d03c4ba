"""An account that must not trade is left out, and told why; the others trade."""

from decimal import Decimal
from uuid import UUID

import pytest

from accounts.domain.words import Environment, LoginStatus, Mode, ModeScope
from accounts.models import Account, BrokerLogin
from orders.domain.errors import BadTicket
from orders.models import AccountOrder, ComplexOrder
from orders.selectors.choosing import AccountChoice, choose_accounts
from tests.api.caller import assert_nothing_written, condor, leg, option, problem_of, put, shares
from tests.support.make import make_account, make_group, make_login, make_mode


def shares_of(answer) -> list[tuple[str, str, str]]:
    """Return status, reason code and reason of every account."""
    assert answer.status_code == 201, answer.content
    return [(one["status"], one["reason_code"], one["reason"]) for one in answer.json()["accounts"]]


READY = ("READY", "", "")


def test_an_account_that_is_switched_off(caller, accounts, queue):
    Account.objects.filter(pk=accounts[1].pk).update(is_active=False)

    found = shares_of(caller.order(shares()))

    assert found == [READY, ("SKIPPED", "INACTIVE", "The account is switched off."), READY]


def test_an_account_that_is_switched_off_and_named(caller, accounts, queue):
    Account.objects.filter(pk=accounts[1].pk).update(is_active=False)

    wish = {"ids": [str(accounts[1].pk)]}
    answer = caller.order(shares(accounts=wish))

    assert shares_of(answer)[0][:2] == ("SKIPPED", "INACTIVE")
    assert answer.json()["status"] == "CLOSED_OUT"


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (Mode.FROZEN, "The fleet is frozen: a test says so."),
        (Mode.CLOSE_ONLY, "The fleet is close only: a test says so."),
    ],
)
def test_a_fleet_that_may_not_open_refuses_the_click(caller, accounts, queue, mode, words):
    make_mode(mode)

    assert words in problem_of(caller.order(shares()), 400, "MODE")["detail"]
    assert_nothing_written()


def test_an_account_that_is_frozen(caller, accounts, queue):
    make_mode(Mode.FROZEN, ModeScope.ACCOUNT, str(accounts[0].pk))

    words = "The account is frozen: a test says so."
    assert shares_of(caller.order(shares())) == [("SKIPPED", "FROZEN", words), READY, READY]


def test_a_group_that_is_frozen(caller, accounts, queue):
    make_group("family", accounts[0], accounts[2])
    make_group("friends", accounts[1])
    make_mode(Mode.FROZEN, ModeScope.GROUP, "family")

    skipped = ("SKIPPED", "FROZEN", "The group is frozen: a test says so.")
    assert shares_of(caller.order(shares())) == [skipped, READY, skipped]


def test_an_underlying_that_is_frozen(caller, accounts, queue):
    make_mode(Mode.FROZEN, ModeScope.UNDERLYING, "SPX")

    words = problem_of(caller.order(condor()), 400, "MODE")["detail"]
    assert words.startswith("Nothing can be sent: The underlying is frozen: a test says so.")
    assert shares_of(caller.order(shares())) == [READY] * 3


def test_closing_passes_close_only_but_never_frozen(caller, accounts, queue):
    close = put(legs=[leg(option(6000), "SELL_TO_CLOSE")])
    rule = make_mode(Mode.CLOSE_ONLY)
    assert shares_of(caller.order(close)) == [READY] * 3

    rule.mode = Mode.FROZEN
    rule.save()
    problem_of(caller.order(close), 400, "MODE")


def test_a_mode_that_was_opened_again_stops_nobody(caller, accounts, queue):
    make_mode(Mode.OPEN)

    assert shares_of(caller.order(shares())) == [READY] * 3


def test_a_multiplier_that_leaves_nothing(caller, accounts, queue):
    Account.objects.filter(pk=accounts[0].pk).update(multiplier=Decimal("0.5"))
    Account.objects.filter(pk=accounts[1].pk).update(multiplier=Decimal(2))

    answer = caller.order(condor(contracts=1))

    words = "The multiplier 0.50 leaves no contract."
    assert shares_of(answer) == [("SKIPPED", "SIZED_TO_ZERO", words), READY, READY]
    assert [one["contracts"] for one in answer.json()["accounts"]] == [0, 2, 1]


def test_a_multiplier_is_rounded_down(caller, accounts, queue):
    Account.objects.update(multiplier=Decimal("1.5"))

    answer = caller.order(condor(contracts=3))

    assert [one["contracts"] for one in answer.json()["accounts"]] == [4, 4, 4]


@pytest.mark.parametrize("status", [LoginStatus.LOGIN_REQUIRED, LoginStatus.ERROR])
def test_a_login_that_must_be_connected_again(caller, accounts, queue, status):
    BrokerLogin.objects.update(status=status, status_reason="The token is dead.", label="Schwab 1")

    words = "The login Schwab 1 must be connected again. The token is dead."
    assert shares_of(caller.order(shares())) == [("SKIPPED", "LOGIN_REQUIRED", words)] * 3


def test_a_login_that_is_about_to_expire_still_trades(caller, accounts, queue):
    BrokerLogin.objects.update(status=LoginStatus.EXPIRING)

    assert shares_of(caller.order(shares())) == [READY] * 3


def test_accounts_of_the_other_environment_do_not_exist(caller, accounts, queue):
    live = make_account(make_login(environment=Environment.LIVE))

    assert len(shares_of(caller.order(shares()))) == 3
    answer = caller.order(shares(accounts={"ids": [str(live.pk)]}))
    assert answer.json()["errors"][0]["code"] == "unknown_account"


def test_accounts_can_be_chosen_by_group_and_by_exception(caller, accounts, queue):
    make_group("family", accounts[2], accounts[0])

    for wish in ({"group": "family"}, {"except": [str(accounts[1].pk)]}):
        answer = caller.order(shares(accounts=wish))
        chosen = [one["id"] for one in answer.json()["accounts"]]
        assert chosen == [str(accounts[0].pk), str(accounts[2].pk)]


def test_who_is_left_out_is_fixed_with_the_order(caller, accounts, queue):
    Account.objects.filter(pk=accounts[1].pk).update(is_active=False)

    caller.order(shares())

    kept = ComplexOrder.objects.get().allocation["accounts"]
    assert [(one["contracts"], one["left_out"]) for one in kept] == [
        (10, ""),
        (0, "INACTIVE"),
        (10, ""),
    ]
    assert kept[1]["why"] == "The account is switched off."
    assert AccountOrder.objects.get(status="SKIPPED").reason == "The account is switched off."


def test_a_mistyped_exclusion_is_refused_instead_of_trading_everybody(fleet):
    unknown = "00000000-0000-4000-8000-000000000000"

    with pytest.raises(BadTicket) as refused:
        choose_accounts(AccountChoice(leave_out=(UUID(unknown),)))

    assert [problem.code for problem in refused.value.problems] == ["unknown_account"]
