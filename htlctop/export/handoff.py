"""The command that does what an opportunity says, to be copied: htlctop itself never runs one.

A command is a template with hex public keys and digits put in, nothing else. Templates of the
user's own are checked before they are used. What is put in and not known makes no command.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from string import Formatter

from htlctop.analysis.advice.models import Advice, ChannelSetting, Kind, Opportunity
from htlctop.config import MAINNET, NETWORKS
from htlctop.errors import ConfigError
from htlctop.export.advice import most_it_costs, sentence, value
from htlctop.export.format import ascii_only, clean, utc

BOS, LNCLI, CHARGE_LND = "bos", "lncli", "charge-lnd"
TOOLS = (BOS, LNCLI, CHARGE_LND)

_KEY = re.compile(r"0[23][0-9a-f]{64}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)
_NAME = re.compile(r"([a-z0-9][a-z0-9-]{0,30})\.([a-z_]{1,30})", re.ASCII)
_LONGEST = 1_000
_COMMENT = 300

_KEYS = ("pubkey", "source_pubkey")
_NUMBERS = (
    "amount_sat",
    "amount_msat",
    "break_even_ppm",
    "ceiling_ppm",
    "max_fee_sat",
    "source_chan_id",
)
_BY_CHANNEL = ("chan_id", "base_msat", "ppm", "time_lock_delta", "max_htlc_msat")
PLACEHOLDERS = (*_KEYS, *_NUMBERS, *_BY_CHANNEL)
"""What a template may name in braces. One that names a channel's is written once for each."""

_POLICY = (
    "lncli updatechanpolicy --base_fee_msat %s --fee_rate_ppm %s "
    "--time_lock_delta {time_lock_delta}%s "
    "--chan_point $(lncli getchaninfo {chan_id} | jq -r .chan_point)"
)
_FEE = _POLICY % ("{base_msat}", "{ceiling_ppm}", "")
_FEE_ALONE = _POLICY % ("0", "{ceiling_ppm}", "")
_MAX = _POLICY % ("{base_msat}", "{ppm}", " --max_htlc_msat {amount_msat}")
_CHARGE_FEE = """\
[htlctop-fee-{chan_id}]
chan.id = {chan_id}
strategy = static
base_fee_msat = {base_msat}
fee_ppm = {ceiling_ppm}"""
_CHARGE_MAX = """\
[htlctop-max-{chan_id}]
chan.id = {chan_id}
strategy = ignore_fees
max_htlc_msat = {amount_msat}"""
_TEMPLATES = {
    f"{BOS}.{Kind.REBALANCE_OUTBOUND}": "bos rebalance --in {pubkey} --out {source_pubkey} "
    "--amount {amount_sat} --max-fee-rate {ceiling_ppm} --max-fee {max_fee_sat}",
    f"{BOS}.{Kind.RAISE_FEES}": "bos fees --to {pubkey} --set-fee-rate {ceiling_ppm}",
    f"{BOS}.{Kind.LOWER_FEES}": "bos fees --to {pubkey} --set-fee-rate {ceiling_ppm}",
    f"{BOS}.{Kind.ALIGN_CHANNELS}": "bos fees --to {pubkey} --set-fee-rate {ceiling_ppm}",
    f"{BOS}.{Kind.INCREASE_CAPACITY}": "bos open {pubkey} --amount {amount_sat}",
    f"{BOS}.{Kind.RECONNECT_PEER}": "bos reconnect",
    f"{LNCLI}.{Kind.REBALANCE_OUTBOUND}": "lncli payinvoice --allow_self_payment "
    "--outgoing_chan_id {source_chan_id} --last_hop {pubkey} --fee_limit {max_fee_sat} "
    "$(lncli addinvoice --amt {amount_sat} | jq -r .payment_request)",
    f"{LNCLI}.{Kind.RAISE_FEES}": _FEE,
    f"{LNCLI}.{Kind.LOWER_FEES}": _FEE_ALONE,
    f"{LNCLI}.{Kind.ALIGN_CHANNELS}": _FEE,
    f"{LNCLI}.{Kind.RAISE_MAX_HTLC}": _MAX,
    f"{LNCLI}.{Kind.INCREASE_CAPACITY}": "lncli openchannel --node_key {pubkey} "
    "--local_amt {amount_sat}",
    f"{LNCLI}.{Kind.RECONNECT_PEER}": "lncli connect "
    "{pubkey}@$(lncli getnodeinfo {pubkey} | jq -r '.node.addresses[0].addr')",
    f"{LNCLI}.{Kind.INVESTIGATE}": "lncli listchannels --peer {pubkey}",
    f"{CHARGE_LND}.{Kind.RAISE_FEES}": _CHARGE_FEE,
    f"{CHARGE_LND}.{Kind.LOWER_FEES}": _CHARGE_FEE.replace("{base_msat}", "0"),
    f"{CHARGE_LND}.{Kind.ALIGN_CHANNELS}": _CHARGE_FEE,
    f"{CHARGE_LND}.{Kind.RAISE_MAX_HTLC}": _CHARGE_MAX,
}
"""By tool and kind."""

