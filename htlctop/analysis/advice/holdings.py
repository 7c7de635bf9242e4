"""What is where, written out: sides of channels, presence, and what is on the channels now."""

from collections.abc import Iterable, Sequence

from htlctop.analysis.advice.arithmetic import plus
from htlctop.analysis.advice.case import PeerCase
from htlctop.analysis.advice.finding import whole
from htlctop.analysis.advice.ground import HOUR_NS, Ground
from htlctop.analysis.advice.models import Figure, Section
from htlctop.analysis.details import ChannelDetail, NodeDetail, Pending, by_expiry
from htlctop.domain.records import ChannelRecord


def sides(ground: Ground, channels: Iterable[ChannelRecord]) -> Iterable[Figure]:
    """What is where on each channel, and what is asked there."""
    for channel in channels:
        scid = ground.book.scid_of(channel.id)
        yield Figure(f"capacity of {scid}", channel.capacity_sat, "sat")
        yield Figure(f"our side of {scid}", channel.local_sat, "sat")
        if channel.capacity_sat and channel.local_sat is not None:
            yield Figure(
                f"our share of {scid}", round(channel.local_sat / channel.capacity_sat, 6), "",
                f"our side {channel.local_sat:,} ÷ capacity {channel.capacity_sat:,}",
            )  # fmt: skip
        yield Figure(f"their side of {scid}", channel.remote_sat, "sat")
        yield Figure(f"spendable of {scid}", channel.spendable_sat, "sat")
        yield Figure(f"rate asked on {scid}", channel.rate_ppm, "ppm")
        yield Figure(f"base asked on {scid}", channel.base_msat, "msat")


def balances(ground: Ground, case: PeerCase) -> Section:
    """Each open channel of a peer, and all of them together."""
    figures = (*sides(ground, case.channels), *_together(case.channels))
    return Section("Balances now", figures)


def channels_now(ground: Ground, node: NodeDetail) -> Section:
    """The node's open channels together."""
    figures = (
        Figure("channels open", node.channels_open, ""),
        Figure("channels active", node.channels_active, ""),
        *_together(ground.book.all_open),
    )
    return Section("Channels now", figures)


def _together(channels: Sequence[ChannelRecord]) -> tuple[Figure, ...]:
    """Of those whose balance is known; nothing where none is."""
    known = [channel for channel in channels if channel.local_sat is not None]
    locals_ = [channel.local_sat or 0 for channel in known]
    capacities = [channel.capacity_sat or 0 for channel in known]
    if not any(capacities):
        return ()
    return (
        Figure("our side", sum(locals_), "sat", plus(locals_)),
        Figure("capacity", sum(capacities), "sat", plus(capacities)),
        Figure(
            "our share", round(sum(locals_) / sum(capacities), 6), "",
            f"our side {sum(locals_):,} ÷ capacity {sum(capacities):,}",
        ),
    )  # fmt: skip


def siblings(detail: ChannelDetail) -> Section:
    """The peer's other channels, which LND may use in this one's place."""
    others = [
        channel.local_sat or 0
        for channel in (detail.peer_row.channels if detail.peer_row else ())
        if channel.channel != detail.row.channel
    ]
    if not others:
        return Section("", ())
    figures = (
        Figure("more channels with this peer", len(others), ""),
        Figure(
            "our side there at most", max(others), "sat",
            f"max(0, {', '.join(f'{local:,}' for local in others)})",
        ),
    )  # fmt: skip
    return Section("The peer's other channels", figures)


def presence(ground: Ground, case: PeerCase) -> Section:
    """How much of the window one of a peer's channels could be used."""
    hours = ground.covered_ns / HOUR_NS
    if not case.channels or not hours:
        return Section("", ())
    away_ns, times = case.away
    away = away_ns / HOUR_NS
    figures = (
        Figure("watched hours away", round(away, 6), "h"),
        Figure("times it went away", times, ""),
        Figure(
            "online", round(1 - away / hours, 6), "",
            f"(watched hours {whole(round(hours, 6))} − away {whole(round(away, 6))}) ÷ "
            f"{whole(round(hours, 6))}",
        ),
    )  # fmt: skip
    return Section("Online, in the window", figures)


def on_channels(pending: Sequence[Pending]) -> Section:
    """The HTLCs that are on channels now, the nearest expiry first."""
    if not pending:
        return Section("", ())
    amounts = [item.amount_msat for item in pending]
    figures = [
        Figure("HTLCs", len(pending), ""),
        Figure("amount", sum(amounts), "msat", plus(amounts)),
    ]
    nearest = pending[0]
    if nearest.blocks_left is not None:
        block = nearest.expiry_height - nearest.blocks_left
        figures.append(
            Figure(
                "nearest expiry", nearest.blocks_left, "blocks",
                f"expires at {nearest.expiry_height:,} − block {block:,}",
            )
        )  # fmt: skip
    for label, band in by_expiry(pending):
        if band:
            within = [item.amount_msat for item in band]
            figures.append(Figure(f"{label} blocks left: HTLCs", len(band), ""))
            figures.append(
                Figure(f"{label} blocks left: amount", sum(within), "msat", plus(within))
            )
    return Section("HTLCs on the channels now", tuple(figures))
