"""The two ways to the broker: the gateway where calls fan out, `fetch` for a single one."""

from brokerage.schwab.exchange import Call, Exchange, Failure, FailureKind, Reply
from brokerage.transport.fan_out import Gateway
from brokerage.transport.one_off import fetch
from brokerage.transport.process import close_process_gateway, process_gateway

__all__ = [
    "Call",
    "Exchange",
    "Failure",
    "FailureKind",
    "Gateway",
    "Reply",
    "close_process_gateway",
    "fetch",
    "process_gateway",
]
