"""One object of a saved report; reading a field that is missing or wrong names its place."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from htlctop.domain.codes import Category
from htlctop.errors import UsageError

T = TypeVar("T")
_CATEGORIES = {category.label: category for category in Category}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 2**63


class Item:
    """Its fields by name. Every method raises UsageError where the field is missing or wrong."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise UsageError(f"{place or 'the report'} is not an object")
        self._value: Mapping[str, object] = value
        self._place = place

    def text(self, key: str) -> str:
        """A string, "" for null."""
        value = self._get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(key, "text")
        return value

    def number(self, key: str) -> int:
        """A whole number."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= _MOST:
            raise self._wrong(key, "a whole number")
        return value

    def real(self, key: str) -> float:
        """A number."""
        value = self._get(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < _MOST:
            raise self._wrong(key, "a number")
        return value

    def flag(self, key: str) -> bool:
        """Yes or no."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def time_ns(self, key: str) -> int:
        """A time in RFC 3339, as ns since the epoch."""
        try:
            at = datetime.fromisoformat(self.text(key))
            return (at - _EPOCH) // timedelta(milliseconds=1) * 1_000_000
        except (ValueError, TypeError, OverflowError):
            raise self._wrong(key, "a time like 2026-07-03T14:02:00.000Z") from None

    def item(self, key: str) -> "Item":
        """An object."""
        return Item(self._get(key), self._at(key))

    def maybe_number(self, key: str) -> int | None:
        """A whole number, or null."""
        return None if self._get(key) is None else self.number(key)

    def maybe_numbers(self, key: str) -> tuple[int, ...] | None:
        """A list of whole numbers, or null."""
        value = self._get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        listed = Item({str(at): each for at, each in enumerate(value)}, self._at(key))
        return tuple(listed.number(str(at)) for at in range(len(value)))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._get(key)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._wrong(key, "a list of strings")
        return tuple(value)

    def place(self, key: str) -> str:
        """Where a field is, for a message."""
        return self._at(key)

    def has(self, key: str) -> bool:
        """Whether it is there at all; what the contract holds by now an earlier file left out."""
        return key in self._value

    def later_number(self, key: str) -> int | None:
        """A whole number, or None where it is null or left out."""
        return self.maybe_number(key) if self.has(key) else None

    def later_text(self, key: str) -> str:
        """A string, "" where it is null or left out."""
        return self.text(key) if self.has(key) else ""

    def pairs(self, key: str) -> tuple[tuple[str, object], ...]:
        """Names and values of an object, in their order."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "an object")
        return tuple(value.items())

    def items(self, key: str, read: "Callable[[Item], T]") -> tuple[T, ...]:
        """What is read from each object of a list."""
        value = self._get(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return tuple(read(Item(each, f"{self._at(key)}[{at}]")) for at, each in enumerate(value))

    def later_flag(self, key: str) -> bool | None:
        """Yes or no, or None where it is null or left out."""
        return self.flag(key) if self.has(key) and self._value[key] is not None else None

    def later_category(self, key: str) -> Category | None:
        """A category by its label, None where it is null or left out."""
        return self.category(key) if self.later_text(key) else None

    def category(self, key: str) -> Category:
        """A category by its label."""
        found = _CATEGORIES.get(self.text(key))
        if found is None:
            raise self._wrong(key, f"a category known to this htlctop: {self.text(key)!r}")
        return found

    def one_of(self, key: str, known: Mapping[str, T]) -> T:
        """What a name stands for."""
        found = known.get(self.text(key))
        if found is None:
            raise UsageError(f"{self._at(key)} is not one of {', '.join(known)}")
        return found

    def _get(self, key: str) -> object:
        if key not in self._value:
            raise UsageError(f"{self._at(key)} is missing")
        return self._value[key]

    def _at(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key

    def _wrong(self, key: str, wanted: str) -> UsageError:
        return UsageError(f"{self._at(key)} is not {wanted}")
