"""How long each login can still trade, and what stands behind it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Max

from accounts.domain.renewals import AMBER, RED
from accounts.domain.words import LoginStatus
from accounts.models import Account, BrokerLogin, LoginAttempt
from orders.models import AccountOrder, PlacedOrderSet
from orders.selectors.alike import as_read, key_of
from strategies.domain.new_york import EASTERN

AHEAD = timedelta(days=7)
TOGETHER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """What the browser's last sign-in came to."""

    id: UUID
    at: datetime
    ending: str
    words: str


@dataclass(frozen=True, slots=True)
class Runway:
    """One login.

    Args:
        access_ends_at: of the access token, renewed silently; None if it never had one.
        ends_at: when its refresh token dies, and with it all trading.
        accounts: how many are linked; `unlinked` are not any more.
        sets: numbers of the open placed order sets in its accounts.
    """

    id: UUID
    label: str
    status: str
    why: str
    access_ends_at: datetime | None
    ends_at: datetime | None
    accounts: int
    unlinked: int
    sets: frozenset[int]
    renew_at: datetime | None
    is_automatic: bool
    automatic_why: str
    last: LastAttempt | None

    @property
    def needs_login(self) -> bool:
        return self.status in {LoginStatus.LOGIN_REQUIRED, LoginStatus.ERROR}

    def tone(self, now: datetime) -> str:
        """Return the icon that says how urgent it is: red before it is dead."""
        if self.needs_login or self.ends_at is None:
            return "failed"
        if self.ends_at - now < RED:
            return "rejected"
        return "unknown" if self.ends_at - now < AMBER else "filled"


class _Row(NamedTuple):
    """What is read of a login, in the order of _COLUMNS."""

    id: UUID
    label: str
    status: str
    why: str
    access_ends_at: datetime | None
    ends_at: datetime | None
    renew_at: datetime | None
    is_automatic: bool
    automatic_why: str


_COLUMNS = (
    *("pk", "label", "status", "status_reason"),
    *("token__access_expires_at", "token__refresh_expires_at"),
    *("renew_at", "is_automatic", "automatic_why"),
)


def runways() -> list[Runway]:
    """Return every login of this installation, the one that ends first in front."""
    logins = BrokerLogin.objects.filter(environment=settings.ENVIRONMENT)
    rows = [_Row(*row) for row in logins.values_list(*_COLUMNS)]
    ids = [row.id for row in rows]
    linked, unlinked = _counts(ids)
    sets, attempts = open_sets_by_login(), _last_attempts(ids)
    found = [
        _runway(
            row,
            accounts=linked[row.id],
            unlinked=unlinked[row.id],
            sets=frozenset(sets.get(row.id, ())),
            last=attempts.get(row.id),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (not one.needs_login, one.ends_at is None, one.ends_at))


def _runway(
    row: _Row, *, accounts: int, unlinked: int, sets: frozenset[int], last: LastAttempt | None
) -> Runway:
    return Runway(
        id=row.id,
        label=row.label,
        status=row.status,
        why=row.why,
        access_ends_at=row.access_ends_at,
        ends_at=row.ends_at,
        accounts=accounts,
        unlinked=unlinked,
        sets=sets,
        renew_at=row.renew_at,
        is_automatic=row.is_automatic,
        automatic_why=row.automatic_why,
        last=last,
    )


def forecast(rows: Sequence[Runway], *, now: datetime) -> str:
    """Say what loses access next: `3 logins, 11 accounts, 22 open sets lose access Fri … ET`.

    Nothing within a week gives nothing; logins that end within a day of the first count with it.
    """
    ending = [
        (one.ends_at, one)
        for one in rows
        if not one.needs_login and one.ends_at is not None and now < one.ends_at < now + AHEAD
    ]
    if not ending:
        return ""
    first = min(at for at, _ in ending)
    together = [one for at, one in ending if at < first + TOGETHER]
    sets = frozenset[int]().union(*(one.sets for one in together))
    said = ", ".join(
        (
            _count(len(together), "login"),
            _count(sum(one.accounts for one in together), "account"),
            _count(len(sets), "open set"),
        )
    )
    verb = "loses" if len(together) == 1 else "lose"
    from_words = "" if len(together) == 1 else "from "
    return f"{said} {verb} access {from_words}{first.astimezone(EASTERN):%a %b %d %H:%M} ET."


def due_logins(rows: Sequence[Runway], *, now: datetime) -> list[Runway]:
    """Return the logins to connect by hand now: dead ones, and those that end within two days."""
    return [
        one for one in rows if one.needs_login or one.ends_at is None or one.ends_at - now < AMBER
    ]


def open_sets_by_login() -> Mapping[UUID, Collection[int]]:
    """Return the numbers of the sets that are not flat, by the logins of the accounts they fill."""
    # Begun from the few sets that are open, not from the many orders of all times.
    held = PlacedOrderSet.objects.filter(flat_at__isnull=True).order_by().values("order")
    pairs = (
        AccountOrder.objects.filter(filled__gt=0, order__in=held)
        .annotate(key=as_read("account__login"))
        .values_list("key", "order__placed_order_set__pk")
        .distinct()
    )
    found: dict[str | UUID, set[int]] = defaultdict(set)
    for key, set_id in pairs:
        found[key].add(set_id)
    return {key_of(key): sets for key, sets in found.items()}


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _counts(ids: Collection[UUID]) -> tuple[Mapping[UUID, int], Mapping[UUID, int]]:
    linked: dict[UUID, int] = defaultdict(int)
    unlinked: dict[UUID, int] = defaultdict(int)
    rows = Account.objects.filter(login__in=ids).values_list("login_id", "is_linked")
    for login_id, is_linked in rows:
        (linked if is_linked else unlinked)[login_id] += 1
    return linked, unlinked


def _last_attempts(ids: Collection[UUID]) -> Mapping[UUID, LastAttempt]:
    newest = (
        LoginAttempt.objects.filter(login__in=ids)
        .values("login")
        .annotate(at=Max("began_at"))
        .values_list("login", "at")
    )
    wanted = dict(newest)
    rows = LoginAttempt.objects.filter(began_at__in=wanted.values()).values_list(
        "login_id", "pk", "began_at", "ending", "words"
    )
    return {
        login_id: LastAttempt(pk, at, ending, words)
        for login_id, pk, at, ending, words in rows
        if wanted.get(login_id) == at
    }
