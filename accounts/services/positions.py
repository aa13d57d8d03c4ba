"""Keep what the broker says that accounts hold: the newest read of each account, and no older."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, ROUND_UP, Context, Decimal
from uuid import UUID

from django.db import DataError, IntegrityError, transaction
from django.db.models import Q

from accounts.models import Account, Position
from brokerage.schwab.replies import AccountReading

log = logging.getLogger(__name__)

Reading = tuple[UUID, AccountReading]
Rows = dict[tuple[UUID, str], Position]

# What keeping a position can raise that no column can hold, an absurd quantity say.
UNKEEPABLE = (DataError, IntegrityError, ArithmeticError)
FIGURES = ["asset_type", "quantity", "average_price", "market_value"]
_FRACTION = Decimal("0.0001")
_CENT = Decimal("0.01")
# As many digits as their columns have: SQLite would keep more, and never read them again.
_FRACTIONS = Context(prec=14, rounding=ROUND_HALF_EVEN)
_CENTS = Context(prec=16, rounding=ROUND_HALF_EVEN)


def keep_positions(readings: Sequence[Reading], *, read_at: datetime) -> None:
    """Make positions of these accounts what the broker said; those that are gone, go.

    An account that was read later than `read_at` keeps what it has. So does one whose positions no
    column can hold, for the others' sake; it stays as old as it was.

    Args:
        readings: reads that asked for positions, by account.
        read_at: when the broker was asked.
    """
    try:
        _keep(readings, read_at)
    except UNKEEPABLE:
        for one in sorted(readings, key=lambda one: one[0]):
            _keep_alone(one, read_at)


def _keep_alone(one: Reading, read_at: datetime) -> None:
    try:
        _keep([one], read_at)
    except UNKEEPABLE:
        log.exception("account %s: what it holds cannot be kept", one[0])


def _keep(readings: Sequence[Reading], read_at: datetime) -> None:
    """Write all accounts at once; what can be done before is not done under the lock."""
    shown: Rows = {}
    for account_id, reading in readings:
        shown |= _rows(account_id, reading, read_at)
    with transaction.atomic():
        ids = _not_read_since([account_id for account_id, _ in readings], read_at)
        if ids:
            Account.objects.filter(pk__in=ids).update(positions_at=read_at)
            _replace({key: row for key, row in shown.items() if key[0] in ids}, ids, read_at)


def _not_read_since(ids: Collection[UUID], read_at: datetime) -> set[UUID]:
    """Return the accounts whose kept read is no newer, locked in one order by every reader."""
    is_older = Q(positions_at__isnull=True) | Q(positions_at__lte=read_at)
    rows = Account.objects.filter(is_older, pk__in=ids).order_by("pk")
    # Orders may be written meanwhile: they only refer to the account.
    return set(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def _replace(shown: Rows, ids: Collection[UUID], read_at: datetime) -> None:
    """Write what differs from what is kept; one statement writes 142 positions or more."""
    positions = Position.objects.filter(account__in=ids)
    kept = {(row.account_id, row.symbol): row for row in positions}
    if gone := [row.pk for key, row in kept.items() if key not in shown]:
        Position.objects.filter(pk__in=gone).delete()
    if kept:
        positions.update(read_at=read_at)
    Position.objects.bulk_create(
        [row for key, row in shown.items() if _differs(row, kept.get(key))],
        update_conflicts=True,
        unique_fields=["account", "symbol"],
        update_fields=[*FIGURES, "read_at"],
    )


def _differs(row: Position, kept: Position | None) -> bool:
    return kept is None or any(getattr(row, name) != getattr(kept, name) for name in FIGURES)


def _rows(account_id: UUID, reading: AccountReading, read_at: datetime) -> Rows:
    """Return one row per symbol, however many the broker shows; none of what is zero."""
    rows: Rows = {}
    for holding in reading.holdings:
        row = Position(
            account_id=account_id,
            symbol=holding.symbol,
            asset_type=holding.asset_type[:24],
            # Away from zero: what looks flat must be.
            quantity=holding.quantity.quantize(_FRACTION, ROUND_UP, _FRACTIONS),
            average_price=_rounded(holding.average_price, _FRACTION, _FRACTIONS),
            market_value=_rounded(holding.market_value, _CENT, _CENTS),
            read_at=read_at,
        )
        same = rows.setdefault((account_id, holding.symbol), row)
        if same is not row:
            _add(same, row)
    return {key: row for key, row in rows.items() if row.quantity}


def _add(row: Position, other: Position) -> None:
    """Add what is shown of the same symbol in another row, long beside short say."""
    row.quantity = (row.quantity + other.quantity).quantize(_FRACTION, context=_FRACTIONS)
    row.average_price = None
    if row.market_value is None or other.market_value is None:
        row.market_value = None
    else:
        row.market_value = _rounded(row.market_value + other.market_value, _CENT, _CENTS)


def _rounded(amount: Decimal | None, step: Decimal, digits: Context) -> Decimal | None:
    """Return it as its column keeps it, so that comparing tells what changed."""
    return None if amount is None else amount.quantize(step, context=digits)
