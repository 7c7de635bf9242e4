"""The registry of keys is sound, and README says what it says."""

from dataclasses import replace
from pathlib import Path

import pytest

from htlctop.ui import keys
from htlctop.ui.app import HtlctopApp
from htlctop.ui.screens.help import HelpScreen
from htlctop.ui.screens.overview import OverviewScreen
from htlctop.ui.screens.peer import PeerScreen

README = Path(__file__).parents[2] / "README.md"
SCREENS = {
    keys.Focus.OVERVIEW: OverviewScreen,
    keys.Focus.PEER: PeerScreen,
    keys.Focus.HELP: HelpScreen,
}


def test_no_two_actions_share_a_key_in_one_focus() -> None:
    assert keys.clashes() == []


def test_a_clash_would_be_noticed() -> None:
    twin = replace(keys.ACTIONS[0], name="twin")
    assert keys.clashes([*keys.ACTIONS, twin])


def test_every_action_has_a_plain_key_that_any_terminal_sends() -> None:
    for action in keys.ACTIONS:
        assert any(len(key) == 1 or key == "space" for key in action.keys), action.name


def test_esc_is_never_the_only_way() -> None:
    for action in keys.ACTIONS:
        assert action.keys != ("escape",)


@pytest.mark.parametrize("focus", keys.Focus)
def test_every_action_of_a_focus_has_a_method_that_does_it(focus: keys.Focus) -> None:
    for action in keys.of(focus):
        owner = HtlctopApp if action.of_app else SCREENS[focus]
        assert callable(getattr(owner, f"action_{action.name}", None)), action.name


@pytest.mark.parametrize("focus", keys.Focus)
def test_a_screen_binds_exactly_the_keys_of_its_focus(focus: keys.Focus) -> None:
    bound = SCREENS[focus]._merge_bindings().key_to_bindings
    named = {key for action in keys.of(focus) for key in action.keys}
    assert len(bound) == len(named)


def test_the_readme_table_is_the_registry() -> None:
    if not README.exists():
        pytest.skip("no README yet")
    text = README.read_text(encoding="utf-8")
    if "<!-- keys -->" not in text:
        pytest.skip("README has no table of keys yet")
    table = text.split("<!-- keys -->")[1].split("<!-- /keys -->")[0].strip()
    assert table == keys.markdown()