_BOS_LEAST_SAT = 50_000
"""What bos rebalances at least."""
_MAX_INSTEAD = {LNCLI: _MAX, CHARGE_LND: _CHARGE_MAX}
"""For channels to be aligned whose max_htlc differs."""
_POLICIES = (Kind.RAISE_FEES, Kind.LOWER_FEES, Kind.ALIGN_CHANNELS, Kind.RAISE_MAX_HTLC)
"""What sets the policy of channels."""


def check_templates(templates: Mapping[str, str]) -> None:
    """Check the user's templates: names like "bos.rebalance_outbound", known placeholders.

    Raises:
        ConfigError: one of them cannot be used; the message says which and why.
    """
    kinds = {kind.value for kind in Kind}
    for name, template in templates.items():
        shown = clean(name)
        found = _NAME.fullmatch(name)
        if found is None or found[2] not in kinds:
            raise ConfigError(
                f"template {shown!r}: its name must be TOOL.KIND, like bos.rebalance_outbound; "
                f"kinds are {', '.join(sorted(kinds))}"
            )
        if not isinstance(template, str) or not 0 < len(template) <= _LONGEST:
            raise ConfigError(f"template {shown!r} must be text of at most {_LONGEST} characters")
        if not all(" " <= char <= "~" or char == "\n" for char in template):
            raise ConfigError(f"template {shown!r}: lines of printable ASCII, please")
        unknown = _fields(shown, template) - set(PLACEHOLDERS)
        if unknown:
            raise ConfigError(
                f"template {shown!r} names {', '.join(sorted(map(clean, unknown)))}; known are "
                f"{', '.join(PLACEHOLDERS)}"
            )


def tools(templates: Mapping[str, str]) -> tuple[str, ...]:
    """The tools that commands can be made for: the known ones and those of the user's."""
    own = {name.partition(".")[0] for name in templates} - set(TOOLS)
    return (*TOOLS, *sorted(own))


def commands(
    item: Opportunity,
    tool: str,
    templates: Mapping[str, str] | None = None,
    network: str = MAINNET,
) -> tuple[str, ...]:
    """The commands by which a tool does it on a node of a network, each of one or more lines; ()
    where it cannot, or where something that belongs into them is not known.

    Raises:
        ConfigError: a template of the user's cannot be used.
    """
    check_templates(templates or {})
    template = _template(item, tool, templates or {}, network)
    if not template:
        return ()
    names = _fields(tool, template)
    whole = _values(item)
    if names.isdisjoint(_BY_CHANNEL):
        return _filled(template, names, whole)
    made: list[str] = []
    for setting in item.settings:
        if _is_so(item, setting, tool):
            continue
        made += _filled(template, names, {**whole, **_channel_values(item, setting)})
    return tuple(made)


def best_command(
    item: Opportunity, advice: Advice | None, templates: Mapping[str, str] | None = None
) -> str:
    """The command of the first tool that can do it, the user's own first; "" for none, while it is
    too early to act, and for a past time. `advice` is what the opportunity is of."""
    if advice is None or _why_no_commands(advice):
        return ""
    own = tools(templates or {})[len(TOOLS) :]
    for tool in (*own, *TOOLS):
        made = commands(item, tool, templates, advice.node.network)
        if made:
            return "\n".join(made)
    return ""


