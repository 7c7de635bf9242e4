"""The commands that are handed over: hex, digits and the template, whatever is thrown at them."""

import random
import re
import shlex
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htlctop.analysis.advice.models import Advice, ChannelSetting, Figure, Kind, Opportunity
from htlctop.errors import ConfigError
from htlctop.export.handoff import (
    PLACEHOLDERS,
    TOOLS,
    best_command,
    check_templates,
    commands,
    comment,
    script,
    tools,
)
from tests.export.made import HOSTILE, Maker

KEY, SOURCE = "02" + "a" * 64, "03" + "b" * 64
SETTING = ChannelSetting("881201394835226625", 1000, 250, 80, 40_000_000)
HOSTILE_IDS = (
    "$(rm -rf ~)", "1; reboot", "0x10", "-1", "1e9", "", "٣٤٥", "1\n2", "`id`", "a" * 66,
    "02" + "A" * 64, "02" + "a" * 63, "04" + "a" * 64, "02" + "a" * 64 + "\n", "--help", "{pubkey}",
)  # fmt: skip


def opportunity(kind: Kind = Kind.REBALANCE_OUTBOUND, **changes: object) -> Opportunity:
    item = Maker(random.Random(1)).make(Opportunity)
    item = replace(
        item, kind=kind, pubkey=KEY, source=2, source_pubkey=SOURCE, source_channels=("99",),
        amount_msat=1_200_000_000, break_even_ppm=164, ceiling_ppm=82, settings=(SETTING,),
    )  # fmt: skip
    return replace(item, **changes)


def of_now(seed: int = 1, **changes: object) -> Advice:
    """Advice that may be acted on."""
    made = Maker(random.Random(seed)).make(Advice)
    return replace(made, window=replace(made.window, is_live=True), too_early="", **changes)


def test_a_refill_is_a_command_with_its_ceiling():
    assert commands(opportunity(), "bos") == (
        f"bos rebalance --in {KEY} --out {SOURCE} --amount 1200000 --max-fee-rate 82 --max-fee 98",
    )
    assert commands(opportunity(), "lncli") == (
        f"lncli payinvoice --allow_self_payment --outgoing_chan_id 99 --last_hop {KEY} "
        "--fee_limit 98 $(lncli addinvoice --amt 1200000 | jq -r .payment_request)",
    )
    assert opportunity().costs_at_most_sat == 98


def test_a_policy_keeps_what_the_advice_does_not_change():
    (made,) = commands(opportunity(Kind.RAISE_MAX_HTLC, amount_msat=430_000_000), "lncli")
    assert made.startswith(
        "lncli updatechanpolicy --base_fee_msat 1000 --fee_rate_ppm 250 --time_lock_delta 80 "
        "--max_htlc_msat 430000000 --chan_point "
    )
    (rule,) = commands(opportunity(Kind.RAISE_FEES), "charge-lnd")
    assert rule.splitlines() == [
        "[htlctop-fee-881201394835226625]", "chan.id = 881201394835226625", "strategy = static",
        "base_fee_msat = 1000", "fee_ppm = 82",
    ]  # fmt: skip


def test_channels_that_differ_in_max_htlc_are_aligned_by_that():
    item = opportunity(Kind.ALIGN_CHANNELS)
    assert "max_htlc_msat = 1200000000" in commands(item, "charge-lnd")[0]
    assert commands(item, "bos") == ()
    fee = replace(item, amount_msat=None)
    assert "fee_ppm = 82" in commands(fee, "charge-lnd")[0]


def test_a_channel_that_is_as_the_others_are_to_be_is_left_as_it_is():
    dear, cheap = replace(SETTING, channel_id="7"), replace(SETTING, rate_ppm=82)
    fee = opportunity(Kind.ALIGN_CHANNELS, amount_msat=None, settings=(dear, cheap))
    (made,) = commands(fee, "lncli")
    assert "getchaninfo 7 " in made and "--fee_rate_ppm 82 " in made
    # A rule keeps it so, whatever other rules say of it.
    assert len(commands(fee, "charge-lnd")) == 2
    large = replace(SETTING, channel_id="7", max_htlc_msat=2_000_000_000)
    limit = opportunity(Kind.ALIGN_CHANNELS, settings=(SETTING, large))
    for tool in ("lncli", "charge-lnd"):
        (made,) = commands(limit, tool)
        assert SETTING.channel_id in made, "the larger one is not made smaller"


