"""The shapes of orders in the API: what is taken, and what is given."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.inputs import OneOf, StrictInput
from orders.domain.guards import Guard
from orders.domain.ladders import LONGEST_S, SHORTEST_S, Ladder
from orders.domain.lifecycle import ParentStatus, Purpose, Status
from orders.selectors.choosing import AccountChoice
from strategies.domain.tickets import (
    Duration,
    Instruction,
    Leg,
    OrderType,
    PriceEffect,
    Session,
    Strategy,
    Ticket,
)

MOST_LEGS = 4


@extend_schema_field(OpenApiTypes.INT)
class WholeNumber(serializers.Field[int, Any, int, Any]):
    """A whole number: a JSON integer, or ASCII digits in a text."""

    default_error_messages = {
        "invalid": "Give a whole number.",
        "min_value": "Give at least {low}.",
        "max_value": "Give at most {high}.",
    }

    def __init__(self, *, low: int, high: int, **options: Any) -> None:
        self.low, self.high = low, high
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and data.isascii() and data.isdigit() and len(data) < 12:
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        if data < self.low:
            self.fail("min_value", low=self.low)
        if data > self.high:
            self.fail("max_value", high=self.high)
        return int(data)

    def to_representation(self, value: int) -> int:
        return value


class Price(serializers.DecimalField):
    """USD with at most four decimals, as a text or a JSON number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=12, decimal_places=4, normalize_output=True, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        is_odd_text = isinstance(data, str) and not (data.isascii() and "_" not in data)
        if isinstance(data, bool) or is_odd_text:
            self.fail("invalid")
        return super().to_internal_value(data)


class LegInput(StrictInput):
    symbol = serializers.CharField(max_length=21, trim_whitespace=False)
    instruction = OneOf(Instruction)
    ratio = WholeNumber(low=1, high=100, default=1)


class LadderInput(StrictInput):
    """How a limit is to move: `ladder` in the bodies of orders and exits; USD per unit."""

    step = Price()
    every_s = WholeNumber(low=SHORTEST_S, high=LONGEST_S)
    bound = Price(help_text="the cap of a price that is paid, the floor of one that is received")


def confirmations() -> serializers.ListField:
    """Return the field `confirm`: codes of guards that are overridden."""
    return serializers.ListField(child=OneOf(Guard), default=list, max_length=20)


def ladder_of(body: Mapping[str, Any]) -> Ladder | None:
    """Return the ladder in a checked body, if it has one."""
    given = body.get("ladder")
    return Ladder(**given) if given else None


_IDS = {"type": "array", "items": {"type": "string", "format": "uuid"}, "minItems": 1}


def _one_of_its_kind(name: str, inner: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: inner},
        "required": [name],
        "additionalProperties": False,
    }


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "enum": ["active"]},
            _one_of_its_kind("ids", _IDS),
            _one_of_its_kind("group", {"type": "string"}),
            _one_of_its_kind("except", _IDS),
        ]
    }
)
class AccountsInput(serializers.Field[AccountChoice, Any, Any, Any]):
    """`"active"`, `{"ids": [...]}`, `{"group": "name"}` or `{"except": [...]}`."""

    default_error_messages = {
        # fail() formats its words, so that braces are doubled.
        "invalid": ('Give "active", {{"ids": [...]}}, {{"group": "name"}} or {{"except": [...]}}.'),
        "empty": "Name at least one account.",
    }

    def to_internal_value(self, data: Any) -> AccountChoice:
        if data == "active":
            return AccountChoice()
        if not isinstance(data, Mapping) or len(data) != 1:
            self.fail("invalid")
        match next(iter(data.items())):
            case ("ids", list() as ids):
                return AccountChoice(ids=self._ids(ids))
            case ("except", list() as ids):
                return AccountChoice(leave_out=self._ids(ids))
            case ("group", str() as name) if "\0" not in name:
                return AccountChoice(group=name)
        return self.fail("invalid")

    def to_representation(self, value: Any) -> Any:
        return value

    def _ids(self, ids: list[Any]) -> tuple[UUID, ...]:
        if not ids:
            self.fail("empty")
        try:
            return tuple(sorted({UUID(one) for one in ids}))
        except (ValueError, TypeError, AttributeError):
            return self.fail("invalid")


