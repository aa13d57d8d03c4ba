"""The claim's one UPDATE against its specification in plain Python, on rows made at random."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, product
from random import Random
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.domain.words import Mode, ModeScope
from accounts.models import Account, TradingMode, User
from orders.domain.lifecycle import UNRESOLVED, Status
from orders.models import AccountOrder, ComplexOrder
from orders.services.claiming import claim
from tests.support.make import make_account, make_login, make_mode, make_user
from tests.unit.orders.protocol.claimable import may_claim

NOW = timezone.now()
INSTANT = timedelta(microseconds=1)
MOMENTS = [NOW - INSTANT, NOW, NOW + INSTANT]
BLOCKED = {(Mode.FROZEN, "OPEN"), (Mode.FROZEN, "CLOSE"), (Mode.CLOSE_ONLY, "OPEN")}


@dataclass(frozen=True)
class Sketch:
    """An account order to be: `account` 2 is switched off, `is_rung` ones are to be claimed."""

    account: int
    fingerprint: str
    status: Status
    deadline_at: datetime
    not_before: datetime | None
    purpose: str
    is_rung: bool

    @property
    def twins(self) -> tuple[int, str]:
        return self.account, self.fingerprint


SKETCHES = [
    Sketch(*parts)
    for parts in product(
        (0, 1, 2),
        ("one", "other"),
        (*[Status.READY] * 8, *sorted(UNRESOLVED) * 2, *Status),
        (*MOMENTS, MOMENTS[-1], MOMENTS[-1]),
        (None, None, *MOMENTS),
        ("OPEN", "CLOSE"),
        (True, True, False),
    )
]


def _six(seed: int) -> list[Sketch]:
    """Spread rows evenly: hypothesis itself likes rows that are alike, which show nothing."""
    return Random(seed).choices(SKETCHES, k=6)  # noqa: S311 - no secret comes of it


sketches = st.integers(0, 2**32 - 1).map(_six)
modes = st.sampled_from([None, None, None, *Mode])


def _possible(drawn: list[Sketch]) -> list[Sketch]:
    """Leave out what the database forbids, and twins in one message: it has one broadcast's."""
    kept: list[Sketch] = []
    for _, twins in groupby(sorted(drawn, key=lambda one: one.twins), key=lambda one: one.twins):
        found = list(twins)
        unresolved = [one for one in found if one.status in UNRESOLVED]
        ready = [one for one in found if one.status == Status.READY and one.is_rung]
        rest = [one for one in found if one not in unresolved and one not in ready]
        kept += unresolved[:1] + ready[:1] + rest
    return kept


@pytest.fixture
def accounts(db) -> list[Account]:
    login = make_login()
    return [make_account(login, is_active=active) for active in (True, True, False)]


@pytest.fixture
def agent(db) -> User:
    return make_user()


@given(drawn=sketches, mode=modes)
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_claim_takes_what_its_specification_allows_and_nothing_else(accounts, agent, drawn, mode):
    _forget()
    rows = {_make(sketch, accounts, agent): sketch for sketch in _possible(drawn)}
    if mode is not None:
        make_mode(mode, ModeScope.UNDERLYING, "AAPL")
    rung = [pk for pk, sketch in rows.items() if sketch.is_rung]

    won = claim(rung, clock=lambda: NOW)

    allowed = {pk for pk in rung if _may_claim(rows[pk], rows.values(), mode)}
    assert {one.child_id for one in won} == allowed
    for child in AccountOrder.objects.all():
        assert child.status == _status_after(rows[child.pk], child.pk in allowed, mode)
        assert (child.claimed_at, child.sends) == ((NOW, 1) if child.pk in allowed else (None, 0))


def _make(sketch: Sketch, accounts: list[Account], agent: User) -> UUID:
    order = ComplexOrder.objects.create(
        agent=agent, idempotency_key=uuid4(), clicked_at=NOW, contracts=1, underlying="AAPL"
    )
    return AccountOrder.objects.create(
        order=order,
        account=accounts[sketch.account],
        contracts=1,
        fingerprint=sketch.fingerprint,
        status=sketch.status,
        deadline_at=sketch.deadline_at,
        not_before=sketch.not_before,
        purpose=sketch.purpose,
    ).pk


def _forget() -> None:
    """Remove what the last example made."""
    for model in (AccountOrder, ComplexOrder, TradingMode):
        model.objects.all().delete()


def _may_claim(sketch: Sketch, others, mode: Mode | None) -> bool:
    return may_claim(
        status=sketch.status,
        deadline_at=sketch.deadline_at,
        not_before=sketch.not_before,
        is_active=sketch.account != 2,
        is_blocked=(mode, sketch.purpose) in BLOCKED,
        has_unresolved_twin=any(
            other.status in UNRESOLVED and other.twins == sketch.twins for other in others
        ),
        now=NOW,
    )


def _status_after(sketch: Sketch, is_claimed: bool, mode: Mode | None) -> Status:
    """A READY order that is rung for and must not go is left out for good."""
    if is_claimed:
        return Status.SUBMITTING
    must_not = sketch.account == 2 or (mode, sketch.purpose) in BLOCKED
    is_left_out = sketch.status == Status.READY and sketch.is_rung and must_not
    return Status.SKIPPED if is_left_out else sketch.status
