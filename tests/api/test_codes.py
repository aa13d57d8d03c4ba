"""Every code that a refusal may have is in the table of the API, and in its document."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from rest_framework import exceptions

from orders.domain.guards import Guard
from tradeswim.api_codes import FAULTS, PROBLEMS
from tradeswim.api_errors import KINDS

CODES = {one.code for one in PROBLEMS}
ROW = re.compile(r"^\| `(\w+)` \| (?:(\d{3}) \| )?(.+) \|$", re.MULTILINE)
# Raised for a page that has no call beside it.
OF_PAGES = {"too_long"}


def test_the_document_has_the_same_tables():
    rows = ROW.findall((settings.BASE_DIR / "docs" / "api.md").read_text())

    problems = [(one.code, str(one.status), one.means) for one in PROBLEMS]
    assert [row for row in rows if row[1]] == problems
    assert [(code, words) for code, status, words in rows if not status] == list(FAULTS.items())


def test_every_kind_of_error_has_its_code_and_status():
    known = {(one.code, one.status) for one in PROBLEMS}

    assert {(code, status) for status, code, _ in KINDS.values()} <= known
    of_framework = {
        (kind.default_code, kind.status_code)
        for kind in exceptions.APIException.__subclasses__()
        if kind is not exceptions.ValidationError and kind.__module__ == exceptions.__name__
    }
    assert of_framework <= known


def test_every_fault_that_the_code_finds_has_its_code():
    found = {code for path in sources() for code in codes_in(path)}

    assert {"off_tick", "unknown_account", "given_twice", "password_required"} <= found
    assert found - {*FAULTS, *CODES, *Guard} - OF_PAGES == set()


def sources() -> Iterator[Path]:
    for app in ("orders", "accounts", "strategies", "tradeswim"):
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            if not {"migrations", "forms", "views", "admin"} & set(path.parts):
                yield path


def codes_in(path: Path) -> Iterator[str]:
    """Yield the codes that are written into a module: of problems, failures, validation errors."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        places = [one.value for one in node.keywords if one.arg == "code"]
        if name in {"Problem", "_problem", "_body"}:
            places += node.args[1:2]
        elif name == "fail":
            places += node.args[:1]
        if name in {"Problem", "_problem", "_body", "fail"} or name.endswith(("Error", "Denied")):
            for place in places:
                either = [place.body, place.orelse] if isinstance(place, ast.IfExp) else [place]
                yield from (
                    one.value
                    for one in either
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                )
