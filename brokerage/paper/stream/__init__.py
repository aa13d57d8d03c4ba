"""The ACCT_ACTIVITY stream: websockets, what clients command, and what orders tell them."""

from brokerage.paper.stream.hub import Streams

__all__ = ["Streams"]
