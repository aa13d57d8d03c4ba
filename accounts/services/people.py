"""Users: who may sign in, with which role."""

from datetime import datetime

from django.db import transaction

from accounts.domain.words import Role
from accounts.models import User
from accounts.services.audit import event, record


def set_agent(*, name: str, password: str, now: datetime) -> User:
    """Make sure that an agent of this name exists and signs in with this password."""
    with transaction.atomic():
        user, is_new = User.objects.get_or_create(username=name, defaults={"role": Role.AGENT})
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
            record([event(user, "password set", at=now, new="new user" if is_new else "")])
    return user
