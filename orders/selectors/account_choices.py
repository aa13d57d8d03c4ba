"""Which accounts a ticket may go to, as choices of a form."""

from django.db.models import Count, Q

from accounts.models import AccountGroup
from accounts.selectors import our_accounts
from orders.selectors.choosing import AccountChoice

ALL_ACTIVE = "active"
GROUP = "group:"


def account_choices() -> list[tuple[str, str]]:
    """Return which accounts a ticket may go to, with words: all active ones, or a group's."""
    counts = our_accounts().aggregate(all=Count("pk"), active=Count("pk", filter=Q(is_active=True)))
    groups = AccountGroup.objects.order_by("name").values_list("name", flat=True)
    return [
        (ALL_ACTIVE, f"All active ({counts['active']} of {counts['all']})"),
        *((f"{GROUP}{name}", f"Group {name}") for name in groups),
    ]


def read_choice(value: str) -> AccountChoice:
    """Turn the value of one of these choices into a choice of accounts."""
    return AccountChoice(group=value.removeprefix(GROUP) if value.startswith(GROUP) else None)
