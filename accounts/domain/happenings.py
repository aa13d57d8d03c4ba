"""What is told to others, through which channel, and when a telling that failed is tried again."""

from enum import StrEnum


class Kind(StrEnum):
    """What a message is about."""

    ORDER_STATUS = "order.status"
    ORDER_REJECTED = "order.rejected"
    ORDER_UNKNOWN = "order.unknown"
    ORDER_FILLED = "order.filled"
    EXIT_FLAT = "exit.flat"
    MODE_CHANGED = "mode.changed"
    ALARM = "alarm"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"
    TEST = "test"


class Channel(StrEnum):
    """How a receiver is reached."""

    WEBHOOK = "WEBHOOK"
    MAIL = "MAIL"


class DeliveryState(StrEnum):
    """PENDING is tried again; DEAD was given up, and an alarm says so."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


# A person is mailed what he must look at, not every change of an order.
MAILED = frozenset({Kind.ALARM, Kind.TEST})
FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 3600.0


def wait_s(failures: int, luck: float) -> float:
    """Return for how long to wait after so many failures in a row: doubled each time, with jitter.

    Args:
        luck: from 0 to 1, at random, so that many do not come back at the same moment.
    """
    longest = min(FIRST_WAIT_S * 2.0 ** min(failures - 1, 30), LONGEST_WAIT_S)
    return longest * (0.5 + luck / 2)
