"""A program of somebody else's that signs what it sends to a hook."""

import json
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from accounts.domain.signing import signature
from accounts.models import Hook, User
from accounts.services.hooks import add_hook

ADDRESS = "/api/v1/hooks/saved-order/"


@dataclass
class HookProgram:
    """Calls a hook with its secret; what a test does not name is right."""

    hook: Hook
    secret: str
    client: Client = field(default_factory=Client)

    def call(
        self,
        saved_order: Any = "Mine",
        *,
        body: bytes | None = None,
        delivery: Any = None,
        age_s: float = 0,
        sent: bytes | None = None,
        **headers: str,
    ) -> Any:
        """Sign a body and send it, or send another one in its place."""
        body = json.dumps({"saved_order": saved_order}).encode() if body is None else body
        delivery, timestamp = str(delivery or uuid4()), int(time.time() - age_s)
        signed = signature(self.secret, timestamp=timestamp, delivery=delivery, body=body)
        given = {
            "Tradeswim-Hook": str(self.hook.pk),
            "Tradeswim-Delivery": delivery,
            "Tradeswim-Timestamp": str(timestamp),
            "Tradeswim-Signature": signed,
            **{f"Tradeswim-{name}": value for name, value in headers.items()},
        }
        return self.client.post(
            ADDRESS, body if sent is None else sent, "application/json", headers=given
        )


def make_program(agent: User, name: str = "signals") -> HookProgram:
    made = add_hook(name=name, agent=agent, actor="owner", now=timezone.now())
    assert isinstance(made.row, Hook)
    return HookProgram(made.row, made.secret)
