"""Start the deployment: send nothing left over, read what the broker has, then open the gate."""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.fields import key_ring
from accounts.models import Account, AuditEvent
from accounts.services.alarms import raise_alarm
from accounts.services.asking import FanOut
from accounts.services.audit import event, record
from accounts.services.gate import STARTING, Gate, describe_gate, find_gate, open_gate
from accounts.services.instances import Beginning, begin_run, last_sign_before_start
from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.replies import BrokerOrder
from orders.domain.lifecycle import Reason, Status
from orders.domain.matching import OUR_TAG
from orders.models import AccountOrder, ComplexOrder, ExternalOrder
from orders.services.applying import UNKEEPABLE, apply_reading
from orders.services.parents import refresh_parents
from orders.services.resurrecting import GIVEN_UP
from orders.services.settling import candidate
from orders.services.start_reads import askable_logins, read_logins
from orders.services.steps import Step, take_steps

log = logging.getLogger(__name__)

READ = "read at start"
UNSENT = "Not sent: Tradeswim was started again before it was. Nothing is at the broker."
CUT_OFF = "Tradeswim ended before an answer was recorded: it may or may not be at the broker."
# The clocks of two machines, and the time of a pulse.
SIGN_MARGIN = timedelta(seconds=60)
NEWER = (
    "The broker has orders of ours that this database does not know, newer than itself "
    "(a restored backup?). Look at the orders, then open trading."
)
ORPHANS = "The broker shows {} sent in our name that we do not know: {}. Look at the account."


@dataclass(frozen=True, slots=True)
class Opening:
    """How an attempt to open the gate ended; `words` say why it is closed."""

    is_open: bool
    is_held: bool = False
    words: str = ""
    missing: str = ""


def start_deployment(*, now: datetime) -> Beginning:
    """Close the gate and give up everything that was left to be sent; no worker runs yet.

    Errors: RunsElsewhere; nothing is changed then.
    """
    beginning = begin_run(has_orders=ComplexOrder.objects.exists(), now=now)
    _give_up(Status.READY, Status.FAILED_TO_PLACE, Reason.STALE_UNSENT, UNSENT, now)
    _give_up(Status.SUBMITTING, Status.UNKNOWN, Reason.LEASE_OVER, CUT_OFF, now)
    return beginning


def _give_up(old: Status, to: Status, code: Reason, words: str, now: datetime) -> None:
    rows = AccountOrder.objects.filter(status=old).values_list("pk", "order_id")
    values: dict[str, Any] = {"reason_code": code, "reason": words}
    found = dict(rows)
    with transaction.atomic():
        steps = [Step(pk, to, values) for pk in found]
        moved = take_steps(steps, out_of=[old], now=now, actor="start") if steps else set()
        refresh_parents({found[pk] for pk in moved})


def try_to_open(*, gateway: FanOut, now: datetime) -> Opening:
    """Read the logins that were not read since the start, and open the gate when all were.

    A gate that is held is read for too, so that an agent sees what he has to look at; it stays
    closed. Safe to run twice at once.
    """
    gate = find_gate()
    if gate is None:
        return Opening(is_open=True)
    missing = _read_missing(gate, gateway, now)
    if missing:
        describe_gate(f"{STARTING}{missing}", now=now)
    elif gate.is_held:
        return _closed(gate, "")
    else:
        open_gate(now=now)
    gate = find_gate()
    return Opening(is_open=True) if gate is None else _closed(gate, missing)


def _closed(gate: Gate, missing: str) -> Opening:
    return Opening(is_open=False, is_held=gate.is_held, words=gate.words, missing=missing)


def _read_missing(gate: Gate, gateway: FanOut, now: datetime) -> str:
    """Read what is missing; say what still is."""
    wanted = set(_unread(gate))
    if not wanted:
        return ""
    last_sign_at = last_sign_before_start()
    reads = read_logins(wanted, since=last_sign_at, gateway=gateway, now=now)
    complete = [login_id for login_id in wanted if login_id not in reads.silent]
    for login_id in complete:
        _keep(login_id, reads.shown[login_id], last_sign_at, now)
    at = max(now, gate.since)  # a clock set back must not let it be read for ever
    record(
        event(f"brokerlogin:{login_id}", READ, at=at, data={"orders": len(reads.shown[login_id])})
        for login_id in complete
    )
    return _missing_words(_unread(gate), reads.silent)


