"""Set a mode and stop what it forbids and is not sent yet; say what is out already and goes on."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.domain.modes import ModeRule
from accounts.domain.words import Mode, ModeScope
from accounts.models import User
from accounts.services.audit import event, record
from accounts.services.modes import Loosening, ModeChange, name_of, set_mode
from accounts.services.proving import WrongPassword, check_own_password
from accounts.services.tries import TooManyTries
from orders.domain.allocation import blocks
from orders.domain.lifecycle import Purpose, Reason, Status
from orders.models import PriceLadder
from orders.selectors.leaving import Left, covered_orders, left_behind, running_ladders
from orders.services.parents import refresh_parents
from orders.services.patience import patiently
from orders.services.steps import Step, take_steps


class PasswordRequired(Exception):
    """Who opens again must prove who he is. Nothing was changed."""


class MayNotLoosen(Exception):
    """The role may stop trading, but not open it again. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A mode that was set.

    Args:
        skipped: account orders that it stopped before they were sent.
        ladders_stopped: broadcasts whose price does not move any more.
        left: what it leaves behind.
    """

    change: ModeChange
    skipped: int
    ladders_stopped: int
    left: Left


def change_mode(
    wish: ModeRule,
    *,
    by: User | None,
    now: datetime,
    may_loosen: bool = False,
    keeps_words: bool = False,
) -> Frozen:
    """Set a mode as set_mode() does, and stop the READY orders and ladders that it forbids.

    Errors: BadMode, Loosening; nothing is written then.
    """

    def write() -> tuple[ModeChange, int, int]:
        with transaction.atomic():
            change = set_mode(
                scope=wish.scope,
                target=wish.target,
                mode=wish.mode,
                why=wish.why,
                by=by,
                now=now,
                may_loosen=may_loosen,
                keeps_words=keeps_words,
            )
            skipped = _stop_unsent(change.rule, now, name_of(by))
            return change, skipped, _stop_ladders(change.rule, now, name_of(by))

    change, skipped, ladders = patiently(write)
    # Orders that were being written while the mode was: their claim may not have seen it.
    skipped += patiently(lambda: _stop_unsent(change.rule, now, name_of(by)))
    return Frozen(change, skipped, ladders, left_behind(change.rule))


def change_mode_as(user: User, wish: ModeRule, *, password: str, now: datetime) -> Frozen:
    """Change a mode in the name of a user, who proves himself if more is to be allowed.

    Errors: BadMode, PasswordRequired, MayNotLoosen; nothing is written then.
    """
    try:
        return change_mode(wish, by=user, now=now)
    except Loosening:
        # Checked outside of the transaction: a good password check takes its time.
        _check(user, password, now)
        return change_mode(wish, by=user, now=now, may_loosen=True)


def freeze_fleet(*, why: str, by: User, now: datetime) -> Frozen:
    """Freeze everything; a fleet that is frozen already keeps the words it was frozen with."""
    wish = ModeRule(ModeScope.FLEET, "", Mode.FROZEN, why)
    return change_mode(wish, by=by, now=now, keeps_words=True)


def _check(user: User, password: str, now: datetime) -> None:
    if not user.may_trade:
        raise MayNotLoosen("Your role may stop trading, but not open it again. Ask an agent.")
    if not password:
        raise PasswordRequired("This allows what is forbidden now: give your password.")
    try:
        check_own_password(user, password, now=now)
    except (WrongPassword, TooManyTries) as error:
        raise PasswordRequired(f"{error} Nothing was changed.") from None


def _stop_unsent(rule: ModeRule, now: datetime, actor: str) -> int:
    """Skip what waits to be sent and is forbidden now, with the rule's words."""
    forbidden = [purpose for purpose in Purpose if blocks(rule.mode, purpose)]
    if not forbidden:
        return 0
    code = Reason.FROZEN if rule.mode == Mode.FROZEN else Reason.CLOSE_ONLY
    values = {"reason_code": code, "reason": rule.words}
    with transaction.atomic():
        ready = covered_orders(rule).filter(status=Status.READY, purpose__in=forbidden)
        parents = dict(ready.values_list("pk", "order_id"))
        steps = [Step(pk, Status.SKIPPED, values) for pk in parents]
        stopped = take_steps(steps, out_of=[Status.READY], now=now, actor=actor) if steps else set()
        refresh_parents({parents[pk] for pk in stopped})
    return len(stopped)


def _stop_ladders(rule: ModeRule, now: datetime, actor: str) -> int:
    """Stop the ladders whose next step would send what is forbidden now."""
    forbidden = [purpose for purpose in Purpose if blocks(rule.mode, purpose)]
    if not forbidden:
        return 0
    covered = running_ladders(rule).filter(order__purpose__in=forbidden).values_list("pk")
    running = PriceLadder.objects.select_for_update().filter(stopped_at__isnull=True)
    found = list(running.filter(pk__in=covered).order_by("pk").values_list("pk", "order_id"))
    PriceLadder.objects.filter(pk__in=[pk for pk, _ in found]).update(
        stopped_at=now, next_at=None, why=rule.words[:200]
    )
    record(
        event(
            f"complexorder:{order_id}",
            "ladder",
            at=now,
            old="RUNNING",
            new="STOPPED",
            reason=rule.words[:300],
            actor=actor,
        )
        for _, order_id in found
    )
    return len(found)
