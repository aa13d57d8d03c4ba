"""Setting a mode: who, why and since when; what is looser only by those who say so."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.domain.words import Environment, Mode, ModeScope
from accounts.models import AccountGroup, AuditEvent, TradingMode
from accounts.selectors.modes import mode_rules, modes_in_force
from accounts.services.gate import close_gate
from accounts.services.modes import BadMode, Loosening, set_mode
from tests.support.make import make_account, make_group, make_login, make_user

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def agent():
    return make_user(username="ann")


def put(mode, scope=ModeScope.FLEET, target="", *, why="news", by=None, now=NOW, **more):
    return set_mode(scope=scope, target=target, mode=mode, why=why, by=by, now=now, **more)


def events():
    rows = AuditEvent.objects.filter(kind="mode").order_by("id")
    return list(rows.values_list("subject", "old", "new", "reason", "actor"))


def test_a_mode_is_in_force_with_who_why_and_since(agent):
    change = put(Mode.FROZEN, why="  earnings  ", by=agent)

    assert (change.before, change.is_new) == (Mode.OPEN, True)
    (shown,) = modes_in_force()
    assert (shown.rule.mode, shown.rule.why) == (Mode.FROZEN, "earnings")
    assert (shown.name, shown.who, shown.since) == ("Fleet", "ann", NOW)
    assert events() == [("mode:FLEET", "OPEN", "FROZEN", "earnings", "ann")]


def test_the_same_again_changes_nothing_and_is_recorded_once(agent):
    put(Mode.FROZEN, by=agent)

    again = put(Mode.FROZEN, now=LATER)

    assert (again.before, again.is_new) == (Mode.FROZEN, False)
    (shown,) = modes_in_force()
    assert (shown.who, shown.since) == ("ann", NOW)
    assert len(events()) == 1


def test_another_why_is_kept_but_the_mode_is_as_old_as_it_was(agent):
    put(Mode.FROZEN)
    put(Mode.FROZEN, why="still news", by=agent, now=LATER)

    (shown,) = modes_in_force()
    assert (shown.rule.why, shown.who, shown.since) == ("still news", "ann", NOW)
    assert events()[-1] == ("mode:FLEET", "FROZEN", "FROZEN", "still news", "ann")


def test_who_only_freezes_again_does_not_write_over_the_reason(agent):
    put(Mode.FROZEN, why="earnings", by=agent)

    change = put(Mode.FROZEN, why="by a button", now=LATER, keeps_words=True)

    assert change.rule.words == "The fleet is frozen: earnings."
    assert modes_in_force()[0].rule.why == "earnings"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Mode.FROZEN, Mode.CLOSE_ONLY),
        (Mode.FROZEN, Mode.OPEN),
        (Mode.CLOSE_ONLY, Mode.OPEN),
    ],
)
def test_what_is_looser_is_refused_unless_it_may_be(before, after):
    put(before)

    with pytest.raises(Loosening):
        put(after, why="") if after == Mode.OPEN else put(after)
    assert [rule.mode for rule in mode_rules()] == [before]
    assert len(events()) == 1

    assert put(after, why="all is well", may_loosen=True).is_new
    assert [rule.mode for rule in mode_rules()] == [after] * (after != Mode.OPEN)
    assert events()[-1][1:4] == (before, after, "all is well")


def test_who_opened_and_why_stays_on_record_and_on_the_row(agent):
    put(Mode.FROZEN)
    put(Mode.OPEN, why="", by=agent, now=LATER, may_loosen=True)

    row = TradingMode.objects.get()
    assert (row.mode, row.why, row.who, row.since) == ("OPEN", "", agent, LATER)
    assert modes_in_force() == []
    assert put(Mode.FROZEN, now=LATER).before == Mode.OPEN


def test_stricter_needs_no_leave():
    put(Mode.CLOSE_ONLY)

    assert put(Mode.FROZEN).before == Mode.CLOSE_ONLY


def test_every_target_has_its_own_mode_and_is_named_for_people():
    account = make_account(alias="Alder Trust 1")
    make_group("family", account)

    put(Mode.CLOSE_ONLY)
    put(Mode.FROZEN, ModeScope.GROUP, "family")
    put(Mode.FROZEN, ModeScope.ACCOUNT, str(account.pk).upper())
    put(Mode.CLOSE_ONLY, ModeScope.UNDERLYING, " $spx ")

    assert {(one.name, one.rule.target) for one in modes_in_force()} == {
        ("Fleet", ""),
        ("Group family", "family"),
        ("Alder Trust 1", str(account.pk)),
        ("SPX", "SPX"),
    }
    assert [one.rule.mode for one in modes_in_force()] == [Mode.FROZEN] * 2 + [Mode.CLOSE_ONLY] * 2


@pytest.mark.parametrize(
    ("typed", "kept"), [("spxw", "SPX"), ("aapl", "AAPL"), ("BRK/B", "BRK/B"), ("$NDX", "NDX")]
)
def test_an_underlying_is_kept_under_its_common_name(typed, kept):
    assert put(Mode.FROZEN, ModeScope.UNDERLYING, typed).rule.target == kept


@pytest.mark.parametrize(
    ("scope", "target", "field"),
    [
        (ModeScope.FLEET, "AAPL", "target"),
        (ModeScope.GROUP, "", "target"),
        (ModeScope.GROUP, "nobody", "target"),
        (ModeScope.ACCOUNT, "", "target"),
        (ModeScope.ACCOUNT, "Alder Trust 1", "target"),
        (ModeScope.ACCOUNT, "3f0e7e6a-6d6f-4f0e-9d5b-0a5d1f1f0001", "target"),
        (ModeScope.UNDERLYING, "", "target"),
        (ModeScope.UNDERLYING, "NOT A TICKER", "target"),
        (ModeScope.GATE, "", "scope"),
    ],
)
def test_a_mode_is_for_something_that_exists(scope, target, field):
    with pytest.raises(BadMode) as error:
        put(Mode.FROZEN, scope, target)

    assert error.value.field == field
    assert not TradingMode.objects.exists()


def test_the_gate_is_not_opened_as_a_mode():
    close_gate("Held by a test.", now=NOW)

    with pytest.raises(BadMode):
        put(Mode.OPEN, ModeScope.GATE, may_loosen=True)
    assert TradingMode.objects.get().mode == "FROZEN"


def test_an_account_of_another_environment_is_none_of_ours():
    stranger = make_account(make_login(environment=Environment.LIVE))

    with pytest.raises(BadMode, match="no such account"):
        put(Mode.FROZEN, ModeScope.ACCOUNT, str(stranger.pk))


def test_a_group_that_is_gone_can_still_be_opened():
    make_group("family")
    put(Mode.FROZEN, ModeScope.GROUP, "family")
    AccountGroup.objects.all().delete()

    with pytest.raises(Loosening):
        put(Mode.OPEN, ModeScope.GROUP, "family")
    put(Mode.OPEN, ModeScope.GROUP, "family", may_loosen=True)

    assert mode_rules() == []


def test_an_account_that_is_gone_is_called_so():
    TradingMode.objects.create(
        scope=ModeScope.ACCOUNT, target=str(uuid4()), mode=Mode.FROZEN, since=NOW
    )

    assert modes_in_force()[0].name == "An account that is gone"


@pytest.mark.parametrize(
    ("why", "words"), [("", "Say why"), ("   ", "Say why"), ("x" * 201, "at most 200")]
)
def test_why_is_said_and_short(why, words):
    with pytest.raises(BadMode, match=words) as error:
        put(Mode.FROZEN, why=why)

    assert error.value.field == "why"
    assert not TradingMode.objects.exists()


def test_what_is_open_already_stays_as_it_is(agent):
    put(Mode.OPEN, why="", by=agent)

    assert modes_in_force() == []
    assert events() == []
