"""Take the second factors from a user who lost them: on the host, and nowhere else."""

from datetime import datetime

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.models import User
from accounts.services.audit import event, record
from accounts.services.modes import HOST
from accounts.services.tries import OF_FACTOR, OF_PROOF, forget_tries


def reset_second_factor(user: User, *, now: datetime) -> int:
    """Remove app, passkeys and recovery codes and end his sessions; return how many factors went.

    Whoever has his phone may have his browser, too.
    """
    with transaction.atomic():
        gone = user.totp_secrets.all().delete()[0] + user.passkeys.all().delete()[0]
        user.recovery_codes.all().delete()
        _end_sessions(user, now)
        record([event(user, "second factors reset", at=now, actor=HOST, data={"removed": gone})])
    for cap in (OF_FACTOR, OF_PROOF):
        forget_tries(cap, str(user.pk))
    return gone


def _end_sessions(user: User, now: datetime) -> None:
    """End his sessions of pages and programs; whose a session is stands in it alone."""
    alive = Session.objects.filter(expire_date__gt=now)
    his = [one.pk for one in alive if one.get_decoded().get(SESSION_KEY) == str(user.pk)]
    Session.objects.filter(pk__in=his).delete()
    user.api_refreshes.filter(session_key__in=his).delete()
