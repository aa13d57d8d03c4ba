"""Reads of modes: what is frozen or may only be closed, for rules and for pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from accounts.domain.modes import ModeRule, is_looser
from accounts.domain.words import Mode, ModeScope
from accounts.models import Account, TradingMode
from accounts.prepared import Prepared


@dataclass(frozen=True, slots=True)
class ModeInForce:
    """A mode somebody set, for pages and API.

    Args:
        name: what it is set for, in words: `Fleet`, `Group family`, `Alder Trust 1`, `SPX`.
        who: the user; empty if it was set on the host, or by the start.
    """

    rule: ModeRule
    name: str
    who: str
    since: datetime


def mode_rules() -> list[ModeRule]:
    """Return every mode in force other than OPEN."""
    return [
        ModeRule(ModeScope(scope), target, Mode(mode), why)
        for scope, target, mode, why in _shut.rows()
    ]


_shut = Prepared(
    lambda: TradingMode.objects.exclude(mode=Mode.OPEN).values_list(
        "scope", "target", "mode", "why"
    )
)


def modes_in_force() -> list[ModeInForce]:
    """Return every mode other than OPEN, a closed gate among them: strictest first, then newest."""
    rows = list(_shown_modes().exclude(mode=Mode.OPEN).order_by("-since", "-pk"))
    return _named(sorted(rows, key=lambda row: is_looser(Mode(row.mode), Mode.FROZEN)))


def get_mode(scope: ModeScope, target: str) -> ModeInForce:
    """Return what is set for one target, OPEN too. Errors: TradingMode.DoesNotExist."""
    return _named([_shown_modes().get(scope=scope, target=target)])[0]


def _shown_modes() -> QuerySet[TradingMode]:
    return TradingMode.objects.select_related("who")


def _named(rows: Sequence[TradingMode]) -> list[ModeInForce]:
    ids = [row.target for row in rows if row.scope == ModeScope.ACCOUNT]
    aliases = dict(Account.objects.filter(pk__in=ids).values_list("pk", "alias")) if ids else {}
    names = {str(pk): alias for pk, alias in aliases.items()}
    return [
        ModeInForce(
            ModeRule(ModeScope(row.scope), row.target, Mode(row.mode), row.why),
            _name(row, names),
            row.who.get_username() if row.who else "",
            row.since,
        )
        for row in rows
    ]


def _name(row: TradingMode, aliases: Mapping[str, str]) -> str:
    match row.scope:
        case ModeScope.GROUP:
            return f"Group {row.target}"
        case ModeScope.ACCOUNT:
            return aliases.get(row.target, "An account that is gone")
        case ModeScope.UNDERLYING:
            return row.target
    return "Fleet"
