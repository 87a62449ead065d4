"""How fast a link may send: our own rate limit, and what the centre's throttling teaches.

A single `throttled` answer says little: some centres refuse a few per cent at random, and a link that
pauses for each of those stops sending altogether. So the message that was refused waits alone (see
`smpp.backlog`), and only when more than a fifth of a second's answers were refusals does the whole link
slow down, to the rate that was accepted in that second; from there it grows by 5 % a second until the
centre refuses again. Where nothing was accepted at all, the link pauses, 1 s doubling to 30 s.
(smpp-ussd reference, 2.3.)

Answers to messages that left before the last slow-down, or within a second of it, say nothing about the new
rate and are not counted.
Time is an argument, in milliseconds; nothing here knows of messages or connections.
"""

PERIOD_MS = 1_000
REFUSED_SHARE = 5
"""More than one in so many answers refused: the centre means it."""
SETTLE_MS = 1_000
"""After a slow-down a centre may still refuse for what came before it, most for the rest of its second."""
ENOUGH_ANSWERS = 20
"""Below this a fifth is chance: 5 % of random refusals would look like a limit every few minutes."""
LONGEST_PERIOD_MS = 10_000
SURE_REFUSALS = 3
GROWTH = 1.05
PAUSE_FIRST_MS = 1_000
PAUSE_LIMIT_MS = 30_000
BURST_S = 0.1
"""A bucket holds so many seconds of tokens: enough for a coarse timer, too little for a wave."""
UNLIMITED = 1 << 30
WHOLE = 1.0 - 1e-6
"""A token, less what adding up fractions loses."""
FORGET_FACTOR = 8.0
"""A learned rate that has grown to so many times the accepted one no longer describes the centre."""


class RateLimit:
    """A token bucket; a token is a message. `rate` is tokens a second, None lets everything through."""

    __slots__ = ("_at", "_tokens", "rate")

    def __init__(self, rate: float | None, now: int) -> None:
        self.rate = rate
        self._at = now
        self._tokens = self._burst()

    def take(self, now: int) -> bool:
        """Take one token if there is one."""
        if self.rate is None:
            return True
        self._fill(now)
        if self._tokens < WHOLE:
            return False
        self._tokens -= 1.0
        return True

    def give_back(self) -> None:
        """Return a token that was taken for a message which then could not leave."""
        if self.rate is not None:
            self._tokens += 1.0

    def owe(self) -> None:
        """Take a token that need not be there: for more parts than were asked about."""
        if self.rate is not None:
            self._tokens -= 1.0

    def spare(self, now: int) -> tuple[int, int]:
        """Return how many tokens the least urgent may take now, and how many they ever may.

        At least one, and half of a burst, always stays for whoever comes next.
        """
        if self.rate is None:
            return UNLIMITED, UNLIMITED
        self._fill(now)
        kept = max(1.0, self._burst() / 2) - 1e-6
        return max(0, int(self._tokens - kept)), max(1, int(self._burst() + 1.0 - kept))

    def change(self, rate: float | None, now: int) -> None:
        """Go on with another rate; what has gathered is kept up to the new burst."""
        self._fill(now)
        self.rate = rate
        self._tokens = min(self._tokens, self._burst())

    def ready_at(self, now: int) -> int:
        """When the next token will be there; `now` if there is one."""
        if self.rate is None:
            return now
        self._fill(now)
        if self._tokens >= WHOLE:
            return now
        return now + max(1, int((1.0 - self._tokens) / self.rate * 1000 + 0.999))

    def _burst(self) -> float:
        return max(1.0, (self.rate or 0.0) * BURST_S)

    def _fill(self, now: int) -> None:
        passed = now - self._at
        if passed > 0 and self.rate is not None:
            self._tokens = min(self._burst() + 1.0, self._tokens + passed * self.rate / 1000)
        self._at = now


