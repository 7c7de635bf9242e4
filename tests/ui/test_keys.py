"""The registry of keys is sound, and README says what it says."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from htlctop.ui import keys
from htlctop.ui.app import HtlctopApp
from htlctop.ui.screens.help import HelpScreen
from htlctop.ui.views import DRILL_DOWNS, VIEWS
from htlctop.ui.widgets.prompt import Prompt

README = Path(__file__).parents[2] / "README.md"
OWNERS = {page.focus_of: page for page in (HelpScreen, *VIEWS.values(), *DRILL_DOWNS.values())}
OWNERS[keys.Focus.PROMPT] = Prompt


def test_no_two_actions_share_a_key_in_one_focus() -> None:
    assert keys.clashes() == []


def test_a_clash_would_be_noticed() -> None:
    twin = replace(keys.ACTIONS[0], name="twin")
    assert keys.clashes([*keys.ACTIONS, twin])


def test_every_action_has_a_plain_key_that_any_terminal_sends() -> None:
    for action in keys.ACTIONS:
        if action.where == keys.PROMPT:
            continue  # letters are typed there
        assert any(len(key) == 1 or key == "space" for key in action.keys), action.name


def test_esc_is_never_the_only_way() -> None:
    for action in keys.ACTIONS:
        if action.where != keys.PROMPT:  # enter and backspace close that one too
            assert action.keys != ("escape",)


@pytest.mark.parametrize("focus", OWNERS)
def test_every_action_of_a_focus_has_a_method_that_does_it(focus: keys.Focus) -> None:
    for action in keys.of(focus):
        owner = HtlctopApp if action.of_app else OWNERS[focus]
        method = (action.call or action.name).partition("(")[0]
        assert callable(getattr(owner, f"action_{method}", None)), action.name


@pytest.mark.parametrize("focus", OWNERS)
def test_a_page_binds_exactly_the_keys_of_its_focus(focus: keys.Focus) -> None:
    bound = OWNERS[focus]._merge_bindings().key_to_bindings
    named = {key for action in keys.of(focus) for key in action.keys}
    assert len(bound) == len(named)


def test_the_readme_table_is_the_registry() -> None:
    """HTLCTOP_GOLDEN=1 writes it anew."""
    text = README.read_text(encoding="utf-8")
    before, rest = text.split("<!-- keys -->\n")
    table, after = rest.split("\n<!-- /keys -->")
    if os.environ.get("HTLCTOP_GOLDEN"):
        table = keys.markdown()
        README.write_text(f"{before}<!-- keys -->\n{table}\n<!-- /keys -->{after}")
    assert table == keys.markdown()
