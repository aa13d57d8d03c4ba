"""Which accounts a ticket may go to, as choices of a form."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.models import AccountGroup
from accounts.selectors import our_accounts
from orders.selectors.choosing import AccountChoice

ALL_ACTIVE = "active"
ONLY, ALL_BUT = "only", "except"
GROUP = "group:"


@dataclass(frozen=True, slots=True)
class AccountMenu:
    """What a ticket offers to choose from.

    Args:
        choices: value and words: all active ones, each group, only some, all but some.
        accounts: id and alias of every account in grid order, and whether it is switched on.
    """

    choices: Sequence[tuple[str, str]]
    accounts: Sequence[tuple[UUID, str, bool]]


def account_choices() -> AccountMenu:
    """Return which accounts a ticket may go to."""
    accounts = list(our_accounts().values_list("pk", "alias", "is_active"))
    active = sum(is_active for _, _, is_active in accounts)
    groups = AccountGroup.objects.order_by("name").values_list("name", flat=True)
    return AccountMenu(
        choices=[
            (ALL_ACTIVE, f"All active ({active} of {len(accounts)})"),
            *((f"{GROUP}{name}", f"Group {name}") for name in groups),
            (ONLY, "Only those ticked"),
            (ALL_BUT, "All but those ticked"),
        ],
        accounts=accounts,
    )


def read_choice(value: str, ticked: Collection[UUID] = ()) -> AccountChoice:
    """Turn the value of one of these choices, and the accounts ticked, into a choice."""
    if value == ONLY:
        return AccountChoice(ids=tuple(sorted(ticked)))
    if value == ALL_BUT:
        return AccountChoice(leave_out=tuple(sorted(ticked)))
    return AccountChoice(group=value.removeprefix(GROUP) if value.startswith(GROUP) else None)
