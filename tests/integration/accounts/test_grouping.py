"""Accounts are taken into groups and out of them, many as cheaply as one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AccountGroup, AuditEvent
from accounts.services.editing import edit_account, group_accounts
from tests.support.make import make_account, make_group, make_login

pytestmark = pytest.mark.django_db


def group(accounts, *, is_in: bool) -> list[str]:
    ids = [account.pk for account in accounts]
    return group_accounts(
        account_ids=ids, name="family", is_in=is_in, actor="trader", now=timezone.now()
    )


@pytest.mark.parametrize("is_in", [True, False])
def test_many_accounts_cost_no_query_more_than_one(is_in):
    login = make_login()
    accounts = [make_account(login, alias=f"Alder {place}") for place in range(8)]
    make_group("family", *(() if is_in else accounts))

    with CaptureQueriesContext(connection) as alone:
        assert group(accounts[:1], is_in=is_in) == ["Alder 0"]
    with CaptureQueriesContext(connection) as together:
        assert group(accounts, is_in=is_in) == [f"Alder {place}" for place in range(1, 8)]

    assert len(together) <= len(alone)
    assert AuditEvent.objects.filter(kind="groups").count() == 8
    assert AccountGroup.objects.get(name="family").members.count() == (8 if is_in else 0)


def test_an_account_changes_some_groups_and_keeps_the_others():
    account, other = (make_account(alias=alias) for alias in ("Alder", "Birch"))
    make_group("family", account, other)
    make_group("funds", account, other)

    edit_account(
        account_id=account.pk,
        changes={"groups": ["funds", "new"]},
        actor="trader",
        now=timezone.now(),
    )

    assert set(account.groups.values_list("name", flat=True)) == {"funds", "new"}
    assert set(other.groups.values_list("name", flat=True)) == {"family", "funds"}
    event = AuditEvent.objects.get(kind="groups")
    assert (event.old, event.new) == ("family, funds", "funds, new")
