"""Keep one login's stream: connect, log in, subscribe, listen, and begin anew when it ends."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings

from accounts.services.stream_health import StreamHealth
from brokerage.errors import BrokerError, LoginRequired, TokenRefused
from brokerage.schwab import messages, oauth
from brokerage.schwab.streamer import (
    Activity,
    StreamerInfo,
    StreamTaken,
    Talk,
    read_streamer_info,
)
from brokerage.transport.stream_line import Line, Lines
from orders.services.streaming.looking import StreamPass

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
# Whoever takes the stream over has it: fighting would cut both again and again.
TAKEN_PAUSE_S = 30.0
# A stream that stood for so long was a good one, and the next try comes soon.
GOOD_AFTER_S = 30.0
ANSWER_WITHIN_S = 10.0
MOST_ODD = 50
NO_TOKEN = "The login has no access token that can be used"  # noqa: S105 - words


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every keeper is given.

    Args:
        stream_pass: returns a login's token.
        count: called before a read of the preferences, with the login.
        refused: called with a login and the version of the token that the broker refused.
        heard: called with what a login's stream told.
        began: called with a login whose stream begins: what was before it may have been missed.
        changed: called when a stream becomes healthy, ceases to be, or is not for another reason.
        door: how many connect at the same time.
    """

    lines: Lines
    stream_pass: Callable[[UUID], Awaitable[StreamPass | None]]
    count: Callable[[UUID], Awaitable[None]]
    refused: Callable[[UUID, int], None]
    heard: Callable[[UUID, tuple[Activity, ...]], None]
    began: Callable[[UUID], None]
    changed: Callable[[], None]
    door: asyncio.Semaphore


@dataclass(slots=True)
class _Course:
    """How the stream is, as of now."""

    since: float | None = None
    heard: float | None = None
    messages: int = 0
    begun: int = 0
    words: str = "Not connected yet"
    odd: set[str] = field(default_factory=set)


class Keeper:
    """One login's stream, for as long as the login is connected.

    Args:
        delay_s: before the first attempt, so that thousands do not begin at once.
    """

    def __init__(self, login_id: UUID, around: Surroundings, *, delay_s: float = 0.0) -> None:
        self.login_id = login_id
        self._around = around
        self._delay_s = delay_s
        self._course = _Course()
        self._info: StreamerInfo | None = None
        self._failures = 0
        self._fresh_token = asyncio.Event()

    @property
    def health(self) -> StreamHealth:
        """How the stream is."""
        course = self._course
        return StreamHealth(
            is_healthy=course.since is not None,
            connected_since=_moment(course.since),
            heard_at=_moment(course.heard),
            messages=course.messages,
            reconnects=max(course.begun - 1, 0),
            words="" if course.since is not None else course.words,
        )

    def token_renewed(self) -> None:
        """Try at once again, if a token is what was waited for."""
        self._fresh_token.set()

    async def run(self) -> None:
        """Keep the stream until this is cancelled."""
        await asyncio.sleep(self._delay_s)
        while True:
            began = time.monotonic()
            pause = await self._attempt()
            self._failures = 0 if time.monotonic() - began > GOOD_AFTER_S else self._failures + 1
            await self._wait(pause)

    async def _attempt(self) -> float:
        """Have the stream once; return for how long to wait after its end."""
        self._fresh_token.clear()
        try:
            await self._stream()
        except LoginRequired as error:
            self._end(str(error))
            self._info = None
        except BrokerError as error:
            self._end(str(error))
            self._fresh_token.clear()  # it was not the token's fault
            if isinstance(error, StreamTaken):
                return TAKEN_PAUSE_S
        except Exception:
            log.exception("stream of login %s", self.login_id)
            self._end("The stream failed for a reason of our own; the log says which")
        return FIRST_PAUSE_S

    async def _wait(self, pause_s: float) -> None:
        """Wait with jitter, the longer the more failed; a fresh token ends it."""
        most = min(pause_s * 2 ** min(self._failures, 10), LONGEST_PAUSE_S)
        seconds = random.uniform(most / 2, most)  # noqa: S311 - it only spreads the attempts
        try:
            await asyncio.wait_for(self._fresh_token.wait(), seconds)
        except TimeoutError:
            return

    async def _stream(self) -> None:
        """Connect and listen; it never ends but by raising. Errors: BrokerError."""
        stream_pass = await self._around.stream_pass(self.login_id)
        if stream_pass is None:
            raise LoginRequired(NO_TOKEN)
        try:
            async with self._around.door:
                line, talk = await self._open(stream_pass)
            try:
                await self._begin(line, talk)
                await self._listen(line, talk)
            finally:
                await line.close()
        except TokenRefused:
            self._around.refused(self.login_id, stream_pass.version)
            raise

    async def _open(self, stream_pass: StreamPass) -> tuple[Line, Talk]:
        if self._info is None:
            await self._around.count(self.login_id)
            reply = await self._around.lines.read(
                settings.BROKER_URL, messages.user_preference(), oauth.bearer(stream_pass.token)
            )
            self._info = read_streamer_info(reply)
        talk = Talk(self._info, stream_pass.token)
        line = await self._around.lines.open(self._info.url)
        try:
            await line.say(talk.opening())
        except BaseException:
            await line.close()
            raise
        return line, talk

    async def _begin(self, line: Line, talk: Talk) -> None:
        """Talk until the subscription stands; what cannot be, may be due to a stale address."""
        try:
            while not talk.is_subscribed:
                await self._hear(line, talk, within_s=ANSWER_WITHIN_S)
        except BrokerError:
            self._info = None
            raise
        self._course.since = time.time()
        self._course.begun += 1
        self._around.began(self.login_id)
        self._around.changed()

    async def _listen(self, line: Line, talk: Talk) -> None:
        while True:
            await self._hear(line, talk, within_s=settings.STREAM_SILENCE_S)

    async def _hear(self, line: Line, talk: Talk, *, within_s: float) -> None:
        heard = talk.hear(await line.hear(within_s=within_s))
        self._course.heard = time.time()
        for words in heard.odd:
            self._note_odd(words)
        if heard.activities:
            self._course.messages += len(heard.activities)
            self._around.heard(self.login_id, heard.activities)
        if heard.reply is not None:
            await line.say(heard.reply)

    def _note_odd(self, words: str) -> None:
        """Say once what is not understood: the words hold nothing of what was sent."""
        if words not in self._course.odd and len(self._course.odd) < MOST_ODD:
            self._course.odd.add(words)
            log.warning("stream of login %s: passed over %s", self.login_id, words)

    def _end(self, words: str) -> None:
        is_news = self._course.since is not None or words != self._course.words
        self._course.since, self._course.words = None, words
        if is_news:
            log.warning("stream of login %s: %s", self.login_id, words)
            self._around.changed()


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
