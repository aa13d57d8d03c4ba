"""Whether the task queue takes messages, as the status page says it."""

from accounts.tasks.queue import QueueDown, check_queue
from orders.selectors.health import Part


def queue_part() -> Part:
    """Ask the task queue whether it takes messages."""
    try:
        check_queue()
    except QueueDown as error:
        return Part("Queue (Redis)", is_well=False, words=str(error))
    return Part("Queue (Redis)", is_well=True, words="takes messages")
