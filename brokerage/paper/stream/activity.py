"""Write what happens to an order as Schwab's ACCT_ACTIVITY messages tell it."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from brokerage.paper.execution import VENUE
from brokerage.paper.happenings import Happening, Kind
from brokerage.paper.orders import Order, OrderLeg
from strategies.domain.new_york import EASTERN

SCALE = 6
Message = tuple[str, str]
Event = dict[str, Any]

# The name of what is in an event, by the event's type; an option order is an EquityOrder, too.
INNER = {
    "OrderCreated": "OrderCreatedEventEquityOrder",
    "OrderAccepted": "OrderAcceptedEvent",
    "ChangeCreated": "ChangeCreatedEventEquityOrder",
    "ChangeAccepted": "ChangeAcceptedEvent",
    "ExecutionRequested": "ExecutionRequestedEventRoutedInfo",
    "ExecutionRequestCreated": "ExecutionRequestCreatedEvent",
    "ExecutionRequestCompleted": "ExecutionRequestCompletedEvent",
    "ExecutionCreated": "ExecutionCreatedEventExecutionInfo",
    "CancelAccepted": "CancelAcceptedEvent",
    "OrderUROutCompleted": "OrderUROutCompletedEvent",
    "OrderFillCompleted": "OrderFillCompletedEventOrderLegQuantityInfo",
    "OrderExpired": "OrderExpiredEvent",
}
TYPE_CODES = {
    "MARKET": "Market",
    "LIMIT": "Limit",
    "STOP": "Stop",
    "STOP_LIMIT": "StopLimit",
    "NET_DEBIT": "Limit",
    "NET_CREDIT": "Limit",
    "NET_ZERO": "Limit",
}
LIMIT_TYPES = {"NET_DEBIT": "Net_Debit", "NET_CREDIT": "Net_Credit", "NET_ZERO": "Even"}


def messages(happening: Happening, account_number: str) -> Iterator[Message]:
    """Write one thing that happened as message types with their JSON texts, in order."""
    match happening.kind:
        case Kind.PLACED:
            events = _placed("Order", happening)
        case Kind.REPLACED:
            events = _replaced(happening)
        case Kind.REJECTED:
            events = _rejected(happening)
        case Kind.FILLED:
            events = _filled(happening)
        case Kind.CANCELED:
            events = _canceled(happening)
        case Kind.EXPIRED:
            events = _expired(happening)
    for order, kind, inner in events:
        yield kind, _text(order, account_number, kind, inner)


def decimal(value: Decimal | int) -> Mapping[str, object]:
    """Write a number in protobuf-net's layout; zero has no `lo`."""
    lo = int(abs(value) * 10**SCALE)
    sign_scale = {"signScale": SCALE << 1 | (value < 0)}
    return {"lo": str(lo), **sign_scale} if lo else sign_scale


