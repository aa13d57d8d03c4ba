"""Addresses that sessions are tried at, and what is on record of those that ended."""

from typing import Any

from django.db.models import QuerySet

from accounts.models import AuditEvent
from tests.web.browsing import HTMX

POLL = {**HTMX, "X-Unasked": "1"}
LIST = "/settings/sessions/"
FLEET = "/desk/fleet/"


def ended(**fields: Any) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(kind="session ended", **fields)
