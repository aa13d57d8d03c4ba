"""Set the trading mode of the fleet, a group, an account or an underlying: who, why, since when."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain.modes import ModeRule, is_looser
from accounts.domain.words import Mode, ModeScope
from accounts.models import AccountGroup, TradingMode, User
from accounts.selectors import our_accounts
from accounts.services.audit import event, record
from strategies.domain.symbols import InvalidSymbol, check_ticker, underlying_of

LONGEST_WHY = 200
HOST = "host"


class BadMode(ValueError):
    """A mode that cannot be set; its text says why, `field` what is wrong. Nothing was written."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


class Loosening(Exception):
    """The mode would allow what is forbidden now, and nobody said that it may."""


@dataclass(frozen=True, slots=True)
class ModeChange:
    """What is set now and was before; `is_new` says whether this call changed the mode."""

    rule: ModeRule
    before: Mode
    is_new: bool


def set_mode(
    *,
    scope: ModeScope,
    target: str,
    mode: Mode,
    why: str,
    by: User | None,
    now: datetime,
    may_loosen: bool = False,
    keeps_words: bool = False,
) -> ModeChange:
    """Set a mode and record who did and why; the same mode again changes its words at most.

    Args:
        target: empty for the fleet, else the group's name, the account's id or the underlying.
        why: needed for everything but OPEN.
        by: None for somebody on the host.
        may_loosen: what is less strict than before is refused without; decided under the row's
            lock, so that nobody opens by accident what another has just frozen.
        keeps_words: a mode that is in force already keeps the words it was set with.

    Errors: BadMode, Loosening; nothing is written then.
    """
    target, why = _find_target(scope, target, mode), _checked(why, mode)
    with transaction.atomic():
        row = _lock(scope, target, now)
        before = Mode(row.mode)
        if is_looser(mode, before) and not may_loosen:
            raise Loosening(f"{before} → {mode}")
        rule = ModeRule(scope, target, mode, why)
        if mode != before:
            _write(rule, before, by, now, since=now)
        elif mode == Mode.OPEN or keeps_words or why == row.why:
            rule = ModeRule(scope, target, mode, row.why)
        else:
            _write(rule, before, by, now, since=row.since)
    return ModeChange(rule, before, mode != before)


def _find_target(scope: ModeScope, target: str, mode: Mode) -> str:
    """Return the target as its rows name it, if there is such a thing."""
    target = target.strip()
    # What is gone or has another name by now can still be opened.
    if mode == Mode.OPEN and TradingMode.objects.filter(scope=scope, target=target).exists():
        return _not_the_gate(scope, target)
    match scope:
        case ModeScope.GROUP:
            return _group(target)
        case ModeScope.ACCOUNT:
            return _account(target)
        case ModeScope.UNDERLYING:
            return _underlying(target)
    if target:
        raise BadMode("target", "The fleet has no target. Leave it empty.")
    return _not_the_gate(scope, target)


def _not_the_gate(scope: ModeScope, target: str) -> str:
    if scope == ModeScope.GATE:
        raise BadMode("scope", "The gate opens when the start is finished, or on its own page.")
    return target


def _group(target: str) -> str:
    if not AccountGroup.objects.filter(name=target).exists():
        raise BadMode("target", f"There is no group called {target}.")
    return target


def _account(target: str) -> str:
    try:
        pk = UUID(target)
    except ValueError:
        raise BadMode("target", "Give the account's id.") from None
    if not our_accounts().filter(pk=pk).exists():
        raise BadMode("target", "There is no such account.")
    return str(pk)


def _underlying(target: str) -> str:
    try:
        return check_ticker(underlying_of(target.upper()))
    except InvalidSymbol as error:
        raise BadMode("target", str(error)) from None


def _checked(why: str, mode: Mode) -> str:
    why = why.strip()
    if not why and mode != Mode.OPEN:
        raise BadMode("why", "Say why, for everybody who finds it so.")
    if len(why) > LONGEST_WHY:
        raise BadMode("why", f"Say it in at most {LONGEST_WHY} characters.")
    return why


def _lock(scope: ModeScope, target: str, now: datetime) -> TradingMode:
    """Return the target's row, made if there is none, locked until the commit."""
    TradingMode.objects.bulk_create(
        [TradingMode(scope=scope, target=target, mode=Mode.OPEN, since=now)], ignore_conflicts=True
    )
    return TradingMode.objects.select_for_update().get(scope=scope, target=target)


def _write(
    rule: ModeRule, before: Mode, by: User | None, now: datetime, *, since: datetime
) -> None:
    TradingMode.objects.filter(scope=rule.scope, target=rule.target).update(
        mode=rule.mode, why=rule.why, who=by, since=since
    )
    subject = f"mode:{rule.scope}:{rule.target}".removesuffix(":")
    fields = {"old": before, "new": rule.mode, "reason": rule.why, "actor": name_of(by)}
    record([event(subject, "mode", at=now, **fields)])


def name_of(by: User | None) -> str:
    """Return how the record names who set a mode."""
    return HOST if by is None else by.get_username()[:80]