def _unread(gate: Gate) -> dict[UUID, str]:
    """Return the labels of the logins that can be asked and were not read since the start."""
    events = AuditEvent.objects.filter(kind=READ, at__gte=gate.since)
    read = set(events.values_list("subject", flat=True))
    logins = askable_logins().values_list("pk", "label")
    return {pk: label for pk, label in logins if f"brokerlogin:{pk}" not in read}


def _missing_words(unread: dict[UUID, str], silent: dict[UUID, str]) -> str:
    if not unread:
        return ""
    count = f"{len(unread)} logins" if len(unread) > 1 else "one login"
    whys = [f"{label} ({silent.get(pk, 'not asked yet')})" for pk, label in unread.items()]
    return f"the orders of {count} could not be read yet: {', '.join(whys)}."


def _keep(
    login_id: UUID, orders: Sequence[BrokerOrder], last_sign_at: datetime | None, now: datetime
) -> None:
    """Take over what a login's list says of our orders, and keep those nobody knows."""
    accounts = dict(Account.objects.filter(login=login_id).values_list("number_index", "pk"))
    by_account: dict[UUID, dict[str, BrokerOrder]] = defaultdict(dict)
    for order in orders:
        index = key_ring().blind_index(order.account_number, column="number")
        if index in accounts:
            by_account[accounts[index]][order.order_id] = order
    for account_id, shown in by_account.items():
        owned = _owned(account_id, shown)
        _apply([(pk, shown[name]) for name, pk in owned.items()], now)
        strange = [order for name, order in shown.items() if name not in owned]
        _keep_orphans(account_id, strange, last_sign_at, now)


def _owned(account_id: UUID, names: Collection[str]) -> dict[str, UUID]:
    rows = AccountOrder.objects.filter(account=account_id, broker_order_id__in=list(names))
    return {name: pk for name, pk in rows.values_list("broker_order_id", "pk") if name}


def _apply(readings: Sequence[tuple[UUID, BrokerOrder]], now: datetime) -> None:
    try:
        apply_reading(readings, now=now)
    except UNKEEPABLE:  # the polls, which begin at once, write what can be written of it
        log.exception("what the broker shows at the start cannot be kept")


def _keep_orphans(
    account_id: UUID, orders: Sequence[BrokerOrder], last_sign_at: datetime | None, now: datetime
) -> None:
    """Keep orders that carry our tag and belong to nobody; newer ones than us hold the gate."""
    orphans = _orphans(account_id, [one for one in orders if one.tag.startswith(OUR_TAG)])
    if not orphans:
        return
    newest = max((one.entered_at for one in orphans if one.entered_at), default=None)
    names = ", ".join(one.order_id for one in orphans)
    count = "an order" if len(orphans) == 1 else f"{len(orphans)} orders"
    words = ORPHANS.format(count, names)
    subject = f"account:{account_id}"
    with transaction.atomic():
        rows = [candidate(account_id, one, now=now) for one in orphans]
        ExternalOrder.objects.bulk_create(rows, ignore_conflicts=True)
        record([event(subject, "orphans", at=now, reason=words[:300], actor="start")])
        raise_alarm("ORPHAN", subject, words, now=now)
        if newest and last_sign_at and newest > last_sign_at + SIGN_MARGIN:
            describe_gate(NEWER, now=now)


def _orphans(account_id: UUID, tagged: Sequence[BrokerOrder]) -> list[BrokerOrder]:
    """Leave out what is known, and what reconciliation looks for: that one decides about it."""
    if not tagged:
        return []
    external = ExternalOrder.objects.filter(account=account_id)
    known = set(external.values_list("broker_order_id", flat=True))
    sought = set(
        AccountOrder.objects.filter(
            Q(status=Status.UNKNOWN) | Q(status=Status.FAILED_TO_PLACE, reason_code__in=GIVEN_UP),
            account=account_id,
        ).values_list("fingerprint", flat=True)
    )
    return [
        one for one in tagged if one.order_id not in known and fingerprint(one.raw) not in sought
    ]
