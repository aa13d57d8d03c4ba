"""Celery tasks about orders: each makes one call, then rings for what is left to do.

Placing may ring for reading, and exits for both; what a read finds is rung for by name.
"""

from orders.tasks.climbing import climb as climb
from orders.tasks.controlling import follow_successors as follow_successors
from orders.tasks.controlling import send_cancels as send_cancels
from orders.tasks.controlling import send_rests as send_rests
from orders.tasks.exiting import advance_exits as advance_exits
from orders.tasks.exiting import ring_exits as ring_exits
from orders.tasks.placing import place_account_orders as place_account_orders
from orders.tasks.placing import renew_and_place as renew_and_place
from orders.tasks.placing import ring_for as ring_for
from orders.tasks.placing import ring_for_new as ring_for_new
from orders.tasks.preflight import preflight as preflight
from orders.tasks.reading import look_elsewhere as look_elsewhere
from orders.tasks.reading import reconcile as reconcile
from orders.tasks.reading import sync_option_orders as sync_option_orders
from orders.tasks.reading import sync_stock_orders as sync_stock_orders
from orders.tasks.starting import open_gate as open_gate
from orders.tasks.telling import tell_record as tell_record
from orders.tasks.thinning import thin_history as thin_history
