"""The table of attacks answers every row, and every test that it names is there."""

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest
from django.urls import NoReverseMatch, reverse

TESTS = Path(__file__).resolve().parents[1]
TABLE = TESTS.parent / "docs" / "attacks.md"
ROW = re.compile(r"^\| A(\d+) \| (.+) \| (.+) \| (.*)\|$")
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
# Words of a row whose answer is no test of ours.
ELSEWHERE = ("*Deployment:*", "does not apply")


def rows() -> dict[int, tuple[str, str]]:
    """Return by number what happens, and the cell of its proof."""
    found = map(ROW.match, TABLE.read_text().splitlines())
    return {int(row[1]): (row[3], row[4]) for row in found if row}


@lru_cache
def named_in(name: str) -> frozenset[str]:
    tree = ast.parse((TESTS / name).read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return frozenset(one.name for one in functions if one.name.startswith("test_"))


def test_the_table_has_every_row_once_and_in_order():
    numbers = re.findall(r"^\| A(\d+) \|", TABLE.read_text(), re.MULTILINE)

    assert [int(number) for number in numbers] == list(range(1, 46))
    assert list(rows()) == list(range(1, 46))


@pytest.mark.parametrize("number", range(1, 46))
def test_a_row_is_proved_by_tests_that_are_there(number):
    happens, proof = rows()[number]
    named = NAMED.findall(proof)

    assert named or any(word in happens for word in ELSEWHERE)
    assert re.sub(r"[\s,]", "", NAMED.sub("", proof)) == ""
    assert [f"{file}::{name}" for file, name in named if name not in named_in(file)] == []


@pytest.mark.parametrize("name", ["password_reset", "password_change", "password_reset_confirm"])
def test_no_page_resets_a_password(name):
    for space in ("", "admin:"):
        with pytest.raises(NoReverseMatch):
            reverse(f"{space}{name}")
