"""Redaction: nothing of an original is left in any view or format, and codes are stable."""

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from htlctop.analysis.models import Gap, Overview
from htlctop.export.format import clean
from htlctop.export.formats import Format, render
from htlctop.export.redaction import Redaction
from htlctop.export.views import View, document
from tests.export.made import HOSTILE, VIEWS, Maker

KEY = bytes(range(32))
ALIASES = tuple(f"{alias}~original{at}" for at, alias in enumerate(HOSTILE))
SEEDS = range(8)


def hidden(maker: Maker) -> set[str]:
    """Every original the maker gave out, raw and as it would be shown."""
    originals = {text for kind in maker.originals.values() for text in kind}
    return originals | {clean(text) for text in originals}


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("kind", VIEWS)
def test_no_original_is_left_in_any_view_and_format(kind: type[View], form: Format) -> None:
    for seed in SEEDS:
        maker = Maker(random.Random(seed), aliases=ALIASES)
        view = maker.make(kind)
        text = render(document(Redaction(KEY).view(view), "A view", is_redacted=True), form)
        assert "original" not in text
        for original in hidden(maker):
            assert original not in text


@pytest.mark.parametrize("kind", VIEWS)
def test_everything_but_names_keys_and_ids_stays(kind: type[View]) -> None:
    maker = Maker(random.Random(5), aliases=("one",))
    view = maker.make(kind)
    numbers = re.compile(r"^\s*\"\w+_(?:msat|sat|ppm)\": .*$", re.M)
    before, after = (
        numbers.findall(render(document(each, "A view"), Format.JSON))
        for each in (view, Redaction(KEY).view(view))
    )
    assert before == after


def test_the_same_thing_has_the_same_code_in_every_run_and_another_with_another_key() -> None:
    view = Maker(random.Random(1)).make(Overview)
    first, again = Redaction(KEY).view(view), Redaction(KEY).view(view)
    assert first == again != Redaction(bytes(32)).view(view)
    redaction = Redaction(KEY)
    assert redaction.name("ACINQ") == redaction.name("ACINQ") != redaction.name("ACINO")
    assert re.fullmatch(r"node-[0-9a-z]{6}", redaction.name("ACINQ"))


def test_a_channels_two_ids_stay_two_forms_of_one() -> None:
    redaction = Redaction(KEY)
    block, transaction, output = map(int, redaction.id("812345x17x1").split("x"))
    number = 812345 << 40 | 17 << 16 | 1
    assert redaction.id(str(number)) == str(block << 40 | transaction << 16 | output)
    assert block < 100_000, "no channel is that old"


def test_a_code_for_a_key_has_its_form_and_is_plainly_none() -> None:
    code = Redaction(KEY).pubkey("03" + "ab" * 32)
    assert re.fullmatch(r"02[0-9a-f]{10}0{54}", code)


@pytest.mark.parametrize(
    ("sentence", "left"),
    [
        ("ACINQ was away", "node-"),
        ("refilled acinq by hand", "node-"),
        ("channel 812345x17x1 closed", "channel "),
        (f"peer {'03' + 'cd' * 32} sent nothing", "peer 02"),
        ("10.0.0.2:10009 refuses us", "(address) refuses us"),
        ("no certificate at /home/alice/.lnd/tls.cert: name it", "at (path): name it"),
        ("closed at 2026-07-03T14:02:00Z", "2026-07-03T14:02:00Z"),
        ("from 14:02 to 15:10", "from 14:02 to 15:10"),
        ("4,902 x 24% = 1,176", "4,902 x 24% = 1,176"),
    ],
)
def test_a_sentence_loses_what_tells_and_keeps_the_rest(sentence: str, left: str) -> None:
    redaction = Redaction(KEY)
    view = Maker(random.Random(1), aliases=("ACINQ",)).make(Overview)
    gap = Gap(0, 1, sentence)
    window = replace(view.window, gaps=(gap,))
    (told,) = redaction.view(replace(view, window=window)).window.gaps
    assert left in told.reason
    for secret in ("ACINQ", "acinq", "812345", "cdcd", "10.0.0.2", "alice"):
        assert secret not in told.reason


def test_a_view_without_names_is_the_same_object() -> None:
    view = Maker(random.Random(1), aliases=("",)).make(Overview)
    assert Redaction(KEY).view(view.totals) is view.totals


def test_what_the_user_wrote_and_where_he_keeps_it_is_hidden(tmp_path: Path) -> None:
    view = Maker(random.Random(1)).make(Overview)
    status = replace(view.status, store_path=str(tmp_path))
    assert Redaction(KEY).view(status).store_path == "(hidden)"