class OrderInput(StrictInput):
    """The body of POST orders/."""

    strategy = OneOf(Strategy)
    legs: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=LegInput(), allow_empty=False, min_length=1, max_length=MOST_LEGS
    )
    order_type = OneOf(OrderType)
    price_effect = OneOf(PriceEffect, required=False, allow_null=True)
    limit = Price(required=False, allow_null=True)
    stop = Price(required=False, allow_null=True)
    contracts = WholeNumber(low=1, high=100_000)
    duration = OneOf(Duration, default=Duration.DAY.value)
    session = OneOf(Session, default=Session.NORMAL.value)
    accounts = AccountsInput(default=AccountChoice)
    confirm = confirmations()
    ladder = LadderInput(required=False, allow_null=True)

    def ticket(self) -> Ticket:
        """Return the checked body as a ticket."""
        body = self.validated_data
        effect = body.get("price_effect")
        return Ticket(
            strategy=Strategy(body["strategy"]),
            legs=tuple(
                Leg(leg["symbol"], Instruction(leg["instruction"]), leg["ratio"])
                for leg in body["legs"]
            ),
            order_type=OrderType(body["order_type"]),
            contracts=body["contracts"],
            limit=body.get("limit"),
            stop=body.get("stop"),
            price_effect=PriceEffect(effect) if effect else None,
            duration=Duration(body["duration"]),
            session=Session(body["session"]),
        )


class AccountOrderAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="of the account")
    alias = serializers.CharField()
    status = OneOf(Status)
    reason_code = serializers.CharField()
    reason = serializers.CharField()
    contracts = serializers.IntegerField()
    broker_order_id = serializers.CharField(allow_null=True)
    filled = serializers.IntegerField()
    net_price = Price(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)


class LegAnswer(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    instruction = OneOf(Instruction)
    ratio = serializers.IntegerField()


class LadderAnswer(serializers.Serializer[Any]):
    """How the limit moves, or moved until stopped_at."""

    limit = Price(allow_null=True, help_text="where it is now")
    step = Price()
    every_s = serializers.IntegerField()
    bound = Price()
    next_at = serializers.DateTimeField(allow_null=True)
    steps_taken = serializers.IntegerField()
    stopped_at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField(help_text="what it stopped for, or waits for")


class OrderAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    status = OneOf(ParentStatus)
    strategy = OneOf(Strategy)
    name = serializers.CharField()
    underlying = serializers.CharField()
    expiration = serializers.DateField(allow_null=True)
    order_type = OneOf(OrderType)
    price_effect = OneOf(PriceEffect, allow_null=True)
    limit = Price(allow_null=True)
    stop = Price(allow_null=True)
    duration = OneOf(Duration)
    session = OneOf(Session)
    contracts = serializers.IntegerField()
    purpose = OneOf(Purpose)
    created_at = serializers.DateTimeField()
    legs = LegAnswer(many=True)
    accounts = AccountOrderAnswer(many=True)
    broadcast_ms = serializers.FloatField(allow_null=True)
    ladder = LadderAnswer(allow_null=True)


class ExpirationAnswer(serializers.Serializer[Any]):
    expiration = serializers.DateField()
    days = serializers.IntegerField()
    settlement = serializers.CharField()


class ChainRowAnswer(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    strike = Price()
    put_call = OneOf(["PUT", "CALL"])
    bid = Price(allow_null=True)
    ask = Price(allow_null=True)
    mark = Price(allow_null=True)
    delta = serializers.FloatField(allow_null=True)
    iv = serializers.FloatField(allow_null=True)
    open_interest = serializers.IntegerField(allow_null=True)
