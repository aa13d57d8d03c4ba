"""Take the second factors from a user who lost them: on the host, and nowhere else."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services.audit import event, record
from accounts.services.modes import HOST
from accounts.services.session_ends import BY_HOST, end_all_sessions
from accounts.services.tries import OF_FACTOR, OF_PROOF, forget_tries


def reset_second_factor(user: User, *, now: datetime) -> int:
    """Remove app, passkeys and recovery codes and end his sessions; return how many factors went.

    Whoever has his phone may have his browser, too.
    """
    with transaction.atomic():
        gone = user.totp_secrets.all().delete()[0] + user.passkeys.all().delete()[0]
        user.recovery_codes.all().delete()
        end_all_sessions(user, actor=HOST, reason=BY_HOST, now=now)
        record([event(user, "second factors reset", at=now, actor=HOST, data={"removed": gone})])
    for cap in (OF_FACTOR, OF_PROOF):
        forget_tries(cap, str(user.pk))
    return gone