def eastern(at: float) -> Mapping[str, str]:
    """Write a time as messages do: Eastern, without saying so."""
    moment = datetime.fromtimestamp(at, UTC).astimezone(EASTERN)
    return {"DateTimeString": f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"}


Told = tuple[Order, str, Event]


def _text(order: Order, account_number: str, kind: str, inner: Event) -> str:
    envelope = {
        "SchwabOrderID": str(order.id),
        "AccountNumber": account_number,
        "BaseEvent": {"EventType": kind, INNER[kind]: inner},
    }
    return json.dumps(envelope, separators=(",", ":"))


def _placed(word: str, happening: Happening, **more: object) -> Iterator[Told]:
    """Tell that an order, or a change of one, was taken, and that it went to an exchange."""
    order, at = happening.order, eastern(happening.at)
    yield order, f"{word}Created", {**more, "EventTime": at, **_description(happening)}
    yield order, f"{word}Accepted", {"EventTime": at, "CreatedTimeStamp": at}
    if happening.is_routed:
        yield from _routed(happening, "New")


def _routed(happening: Happening, request: str) -> Iterator[Told]:
    order, at = happening.order, eastern(happening.at)
    route = {"RouteName": VENUE, "RouteSequenceNumber": 1, "RouteRequestedType": request}
    yield order, "ExecutionRequested", {**route, "RouteRequestedTime": at}
    if request == "New":
        yield order, "ExecutionRequestCreated", {**route, "RouteRequestedTime": at}
    answer: Event = (
        {"ResponseType": "Accepted", "RouteStatus": "RouteFixAcknowledged"}
        if request == "New"
        else {"ResponseType": 7, "RouteStatus": 8}
    )
    yield order, "ExecutionRequestCompleted", {**route, **answer, "RouteAcknowledgmentTime": at}


def _replaced(happening: Happening) -> Iterator[Told]:
    new, old, at = happening.order, happening.instead_of, eastern(happening.at)
    if old is None:
        return
    new_id = str(new.id)
    yield from _placed(
        "Change", happening, ParentSchwabOrderID=str(old.id), LifecycleSchwabOrderID=str(old.id)
    )
    changed = {"ChangedNewOrderID": new_id, "ChangedNewSchwabOrderId": new_id}
    yield old, "CancelAccepted", {"EventTime": at, "LifecycleSchwabOrderID": str(old.id), **changed}
    for number, leg in enumerate(old.spec.legs, start=1):
        yield old, "OrderUROutCompleted", _out(old, number, leg, old.remaining, "Change")


def _rejected(happening: Happening) -> Iterator[Told]:
    order = happening.order
    yield order, "OrderCreated", {"EventTime": eastern(happening.at), **_description(happening)}
    rule = {
        "SchwabOrderID": str(order.id),
        "NgOMSRuleName": "Order_Sys_0001",
        "NgOMSRuleDescription": order.status_text or "",
    }
    for number, leg in enumerate(order.spec.legs, start=1):
        out = _out(order, number, leg, order.spec.units, "SystemReject")
        yield order, "OrderUROutCompleted", {**out, "ValidationDetail": [rule]}


def _filled(happening: Happening) -> Iterator[Told]:
    """Tell of a fill leg by leg."""
    order, is_whole = happening.order, happening.filled == happening.order.spec.units
    pairs = zip(order.spec.legs, happening.leg_prices, strict=True)
    for number, (leg, price) in enumerate(pairs, start=1):
        state = {
            "LegId": _leg_id(order, number),
            "LegStatus": "LegClosed" if is_whole else "LegOpen",
            "LegSubStatus": "LegSubStatusFilled" if is_whole else "LegSubStatusPartiallyFilled",
        }
        figures = {
            "QuantityInfo": _quantities(happening, number, leg, price),
            "ExecutionInfo": _execution(happening, number, leg, price),
            "OrderInfoForTransactionPosting": _posting(order, leg),
        }
        yield order, "OrderFillCompleted", {**state, **figures}


def _canceled(happening: Happening) -> Iterator[Told]:
    order, at = happening.order, eastern(happening.at)
    yield order, "CancelAccepted", {"EventTime": at, "LifecycleSchwabOrderID": str(order.id)}
    yield from _routed(happening, "Cancel")
    out = {"ExecutionTransType": "UROut", "ExecutionTimeStamp": at, "RouteName": VENUE}
    yield order, "ExecutionCreated", out
    for number, leg in enumerate(order.spec.legs, start=1):
        outcome = _out(order, number, leg, happening.units, "ClientCancel")
        yield order, "OrderUROutCompleted", outcome


def _expired(happening: Happening) -> Iterator[Told]:
    order = happening.order
    for number, leg in enumerate(order.spec.legs, start=1):
        left = decimal(leg.ratio * happening.units)
        yield (
            order,
            "OrderExpired",
            {
                "LegID": _leg_id(order, number),
                "ExpirationType": "DayOrderExpiry",
                "LeavesQuantity": left,
                "CancelQuantity": left,
                "LegStatus": "LegClosed",
                "LegSubStatus": "LegSubStatusExpired",
            },
        )


def _quantities(happening: Happening, number: int, leg: OrderLeg, price: Decimal) -> Event:
    left = happening.order.spec.units - happening.filled
    return {
        "ExecutionID": _execution_id(happening, number),
        "CumulativeQuantity": decimal(leg.ratio * happening.filled),
        "LeavesQuantity": decimal(leg.ratio * left),
        "AveragePrice": decimal(price),
    }


def _execution(happening: Happening, number: int, leg: OrderLeg, price: Decimal) -> Event:
    return {
        "ExecutionSequenceNumber": number,
        "ExecutionId": _execution_id(happening, number),
        "ExecutionQuantity": decimal(leg.ratio * happening.units),
        "ExecutionPrice": decimal(price),
        "ExecutionTimeStamp": eastern(happening.at),
        "ExecutionTransType": "Fill",
        "RouteName": VENUE,
        "Exchange": VENUE,
    }


def _execution_id(happening: Happening, number: int) -> str:
    return f"{happening.order.id}.{happening.filled}.{number}"


def _posting(order: Order, leg: OrderLeg) -> Event:
    limit = {} if order.spec.limit is None else {"LimitPrice": decimal(order.spec.limit)}
    return {
        **limit,
        "OrderTypeCode": TYPE_CODES[order.spec.order_type],
        "OpenClosePositionCode": "PC_Open" if leg.instruction.opens else "PC_Close",
        "BuySellCode": _side(leg),
        "Quantity": decimal(leg.quantity),
        "Symbol": leg.symbol,
    }


def _out(order: Order, number: int, leg: OrderLeg, units: int, why: str) -> Event:
    return {
        "LegId": _leg_id(order, number),
        "ExecutionId": "",
        "LeavesQuantity": decimal(0),
        "CancelQuantity": decimal(leg.ratio * units),
        "LegStatus": "LegClosed",
        "LegSubStatus": "LegSubStatusCancelled",
        "OutCancelType": why,
    }


def _description(happening: Happening) -> Event:
    """Describe an order with its legs."""
    order = happening.order
    spec, is_option = order.spec, order.spec.legs[0].is_option
    described: Event = {
        "OrderInstruction": {"ExecutionStrategy": _strategy(order)},
        "AssetType": f"MajorAssetType_Equity{'Option' if is_option else ''}",
        "TimeInForce": "Day" if spec.duration == "DAY" else spec.duration.title().replace("_", ""),
        "OrderTypeCode": TYPE_CODES[spec.order_type],
        "TradeTag": order.tag,
        "OrderLegs": [_leg(order, number, leg) for number, leg in enumerate(spec.legs, start=1)],
        "EquityOrder": {"TradingSessionCodeOnOrder": "REG", **_combination(order)},
    }
    return {"Order": {"Order": {"AssetOrderEquityOrderLeg": described}}}


def _strategy(order: Order) -> Event:
    limit = order.spec.limit
    if limit is None:
        return {"Type": f"ES_{TYPE_CODES[order.spec.order_type]}"}
    return {"Type": "ES_Limit", "LimitExecutionStrategy": {"LimitPrice": decimal(limit)}}


def _combination(order: Order) -> Event:
    if not order.spec.is_spread:
        return {}
    kind = {"MultiLegLimitPriceType": LIMIT_TYPES.get(order.spec.order_type, "")}
    return {
        "MultiLegStrategyType": order.spec.complex_type.title(),
        "OptionsInfo": {"EquityOptionsInfo": kind},
    }


def _leg(order: Order, number: int, leg: OrderLeg) -> Event:
    position = {"OpenClosePositionCode": "PC_Open" if leg.instruction.opens else "PC_Close"}
    return {
        "LegID": _leg_id(order, number),
        "LegParentSchwabOrderID": str(order.id),
        "Quantity": decimal(leg.quantity),
        "LeavesQuantity": decimal(leg.quantity),
        "BuySellCode": _side(leg),
        "Security": {"Symbol": leg.symbol},
        "EquityOrderLeg": {"EquityOptionsOrderLeg": position} if leg.is_option else {},
    }


def _leg_id(order: Order, number: int) -> str:
    """Name a leg: the only one has its order's number."""
    return str(order.id) if len(order.spec.legs) == 1 else f"{order.id}{number}"


def _side(leg: OrderLeg) -> str:
    return "Buy" if leg.sign > 0 else "Sell"
