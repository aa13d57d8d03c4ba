"""Remember which orders of lists are on record, so that being shown them again costs nothing."""

from collections import OrderedDict
from threading import Lock

from brokerage.schwab.replies import BrokerOrder

MOST_KNOWN = 50_000

# The account's number and the order's.
OrderKey = tuple[str, str]
_State = tuple[str, str]


class KnownOrders:
    """Orders of which nothing is to be written, as far as this process has seen.

    One that belongs to an account order stays known; one made elsewhere until it changes.
    """

    OURS: _State = ("", "")

    def __init__(self) -> None:
        self._lock = Lock()
        self._states: OrderedDict[OrderKey, _State] = OrderedDict()

    def has(self, order: BrokerOrder) -> bool:
        """Tell whether looking this order up would change nothing."""
        state = self._states.get(key_of(order))
        return state is not None and state in {self.OURS, _state(order)}

    def note(self, order: BrokerOrder, *, is_ours: bool) -> None:
        with self._lock:
            self._states[key_of(order)] = self.OURS if is_ours else _state(order)
            while len(self._states) > MOST_KNOWN:
                self._states.popitem(last=False)

    def forget(self) -> None:
        """Forget everything: for tests, whose databases begin anew."""
        with self._lock:
            self._states.clear()


known_orders = KnownOrders()


def key_of(order: BrokerOrder) -> OrderKey:
    """Return what names an order: the broker numbers them for each account."""
    return order.account_number, order.order_id


def _state(order: BrokerOrder) -> _State:
    return order.status, str(order.filled)
