"""Faults that tests lay out for requests to come: what they are, and whom they hit."""

import random
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from brokerage.paper.messages import Request, trader_error

ANY = re.compile(r"")
NEVER = re.compile(r"(?!)")
ORDER = re.compile(r"^(POST|PUT) /trader/v1/accounts/[^/]+/orders(/[^/]+)?$")
CANCEL = re.compile(r"^DELETE /trader/v1/accounts/[^/]+/orders/[^/]+$")
ORDER_READ = re.compile(r"^GET /trader/v1/(accounts/[^/]+/)?orders(/[^/]+)?$")
LOGIN_PAGE = re.compile(r"^GET /ui/page$")
LIST = re.compile(
    r"^GET /trader/v1/(accounts(/accountNumbers)?|(accounts/[^/]+/)?(orders|transactions))$"
)

# Each fault with the requests that can suffer it; others pass it by and leave it for the next.
KINDS: dict[str, re.Pattern[str]] = {
    "delay": ANY,
    "drop_before": ANY,
    "drop_after": ANY,
    "never_answer_after": ANY,
    "http_500": ANY,
    "http_500_after": ANY,
    "http_400_500_body": ANY,
    "http_429": ANY,
    "http_401": ANY,
    "html_403": ANY,
    "redirect": ANY,
    "bad_json": ANY,
    "truncated": ANY,
    "drip": ANY,
    "no_location": ORDER,
    "wrong_location": ORDER,
    "reject": ORDER,
    "partial_fill": ORDER,
    "late_listing": ORDER,
    "cut_list": LIST,
    "unknown_status": ORDER_READ,
    "fill_on_cancel": CANCEL,
    "login_page": LOGIN_PAGE,
    "stream_cut": NEVER,  # it happens to streams, not to requests
}
STREAM_CUT, STREAM_CUT_USUALLY = "stream_cut", "drop"


@dataclass(slots=True)
class Fault:
    """One fault that waits for its requests.

    Args:
        name: which fault; a key of KINDS.
        path: a part of the path; empty for every path.
        account: hash; empty for every account, and for requests without one.
        times: uses that are left.
        delay_s: before the request is handled; for late_listing how long the order stays hidden.
        body: what the fault says or does, by its name.
    """

    id: int
    name: str
    method: str
    path: str
    account: str
    times: int
    probability: float
    delay_s: float
    body: Any = None
    retry_after: Any = None

    def fits(self, request: Request, account: str | None) -> bool:
        """Tell whether this request can suffer the fault."""
        return (
            self.method in ("", request.method)
            and self.path in request.path
            and self.account in ("", account)
            and KINDS[self.name].search(f"{request.method} {request.path}") is not None
        )

    @property
    def way(self) -> str:
        """In which way a stream is cut."""
        return self.body if isinstance(self.body, str) else STREAM_CUT_USUALLY

    def to_json(self) -> dict[str, Any]:
        """Describe the fault in the fields it was laid out with."""
        return {
            "id": self.id,
            "fault": self.name,
            "method": self.method or None,
            "path": self.path or None,
            "account": self.account or None,
            "times": self.times,
            "probability": self.probability,
            "delay_ms": self.delay_s * 1000,
            "body": self.body,
        }


class Faults:
    """The faults that are laid out, oldest first."""

    def __init__(self, *, seed: int) -> None:
        self._faults: list[Fault] = []
        self._last_id = 0
        self._dice = random.Random(seed)  # noqa: S311 - it only decides whom a fault hits

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Lay out a fault.

        Raises:
            Refused: there is no such fault, or a field makes no sense.
        """
        name = wanted.get("fault")
        if name not in KINDS:
            raise trader_error(400, f"There is no fault {name!r}. Use one of {', '.join(KINDS)}.")
        self._last_id += 1
        fault = Fault(
            id=self._last_id,
            name=name,
            method=str(wanted.get("method") or "").upper(),
            path=str(wanted.get("path") or ""),
            account=str(wanted.get("account") or ""),
            times=max(1, int(_number(wanted, "times", 1))),
            probability=_number(wanted, "probability", 1),
            delay_s=_number(wanted, "delay_ms", 0) / 1000,
            body=wanted.get("body"),
            retry_after=wanted.get("retry_after"),
        )
        self._faults.append(fault)
        return fault

    def take(self, request: Request, account: str | None) -> Fault | None:
        """Use up the oldest fault that hits this request."""
        for fault in self._faults:
            if fault.fits(request, account) and self._dice.random() < fault.probability:
                self.use_up(fault)
                return fault
        return None

    def take_stream(self, ways: Collection[str], accounts: Collection[str]) -> Fault | None:
        """Use up the oldest fault of these ways that hits the stream of these accounts."""
        for fault in self._faults:
            if fault.name == STREAM_CUT and fault.way in ways and fault.account in ("", *accounts):
                self.use_up(fault)
                return fault
        return None

    def use_up(self, fault: Fault) -> None:
        """Count one use; after the last one the fault is gone."""
        fault.times -= 1
        if fault.times <= 0:
            self._faults.remove(fault)

    def list(self) -> list[dict[str, Any]]:
        """Describe the faults that still wait."""
        return [fault.to_json() for fault in self._faults]

    def remove(self, fault_id: int) -> bool:
        """Take one fault back; tell whether it was there."""
        kept = [fault for fault in self._faults if fault.id != fault_id]
        was_there = len(kept) < len(self._faults)
        self._faults = kept
        return was_there

    def clear(self) -> None:
        """Take all faults back."""
        self._faults.clear()


def _number(wanted: dict[str, Any], name: str, usual: float) -> float:
    value = wanted.get(name)
    if value is None:
        return usual
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < float("inf"):
        raise trader_error(400, f"'{value}' is not a valid value for {name}")
    return number
