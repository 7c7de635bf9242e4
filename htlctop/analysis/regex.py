"""Regular expressions that people type into a filter: only such as cannot take for ever.

Python's engine tries every way to match: a repeat within a repeat doubles the time with each
character, and every further repeat multiplies it by the length of what is searched.
"""

import re

from htlctop.errors import UsageError

MAX_CHARS = 100
MAX_REPEATS = 3
_REPEAT = re.compile(r"[*+]|\{\d*,\d*\}|\{\d{2,}\}", re.ASCII)


def compiled(pattern: str) -> re.Pattern[str]:
    """The expression, which does not tell upper from lower case. Raises UsageError."""
    if len(pattern) > MAX_CHARS:
        raise UsageError(f"a regular expression has at most {MAX_CHARS} characters")
    _check_repeats(pattern)
    try:
        return re.compile(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(
            f"/{pattern}/ is no regular expression ({error}); write text without slashes to look "
            "for it as it is"
        ) from None


def _check_repeats(pattern: str) -> None:
    """Raise UsageError for more than a few repeats, or for a repeat of what repeats or chooses."""
    repeats, at = 0, 0
    groups: list[bool] = []
    closed = False  # whether what came just before is a group that repeats or chooses
    while at < len(pattern):
        char = pattern[at]
        if found := _REPEAT.match(pattern, at):
            repeats += 1
            if closed:
                raise UsageError(
                    f"/{pattern}/ repeats a group that repeats or chooses, which can take for "
                    "ever; write it without"
                )
            if groups:
                groups[-1] = True
            at = found.end()
            continue
        if char == "[":
            at = _end_of_set(pattern, at)
        elif char == "(":
            groups.append(False)
        elif char == "|" and groups:
            groups[-1] = True
        was_closed, closed = closed, False
        if char == ")" and groups:
            closed = groups.pop()
            if closed and groups:
                groups[-1] = True
        elif char == "?" and was_closed:
            closed = True
        at += 2 if char == "\\" else 1
    if repeats > MAX_REPEATS:
        raise UsageError(f"a regular expression may repeat at most {MAX_REPEATS} times (* + {{}})")


def _end_of_set(pattern: str, at: int) -> int:
    """Where a set like [^]a-z] ends."""
    at += 2 if pattern[at + 1 : at + 2] == "^" else 1
    at += pattern[at : at + 1] == "]"
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at
