"""Every alarm that the code can raise is explained in docs/alarms.md, and no other."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from orders.selectors import tellings

ROOT = Path(__file__).resolve().parents[2]


def raised() -> Iterator[str]:
    """Yield the first argument of every call of raise_alarm, names looked up in their module."""
    for path in [*ROOT.glob("accounts/**/*.py"), *ROOT.glob("orders/**/*.py")]:
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "raise_alarm":
                yield from _codes(node.args[0], path)


def _codes(argument: ast.expr, path: Path) -> Iterator[str]:
    if isinstance(argument, ast.Constant):
        yield str(argument.value)
        return
    assert isinstance(argument, ast.Name), path
    if path.name == "telling.py":  # what the record is told as
        yield from (tellings.ORDERS_REJECTED, tellings.LOGIN_REQUIRED, tellings.FROZEN)
        return
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    yield getattr(module, argument.id)


def test_every_alarm_is_explained():
    explained = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/alarms.md").read_text(), re.MULTILINE)

    assert sorted(explained) == sorted(set(raised()))


def test_what_is_told_as_an_alarm_is_named_there():
    """A further code in tellings must be added to the list above."""
    text = (ROOT / "orders/selectors/tellings.py").read_text()
    constants = set(re.findall(r'^([A-Z_]+) = "\1"$', text, re.MULTILINE))

    assert constants == {"ORDERS_REJECTED", "LOGIN_REQUIRED", "FROZEN"}
