"""Hooks and receivers: make them, switch them, give them new secrets; take what comes to a hook."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.domain.allow_list import NotAllowed
from accounts.domain.happenings import Channel, Kind
from accounts.domain.signing import new_secret
from accounts.fields import seal_for
from accounts.models import Hook, HookDelivery, Receiver, User
from accounts.services.audit import event, record


class BadHook(ValueError):
    """A hook or receiver that cannot be made; its words say why. Nothing was written."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


class DeliveryUsed(Exception):
    """The delivery came before, with another body or in vain. Nothing was placed."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, and its secret: this is the only time that anybody sees it."""

    row: Hook | Receiver
    secret: str = field(repr=False)


def add_hook(*, name: str, agent: User, actor: str, now: datetime) -> Made:
    """Make a hook for an agent. Errors: BadHook."""
    if not agent.may_trade:
        raise BadHook("agent", "Only who may trade can have a hook.")
    secret = new_secret()
    row = Hook(id=uuid4(), name=_named(name), agent=agent, secret=secret)
    return _add(row, secret, {"agent": agent.get_username()}, actor, now)


def add_receiver(
    *, name: str, url: str, kinds: Collection[Kind], actor: str, now: datetime
) -> Made:
    """Make a receiver at an allowed address; no kinds are all kinds. Errors: BadHook."""
    try:
        settings.WEBHOOKS_TO.check_url(url)
    except NotAllowed as error:
        raise BadHook("url", str(error)) from None
    secret, chosen = new_secret(), sorted(kinds)
    row = Receiver(
        id=uuid4(),
        name=_named(name),
        channel=Channel.WEBHOOK,
        url=url,
        secret=secret,
        kinds=chosen,
    )
    # The host alone: others put a key of theirs behind it.
    facts = {"host": urlsplit(url).netloc, "kinds": chosen}
    return _add(row, secret, facts, actor, now)


def renew_secret(row: Hook | Receiver, *, actor: str, now: datetime) -> Made:
    """Give it another secret; with the old one nothing is taken any more."""
    secret = new_secret()
    sealed = seal_for(type(row), "secret", row.pk, secret)
    with transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(secret=sealed)
        record([event(row, "secret renewed", at=now, new=row.name[:40], actor=actor)])
    return Made(row, secret)


def switch(row: Hook | Receiver, *, is_enabled: bool, actor: str, now: datetime) -> None:
    """Let it act, or not; what waits for a receiver waits on."""
    with transaction.atomic():
        rows = type(row).objects.filter(pk=row.pk).exclude(is_enabled=is_enabled)
        if rows.update(is_enabled=is_enabled):
            new = "ENABLED" if is_enabled else "DISABLED"
            record([event(row, "switched", at=now, new=new, actor=actor)])


def remove(row: Hook | Receiver, *, actor: str, now: datetime) -> None:
    """Throw it away, with its secret and what waits for it; the record keeps that it was there."""
    with transaction.atomic():
        gone = event(row, "removed", at=now, old=row.name[:40], actor=actor)
        row.delete()
        record([gone])


def take_delivery(
    hook: Hook, *, delivery: UUID, body: bytes, saved_order: str, now: datetime
) -> HookDelivery:
    """Keep a delivery, or find it if it came before.

    Errors: DeliveryUsed if it came before with another body.
    """
    digest = hashlib.sha256(body).hexdigest()
    given = {"digest": digest, "received_at": now, "saved_order": saved_order[:60]}
    with transaction.atomic():
        row, is_new = HookDelivery.objects.get_or_create(
            hook=hook, delivery=delivery, defaults=given
        )
        if is_new:
            data = {"delivery": str(delivery), "key": str(row.pk), "saved": row.saved_order}
            record([event(hook, "delivered", at=now, actor=f"hook {hook.name}", data=data)])
    if row.digest != digest:
        raise DeliveryUsed("This delivery id came before with another body. Use a new one.")
    return row


def refuse_delivery(row: HookDelivery, why: str, *, now: datetime) -> None:
    """Keep that a delivery made no order: it never will."""
    with transaction.atomic():
        HookDelivery.objects.filter(pk=row.pk).update(refused=why[:300])
        data = {"saved": row.saved_order}
        actor = f"hook {row.hook.name}"
        refused = event(row.hook, "refused", at=now, reason=why[:300], actor=actor, data=data)
        record([refused])


def _named(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > 60:
        raise BadHook("name", "Give it a name of at most 60 characters.")
    return clean


def _add(
    row: Hook | Receiver, secret: str, data: Mapping[str, object], actor: str, now: datetime
) -> Made:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            record([event(row, "added", at=now, new=row.name[:40], actor=actor, data=dict(data))])
    except IntegrityError:
        raise BadHook("name", "There is one of this name already.") from None
    return Made(row, secret)
