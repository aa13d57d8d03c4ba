"""API calls about the installation: how everything is, and one run of a beat now."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import MaySync
from accounts.api.inputs import OneOf
from accounts.api.once import once_per_key
from accounts.api.requests import OPTIONAL_KEY
from accounts.domain.beats import Beat
from accounts.domain.words import Mode
from accounts.selectors.modes import modes_in_force
from accounts.services.uptime import uptimes
from accounts.tasks.queue import check_queue
from brokerage.budget import Lane
from orders.selectors.health import BeatShown, Health, SavingsShown, health
from orders.selectors.health_keys import KeyShown
from orders.selectors.table_sizes import table_sizes
from orders.services.sync_costs import sync_cost
from orders.tasks.health import queue_part
from orders.tasks.reading import ring_sync


class PartAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    is_well = serializers.BooleanField()
    words = serializers.CharField()


class BeatAnswer(serializers.Serializer[Any]):
    beat = OneOf(Beat)
    age_s = serializers.FloatField(allow_null=True, help_text="since the last good run")
    is_late = serializers.BooleanField()
    oldest_s = serializers.FloatField(
        allow_null=True, help_text="age of the oldest of what it reads; null: nothing to read"
    )
    orders = serializers.IntegerField(help_text="working orders, or accounts")
    logins = serializers.IntegerField()
    asked = serializers.IntegerField()
    read = serializers.IntegerField()
    put_off = serializers.IntegerField(help_text="logins that had to wait for their budget")
    waiting = serializers.IntegerField(help_text="logins that have not answered yet")
    calls = serializers.IntegerField()
    changed = serializers.IntegerField()
    took_ms = serializers.FloatField(allow_null=True)
    market_open = serializers.BooleanField()


class TroubleAnswer(serializers.Serializer[Any]):
    login = serializers.CharField()
    what = serializers.CharField()
    words = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)


class KeyAnswer(serializers.Serializer[Any]):
    logins = serializers.CharField(help_text="labels; the key itself is never shown")
    used = serializers.IntegerField()
    left = serializers.IntegerField()
    reserve = serializers.IntegerField()
    stopped = serializers.CharField()
    lanes = serializers.DictField(child=serializers.IntegerField())


class BudgetAnswer(serializers.Serializer[Any]):
    per_minute = serializers.IntegerField()
    reserve = serializers.IntegerField()
    words = serializers.CharField(help_text="how old figures get, where many logins share a key")
    keys = KeyAnswer(many=True)


class SavingsAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    calls = serializers.IntegerField()
    every_order = serializers.IntegerField()
    every_working = serializers.IntegerField()
    every_account = serializers.IntegerField()
    points_read = serializers.IntegerField()
    points_kept = serializers.IntegerField()


class ModeShort(serializers.Serializer[Any]):
    name = serializers.CharField()
    mode = OneOf(Mode)
    why = serializers.CharField()


class TableAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    rows = serializers.IntegerField()
    size = serializers.IntegerField(allow_null=True, help_text="bytes; null: not known")
    kept = serializers.CharField()


class AliveAnswer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="a process, a queue, or everything together")
    is_alive = serializers.BooleanField()
    age_s = serializers.FloatField(allow_null=True, help_text="since its last sign of life")
    today = serializers.FloatField(
        allow_null=True, help_text="share of the minutes in which it was there, 0 to 1"
    )
    month = serializers.FloatField(allow_null=True)


class StatusAnswer(serializers.Serializer[Any]):
    is_well = serializers.BooleanField()
    parts = PartAnswer(many=True)
    beats = BeatAnswer(many=True)
    logins = serializers.IntegerField()
    logins_out = serializers.IntegerField(help_text="those that must sign in again")
    troubles = TroubleAnswer(many=True)
    budget = BudgetAnswer()
    savings = SavingsAnswer(many=True)
    alive = AliveAnswer(many=True)
    streams_healthy = serializers.IntegerField()
    streams = serializers.IntegerField()
    mode = ModeShort(many=True)
    tables = TableAnswer(many=True)
    database_bytes = serializers.IntegerField()


class SyncAnswer(serializers.Serializer[Any]):
    beat = OneOf(Beat)
    cost = serializers.CharField()


@extend_schema(responses=StatusAnswer)
@api_view(["GET"])
def status(request: Request) -> Response:
    """Say how database, Redis, beats, logins, budget and streams are, and which modes are set."""
    found = health(queue=queue_part(), now=timezone.now())
    return Response(StatusAnswer(_answer(found)).data)


@extend_schema(parameters=[OPTIONAL_KEY], request=None, responses={202: SyncAnswer})
@api_view(["POST"])
@permission_classes([MaySync])
@once_per_key
def sync(request: Request, name: str) -> Response:
    """Start one run of a beat now: `stocks`, `options` or `accounts`."""
    if name.upper() not in Beat.__members__ or name != name.lower():
        raise Http404
    beat = Beat(name.upper())
    check_queue()
    cost = sync_cost(beat)
    ring_sync(beat, by=request.user.get_username())
    return Response({"beat": beat.value, "cost": cost}, status=202)


def _answer(found: Health) -> dict[str, Any]:
    (healthy, streams), sizes = found.streams, table_sizes()
    return {
        "is_well": found.is_well,
        "parts": found.parts,
        "beats": [_beat(one) for one in found.beats],
        "logins": found.logins,
        "logins_out": found.logins_out,
        "troubles": found.troubles,
        "budget": {
            "per_minute": found.terms.limit,
            "reserve": found.terms.reserve,
            "words": found.shared_key,
            "keys": [_key(one) for one in found.keys],
        },
        "savings": [_saved(one) for one in found.savings],
        "alive": uptimes(now=timezone.now()),
        "streams_healthy": healthy,
        "streams": streams,
        "tables": sizes.tables,
        "database_bytes": sizes.size,
        "mode": [
            {"name": one.name, "mode": one.rule.mode, "why": one.rule.why}
            for one in modes_in_force()
        ],
    }


def _beat(one: BeatShown) -> dict[str, Any]:
    run = one.run
    numbers = ("orders", "logins", "asked", "read", "put_off", "waiting", "calls", "changed")
    return {
        "beat": one.beat.value,
        "age_s": one.age_s,
        "is_late": one.is_late,
        "oldest_s": one.oldest_s,
        **{name: getattr(run, name) if run is not None else 0 for name in numbers},
        "took_ms": one.took_ms,
        "market_open": run.is_open if run is not None else True,
    }


def _key(one: KeyShown) -> dict[str, Any]:
    return {
        "logins": one.logins,
        "used": one.used,
        "left": one.left,
        "reserve": one.reserve,
        "stopped": one.stopped,
        "lanes": {lane.name: calls for lane, calls in zip(Lane, one.lanes, strict=True)},
    }


def _saved(one: SavingsShown) -> dict[str, Any]:
    names = SavingsAnswer().fields.keys() - {"name"}
    return {"name": one.name, **{name: getattr(one.day, name) for name in names}}
