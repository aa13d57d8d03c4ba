"""Write the append-only record; every change of state writes its event in its own transaction."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import models

from accounts.live.asking import asking
from accounts.live.panels import PANELS, Panel, nudge
from accounts.models import AuditEvent

# Which panels show something of a table's rows; of other tables any of them may.
_SHOWN_IN: dict[str, Collection[Panel]] = {
    "accountorder": ("orders", "sets", "fleet"),
    "complexorder": ("orders", "sets", "fleet"),
    "placedorderset": ("sets", "orders"),
    "exitstep": ("sets", "orders"),
    "externalorder": ("positions", "sets"),
    "account": ("accounts", "fleet", "orders", "positions"),
    "brokerlogin": ("accounts", "fleet", "status"),
    "user": (),
}


def event(subject: models.Model | str, kind: str, **fields: Any) -> AuditEvent:
    """Build an event; `fields` are those of AuditEvent, `at` among them."""
    return AuditEvent(subject=subject_of(subject), kind=kind, **fields)


def record(events: Iterable[AuditEvent], *, is_quiet: bool = False) -> None:
    """Write events, in order, and tell open pages of them on commit.

    Args:
        is_quiet: pages are not told, for something is sent to the broker next: pages that read
            the database would hold up the claim. What is recorded of the answers tells them.
    """
    written = AuditEvent.objects.bulk_create(map(signed, events))
    if written and not is_quiet:
        tables = {one.subject.partition(":")[0] for one in written}
        nudge(*{panel for table in tables for panel in _SHOWN_IN.get(table, PANELS)})


def signed(one: AuditEvent) -> AuditEvent:
    """Say in an event whose request made it happen; nobody's outside of one."""
    asked = asking()
    one.request_id, one.address, one.session = asked.request_id, asked.address, asked.session
    return one


def subject_of(subject: models.Model | str) -> str:
    """Return `table:key`, the name a row has in the record."""
    if isinstance(subject, str):
        return subject
    return f"{subject._meta.model_name}:{subject.pk}"
