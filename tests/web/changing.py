"""What tests of accounts that are changed look at: events on the page's body, and the record."""

from accounts.models import Account, AuditEvent

# What asked may be gone from the page by then.
ON_BODY = {"target": "body"}


def events(account: Account, kind: str) -> list[tuple[str, str, str]]:
    """Return what was changed of an account: old, new, by whom."""
    rows = AuditEvent.objects.filter(subject=f"account:{account.pk}", kind=kind)
    return [(row.old, row.new, row.actor) for row in rows]
