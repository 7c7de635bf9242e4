"""What SubscribeChannelEvents would have said between two ListChannels answers."""

from collections.abc import Iterator

from htlctop.wire import decode
from htlctop.wire.gen import lnrpc_pb2 as ln

_OPEN, _CLOSED, _ACTIVE, _INACTIVE, _UPDATE = 0, 1, 2, 3, 7


def channel_changes(before: bytes, after: bytes) -> list[bytes]:
    """The messages between two answers of ListChannels: opened, closed, (in)active, balances.

    Bytes that are no such answer change nothing.
    """
    old, new = _by_point(before), _by_point(after)
    if old is None or new is None:
        return []
    updates = [update for point in old.keys() - new.keys() for update in _closed(old[point])]
    for point, channel in new.items():
        updates += _changed(old.get(point), channel)
    return [update.SerializeToString() for update in updates]


def _by_point(answer: bytes) -> dict[str, ln.Channel] | None:
    message = decode.parse(ln.ListChannelsResponse, answer)
    return None if message is None else {c.channel_point: c for c in message.channels}


def _closed(channel: ln.Channel) -> Iterator[ln.ChannelEventUpdate]:
    yield ln.ChannelEventUpdate(
        type=_CLOSED,
        closed_channel=ln.ChannelCloseSummary(
            channel_point=channel.channel_point,
            chan_id=channel.chan_id,
            remote_pubkey=channel.remote_pubkey,
            capacity=channel.capacity,
            alias_scids=channel.alias_scids,
        ),
    )


def _changed(old: ln.Channel | None, new: ln.Channel) -> Iterator[ln.ChannelEventUpdate]:
    if old is None:
        yield ln.ChannelEventUpdate(type=_OPEN, open_channel=new)
    if new.active != (old is not None and old.active):
        if new.active:
            yield ln.ChannelEventUpdate(type=_ACTIVE, active_channel=_point(new))
        else:
            yield ln.ChannelEventUpdate(type=_INACTIVE, inactive_channel=_point(new))
    if old is not None and (old.local_balance, old.remote_balance) != (
        new.local_balance,
        new.remote_balance,
    ):
        yield ln.ChannelEventUpdate(
            type=_UPDATE, updated_channel=ln.ChannelCommitUpdate(channel=new)
        )


def _point(channel: ln.Channel) -> ln.ChannelPoint:
    transaction, _, output = channel.channel_point.partition(":")
    try:
        # A transaction's id is written in the reverse of its bytes' order.
        return ln.ChannelPoint(
            funding_txid_bytes=bytes.fromhex(transaction)[::-1], output_index=int(output)
        )
    except ValueError:
        return ln.ChannelPoint()
