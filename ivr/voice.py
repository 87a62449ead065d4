"""A telephone call as prompts and answers, on top of a line that executes AGI commands.

    voice = VoiceLine(line, VoiceSettings(), clock)
    variables = await voice.open(("CALLERID(num)", "CHANNEL(name)", "UNIQUEID"))
    await voice.answer()
    heard = await voice.collect(Prompt(("menu/main",), max_digits=1))
    await voice.leave("done")

A prompt is one `EXEC Read`, so that nothing lies between two of its files and a key stops all of it. Every
key of the call is kept by `StoreDTMF` from `open` on: keys pressed while a back end was asked answer the
next prompt, and what was pressed is told from there, in its order, whatever command was running.

It knows no flows, no texts and no sockets; time is the clock it is given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ivr.agi import command as agi
from ivr.agi.error import AGIHangup
from ivr.channel import Channel, Line
from ivr.handover import Next, orders
from ivr.key_store import NEVER, TYPED, KeyStore
from ivr.prompt import Heard, Prompt, Taken, groups
from ivr.typed import keys

Played: TypeAlias = Literal["ok", "failed", "hungup"]
"""`failed`: a file is missing, the caller is still there."""

Ready: TypeAlias = Callable[[float], Awaitable[bool]]
"""Waits at most so many seconds; whether what is waited for has come."""

READ = "IVR_READ"
"""What the last Read has collected."""

SAMPLES_A_SECOND = 8_000


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """Seconds and octets of a call.

    `moment` is played after `moment_after_s` of waiting for a back end and again every `moment_every_s`.
    `command_s` is the limit of a command that plays nothing, `prompt_s` of one group of files. `look_s`: keys
    are not looked at again so soon after the last look. `reaction_s`: a key that comes so soon after a prompt
    has begun was on its way before that; it is ahead where that matters.
    """

    moment: tuple[str, ...] = ()
    moment_after_s: float = 2.0
    moment_every_s: float = 6.0
    command_s: float = 10.0
    prompt_s: float = 600.0
    look_s: float = 0.02
    reaction_s: float = 0.5
    group_octets: int = 4_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording: `ok` (ended by a key, by silence or by its limit), `failed` (not written) or `hungup`.

    After `hungup` what was said is there all the same; `seconds` is how much.
    """

    name: str
    seconds: float
    outcome: Played