def _why_no_commands(advice: Advice) -> str:
    """Why nothing of it is to be done today; "" where it may be."""
    if advice.too_early:
        return "no commands until then"
    if not advice.window.is_live:
        return "no commands for a past time, whose balances and fees are not today's"
    return ""


def script(advice: Advice, tool: str, templates: Mapping[str, str] | None = None) -> str:
    """Everything that a tool can do of the advice, each with its evidence as a comment; nothing
    while it is too early to act on it, and for a past time."""
    window = advice.window
    lines = [
        comment(f"htlctop advise --for {tool}: {clean(advice.node.alias)}"),
        comment(f"from {utc(window.from_ns)} to {utc(window.until_ns)}; read it, then run what "
                "you agree with: htlctop runs nothing"),
    ]  # fmt: skip
    lines += [comment(text) for text in (advice.too_early, advice.why_none) if text]
    if because := _why_no_commands(advice):
        return "\n".join([*lines, comment(because)]) + "\n"
    set_by: dict[str, int] = {}
    for number, item in enumerate(advice.opportunities, 1):
        made = commands(item, tool, templates, advice.node.network)
        earlier = _set_before(item, tool, number, set_by) if made else None
        lines += ["", comment(f"{number}. {sentence(_spelled(item))}")]
        lines += [comment(f"{f.name}: {value(f)}", 3) for f in item.evidence]
        if made and (cost := most_it_costs(item)):
            lines.append(comment(cost, 3))
        if earlier is not None:
            lines.append(comment(f"no command: once {earlier} is done, ask again", 3))
        elif made:
            lines += made
        else:
            lines.append(comment(f"{_why_no_command(item, tool)}", 3))
    return "\n".join(lines) + "\n"


def _set_before(item: Opportunity, tool: str, number: int, set_by: dict[str, int]) -> int | None:
    """Which advice has a command already that sets the policy of one of these channels.

    To lncli a policy is given whole, with what is in force now of what is not to be changed: a
    second command would undo the first. Of two rules for a channel charge-lnd takes the first.
    """
    if tool not in _MAX_INSTEAD or item.kind not in _POLICIES:
        return None
    for setting in item.settings:
        earlier = set_by.setdefault(setting.channel_id, number)
        if earlier != number:
            return earlier
    return None


def _spelled(item: Opportunity) -> Opportunity:
    """The same without names of which nothing is left in ASCII: keys stand for them."""
    return replace(item, alias=_or_none(item.alias), source_alias=_or_none(item.source_alias))


def _or_none(alias: str) -> str:
    return alias if ascii_only(clean(alias)).strip("? ") else ""


def comment(text: str, indent: int = 0) -> str:
    """Text as one comment line of printable ASCII, whatever was in it."""
    spelled = clean(text, _COMMENT).replace("×", "x").replace("–", "-").replace("…", "...")
    plain = "".join(char if " " <= char <= "~" else " " for char in ascii_only(spelled))
    return f"# {' ' * indent}{plain}".rstrip()


def _template(
    item: Opportunity, tool: str, templates: Mapping[str, str], network: str = MAINNET
) -> str:
    name = f"{tool}.{item.kind.value}"
    if name in templates:
        return templates[name]
    if _is_back(item) or (tool == BOS and _is_beyond_bos(item)):
        return ""
    if item.kind is Kind.ALIGN_CHANNELS and item.amount_msat is not None:
        found = _MAX_INSTEAD.get(tool, "")
    else:
        found = _TEMPLATES.get(name, "")
    if network in NETWORKS and network != MAINNET:
        found = found.replace("lncli ", f"lncli --network {network} ")
    return found


def _is_back(item: Opportunity) -> bool:
    """A peer to be kept connected that is connected now."""
    return item.kind is Kind.RECONNECT_PEER and any(
        figure.name == "away now" and figure.value == "no" for figure in item.evidence
    )


