"""Keep an order as a template of one agent, name and number it, and throw it away."""

from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services.audit import event, record
from orders.domain.saved import LONGEST_NAME, MOST_NUMBERS, write_accounts, write_ticket
from orders.models import SavedOrder
from orders.selectors.choosing import AccountChoice
from strategies.domain.tickets import Ticket


class CannotSave(Exception):
    """The order cannot be kept like this; its words say why. Nothing was written.

    Args:
        field: `name` or `number`.
    """

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


def save_order(
    *,
    agent: User,
    name: str,
    number: int,
    ticket: Ticket,
    choice: AccountChoice,
    now: datetime,
) -> SavedOrder:
    """Keep a ticket with its accounts and its limit; nothing of it is checked or sent.

    Args:
        number: 1 to 8, taken from the saved order that has it; 0 for none.

    Errors: CannotSave for a name that the agent uses already, or none.
    """
    body = write_ticket(ticket)
    body["accounts"] = write_accounts(choice.ids, choice.group, choice.leave_out)
    saved = SavedOrder(agent=agent, ticket=body)
    _write(saved, name, number, kind="saved", now=now)
    return saved


def rename_saved(saved: SavedOrder, *, name: str, number: int, now: datetime) -> SavedOrder:
    """Give a saved order another name or number. Errors: CannotSave."""
    _write(saved, name, number, kind="renamed", now=now)
    return saved


def delete_saved(saved: SavedOrder, *, now: datetime) -> None:
    """Throw a saved order away; orders that were sent from it stay as they are."""
    with transaction.atomic():
        gone = event(saved, "deleted", at=now, old=saved.name, actor=saved.agent.get_username())
        saved.delete()
        record([gone], is_quiet=True)


def _write(saved: SavedOrder, name: str, number: int, *, kind: str, now: datetime) -> None:
    before, saved.name, saved.number = saved.name, _checked(name), number
    if not 0 <= number <= MOST_NUMBERS:
        raise CannotSave("number", f"Choose a number from 1 to {MOST_NUMBERS}, or none.")
    try:
        with transaction.atomic():
            if number:
                same = SavedOrder.objects.filter(agent=saved.agent, number=number)
                same.exclude(pk=saved.pk).update(number=0)
            saved.save()
            actor = saved.agent.get_username()
            done = event(saved, kind, at=now, old=before, new=saved.name, actor=actor)
            record([done], is_quiet=True)
    except IntegrityError:
        words = f"You have a saved order named {saved.name}. Choose another name."
        raise CannotSave("name", words) from None


def _checked(name: str) -> str:
    clean = " ".join(name.split())
    if not clean:
        raise CannotSave("name", "Give it a name.")
    if len(clean) > LONGEST_NAME:
        raise CannotSave("name", f"Use at most {LONGEST_NAME} characters.")
    return clean
