"""What a broker, a file or a person wrote is shown, and never obeyed."""

import csv
import io
import logging
import re

from accounts.models import Account, Alarm, AuditEvent, BrokerLogin, User
from orders.models import AccountOrder, ExternalOrder, SavedOrder
from tests.security.walking import World, every_place, visit
from tests.support.make import make_group
from tradeswim.logs import Indented

HOSTILE = '"><script>alert(1)</script><b hx-post=/desk/freeze/ hx-trigger=load>'
FORMULA = "=HYPERLINK(1)"


def content_of(answer) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(body.decode("utf-8", "replace"))


def plant(words: str, world: World) -> None:
    """Write these words wherever a broker, a file or a person may write."""
    Account.objects.filter(pk=world.fleet.accounts[0].pk).update(alias=words[:60])
    BrokerLogin.objects.filter(pk=world.fleet.logins[0].pk).update(label=words, status_reason=words)
    Alarm.objects.update(words=words)
    SavedOrder.objects.update(name=words[:60])
    AccountOrder.objects.update(reason=words)
    ExternalOrder.objects.update(tag=words[:60], data={"status_description": words})
    AuditEvent.objects.update(reason=words, old=words[:40], new=words[:40])
    User.objects.filter(pk=world.fleet.agent.pk).update(username=words)
    make_group(words[:60], *world.fleet.accounts[:1])


def test_no_page_obeys_what_was_written_into_it(world, agent):
    plant(HOSTILE, world)
    shown, wrong = 0, []
    for place in every_place(world.values):
        answer = visit(agent, place, "GET")
        text = content_of(answer)
        if answer["Content-Type"].startswith("text/html"):
            shown += "&lt;script&gt;alert(1)" in text
            if "<script>alert" in text or "<b hx-post" in text or answer.status_code >= 500:
                wrong.append(place.address)
    assert wrong == []
    assert shown > 20


def test_no_file_holds_a_formula(world, agent):
    plant(FORMULA, world)
    files = 0
    for place in every_place(world.values):
        answer = visit(agent, place, "GET")
        if answer["Content-Type"].startswith("text/csv"):
            cells = [cell for row in csv.reader(io.StringIO(content_of(answer))) for cell in row]
            assert not [cell for cell in cells if re.match(r"[=@\t\r]|[+-](?!\d)", cell)]
            files += any(cell.startswith(f"'{FORMULA[:5]}") for cell in cells)
    assert files >= 2


def test_no_line_of_the_log_passes_for_a_record_of_its_own():
    said = "refused\r\n2026-01-01 00:00:00,000 INFO orders placed [1]\x1b[2K\u2028INFO"
    record = logging.LogRecord("x", logging.INFO, "x", 1, "broker: %s", (said,), None)

    first, second = Indented("%(message)s").format(record).split("\n")

    assert first == "broker: refused\\r"
    assert second.startswith("    2026-01-01")
    assert second.endswith("\\x1b[2K\\u2028INFO")