class VoiceLine(Channel):
    """One call. Every method may raise AGIHangup when the caller has gone, except where it says so.

    `answered` is false while there is only early media; `missing` counts prompts with a file that is not
    there; `type_ahead` is false where Asterisk keeps no keys (no module app_dtmfstore).
    """

    def __init__(
        self, line: Line, settings: VoiceSettings, clock: Callable[[], int], *, answered: bool = False
    ) -> None:
        """`clock` is UTC milliseconds that never jump."""
        super().__init__(line, settings.command_s, answered=answered)
        self._settings = settings
        self._clock = clock
        self._keys = KeyStore(self, clock, settings.look_s)
        self._typed = self._keys.typed
        self._early = False
        self._began = NEVER
        self._times: dict[str, float] = {}
        self.missing = 0

    @property
    def type_ahead(self) -> bool:
        """Whether Asterisk keeps what is pressed between two commands."""
        return self._keys.kept

    async def open(self, names: Iterable[str] = ()) -> Mapping[str, str]:
        """Read trusted variables and begin to keep keys; return the variables (empty where unset)."""
        found = dict(await self.trusted((*names, TYPED)))
        self.variables.pop(TYPED)
        await self._keys.open(found.pop(TYPED))
        return found

    async def collect(self, prompt: Prompt) -> Heard:
        """Play a prompt and take its answer; never raises AGIHangup.

        Keys pressed before the prompt began answer it, then it is not played; see `Prompt` for those that
        may not.
        """
        heard = await self._collect(prompt)
        while heard.outcome != "hungup" and self._doubtful(prompt, heard):
            heard = await self._collect(replace(prompt, fresh=True))
        return heard

    def _doubtful(self, prompt: Prompt, heard: Heard) -> bool:
        """Tell whether an answer that matters was begun before anybody can have heard the prompt."""
        return (heard.ahead or self._early) and (prompt.fresh or heard.digits in prompt.risky)

    async def _collect(self, prompt: Prompt) -> Heard:
        had = ""
        try:
            taken = await self._begin(prompt)
            had = taken.digits
            if taken.complete:
                heard = self._use(prompt, taken)
            else:
                files = () if taken.digits else await self._play_but_last(prompt)
                heard = await self._read(prompt, files)
            # Without a store of keys none is known that was pressed between two commands.
            ahead = self._typed.ahead(prompt, heard.digits) if self.type_ahead else self._typed.left
            heard = replace(heard, ahead=ahead)
            if prompt.secret:
                await self._wipe()
            return heard
        except AGIHangup:
            return Heard("" if prompt.secret else had, "hungup")

    async def play(self, files: tuple[str, ...], *, interruptible: bool = False) -> Played:
        """Play files; a key stops them if they are `interruptible`, and counts for the next prompt.

        Keys pressed during files that are not are dropped. Never raises AGIHangup.
        """
        failed = False
        try:
            for group in groups(files, self._settings.group_octets):
                outcome, stopped = await self._play(group, interruptible)
                failed = failed or outcome == "failed"
                if outcome == "hungup" or stopped:
                    return outcome
        except AGIHangup:
            return "hungup"
        if failed:
            return "failed"
        return "hungup" if self._line.hungup else "ok"

    async def hold(self, ready: Ready) -> bool:
        """Wait for something slow and say "one moment" meanwhile; return whether the caller stayed.

        Keys pressed meanwhile count for the next prompt. When the caller goes, the wait goes on without
        words: what was asked for is still to be taken in.
        """
        wait = self._settings.moment_after_s
        while not await ready(wait):
            if self._settings.moment and not self._line.hungup:
                await self.play(self._settings.moment, interruptible=True)
            wait = self._settings.moment_every_s
        return not self._line.hungup

    async def record(
        self,
        name: str,
        max_s: float,
        *,
        beep: bool = True,
        silence_s: int | None = None,
        terminator: str = "#",
    ) -> Recorded:
        """Record what the caller says into `name` (relative, without ending) as WAV.

        Ends by `terminator`, after `max_s` or after `silence_s` of silence. Never raises AGIHangup.
        """
        order = agi.record_file(name, terminator, int(max_s * 1_000), beep=beep, silence_s=silence_s)
        try:
            reply = await self._line.execute(order, max_s + self._settings.command_s)
            seconds = (reply.endpos or 0) / SAMPLES_A_SECOND
            if reply.number == -1:
                # Of a hang-up that has just begun CHANNEL STATUS does not know yet.
                gone = reply.value in {"hangup", "waitfor"} or not await self.alive()
                return Recorded(name, seconds, "hungup" if gone else "failed")
            await self.drop_ahead()
        except AGIHangup:
            return Recorded(name, 0.0, "hungup")
        return Recorded(name, seconds, "ok")

    async def drop_ahead(self) -> None:
        """Forget the keys pressed so far: before a charge, a secret and whatever cannot be undone."""
        await self._keys.drop()

    async def leave(self, next_step: Next, variables: Mapping[str, str] | None = None) -> None:
        """Tell the dialplan how to go on; `IVR_NEXT` is the last that is set.

        Works after a hang-up as well. Raises ValueError for a variable that is none of ours or has not its
        form.
        """
        told = orders(next_step, variables or {})
        if next_step != "done" and not self._line.hungup:
            # What is pressed in the talk with a specialist is nobody's answer.
            await self._keys.end()
        for order in told:
            await self.do(order)

    async def _begin(self, prompt: Prompt) -> Taken:
        """Return what is answered already."""
        if prompt.own:
            await self.drop_ahead()
        else:
            await self._keys.look(anew=bool(prompt.risky))
        await self._keys.shorten()
        self._typed.skip_stray()
        self._typed.begin()
        self._early, self._began = False, self._clock()
        return self._typed.take(prompt)

    def _use(self, prompt: Prompt, taken: Taken) -> Heard:
        self._typed.use(prompt, taken, self._clock())
        return Heard(taken.digits, "ok")

    async def _play_but_last(self, prompt: Prompt) -> tuple[str, ...]:
        """Play what does not fit into the Read or may not be interrupted; return the files that are left."""
        if not prompt.barge_in:
            await self.play(prompt.files)
            return ()
        parts = groups(prompt.files, self._settings.group_octets)
        for group in parts[:-1]:
            outcome, digit = await self._play(group, interruptible=True)
            if outcome == "hungup":
                raise AGIHangup("the caller has gone")
            if digit:
                at = self._clock()
                await self._keys.look(anew=True)
                self._came(prompt, digit, at)
                return ()
        return parts[-1] if parts else ()

    async def _play(self, group: tuple[str, ...], interruptible: bool) -> tuple[Played, str]:
        """Play one group; return how it went and the key that has stopped it."""
        application = agi.background if interruptible else agi.playback
        reply = await self._line.execute(
            application(group, answer_call=self.answered), self._settings.prompt_s
        )
        if interruptible and reply.digit:
            self._keys.missed()
            if not self.type_ahead:
                self._typed.text += reply.digit
            return "ok", reply.digit
        failed = reply.number != 0
        if not failed:
            name = "BACKGROUNDSTATUS" if interruptible else "PLAYBACKSTATUS"
            status, typed = await self.values(name, TYPED)
            failed = status == "FAILED"
            self._keys.seen(typed)
            if not interruptible:
                self._typed.drop()
        if self._line.hungup or (failed and not await self.alive()):
            return "hungup", ""
        if failed:
            self.missing += 1
        return ("failed" if failed else "ok"), ""

    async def _read(self, prompt: Prompt, files: tuple[str, ...]) -> Heard:
        """Run Read and tell the answer from all keys that came."""
        taken, status, read = await self._ask(prompt, files)
        if self._typed.skip_stray(self._clock()):
            taken, status, read = await self._ask(prompt, files)
        self._typed.expect_no_stray()
        if taken.complete:
            return self._use(prompt, taken)
        self._typed.pass_over(taken)
        # Without a store of keys only Read knows what was pressed.
        digits = taken.digits if self.type_ahead else taken.digits + read
        if status == "OK":
            return Heard(digits, "ok")
        gone = status == "HANGUP" or self._line.hungup or (status == "ERROR" and not await self.alive())
        return Heard(digits, "hungup" if gone else "timeout")

    async def _ask(self, prompt: Prompt, files: tuple[str, ...]) -> tuple[Taken, str, str]:
        """Run Read for what is left of an answer; return the answer by all keys, Read's status and digits."""
        taken = self._typed.take(prompt)
        if taken.complete:
            return taken, "OK", ""
        left = prompt.max_digits - len(taken.digits)
        begun = bool(taken.digits)
        # Where it matters when an entry was begun, its first key is taken by a Read of its own.
        one_key = left > 1 and not begun and self.type_ahead and bool(prompt.fresh or prompt.risky)
        left = 1 if one_key else left
        before = len(self._typed.text)
        status, read = await self._run_read(prompt, files, left, begun=begun)
        if status == "ERROR" and not self._line.hungup and await self.alive():
            # Read leaves at once when its last file is missing: ask again without words.
            self.missing += 1
            status, read = await self._run_read(prompt, (), left, begun=begun)
        if len(self._typed.text) - before < len(read):
            self._keys.kept = False  # the store has been removed, or there is none
        if self.type_ahead:
            taken = self._typed.take(prompt)
            if one_key and status == "OK" and not taken.complete:
                return await self._ask(prompt, ())
        return taken, status, read

    async def _run_read(
        self, prompt: Prompt, files: tuple[str, ...], left: int, *, begun: bool
    ) -> tuple[str, str]:
        """Run Read for `left` digits; return its status and digits. The keys of the call are read anew."""
        seconds: float | None = prompt.between_s if begun else prompt.first_s
        if left > 1 and not begun and prompt.first_s != prompt.between_s:
            await self._set_times(prompt)
            seconds = None
        order = agi.read(READ, files, left, seconds, prompt.terminator, answer_call=self.answered)
        within = self._settings.prompt_s + prompt.first_s + left * prompt.between_s
        await self._line.execute(order, within)
        at = self._clock()
        status, read, typed = await self.values("READSTATUS", READ, TYPED)
        self._keys.seen(typed)
        ended = prompt.terminator if status == "OK" and len(read) < left else ""
        self._came(prompt, keys(read) + ended, at)
        return status, read

    def _came(self, prompt: Prompt, pressed: str, at: int) -> None:
        """Note the first keys of a prompt, and when they came."""
        if self._typed.own_at is None:
            self._typed.came(pressed, only=prompt.own)
            soon = at - self._began < self._settings.reaction_s * 1_000
            self._early = bool(pressed) and prompt.barge_in and soon

    async def _set_times(self, prompt: Prompt) -> None:
        """Give the channel the two times that Read takes when it is given none."""
        for name, seconds in (("TIMEOUT(response)", prompt.first_s), ("TIMEOUT(digit)", prompt.between_s)):
            if self._times.get(name) != seconds:
                await self.do(agi.set_variable(name, f"{seconds:g}"))
                self._times[name] = seconds

    async def _wipe(self) -> None:
        """Leave nothing of a secret in the channel; what was heard stands even if the caller goes."""
        try:
            await self.do(agi.set_variable(READ, ""))
            await self._keys.wipe()
        except AGIHangup:
            return
        self._typed.clear()
