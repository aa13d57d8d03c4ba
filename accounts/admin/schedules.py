"""The beat's schedule in the administration."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from accounts.admin.rows import AnyModelForm, Rows
from accounts.admin.site import administration
from accounts.domain.schedules import PERIODS, why_not
from accounts.services.schedules import BadPeriod, set_period


class PeriodForm(AnyModelForm):
    """Takes only a period that makes sense for this beat."""

    seconds = forms.IntegerField(label="Every (seconds)")

    class Meta:
        model = PeriodicTask
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bounds = PERIODS[self.instance.name]
        self.initial["seconds"] = self.instance.interval and self.instance.interval.every
        self.fields["seconds"].help_text = f"From {bounds.low} to {bounds.high}."

    def clean_seconds(self) -> int:
        seconds: int = self.cleaned_data["seconds"]
        if words := why_not(self.instance.name, seconds):
            raise ValidationError(words)
        return seconds


@admin.register(PeriodicTask, site=administration)
class ScheduleAdmin(Rows):
    """Periods are edited within bounds; what runs, and at which time of day, is the code's."""

    refusals = (BadPeriod,)
    list_display = ["name", "task", "period", "last_run_at", "total_run_count"]
    ordering = ["name"]

    @admin.display(description="schedule")
    def period(self, obj: PeriodicTask) -> str:
        return str(obj.interval or obj.crontab or "")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        is_edited = self.has_change_permission(request, obj)
        return [*self.list_display, *(["seconds"] if is_edited else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.list_display

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        is_edited = self.has_change_permission(request, obj)
        form = PeriodForm if is_edited else AnyModelForm
        return super().get_form(request, obj, change, form=form, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        set_period(
            name=obj.name,
            seconds=form.cleaned_data["seconds"],
            actor=str(request.user),
            now=timezone.now(),
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_edited = obj is None or (obj.name in PERIODS and obj.interval is not None)
        return administration.has_permission(request) and is_edited

    def subject_of(self, obj: Any) -> str:
        return f"schedule:{obj.name}" if obj else ""
