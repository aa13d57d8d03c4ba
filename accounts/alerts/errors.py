"""What can go wrong with a delivery, sorted by what may be done next."""


class NotDelivered(Exception):
    """The receiver is not to be had now: it is left alone for a while, with all that waits for it.

    Its words name neither secrets nor the address.
    """


class RefusedByReceiver(Exception):
    """The receiver is there and does not want this one; it gets the others meanwhile."""
