"""The files of the history: all that is shown, one line per broadcast or per account order."""

import re

from accounts.models import Account
from tests.web.listing import history_lines, history_numbers


def test_the_file_holds_what_is_shown_on_all_pages(client, long_past):
    answer = client.get("/history.csv?kind=OPTIONS&sort=strategy")
    rows = history_lines(answer)

    shown = [
        n
        for page in (1, 2)
        for n in history_numbers(client.get(f"/history/?kind=OPTIONS&sort=strategy&page={page}"))
    ]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert re.search(
        r'filename="tradeswim-history-\d{4}-\d\d-\d\d\.csv"', answer["Content-Disposition"]
    )
    assert [int(row["number"]) for row in rows] == shown
    assert rows[0]["legs"].count("; ") in {1, 3}


def test_the_file_by_account_holds_every_account_order_and_no_formula(agent, fleet):
    order = fleet.broadcast(fleet.shares(7))
    fleet.poll()
    Account.objects.filter(pk=fleet.accounts[0].pk).update(alias="=HYPERLINK(1)")

    rows = history_lines(agent.get("/history.csv?per=accounts"))

    assert rows[0]["account"] == "'=HYPERLINK(1)"
    assert {row["number"] for row in rows} == {str(order.pk)}
    assert [row["status"] for row in rows] == ["FILLED"] * 3
    assert all(row["broker_order_id"].isdigit() for row in rows)
    assert rows[0]["mask"] == f"••••{fleet.accounts[0].last4}"


def test_a_row_of_the_file_tells_prices_and_counts(agent, fleet):
    order = fleet.broadcast(fleet.condor(2))
    fleet.poll()
    order.refresh_from_db()

    (row,) = history_lines(agent.get("/history.csv"))

    assert row["limit"] == "0.0500"
    assert (row["accounts_filled"], row["accounts_sent"], row["accounts"]) == ("3", "3", "3")
    assert row["status"] == "FILLED"
    assert row["placed_at"] == order.clicked_at.isoformat()
