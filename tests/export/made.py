"""Makes view models at random by their types, with names, keys and ids that are known."""

import random
import types
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from htlctop.analysis.advice.models import Advice
from htlctop.analysis.details import (
    ChannelDetail,
    History,
    HtlcDetail,
    NodeDetail,
    PairDetail,
    PeerDetail,
)
from htlctop.analysis.models import Overview
from htlctop.analysis.rows import Rows
from htlctop.export.views import Events, View

T = TypeVar("T")
VIEWS: tuple[type[View], ...] = (
    *(Overview, Events, Advice, History, NodeDetail),
    *(PeerDetail, ChannelDetail, PairDetail, HtlcDetail),
)
HOSTILE = (
    "ACINQ",
    "=cmd|'/c calc'!A1",
    "x;=1+1",
    "-2+3",
    "a | b | c",
    "[click](https://evil.example)",
    "<script>alert(1)</script>",
    "![i](http://evil.example/a.png)",
    "mail@evil.example",
    "www.evil.example",
    "`code` **bold** _it_",
    "line\nbreak\r\n| x |",
    "\x1b[31mred\x1b[0m",
    "‮right to left",
    "日本ライトニング",
    "fast⚡sats",
    'quo"te, comma',
    "@everyone",
    "@evil",
    "# heading",
    "$(rm -rf ~)",
    "a" * 200,
    "\ud800lone",
    "",
)
_NS = 1_783_087_320 * 10**9


@dataclass
class Maker:
    """Builds instances; `originals` are the names, keys and ids it gave out, by kind."""

    chance: random.Random
    aliases: tuple[str, ...] = HOSTILE
    originals: dict[str, set[str]] = field(
        default_factory=lambda: {"alias": set(), "pubkey": set(), "scid": set(), "id": set()}
    )

    def make(self, kind: type[T]) -> T:
        """An instance of a dataclass, whatever is in it."""
        made: T = self._dataclass(kind)
        return made

    def _dataclass(self, kind: Any) -> Any:
        hints = get_type_hints(kind)
        return kind(**{f.name: self._value(hints[f.name], f.name) for f in fields(kind)})

    def _value(self, kind: Any, name: str) -> Any:
        origin, args = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            some = [arg for arg in args if arg is not type(None)]
            if len(some) < len(args) and self.chance.random() < 0.2:
                return None
            return self._value(self.chance.choice(some), name)
        if origin is Rows:
            return Rows.of(self._value(args[0], name) for _ in range(self.chance.randrange(4)))
        if origin is tuple:
            if args[-1] is Ellipsis:
                return tuple(self._value(args[0], name) for _ in range(self.chance.randrange(4)))
            return tuple(self._value(arg, name) for arg in args)
        if is_dataclass(kind):
            return self._dataclass(kind)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self.chance.choice(list(kind))
        return self._plain(kind, name)

    def _plain(self, kind: Any, name: str) -> Any:
        if kind is bool:
            return self.chance.random() < 0.5
        if kind is float:
            return round(self.chance.random(), 6)
        if kind is int:
            if name.endswith("_ns"):
                return _NS + self.chance.randrange(10**15) // 10**6 * 10**6
            return self.chance.randrange(10**6)
        return self._text(name)

    def _text(self, name: str) -> str:
        if "alias" in name:
            return self._kept("alias", self.chance.choice(self.aliases))
        if "pubkey" in name:
            return self._kept("pubkey", f"02{self.chance.randrange(16**64):064x}")
        if "scid" in name:
            block, tx, out = (self.chance.randrange(n) for n in (900_000, 3000, 9))
            return self._kept("scid", f"{700_000 + block % 200_000}x{tx}x{out}")
        if name in ("channels", "channel_id", "in_channel_id", "out_channel_id"):
            return self._kept("id", str(self.chance.randrange(10**17, 10**18)))
        return self.chance.choice(("", "word", "two words", "0.21.2-beta", "24h"))

    def _kept(self, kind: str, text: str) -> str:
        if text:
            self.originals[kind].add(text)
        return text
