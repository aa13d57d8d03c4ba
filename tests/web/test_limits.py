"""The limits of the guards in the administration: edited by admins only, and recorded."""

from decimal import Decimal

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.domain.limits import RULES, LimitName
from accounts.domain.words import Role
from accounts.models import Alarm, AuditEvent, Limit
from accounts.services.limits import SenselessLimit, ensure_limits, read_limits, set_limit
from tests.support.make import make_user
from tests.web.browsing import text_of

NAME = LimitName.MAX_CONTRACTS_PER_BROADCAST


@pytest.fixture
def admin(db) -> Client:
    """A browser in which an admin is signed in."""
    browser = Client()
    browser.force_login(make_user(Role.ADMIN, username="boss", is_staff=True))
    return browser


def address(name=NAME):
    return f"/admin/accounts/limit/{Limit.objects.get(name=name).pk}/change/"


def test_a_fresh_database_has_every_limit_with_its_default(db):
    rows = {row.name: (row.value, row.about) for row in Limit.objects.all()}

    assert rows == {name.value: (rule.default, rule.about) for name, rule in RULES.items()}


def test_missing_rows_come_back_and_edited_ones_stay(db):
    Limit.objects.filter(name=NAME).delete()
    Limit.objects.filter(name="PRICE_AWAY_USD").update(value="0.75")

    ensure_limits()

    assert Limit.objects.get(name=NAME).value == 5000
    assert Limit.objects.get(name="PRICE_AWAY_USD").value == Decimal("0.75")


@pytest.mark.django_db(transaction=True)
def test_a_database_that_was_emptied_gets_its_limits_again():
    call_command("flush", interactive=False, verbosity=0)

    assert Limit.objects.count() == len(RULES)


def test_an_admin_changes_a_limit_and_it_is_recorded_who_did(admin):
    answer = admin.post(address(), {"value": "2500"})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/accounts/limit/")
    assert read_limits()[NAME] == 2500
    event, _ = AuditEvent.objects.filter(subject=f"limit:{NAME}").order_by("pk")
    assert (event.kind, event.old, event.new, event.actor) == ("limit", "5000", "2500", "boss")


def test_a_limit_that_was_changed_raises_an_alarm(admin):
    admin.post(address(), {"value": "2500"})
    admin.post(address(), {"value": "2500"})

    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.subject) == ("LIMIT_CHANGED", f"limit:{NAME}")
    assert alarm.words == f"boss changed {NAME} from 5000 to 2500."
    assert alarm.acknowledged_at is None


def test_saving_without_a_change_records_nothing(admin):
    admin.post(address(), {"value": "5000.0000"})

    assert not AuditEvent.objects.filter(subject=f"limit:{NAME}").exists()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0", "Enter a number from 1 to 1,000,000."),
        ("-5", "Enter a number from 1 to 1,000,000."),
        ("10000000", "Enter a number from 1 to 1,000,000."),
        ("2.5", "Enter a whole number."),
        ("many", "Enter a number."),
        ("", "This field is required."),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_and_kept(admin, value, words):
    answer = admin.post(address(), {"value": value})

    assert words in text_of(answer)
    assert read_limits()[NAME] == 5000
    assert not AuditEvent.objects.filter(subject=f"limit:{NAME}").exists()


def test_the_service_refuses_it_too(db):
    with pytest.raises(SenselessLimit):
        set_limit(name=NAME, value=Decimal(0), actor="x", now=timezone.now())

    assert read_limits()[NAME] == 5000


def test_names_are_the_codes_and_rows_neither_added_nor_removed(admin):
    page = admin.post(address(), {"name": "OTHER", "about": "x", "value": "10"})

    assert page.status_code == 302
    assert Limit.objects.get(name=NAME).about == RULES[NAME].about
    assert admin.get("/admin/accounts/limit/add/").status_code == 403
    assert admin.post(address().replace("change", "delete")).status_code == 403


def test_a_row_that_the_code_does_not_know_can_only_be_looked_at(admin):
    Limit.objects.create(name="OLD_LIMIT", value=1)

    assert admin.get(address("OLD_LIMIT")).status_code == 200
    assert admin.post(address("OLD_LIMIT"), {"value": "2"}).status_code == 403


@pytest.mark.parametrize("role", [Role.AGENT, Role.VIEWER, Role.EXIT_ONLY])
def test_staff_of_another_role_neither_see_nor_change_limits(db, role):
    browser = Client()
    browser.force_login(make_user(role, is_staff=True))

    assert browser.get("/admin/accounts/limit/").status_code == 403
    assert browser.post(address(), {"value": "1"}).status_code == 403
    assert read_limits()[NAME] == 5000


def test_the_list_shows_every_limit_with_its_words(admin):
    page = text_of(admin.get("/admin/accounts/limit/"))

    for name, rule in RULES.items():
        assert name in page
        assert f">{rule.default.normalize():,f}<" in page
        assert rule.about[:40] in page
