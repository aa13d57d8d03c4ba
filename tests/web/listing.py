"""Ask for lists of broadcasts, and read them."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

from django.test import Client

from tests.web.browsing import HTMX

PANEL = "/desk/panels/orders/"


def updates(client: Client, query: str = "", **headers: str) -> Any:
    """Ask for the panel as an open page does."""
    return client.get(f"{PANEL}{query}", headers=HTMX | headers)


def numbers(answer: Any) -> list[int]:
    """Return the broadcasts in an answer, in its order."""
    return [int(pk) for pk in re.findall(r'<tbody id="broadcast-(\d+)"', answer.content.decode())]


def history_numbers(answer: Iterable[bytes]) -> list[int]:
    """Return the broadcasts in an answer of the history, in its order."""
    text = "".join(piece.decode() for piece in answer)
    return [int(pk) for pk in re.findall(r'<tr id="order-(\d+)" data-row', text)]


def history_lines(answer: Any) -> list[dict[str, str]]:
    """Return the rows of the history's file, by the names of its columns."""
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))
