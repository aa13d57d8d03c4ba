"""Who trades from the command line."""

from django.core.management.base import CommandError

from accounts.domain.words import Role
from accounts.models import User


def find_agent(name: str | None) -> User:
    """Return the agent of this name, or the only one beside admins. Errors: CommandError."""
    agents = [user for user in User.objects.filter(is_active=True) if user.may_trade]
    found = [user for user in agents if name in {None, user.get_username()}]
    if name is None:
        found = [user for user in found if user.role == Role.AGENT] or found
    if len(found) != 1:
        names = ", ".join(user.get_username() for user in agents) or "none"
        raise CommandError(f"Name the agent with --agent. There are: {names}.")
    return found[0]