def test_a_channel_policy_never_goes_to_all_channels():
    """lncli takes every channel where it is given none: the id comes last, and is never empty."""
    for kind in Kind:
        for made in commands(opportunity(kind), "lncli"):
            if "updatechanpolicy" in made:
                assert re.search(r"--chan_point \$\(lncli getchaninfo \d+ \| jq -r \S+\)$", made)


@pytest.mark.parametrize("tool", ["lncli", "charge-lnd"])
def test_the_policy_of_a_channel_is_set_once_in_a_script(tool):
    """What sets max_htlc names the fee of before: run after a new fee it would undo that."""
    fee, cap = opportunity(Kind.RAISE_FEES), opportunity(Kind.RAISE_MAX_HTLC)
    other = replace(cap, settings=(replace(SETTING, channel_id="7"),))
    advice = of_now(opportunities=(fee, cap, other))
    made = script(advice, tool)
    (lines,) = [part.splitlines() for part in made.split("\n\n") if part.startswith("# 2. ")]
    assert lines[-1] == "#    no command: once 1 is done, ask again"
    assert made.count(SETTING.channel_id) == "".join(commands(fee, tool)).count(SETTING.channel_id)
    assert commands(other, tool)[0] in made


def test_in_a_script_a_name_that_ascii_cannot_spell_is_the_start_of_its_key():
    item = opportunity(alias="東京ルーター⚡", source_alias="Café 🦦")
    advice = of_now(why_none="", opportunities=(item,))
    assert f"into {KEY[:12]} from Cafe ? below 82 ppm" in script(advice, "bos")


@pytest.mark.parametrize(
    "unknown",
    [
        {"settings": (replace(SETTING, time_lock_delta=None),)},
        {"settings": (replace(SETTING, base_msat=None),)},
        {"settings": ()},
    ],
)
def test_what_is_not_known_makes_no_command(unknown):
    assert commands(opportunity(Kind.RAISE_FEES, **unknown), "lncli") == ()


def test_without_a_source_there_is_no_rebalance_but_another_tools_command_may_do():
    alone = opportunity(source_pubkey=None, source_channels=())
    advice = of_now()
    assert commands(alone, "bos") == () and best_command(alone, advice) == ""
    own = {"own.rebalance_outbound": "fill {pubkey} {amount_sat}"}
    assert best_command(alone, advice, own) == f"fill {KEY} 1200000"
    assert best_command(alone, replace(advice, too_early="too early"), own) == ""
    past = replace(advice, window=replace(advice.window, is_live=False), opportunities=(alone,))
    assert best_command(alone, past, own) == "" and "fill" not in script(past, "own", own)
    assert script(past, "own", own).splitlines()[-1].startswith("# no commands for a past time")


def test_bos_is_not_told_what_it_refuses_or_cannot_do():
    small = opportunity(amount_msat=49_999_000)
    assert commands(small, "bos") == () and "--amt 49999" in commands(small, "lncli")[0]
    free = opportunity(amount_msat=60_000_000, break_even_ppm=20, ceiling_ppm=10)
    assert commands(free, "bos") == (), "a fee limit of 0 sat would be none"
    dear = opportunity(Kind.LOWER_FEES)
    assert commands(dear, "bos") == () and "--base_fee_msat 0" in commands(dear, "lncli")[0]
    plain = opportunity(Kind.LOWER_FEES, settings=(replace(SETTING, base_msat=0),))
    assert commands(plain, "bos") == (f"bos fees --to {KEY} --set-fee-rate 82",)


@pytest.mark.parametrize(("away", "made"), [("yes", ("bos reconnect",)), ("no", ())])
def test_only_a_peer_that_is_away_is_reconnected(away, made):
    item = opportunity(Kind.RECONNECT_PEER, evidence=(Figure("away now", away),))
    assert commands(item, "bos") == made
    advice = of_now(opportunities=(item,))
    assert ("no command: it is connected now" in script(advice, "bos")) is not bool(made)


def test_lncli_is_told_the_network_where_it_is_another():
    (made,) = commands(opportunity(), "lncli", network="signet")
    assert made.count("lncli --network signet ") == made.count("lncli ") == 2
    own = {"lncli.rebalance_outbound": "lncli {pubkey}"}
    assert commands(opportunity(), "lncli", own, "signet") == (f"lncli {KEY}",)
    assert commands(opportunity(), "lncli", network="$(x)") == commands(opportunity(), "lncli")


