"""Checks of what is in the database: nothing may be missing, or unknown to this program."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from accounts.domain.words import Mode, ModeScope
from accounts.models import TradingMode
from orders.domain.lifecycle import Status
from orders.models import AccountOrder
from tradeswim.checks.rules import TAG

NEWER = "Run the version of the program that wrote it, or a later one."


# Of deployment, so that `migrate` may run on a database that is not yet as it must be.
@register(TAG, Tags.database, deploy=True)
def check_rows(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Compare migrations and stored words with those that this code knows."""
    found = []
    for alias in databases or ():
        found += _check_migrations(alias) or _check_words(alias)
    return found


def _check_migrations(alias: str) -> list[CheckMessage]:
    executor = MigrationExecutor(connections[alias])
    loader = executor.loader
    known = set(loader.disk_migrations) | set(loader.replacements)
    later = [
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in loader.migrated_apps and (app, name) not in known
    ]
    if later:
        return [_error("E071", f"The database is newer than the program: {_few(later)}.", NEWER)]
    missing = [str(step) for step, _ in executor.migration_plan(loader.graph.leaf_nodes())]
    if missing:
        fact = f"The database is older than the program: {_few(missing)} missing."
        return [_error("E070", fact, "Run `manage.py migrate`.")]
    return []


def _check_words(alias: str) -> list[CheckMessage]:
    orders = AccountOrder.objects.using(alias)
    modes = TradingMode.objects.using(alias)
    unknown = {
        "E072": ("account orders have the status", _strange(orders, "status", Status)),
        "E073": ("trading modes are", _strange(modes, "mode", Mode)),
        "E074": ("trading modes have the scope", _strange(modes, "scope", ModeScope)),
    }
    return [
        _error(rule, f"Some {words} {_few(found)}, which this program does not know.", NEWER)
        for rule, (words, found) in unknown.items()
        if found
    ]


def _strange(rows: Any, column: str, words: Iterable[str]) -> list[str]:
    strange = rows.exclude(**{f"{column}__in": [str(word) for word in words]})
    return list(strange.order_by(column).values_list(column, flat=True).distinct()[:3])


def _few(names: list[str]) -> str:
    return ", ".join(sorted(names)[:3])


def _error(rule: str, fact: str, remedy: str) -> CheckMessage:
    return Error(fact, hint=remedy, id=f"{TAG}.{rule}")
