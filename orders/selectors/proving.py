"""Whether an agent must prove who he is before he sends: where money is real, now and then."""

from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import User
from orders.models import ComplexOrder
from strategies.domain.new_york import midnight

LONGEST = timedelta(hours=12)
FIRST_OF_DAY = "It is your first order of the day with real money: give your password."
LONG_SESSION = "You signed in more than 12 hours ago: give your password."


def why_prove(user: User, *, proved_at: datetime | None, now: datetime) -> str:
    """Say why the next order needs the agent's password; nothing where it does not.

    Args:
        proved_at: when this session gave it last to send something; None if it never did.
    """
    if settings.IS_PAPER:
        return ""
    given = [at for at in (proved_at, user.last_login) if at is not None]
    if not given or now - max(given) > LONGEST:
        return LONG_SESSION
    morning = midnight(now)
    if proved_at is not None and proved_at >= morning:
        return ""
    has_sent = ComplexOrder.objects.filter(agent=user, clicked_at__gte=morning).exists()
    return "" if has_sent else FIRST_OF_DAY