def _is_beyond_bos(item: Opportunity) -> bool:
    """It moves nothing small, and sets a rate but no base fee."""
    if item.kind is Kind.REBALANCE_OUTBOUND:
        return (item.amount_msat or 0) < _BOS_LEAST_SAT * 1000
    if item.kind is Kind.ALIGN_CHANNELS:
        return len({each.base_msat for each in item.settings}) > 1
    return item.kind is Kind.LOWER_FEES and any(each.base_msat for each in item.settings)


def _values(item: Opportunity) -> dict[str, str]:
    """What is known of an opportunity, only as hex and digits."""
    found: dict[str, object] = {
        "pubkey": item.pubkey,
        "source_pubkey": item.source_pubkey,
        "amount_msat": item.amount_msat,
        "amount_sat": None if item.amount_msat is None else item.amount_msat // 1000,
        "break_even_ppm": item.break_even_ppm,
        "ceiling_ppm": item.ceiling_ppm,
        "max_fee_sat": item.costs_at_most_sat or None,  # a limit of 0 is none to bos
        "source_chan_id": item.source_channels[0] if item.source_channels else None,
    }
    return _safe(found)


def _base(item: Opportunity, setting: ChannelSetting) -> int | None:
    """The base fee to set: the channel's own, but of channels whose fees are aligned that of the
    one they are to be like."""
    if item.kind is not Kind.ALIGN_CHANNELS or item.ceiling_ppm is None:
        return setting.base_msat
    like = [s.base_msat for s in item.settings if s.rate_ppm == item.ceiling_ppm]
    known = [base for base in like if base is not None]
    return min(known) if known else setting.base_msat


def _is_so(item: Opportunity, setting: ChannelSetting, tool: str) -> bool:
    """Whether a channel has what the advice would set. A rule of charge-lnd keeps a fee as it is,
    but none may make a larger max_htlc smaller."""
    if item.kind not in (Kind.ALIGN_CHANNELS, Kind.RAISE_MAX_HTLC):
        return False
    if item.amount_msat is not None:
        largest = setting.max_htlc_msat
        return largest is not None and largest >= item.amount_msat
    is_asked = (setting.base_msat, setting.rate_ppm) == (_base(item, setting), item.ceiling_ppm)
    return is_asked and tool != CHARGE_LND


def _channel_values(item: Opportunity, setting: ChannelSetting) -> dict[str, str]:
    return _safe(
        {
            "chan_id": setting.channel_id,
            "base_msat": _base(item, setting),
            "ppm": setting.rate_ppm,
            "time_lock_delta": setting.time_lock_delta,
            "max_htlc_msat": setting.max_htlc_msat,
        }
    )


def _safe(found: Mapping[str, object]) -> dict[str, str]:
    """Only those that are what they must be."""
    return {
        name: str(item)
        for name, item in found.items()
        if item is not None
        and (_KEY if name in _KEYS else _DIGITS).fullmatch(str(item)) is not None
    }


def _filled(template: str, names: Iterable[str], values: Mapping[str, str]) -> tuple[str, ...]:
    if any(name not in values for name in names):
        return ()
    return (template.format_map(values),)


def _fields(name: str, template: str) -> set[str]:
    """The placeholders of a template. Raises ConfigError for anything but plain names in braces."""
    fields: set[str] = set()
    try:
        for _, field, spec, conversion in Formatter().parse(template):
            if field is None:
                continue
            if spec or conversion or not field.isidentifier():
                raise ConfigError(
                    f"template {name!r}: braces may hold a plain name only, write {{{{ for a brace"
                )
            fields.add(field)
    except ValueError as error:
        raise ConfigError(f"template {name!r}: {error}; write {{{{ for a brace") from None
    return fields


def _why_no_command(item: Opportunity, tool: str) -> str:
    if item.kind is Kind.REBALANCE_INBOUND:
        return "no command: refill another peer from it, or lower the fee toward it"
    if _is_back(item):
        return "no command: it is connected now"
    if _template(item, tool, {}):
        return "no command: something that belongs into it is not known (yet)"
    able = [each for each in TOOLS if _template(item, each, {})]
    return f"{tool} does not do this" + (f"; see --for {able[0]}" if able else "")
