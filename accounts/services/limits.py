"""The limits of the pre-trade guards as rows that an admin edits."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.domain.limits import RULES, LimitName, Limits, limits_of, why_not
from accounts.models import Limit
from accounts.prepared import Prepared
from accounts.services.alarms import raise_alarm
from accounts.services.audit import event, record


class SenselessLimit(ValueError):
    """A value that makes no sense for its limit; its text says which do."""


def ensure_limits(using: str = "default") -> None:
    """Write a row with the default for every limit that has none; what is there stays."""
    Limit.objects.using(using).bulk_create(
        [
            Limit(name=name.value, value=rule.default, about=rule.about)
            for name, rule in RULES.items()
        ],
        ignore_conflicts=True,
    )


def read_limits() -> Limits:
    """Return the limits in force, in one query."""
    return limits_of(_limits.rows())


_limits = Prepared(lambda: Limit.objects.values_list("name", "value"))


def set_limit(*, name: LimitName, value: Decimal, actor: str, now: datetime) -> bool:
    """Change a limit, record who did and raise an alarm; False if it had this value already.

    Errors: SenselessLimit; nothing is written then.
    """
    if words := why_not(name, value):
        raise SenselessLimit(words)
    ensure_limits()
    with transaction.atomic():
        old = Limit.objects.select_for_update().values_list("value", flat=True).get(name=name)
        if old == value:
            return False
        Limit.objects.filter(name=name).update(value=value)
        change = {"old": f"{old.normalize():f}", "new": f"{value.normalize():f}"}
        record([event(f"limit:{name}", "limit", at=now, actor=actor, **change)])
        # Somebody else sees it, too, before what it allows is forgotten.
        words = f"{actor} changed {name} from {change['old']} to {change['new']}."
        raise_alarm("LIMIT_CHANGED", f"limit:{name}", words, now=now)
    return True
