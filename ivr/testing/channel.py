"""One channel of Asterisk as far as AGI sees it: variables, digits, what is being played, whether it is up.

It takes words of commands and returns reply lines; a command that plays or waits stays open (`pending`) until
a key, a silence or a hang-up ends it. There is no clock in it: time passes when the caller does something.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ivr.testing.words import evaluated, substituted, words

DEAD = "511 Command Not Permitted on a dead channel or intercept routine"
UNKNOWN = "510 Invalid or unknown command"
USAGE = "520-Invalid command syntax.  Proper usage follows:\nUsage: {name}\n520 End of proper usage."
SAMPLES = 8_000
"""A file is one second long, a key stops it in the middle."""

PLAYING = frozenset({"Playback", "Background", "Read"})


@dataclass(slots=True)
class Audio:
    """A command that plays or waits for keys: by which application, which files, for which keys.

    `seconds` are the time limits of Read: for the first key and between two (0: there is none, only waiting
    for the end of the prompt).
    """

    application: str
    files: tuple[str, ...] = ()
    max_digits: int = 0
    terminator: str = "#"
    seconds: tuple[float, float] = (0.0, 0.0)
    variable: str = ""
    digits: str = ""
    lone: bool = False


@dataclass(slots=True)
class Channel:
    """A channel. `missing` are sound files that are not there; `stores` whether app_dtmfstore is loaded.

    `hangup_line`: when `HANGUP` is written: "now", "next" (in front of the next reply) or "never"
    (AGISIGHUP=no).
    """

    variables: dict[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    stores: bool = True
    hangup_line: str = "next"
    up: bool = False
    hungup: bool = False
    pending: Audio | None = None
    played: list[str] = field(default_factory=list)
    lost: str = ""
    """Keys that nothing took and nothing kept."""
    _store: tuple[str, int] | None = None
    _announced: bool = False

    def execute(self, line: str) -> str | None:
        """Take a command; return its reply (lines joined by line feeds), None while it plays or waits."""
        given = words(line)
        name = " ".join(given).upper()
        for known in _COMMANDS:
            if name == known or name.startswith(known + " "):
                reply = self._run(known, given[known.count(" ") + 1 :])
                return None if reply is None else self._announce() + reply
        return self._announce() + UNKNOWN

    def press(self, key: str) -> str | None:
        """One key goes down and up; return the reply that it completes, if any."""
        if self.hungup:
            return None
        if self._store is not None and len(self.variables.get(self._store[0], "")) < self._store[1]:
            self.variables[self._store[0]] = self.variables.get(self._store[0], "") + key
        one = self.pending
        if one is None or one.application == "Playback":
            self.lost += "" if self._store else key
            return None
        if one.application == "Read":
            return self._read_key(one, key)
        if one.application == "RecordFile":
            return self._done(f"200 result={ord(key)} (dtmf) endpos={SAMPLES}") if key in one.digits else None
        return self._done(f"200 result={ord(key)}")

    def silence(self) -> str | None:
        """The prompt is heard to its end and nothing is pressed until the time is over."""
        one = self.pending
        if one is None:
            return None
        if one.application == "Read":
            return self._read_done(one, "TIMEOUT")
        if one.application == "RecordFile":
            return self._done(f"200 result=0 (timeout) endpos={4 * SAMPLES}")
        return self._done("200 result=0")

    def hang_up(self) -> str | None:
        """The caller goes; return what is written at once: the reply that was open, `HANGUP`, or nothing."""
        self.hungup = True
        one = self.pending
        reply = None
        if one is not None and one.application == "Read":
            reply = self._read_done(one, "HANGUP")
        elif one is not None and one.application == "RecordFile":
            reply = self._done(f"200 result=-1 (hangup) endpos={SAMPLES}")
        elif one is not None:
            reply = self._done("200 result=-1")
        if self.hangup_line == "now":
            self._announced = True
            return "HANGUP" + ("" if reply is None else "\n" + reply)
        return reply

    def _announce(self) -> str:
        if not self.hungup or self._announced or self.hangup_line == "never":
            return ""
        self._announced = True
        return "HANGUP\n"

    def _run(self, name: str, given: list[str]) -> str | None:
        if len(given) < _COMMANDS[name]:
            return USAGE.format(name=name)
        if name == "SET VARIABLE":
            self.variables[given[0]] = given[1]
            return "200 result=1"
        if name == "GET VARIABLE":
            value = self.variables.get(given[0])
            return "200 result=0" if value is None else f"200 result=1 ({value})"
        if name == "GET FULL VARIABLE":
            return f"200 result=1 ({substituted(given[0], lambda one: evaluated(one, self.variables))})"
        if name == "EXEC":
            return self._application(given[0], given[1] if len(given) > 1 else "")
        if name in {"NOOP", "VERBOSE"}:
            return "200 result=0"
        if self.hungup:
            return DEAD
        if name == "ANSWER":
            self.up = True
            return "200 result=0"
        if name == "CHANNEL STATUS":
            return f"200 result={6 if self.up else 4}"
        if name == "HANGUP":
            self.hungup = True
            return "200 result=1"
        return self._waiting(name, given)

    def _waiting(self, name: str, given: list[str]) -> str | None:
        if name == "WAIT FOR DIGIT":
            self.pending = Audio("WaitForDigit", seconds=(float(given[0]) / 1_000, 0.0))
            return None
        self.pending = Audio("RecordFile", (given[0],), digits=given[2], seconds=(float(given[3]) / 1_000, 0))
        return None

    def _application(self, name: str, text: str) -> str | None:
        parts = [*text.split(","), *[""] * 6]
        if name.lower() == "storedtmf" and self.stores:
            return self._store_digits(parts)
        known = {one.lower(): one for one in PLAYING}.get(name.lower())
        if known is None:
            return "200 result=0" if name.lower() in {"noop", "wait"} else "200 result=-2"
        if self.hungup:
            if known == "Read":
                self.variables |= {parts[0]: "", "READSTATUS": "HANGUP"}
                return "200 result=0"
            return "200 result=-1"
        if known == "Read":
            return self._start_read(parts)
        if "n" not in parts[1] and "noanswer" not in parts[1]:
            self.up = True
        files = self._files(parts[0])
        gone = [one for one in files if one in self.missing]
        self.variables["PLAYBACKSTATUS" if known == "Playback" else "BACKGROUNDSTATUS"] = (
            "FAILED" if gone else "SUCCESS"
        )
        if gone:
            return "200 result=0"
        self.played += files
        self.pending = Audio(known, files)
        return None

    def _files(self, text: str) -> tuple[str, ...]:
        return tuple(one for one in text.split("&") if one)

    def _start_read(self, parts: list[str]) -> str | None:
        variable, text, most, options, _, seconds = parts[:6]
        if "n" not in options.partition("(")[0]:
            self.up = True
        files = self._files(text)
        self.played += [one for one in files if one not in self.missing]
        if files and files[-1] in self.missing:
            self.variables |= {variable: "", "READSTATUS": "ERROR"}
            return "200 result=0"
        first = seconds or self.variables.get("TIMEOUT(response)", "10")
        between = seconds or self.variables.get("TIMEOUT(digit)", "5")
        _, given, rest = options.partition("t(")
        self.pending = Audio(
            "Read",
            files,
            int(most or 255),
            rest.partition(")")[0] if given else "#",
            (float(first), float(between)),
            variable,
            lone="e" in options.partition("t(")[0],
        )
        return None

    def _read_key(self, one: Audio, key: str) -> str | None:
        if key in one.terminator and one.terminator:
            if one.lone and not one.digits:
                one.digits = key
            return self._read_done(one, "OK")
        one.digits += key
        return self._read_done(one, "OK") if len(one.digits) >= one.max_digits else None

    def _read_done(self, one: Audio, status: str) -> str:
        self.variables |= {one.variable: one.digits, "READSTATUS": status}
        return self._done("200 result=0")

    def _done(self, reply: str) -> str:
        self.pending = None
        return self._announce() + reply

    def _store_digits(self, parts: list[str]) -> str:
        if parts[0].lower() == "remove":
            had, self._store = self._store, None
            return "200 result=0" if had else "200 result=-1"
        if self._store is None:
            self._store = (parts[1], int(parts[2] or "511"))
        return "200 result=0"


_COMMANDS: Mapping[str, int] = {
    "SET VARIABLE": 2,
    "GET VARIABLE": 1,
    "GET FULL VARIABLE": 1,
    "EXEC": 1,
    "ANSWER": 0,
    "HANGUP": 0,
    "NOOP": 0,
    "VERBOSE": 1,
    "CHANNEL STATUS": 0,
    "WAIT FOR DIGIT": 1,
    "RECORD FILE": 4,
}
"""The commands that are known, with how many words they need."""
