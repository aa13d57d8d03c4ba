"""All streams of the paper broker: logins, subscriptions, heartbeats, and who is told what."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from brokerage.paper.faults import Fault
from brokerage.paper.happenings import Happening
from brokerage.paper.messages import Request
from brokerage.paper.stream import mishaps
from brokerage.paper.stream.activity import messages
from brokerage.paper.stream.commands import Command, NotACommand, read_commands
from brokerage.paper.stream.session import ACTIVITY, STOPPED, Session
from brokerage.paper.stream.websocket import WebSocket, Wire

if TYPE_CHECKING:
    from brokerage.paper.broker import Broker

HEARTBEAT_S = 5.0
# What happens is told a moment later, so that telling does not hold up answers to requests.
LAG_S = 0.05
# A stream that is subscribed to nothing is ended by the broker.
IDLE_S = 30.0
SUCCESS, DENIED, NO_SERVICE, SUPERSEDED = 0, 3, 11, 12
NOT_FOUND, BAD_FORMAT, FAILED_ADD, FAILED_VIEW = 20, 21, 24, 25
NOTHING = Command("ADMIN", "", "", "", "", {})

Answer = tuple[int, str]


def customer_id(user: str) -> str:
    """Name a user as the stream knows him."""
    return hashlib.sha256(user.encode()).hexdigest()


class Streams:
    """Every open stream; one user has one, the newest.

    Attributes:
        heartbeat_s: seconds between heartbeats.
    """

    def __init__(self, broker: "Broker") -> None:
        self.heartbeat_s = HEARTBEAT_S
        self._broker = broker
        self._sessions: set[Session] = set()
        self._by_user: dict[str, Session] = {}
        self._untold: list[Happening] = []
        self._commands: dict[tuple[str, str], Callable[[Session, Command], Answer]] = {
            ("ADMIN", "LOGIN"): self._login,
            ("ADMIN", "LOGOUT"): self._logout,
            (ACTIVITY, "SUBS"): self._subscribe,
            (ACTIVITY, "UNSUBS"): self._unsubscribe,
            (ACTIVITY, "ADD"): lambda *_: (FAILED_ADD, "ADD command failed."),
            (ACTIVITY, "VIEW"): lambda *_: (FAILED_VIEW, "VIEW command failed."),
        }

    def open(self, wire: Wire, request: Request) -> WebSocket:
        """Upgrade a connection; its client is a stranger until he logs in."""
        socket = WebSocket(wire, request)
        session = Session(socket)
        socket.hear = lambda text: self._hear(session, text)
        socket.end = lambda: self._forget(session)
        self._sessions.add(session)
        return socket

    def tell(self, happening: Happening) -> None:
        """Take note of something that happened; who listens is told a moment later."""
        if not self._by_user:
            return
        if not self._untold:
            asyncio.get_running_loop().call_later(LAG_S, self._tell_all)
        self._untold.append(happening)

    def beat(self) -> None:
        """Send the heartbeats that are due, and end the streams that are of no use."""
        now = time.monotonic()
        for session in list(self._sessions):
            if session.key is None and session.idle_since + IDLE_S < now:
                self._sever(session, STOPPED, "Stop streaming: no subscriptions")
            elif session.user and session.beaten_at + self.heartbeat_s <= now:
                session.beaten_at = now
                session.send({"notify": [{"heartbeat": str(int(self._broker.now * 1000))}]})

    def end_user(self, user: str) -> None:
        """End a user's stream, whose token was revoked."""
        if session := self._by_user.get(user):
            self._sever(session, STOPPED, "Stop streaming")

    def suffer(self, fault: Fault) -> bool:
        """Do what a fault wants to the open streams it names; tell whether there was one."""
        hit = [
            session
            for user, session in self._by_user.items()
            if mishaps.is_for_open(fault) and self._is_named(fault, user)
        ]
        for session in hit:
            self._suffer(session, fault)
        return bool(hit)

    def described(self) -> list[dict[str, Any]]:
        """Describe the streams that are logged in."""
        return [
            {"user": user, "is_subscribed": session.key is not None}
            for user, session in self._by_user.items()
        ]

    # --- what clients say -------------------------------------------------------------------------

    def _hear(self, session: Session, text: str) -> None:
        try:
            commands = read_commands(text)
        except NotACommand:
            session.answer(NOTHING, BAD_FORMAT, "Bad command formatting", at=self._broker.now)
            return
        for command in commands:
            self._obey(session, command)

    def _obey(self, session: Session, command: Command) -> None:
        act = self._commands.get((command.service, command.command))
        is_login = act == self._login
        if not is_login and not (session.user and self._is_his(session, command)):
            code, words = NOT_FOUND, "Stream connection not found"
        elif act is None and command.service in {"ADMIN", ACTIVITY}:
            code, words = BAD_FORMAT, "Bad command formatting"
        elif act is None:
            code, words = NO_SERVICE, "Service not available or temporary down."
        else:
            code, words = act(session, command)
        session.answer(command, code, words, at=self._broker.now)
        if code == DENIED or command.command == "LOGOUT":
            session.close(words)
        elif code == SUCCESS:
            self._after(session, command)

    def _is_his(self, session: Session, command: Command) -> bool:
        his = (customer_id(session.user), session.correl_id)
        return (command.customer_id, command.correl_id) == his

    def _login(self, session: Session, command: Command) -> Answer:
        if session.user:
            return BAD_FORMAT, "Bad command formatting"
        token = str(command.parameters.get("Authorization", ""))
        user = self._broker.oauth.user_of(token, now=self._broker.now)
        fault = self._broker.faults.take_stream(mishaps.DENY, self._accounts(user or ""))
        if user is None or fault or command.customer_id != customer_id(user):
            return DENIED, "Login Denied.: token is invalid or has expired."
        older = self._by_user.get(user)
        session.user, session.correl_id = user, command.correl_id
        self._by_user[user] = session
        if older is not None:
            self._sever(older, SUPERSEDED, "Close connection: another one of this user")
        return SUCCESS, "server=s0166bdv-1;status=NP"

    def _logout(self, *_: object) -> Answer:
        return SUCCESS, "SUCCESS"

    def _subscribe(self, *_: object) -> Answer:
        return SUCCESS, "SUBS command succeeded"

    def _unsubscribe(self, session: Session, _: Command) -> Answer:
        session.unsubscribe()
        return SUCCESS, "UNSUBS command succeeded"

    def _after(self, session: Session, command: Command) -> None:
        """Do what follows the answer: the first item, and the faults that wait for a stream."""
        if (command.service, command.command) != (ACTIVITY, "SUBS"):
            return
        key = str(command.parameters.get("keys", "")).split(",")[0]
        session.subscribe(key, at=self._broker.now)
        fault = self._broker.faults.take_stream(mishaps.CUTS, self._accounts(session.user))
        if fault:
            self._suffer(session, fault)

    # --- what they are told -----------------------------------------------------------------------

    def _tell_all(self) -> None:
        happenings, self._untold = self._untold, []
        books = self._broker.books
        items: dict[Session, list[tuple[str, str, str]]] = {}
        for happening in happenings:
            account = books.accounts[happening.order.account]
            session = self._by_user.get(account.user)
            if session is not None and session.key is not None:
                told = items.setdefault(session, [])
                told += [(account.number, *one) for one in messages(happening, account.number)]
        for session, listed in items.items():
            session.tell(listed, at=self._broker.now)

    def _suffer(self, session: Session, fault: Fault) -> None:
        loop, act = asyncio.get_running_loop(), mishaps.action(fault)
        loop.call_later(fault.delay_s, act, session)

    def _is_named(self, fault: Fault, user: str) -> bool:
        return fault.account in ("", *self._accounts(user))

    def _accounts(self, user: str) -> list[str]:
        return [account.hash for account in self._broker.books.accounts_of.get(user, [])]

    def _sever(self, session: Session, code: int, words: str) -> None:
        session.sever(code, words, at=self._broker.now)
        self._forget(session)

    def _forget(self, session: Session) -> None:
        self._sessions.discard(session)
        if self._by_user.get(session.user) is session:
            del self._by_user[session.user]