class Throttle:
    """The rate of one link. `configured` is our own limit in messages a second, None for none."""

    __slots__ = (
        "_accepted",
        "_configured",
        "_fell_at",
        "_fell_to",
        "_grown_at",
        "_pause_ms",
        "_paused_until",
        "_period_start",
        "_refused",
        "bucket",
        "easy",
        "slowdowns",
    )

    def __init__(self, configured: float | None, now: int) -> None:
        self._configured = configured
        self.bucket = RateLimit(configured, now)
        self._fell_to: float | None = None
        self._fell_at = -1
        self._grown_at = now
        self._accepted = 0
        self._refused = 0
        self._period_start = now
        self._pause_ms = 0
        self._paused_until = 0
        self.slowdowns = 0
        self.easy = configured is None
        """True while nothing limits: `admit` need not be asked."""

    @property
    def learned(self) -> float | None:
        """The rate in force because of throttling, messages a second; None when only our own limit rules."""
        return self.bucket.rate if self._fell_to is not None else None

    def paused(self, now: int) -> bool:
        """True while nothing may be sent at all."""
        return now < self._paused_until

    def admit(self, now: int) -> bool:
        """True, and a token taken, if a message may leave now."""
        return now >= self._paused_until and self.bucket.take(now)

    def ready_at(self, now: int) -> int:
        """When a message may leave next."""
        if now < self._paused_until:
            return self._paused_until
        return self.bucket.ready_at(now)

    def answered(self, sent_at: int, now: int, *, refused: bool) -> None:
        """Count one answer of the centre to a message that left at `sent_at`."""
        if now - self._period_start >= PERIOD_MS:
            self._judge(now)
        if sent_at <= self._fell_at:
            return
        if refused:
            self._refused += 1
        else:
            self._accepted += 1
            self._pause_ms = 0

    def accepted(self, count: int, sent_at: int, now: int) -> None:
        """As `answered`, of so many messages that left together at `sent_at` and were not refused."""
        if now - self._period_start >= PERIOD_MS:
            self._judge(now)
        if sent_at > self._fell_at:
            self._accepted += count
            self._pause_ms = 0

    def on_time(self, now: int) -> None:
        """Let a period end that no answer ended."""
        if now - self._period_start >= PERIOD_MS:
            self._judge(now)
        self.easy = self.bucket.rate is None and now >= self._paused_until

    def _judge(self, now: int) -> None:
        """At the end of a period: slow down, pause, grow, or go on counting when too little was seen."""
        accepted, refused = self._accepted, self._refused
        answers = accepted + refused
        elapsed = now - self._period_start
        if not accepted and refused >= SURE_REFUSALS:
            self._pause(now)
        elif answers >= ENOUGH_ANSWERS and refused * REFUSED_SHARE > answers:
            self._fall(accepted * 1000 / elapsed, now)
        else:
            self._grow(now)
            if 0 < answers < ENOUGH_ANSWERS and refused and elapsed < LONGEST_PERIOD_MS:
                return
        self._accepted = self._refused = 0
        self._period_start = max(now, self._fell_at)

    def _pause(self, now: int) -> None:
        self._pause_ms = min(PAUSE_LIMIT_MS, self._pause_ms * 2) if self._pause_ms else PAUSE_FIRST_MS
        self._paused_until = self._fell_at = now + self._pause_ms
        self.easy = False
        self.slowdowns += 1

    def _fall(self, rate: float, now: int) -> None:
        rate = max(1.0, rate)
        if self._configured is not None:
            rate = min(rate, self._configured)
        self._fell_to = rate
        self.easy = False
        self._grown_at = now
        self._fell_at = now + SETTLE_MS
        self.slowdowns += 1
        self.bucket.change(rate, now)

    def _grow(self, now: int) -> None:
        """5 % for each second that passed; past our own limit, or far past the lesson, it is forgotten."""
        rate = self.bucket.rate
        passed_s = (now - self._grown_at) / 1000
        self._grown_at = now
        if self._fell_to is None or rate is None:
            return
        rate *= GROWTH ** min(passed_s, 60.0)
        reached = self._configured is not None and rate >= self._configured
        if reached or rate >= self._fell_to * FORGET_FACTOR:
            self._fell_to = None
            self.bucket.change(self._configured, now)
        else:
            self.bucket.change(rate, now)
