"""The page of the record: narrowed by filters, a page at a time, and as files."""

import csv
import io
import json

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.services.audit import event, record
from tests.web.browsing import text_of


@pytest.fixture
def events(db) -> None:
    now = timezone.now()
    record(
        [
            event("account:1", "alias", at=now, old="Alder", new="Birch", actor="agent"),
            event("fleet", "mode", at=now, new="FROZEN", reason="looking into it", actor="owner"),
            event("account:2", "alias", at=now, new="=1+1", actor="agent"),
        ]
    )


def about(answer) -> list[str]:
    return [row["subject"] for row in answer.context["rows"]]


def test_the_record_is_shown_newest_first(viewer, events):
    answer = viewer.get("/record/")
    assert about(answer)[:3] == ["account:2", "fleet", "account:1"]
    assert "Alder → Birch" in text_of(answer)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"kind": "mode"}, ["fleet"]),
        ({"actor": "owner"}, ["fleet"]),
        ({"text": "looking"}, ["fleet"]),
        ({"text": "Birch"}, ["account:1"]),
        ({"since": "2020-01-01", "actor": "agent"}, ["account:2", "account:1"]),
        ({"until": "2020-01-01"}, []),
    ],
    ids=str,
)
def test_filters_narrow_it(viewer, events, query, found):
    assert about(viewer.get("/record/", query)) == found


def test_a_filter_that_is_wrong_is_told_and_shows_nothing(viewer, events):
    answer = viewer.get("/record/", {"since": "yesterday"})
    assert "Enter a valid date." in text_of(answer)
    assert about(answer) == []


def test_older_ones_are_a_page_further(viewer, db):
    record(event(f"thing:{n}", "made", at=timezone.now()) for n in range(450))
    first = viewer.get("/record/", {"kind": "made"})
    second = viewer.get("/record/", {"kind": "made", "before": first.context["before"]})
    third = viewer.get("/record/", {"kind": "made", "before": second.context["before"]})
    assert [len(about(page)) for page in (first, second, third)] == [200, 200, 50]
    assert third.context["before"] is None


def test_files_hold_what_the_filters_let_through_and_are_recorded(agent, events):
    table = agent.get("/record/record.csv", {"kind": "alias"})
    rows = list(csv.DictReader(io.StringIO(b"".join(table.streaming_content).decode())))
    assert [row["subject"] for row in rows] == ["account:1", "account:2"]
    assert rows[1]["new"] == "'=1+1"

    lines = b"".join(agent.get("/record/record.jsonl", {"kind": "mode"}).streaming_content)
    assert [json.loads(line)["reason"] for line in lines.splitlines()] == ["looking into it"]

    exported = AuditEvent.objects.filter(kind="exported").order_by("id")
    assert [(one.new, one.data) for one in exported] == [
        ("csv", {"kind": "alias"}),
        ("jsonl", {"kind": "mode"}),
    ]


def test_who_may_only_look_takes_no_file(viewer, events):
    assert viewer.get("/record/record.csv").status_code == 403


def test_the_page_costs_few_queries(viewer, events, django_assert_max_num_queries):
    viewer.get("/record/")
    with django_assert_max_num_queries(15):
        viewer.get("/record/")
