"""The user's config file: profiles, looks, keys and templates, as written by hand. Only read here.

What stands above the sections holds for every profile; a profile's own settings come first.
"""

import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from htlctop.config import ConnectionOptions
from htlctop.errors import ConfigError

T = TypeVar("T")

DEFAULT = "default"
"""The profile that counts where none is named; it need not be there."""
_MOST_BYTES = 256 * 1024
_MOST_TEXT = 4096
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_DURATION = re.compile(r"[1-9][0-9]{0,5}[smhd]")
_LISTEN = re.compile(r"(?:\S+:)?[0-9]{1,5}")
_URL = re.compile(r"https?://\S+")
_SECRETS = ("macaroon", "lndconnect")


@dataclass(frozen=True, slots=True)
class Look:
    """How the screen is to be and how long HTLCs are kept; None where it says nothing."""

    theme: str | None = None
    ascii: bool | None = None
    mouse: bool | None = None
    window: str | None = None
    keep: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A node with its store and looks, by name. `metrics`: where its collector serves them;
    `lnd_manage`: whom it asks first."""

    name: str = DEFAULT
    node: ConnectionOptions = field(default_factory=ConnectionOptions)
    store: Path | None = None
    metrics: str | None = None
    lnd_manage: str | None = None
    look: Look = field(default_factory=Look)


@dataclass(frozen=True, slots=True)
class Preferences:
    """The file as it counts, with one of its profiles.

    Attributes:
        path: where it is, whether or not there is one.
        keys: action by name -> the keys that do it, as written.
        templates: "tool.kind of advice" -> the user's own wording of the command.
    """

    path: Path
    profile: Profile = field(default_factory=Profile)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)


def load(path: Path, profile: str | None = None, *, must_exist: bool = False) -> Preferences:
    """Read the file and choose a profile: the one named, else the one the file names.

    Raises:
        ConfigError: it cannot be read, says something that cannot be, or has no such profile; the
            message names the file and the setting.
    """
    try:
        data = _read(path)
    except (FileNotFoundError, NotADirectoryError):
        if must_exist:
            raise ConfigError(f"no config file at {path}") from None
        if profile not in (None, DEFAULT):
            raise ConfigError(f"no profile {profile!r}: no config file at {path}") from None
        data = b""
    try:
        return _parse(path, data, profile)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{str(path)!r} is no path") from None
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{path} is far too large for a config file")
    return data


def _parse(path: Path, data: bytes, wanted: str | None) -> Preferences:
    try:
        whole = Section(tomllib.loads(data.decode("utf-8")), "")
    except UnicodeDecodeError:
        raise ConfigError("it is not UTF-8") from None
    except (ValueError, RecursionError, OverflowError) as error:
        raise ConfigError(f"it is not TOML: {error}") from None
    whole.knows(*_LOOKS, "profile", "profiles", "keys", "templates")
    profiles = whole.section("profiles")
    read = {name: _profile(name, profiles.section(name)) for name in profiles.names(_NAME)}
    named = wanted or whole.text("profile") or DEFAULT
    if named not in read and named != DEFAULT:
        there = f"there are {', '.join(sorted(read))}" if read else "it has none"
        raise ConfigError(f"no profile {named!r}; {there}")
    profile = read.get(named, Profile())
    look = _over(profile.look, _look(whole))
    if _holds_secret(read.values()) and _others_may_read(path):
        raise ConfigError(f"it holds a macaroon and others may read it: chmod 600 {path}")
    return Preferences(
        path=path,
        profile=replace(profile, look=look),
        keys=_keys(whole.section("keys")),
        templates=_templates(whole.section("templates")),
    )


class Section:
    """One table of the file; reading a setting that is wrong names its place."""

    def __init__(self, values: Mapping[str, object], place: str) -> None:
        self._values = values
        self._place = place

    def knows(self, *names: str) -> None:
        """Refuse a setting of any other name. Raises ConfigError with the nearest that there is."""
        for name in self._values:
            if name not in names:
                near = get_close_matches(name, names, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ConfigError(
                    f"{self.at(name)} is no setting{hint} (there are {', '.join(names)})"
                )

    def names(self, allowed: re.Pattern[str]) -> tuple[str, ...]:
        """The names in it, of letters as allowed."""
        for name in self._values:
            if not allowed.fullmatch(name):
                raise ConfigError(f"{self.at(name)}: a name has letters, digits, _ and - only")
        return tuple(self._values)

    def at(self, name: str) -> str:
        """Where a setting stands, in full."""
        shown = name if _NAME.fullmatch(name) else ascii(name[:60])
        return f"{self._place}.{shown}" if self._place else shown

    def section(self, name: str) -> "Section":
        """A table in it, empty where there is none."""
        value = self._values.get(name, {})
        if not isinstance(value, dict):
            raise ConfigError(f"{self.at(name)} must be a section: [{self.at(name)}]")
        return Section(value, self.at(name))

    def text(self, name: str, *, lines: bool = False) -> str | None:
        """A text without control characters, in several lines only where `lines`; None where it
        is not there."""
        value = self._get(name, str, 'a text in "quotes"')
        plain = (value or "").replace("\n", "") if lines else value or ""
        if value is not None and (
            not plain or len(plain) > _MOST_TEXT or any(ord(char) < 32 for char in plain)
        ):
            raise ConfigError(f"{self.at(name)} is empty, too long or has control characters")
        return value

    def flag(self, name: str) -> bool | None:
        """true or false."""
        return self._get(name, bool, "true or false")

    def duration(self, name: str, *also: str) -> str | None:
        """A duration such as 24h, or one of the words."""
        value = self.text(name)
        if value is None or value in also or _DURATION.fullmatch(value):
            return value
        words = f", or {' or '.join(also)}" if also else ""
        raise ConfigError(f"{self.at(name)} is {value!r}; write 30m, 24h, 90d{words}")

    def like(self, name: str, form: re.Pattern[str], example: str) -> str | None:
        """A text of a form."""
        value = self.text(name)
        if value is None or form.fullmatch(value):
            return value
        raise ConfigError(f"{self.at(name)} is {value!r}; write it like {example}")

    def texts(self, name: str) -> tuple[str, ...]:
        """A text, or a list of them."""
        value = self._values.get(name)
        found = value if isinstance(value, list) else [value]
        if not found or not all(isinstance(each, str) and each for each in found):
            raise ConfigError(f'{self.at(name)} must be "a text" or a list of them')
        return tuple(str(each) for each in found)

    def _get(self, name: str, kind: type[T], wanted: str) -> T | None:
        value = self._values.get(name)
        if value is None or isinstance(value, kind):
            return value
        raise ConfigError(f"{self.at(name)} must be {wanted}")


_NODE = tuple(each.name for each in fields(ConnectionOptions))
_LOOKS = tuple(each.name for each in fields(Look))


def _profile(name: str, section: Section) -> Profile:
    section.knows(*_NODE, "store", "metrics", "lnd_manage", *_LOOKS)
    node = ConnectionOptions(**{option: section.text(option) for option in _NODE})
    store = section.text("store")
    try:
        path = Path(store).expanduser() if store else None
    except RuntimeError:
        raise ConfigError(f"{section.at('store')} names a home that does not exist") from None
    return Profile(
        name,
        node,
        path,
        metrics=section.like("metrics", _LISTEN, "127.0.0.1:9740"),
        lnd_manage=section.like("lnd_manage", _URL, "http://127.0.0.1:8081"),
        look=_look(section),
    )


def _look(section: Section) -> Look:
    return Look(
        theme=section.text("theme"),
        ascii=section.flag("ascii"),
        mouse=section.flag("mouse"),
        window=section.duration("window", "all"),
        keep=section.duration("keep"),
    )


def _over(first: Look, second: Look) -> Look:
    """The first's settings, and the second's where it says nothing."""
    return Look(
        theme=_either(first.theme, second.theme),
        ascii=_either(first.ascii, second.ascii),
        mouse=_either(first.mouse, second.mouse),
        window=_either(first.window, second.window),
        keep=_either(first.keep, second.keep),
    )


def _either(first: T | None, second: T | None) -> T | None:
    return second if first is None else first


def _keys(section: Section) -> Mapping[str, tuple[str, ...]]:
    return {name: section.texts(name) for name in section.names(_NAME)}


def _templates(section: Section) -> Mapping[str, str]:
    """Those of each tool's own section, by "tool.kind"."""
    tools = {tool: section.section(tool) for tool in section.names(_NAME)}
    return {
        f"{tool}.{kind}": of_tool.text(kind, lines=True) or ""
        for tool, of_tool in tools.items()
        for kind in of_tool.names(_NAME)
    }


def _holds_secret(profiles: Iterable[Profile]) -> bool:
    return any(getattr(profile.node, name) for profile in profiles for name in _SECRETS)


def _others_may_read(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False