_HOLES = re.compile(r"\{\w+\}")


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_hostile_ids_and_names_never_get_into_a_command(seed):
    chance = random.Random(seed)
    maker = Maker(chance)
    item = maker.make(Opportunity)

    def either(good: str) -> str:
        return good if chance.random() < 0.6 else chance.choice((*HOSTILE, *HOSTILE_IDS))

    item = replace(
        item,
        pubkey=either(KEY),
        source_pubkey=either(SOURCE),
        source_channels=(either("17592186044416000000"),),
        settings=tuple(
            replace(SETTING, channel_id=either("17592186044416000000")) for _ in range(2)
        ),
        ceiling_ppm=chance.choice((None, 82, -5, 10**30)),
        amount_msat=chance.choice((None, 5_000_000, -1, 10**40)),
    )
    template = " ".join(f"{{{name}}}" for name in chance.sample(PLACEHOLDERS, 4))
    own = {f"own.{item.kind.value}": f"tool {template}"}
    for made in commands(item, "own", own):
        words = made.split(" ")
        assert words[0] == "tool" and len(words) == 5
        assert all(re.fullmatch(r"[0-9]{1,20}|0[23][0-9a-f]{64}", word) for word in words[1:])
    for tool in TOOLS:
        for made in commands(item, tool):
            allowed = re.sub(r"0[23][0-9a-f]{64}|[0-9]+", "", made)
            assert re.fullmatch(r"[a-zA-Z_\-.=@$()|' \n\[\]]*", allowed), made
            if tool != "charge-lnd":
                shlex.split(made)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_a_script_of_hostile_names_is_comments_and_commands_alone(seed):
    advice = of_now(seed)
    for tool in TOOLS:
        for line in script(advice, tool).splitlines():
            assert line.isascii() and line.isprintable()
            starts = ("# ", "bos ", "lncli ", "[htlctop-", "chan.id = ", "strategy = ",
                      "base_fee_msat = ", "fee_ppm = ", "max_htlc_msat = ")  # fmt: skip
            assert not line or line == "#" or line.startswith(starts), line


@given(text=st.text())
def test_a_comment_is_one_printable_line(text):
    made = comment(text)
    assert made.startswith("#") and made.isascii() and made.isprintable()


@pytest.mark.parametrize(
    ("name", "template", "said"),
    [
        ("bos", "bos {pubkey}", "its name must be TOOL.KIND"),
        ("bos.fill", "bos {pubkey}", "its name must be TOOL.KIND"),
        ("../x.raise_fees", "x", "its name must be TOOL.KIND"),
        ("bos.raise_fees", "bos {alias}", "names alias; known are"),
        ("bos.raise_fees", "bos {pubkey.__class__}", "a plain name only"),
        ("bos.raise_fees", "bos {pubkey!r}", "a plain name only"),
        ("bos.raise_fees", "bos {pubkey:>99999999}", "a plain name only"),
        ("bos.raise_fees", "bos {0}", "a plain name only"),
        ("bos.raise_fees", "bos {}", "a plain name only"),
        ("bos.raise_fees", "bos {", "write {{ for a brace"),
        ("bos.raise_fees", "bos \x1b[31m", "printable ASCII"),
        ("bos.raise_fees", "bos ünïcode", "printable ASCII"),
        ("bos.raise_fees", "", "at most"),
        ("bos.raise_fees", "x" * 5000, "at most"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_by_name(name, template, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        check_templates({name: template})


@settings(max_examples=200, deadline=None)
@given(template=st.text(max_size=40))
def test_any_template_is_refused_or_filled_and_never_crashes(template):
    own = {"own.raise_fees": template}
    try:
        made = commands(opportunity(Kind.RAISE_FEES), "own", own)
    except ConfigError:
        return
    assert all(len(line) <= len(template) + 300 for line in made)


def test_a_template_may_hold_braces_and_lines_of_its_own():
    own = {"own.raise_fees": "a {{b}}\n{chan_id} {ceiling_ppm}"}
    check_templates(own)
    assert commands(opportunity(Kind.RAISE_FEES), "own", own) == ("a {b}\n881201394835226625 82",)
    assert tools(own) == (*TOOLS, "own")
