"""What one run of a beat costs now."""

from collections import Counter
from uuid import UUID

from django.db.models import Q

from accounts.domain.beats import Beat
from accounts.services.costs import cost_words, refresh_cost
from brokerage.budget import Lane
from orders.services.order_reads import working_orders
from strategies.domain.tickets import Strategy


def sync_cost(beat: Beat) -> str:
    """Say what it costs to read all that a beat reads, in words."""
    if not beat.reads_orders:
        return refresh_cost(None)
    kind = Q(order__strategy=Strategy.EQUITY)
    rows = working_orders().filter(kind if beat is Beat.STOCKS else ~kind)
    keys = rows.values_list("account__login_id", "account__login__app_key_index").distinct()
    by_login: dict[UUID, str] = dict(keys)
    return cost_words(calls_by_key=Counter(by_login.values()), lane=Lane.CHANGES)
