""".env.example names every setting that is read, and none that is not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READERS = frozenset(
    {
        "text",
        "secret",
        "domain",
        "integer",
        "flag",
        "names",
        "url",
        "whole",
        "found",
        "env",
        "origin",
        "path",
        "mail_server",
    }
)
ENVIRONMENTS = frozenset({"os.environ", "_environ()", "environment"})
# The supervisor sets it for its processes; nobody configures it.
INTERNAL = frozenset({"TRADESWIM_PROCESS"})
SETTINGS = "DJANGO_SETTINGS_MODULE"  # Django itself reads it


def read_in(path: Path) -> Iterator[str]:
    """Yield the names in capitals that a module asks the environment for."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        first = node.args[0]
        name = first.value if isinstance(first, ast.Constant) else None
        whose, _, called = ast.unparse(node.func).rpartition(".")
        is_read = called in READERS or (called == "get" and whose in ENVIRONMENTS)
        if is_read and isinstance(name, str) and re.fullmatch(r"[A-Z][A-Z0-9_]+", name):
            yield name


def test_the_example_names_what_is_read_from_the_environment():
    sources = [
        *(ROOT / "tradeswim").rglob("*.py"),
        ROOT / "brokerage/management/commands/paperbroker.py",
        ROOT / "accounts/live/process.py",
        *(ROOT / "accounts/management/commands").glob("*.py"),
    ]
    read = {name for path in sources for name in read_in(path)} - INTERNAL
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^([A-Z][A-Z0-9_]*)=", example, re.MULTILINE)

    assert len(named) == len(set(named))
    assert set(named) - {SETTINGS} == read - {SETTINGS}
