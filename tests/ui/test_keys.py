"""The registry of keys is sound, and README says what it says."""

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from htlctop.analysis.filters import Filter, parse
from htlctop.domain.codes import Group
from htlctop.errors import ConfigError
from htlctop.ui import keys
from htlctop.ui.app import HtlctopApp
from htlctop.ui.glyphs import BLOCKS
from htlctop.ui.paint import keys as keys_paint
from htlctop.ui.paint.keys import footer
from htlctop.ui.screens.help import HelpScreen
from htlctop.ui.screens.how import HowScreen
from htlctop.ui.screens.tables import EXAMPLES
from htlctop.ui.text import plain, width_of
from htlctop.ui.views import DRILL_DOWNS, VIEWS
from htlctop.ui.widgets.choice import ExportChoice
from htlctop.ui.widgets.finder import Finder
from htlctop.ui.widgets.prompt import Prompt
from htlctop.ui.words import SHORT

README = Path(__file__).parents[2] / "README.md"
PAGES = (HelpScreen, HowScreen, *VIEWS.values(), *DRILL_DOWNS.values())
OWNERS = {page.focus_of: page for page in PAGES}
OWNERS |= {
    keys.Focus.PROMPT: Prompt,
    keys.Focus.EXPORT: ExportChoice,
    keys.Focus.PALETTE: Finder,
}


def test_no_two_actions_share_a_key_in_one_focus() -> None:
    assert keys.clashes() == []


def test_a_clash_would_be_noticed() -> None:
    twin = replace(keys.ACTIONS[0], name="twin")
    assert keys.clashes([*keys.ACTIONS, twin])


def test_every_action_has_a_plain_key_that_any_terminal_sends() -> None:
    for action in keys.ACTIONS:
        if action.where <= keys.TYPED:
            continue  # letters are typed there
        assert any(len(key) == 1 or key == "space" for key in action.keys), action.name


def test_esc_is_never_the_only_way() -> None:
    for action in keys.ACTIONS:
        if not action.where <= keys.TYPED:  # enter and backspace close that one too
            assert action.keys != ("escape",)


@pytest.mark.parametrize("focus", OWNERS)
def test_every_action_of_a_focus_has_a_method_that_does_it(focus: keys.Focus) -> None:
    for action in keys.of(focus):
        owner = HtlctopApp if action.of_app else OWNERS[focus]
        assert callable(getattr(owner, f"action_{action.method}", None)), action.name


@pytest.mark.parametrize("focus", OWNERS)
def test_a_page_binds_exactly_the_keys_of_its_focus(focus: keys.Focus) -> None:
    bound = OWNERS[focus]._merge_bindings().key_to_bindings
    named = {key for action in keys.of(focus) for key in action.keys}
    assert len(bound) == len(named)


@pytest.mark.parametrize(
    ("page", "pane"),
    [(keys.Focus.OVERVIEW, keys.Focus.LIVE), (keys.Focus.OPPORTUNITIES, keys.Focus.EVIDENCE)],
)
def test_what_a_pane_can_do_its_page_binds(page: keys.Focus, pane: keys.Focus) -> None:
    assert set(keys.of(pane)) < set(keys.of(page))


@pytest.mark.parametrize("focus", sorted(keys.DATA, key=lambda one: one.value))
@pytest.mark.parametrize("width", [28, 40, 80, 120])
def test_the_footer_keeps_help_and_the_way_out(focus: keys.Focus, width: int) -> None:
    (row,) = footer(focus, width, BLOCKS)
    assert "? help" in plain(row) and "q quit" in plain(row)
    assert width_of(row) == width


def test_an_action_is_rebound_by_its_name_and_keeps_no_other_key() -> None:
    found = {one.name: one for one in keys.rebound(keys.ACTIONS, {"freeze": ("f", "ctrl-f")})}
    assert found["freeze"].keys == ("f", "ctrl+f")
    assert found["quit"].keys == ("q",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"freze": ("f",)}, "keys.freze: no such action; did you mean freeze?"),
        ({"xyzzy": ("f",)}, "keys.xyzzy: no such action; there are help, "),
        ({"freeze": ("hyper",)}, "keys.freeze: 'hyper' is no key"),
        ({"freeze": ("ctrl-",)}, "keys.freeze: 'ctrl-' is no key"),
        ({"freeze": ("",)}, "keys.freeze: '' is no key"),
        ({"freeze": ("q",)}, "keys: two actions for q in Overview: freeze and quit"),
        ({"as_csv": ("j",)}, "keys: two actions for j in Export: as_csv and as_json"),
    ],
)
def test_keys_that_cannot_be_are_refused_by_name(given, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        keys.rebound(keys.ACTIONS, given)
    assert said in str(caught.value)


def test_a_key_may_be_written_as_people_do() -> None:
    for written, meant in ((" ", "space"), ("Esc", "escape"), ("F5", "f5"), ("pgdn", "pagedown")):
        (one,) = keys.rebound([keys.ACTIONS[0]], {"help": (written,)})
        assert one.keys == (meant,)


def test_fuzzed_keys_are_bound_or_refused() -> None:
    chance = random.Random(1)
    names = [*(one.name for one in keys.ACTIONS), "", "zzz"]
    some = [
        "a",
        "Q",
        "é",
        "ctrl-x",
        "space",
        "f13",
        "\0",
        "\x1b",
        "日",
        "ctrl+ctrl",
        "ab",
        "-",
        ",",
    ]
    bound = 0
    for _ in range(500):
        given = {chance.choice(names): tuple(chance.choices(some, k=chance.randrange(1, 3)))}
        try:
            bound += len(keys.rebound(keys.ACTIONS, given)) == len(keys.ACTIONS)
        except ConfigError as error:
            assert "keys" in str(error)
    assert bound > 50


def test_the_readme_table_is_the_registry() -> None:
    """HTLCTOP_GOLDEN=1 writes it anew."""
    text = README.read_text(encoding="utf-8")
    before, rest = text.split("<!-- keys -->\n")
    table, after = rest.split("\n<!-- /keys -->")
    if os.environ.get("HTLCTOP_GOLDEN"):
        table = keys.markdown()
        README.write_text(f"{before}<!-- keys -->\n{table}\n<!-- /keys -->{after}")
    assert table == keys.markdown()


def test_what_the_help_and_the_prompt_offer_to_type_is_a_filter() -> None:
    offered = [word for word, _meaning in keys_paint._FILTER] + EXAMPLES.split("  ")
    assert len(offered) > 10
    for text in offered:
        assert parse(text) != Filter(), text


@pytest.mark.parametrize(
    ("focus", "said"),
    [
        (keys.Focus.OVERVIEW, "why:liq"),
        (keys.Focus.EVENTS, "amt>1m"),
        (keys.Focus.HISTORY, "nobody watched then"),
        (keys.Focus.PEER, "a refill"),
    ],
)
def test_the_help_explains_what_is_on_the_page(focus: keys.Focus, said: str) -> None:
    assert any(said in plain(row) for row in keys_paint.help_page(focus, 100, BLOCKS))
    assert not any(said in plain(row) for row in keys_paint.help_page(keys.Focus.NODE, 100, BLOCKS))


def test_the_help_explains_every_cause_that_a_column_may_name() -> None:
    said = [plain(row) for row in keys_paint.help_page(keys.Focus.OVERVIEW, 100, BLOCKS)]
    for category, word in SHORT.items():
        if category.group is not Group.OWN:
            assert any(f"{word} {category.label}:" in " ".join(row.split()) for row in said), word
