"""Hands of an admin: where a row is changed, and what is on record of it."""

from typing import Any

from django.urls import reverse

from accounts.models import AuditEvent


def page_of(row: Any, kind: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{kind}", args=[row.pk])


def told_of(subject: str) -> list[tuple[str, str, str, str]]:
    rows = AuditEvent.objects.filter(subject=subject).order_by("pk")
    return list(rows.values_list("kind", "old", "new", "actor"))
