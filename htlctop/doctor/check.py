"""One check and its verdict: a sentence on what is, and what mends it."""

from dataclasses import dataclass
from enum import StrEnum

from htlctop.errors import HtlctopError


class Verdict(StrEnum):
    """SKIP: not looked at, because of an earlier failure."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and what to do about it ("" where nothing is).

    `exit_code`: the error's on FAIL, else 0.
    """

    name: str
    verdict: Verdict
    text: str
    mend: str = ""
    exit_code: int = 0


def ok(name: str, text: str) -> Check:
    """All is well."""
    return Check(name, Verdict.OK, text)


def warn(name: str, text: str, mend: str) -> Check:
    """It works, but could be better."""
    return Check(name, Verdict.WARN, text, mend)


def fail(name: str, error: HtlctopError) -> Check:
    """It does not work. The error's message holds the cause and the mend."""
    text, mend = cause_and_mend(str(error))
    return Check(name, Verdict.FAIL, text, mend, error.exit_code)


def skip(name: str, text: str) -> Check:
    """It could not be looked at."""
    return Check(name, Verdict.SKIP, text)


def cause_and_mend(message: str) -> tuple[str, str]:
    """Our errors say "cause: mend" or "cause; mend", and what they quote is in brackets."""
    depth = 0
    for index, character in enumerate(message):
        depth += (character == "(") - (character == ")")
        if character in ":;" and not depth and message[index + 1 : index + 2] == " ":
            return message[:index], message[index + 2 :]
    return message, ""
