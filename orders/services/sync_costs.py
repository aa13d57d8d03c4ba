"""What one run of a beat costs now."""

from collections import Counter
from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import Case, When

from accounts.domain.beats import Beat
from accounts.services.costs import cost_words, refresh_cost
from brokerage.budget import Lane
from orders.services.order_reads import working_orders
from strategies.domain.tickets import Strategy


def sync_cost(beat: Beat) -> str:
    """Say what it costs to read all that a beat reads, in words."""
    return sync_costs([beat])[beat]


def sync_costs(beats: Collection[Beat]) -> Mapping[Beat, str]:
    """Say the same of some beats; those that read orders are looked up in one query."""
    about = [beat for beat in beats if beat.reads_orders]
    by_beat = _keys() if about else {}
    words = {
        beat: cost_words(calls_by_key=Counter(by_beat[beat].values()), lane=Lane.CHANGES)
        for beat in about
    }
    return {beat: words[beat] if beat in words else refresh_cost(None) for beat in beats}


def _keys() -> Mapping[Beat, Mapping[UUID, str]]:
    """Return the logins with orders at work, each with its app key, by the beat that reads them."""
    is_stock = Case(When(order__strategy=Strategy.EQUITY, then=True), default=False)
    rows = (
        working_orders()
        .annotate(is_stock=is_stock)
        .values_list("is_stock", "account__login_id", "account__login__app_key_index")
    )
    found: dict[Beat, dict[UUID, str]] = {Beat.STOCKS: {}, Beat.OPTIONS: {}}
    for in_shares, login_id, key in rows.distinct():
        found[Beat.STOCKS if in_shares else Beat.OPTIONS][login_id] = key
    return found
