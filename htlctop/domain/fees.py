"""Fees: what was offered, and what a policy asks. All amounts in msat, integers only."""

MILLION = 1_000_000


def fee_offered(incoming_amt_msat: int, outgoing_amt_msat: int) -> int | None:
    """incoming - outgoing, signed; None when either amount is 0 or absent."""
    if incoming_amt_msat <= 0 or outgoing_amt_msat <= 0:
        return None
    return incoming_amt_msat - outgoing_amt_msat


def fee_asked(
    outgoing_amt_msat: int,
    base_msat: int,
    rate_ppm: int,
    inbound_base_msat: int = 0,
    inbound_rate_ppm: int = 0,
) -> int:
    """What LND asks to forward `outgoing_amt_msat`, inbound discount included, floored at 0.

    The outgoing policy's base and rate apply to the amount; the incoming channel's (<= 0) to the
    amount with the outgoing fee on it, its product truncated toward zero as LND's division does.
    """
    outbound = outbound_fee(outgoing_amt_msat, base_msat, rate_ppm)
    return max(
        0, outbound + inbound_fee(outgoing_amt_msat, outbound, inbound_base_msat, inbound_rate_ppm)
    )


def outbound_fee(outgoing_amt_msat: int, base_msat: int, rate_ppm: int) -> int:
    """The outgoing channel's part of what LND asks."""
    return base_msat + outgoing_amt_msat * rate_ppm // MILLION


def inbound_fee(outgoing_amt_msat: int, outbound_msat: int, base_msat: int, rate_ppm: int) -> int:
    """The incoming channel's, of the amount with the outgoing channel's part on it."""
    product = rate_ppm * (outgoing_amt_msat + outbound_msat)
    return base_msat + (product // MILLION if product >= 0 else -(-product // MILLION))


def ppm(fee_msat: int, outgoing_amt_msat: int) -> float:
    """A fee as parts per million of what is sent on; 0.0 for no amount."""
    return fee_msat * MILLION / outgoing_amt_msat if outgoing_amt_msat else 0.0
