"""The record in the administration: searched, narrowed, and never changed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet

from accounts.admin.rows import Rows
from accounts.admin.site import administration
from accounts.models import AuditEvent
from accounts.selectors import recent_words


class _AmongNewest(admin.SimpleListFilter):
    """Offers the words of the newest events: all there are would be a walk through the table."""

    column: str

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word) for word in recent_words(self.column)]

    def queryset(self, request: Any, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        word = self.value()
        return queryset.filter(**{self.column: word}) if word else queryset


class ByKind(_AmongNewest):
    title, parameter_name = "kind", "kind"
    column = "kind"


class ByActor(_AmongNewest):
    title, parameter_name = "who", "actor"
    column = "actor"


@admin.register(AuditEvent, site=administration)
class RecordAdmin(Rows):
    """The same rows as the page of the record, for looking things up by row."""

    list_display = ["moment", "subject", "kind", "old", "new", "reason", "actor", "address"]
    list_filter = [ByKind, ByActor, "at"]
    search_fields = ["=subject", "reason", "=actor", "=request_id"]
    search_help_text = "A whole subject (table:key), actor or request id; or words of a reason."
    ordering = ["-id"]

    @admin.display(description="at (UTC)", ordering="id")
    def moment(self, obj: AuditEvent) -> str:
        return f"{obj.at:%Y-%m-%d %H:%M:%S}"

    def subject_of(self, obj: Any) -> str:
        return obj.subject if obj else ""
