"""LND's own names for its failure numbers, for people who look them up. Numbers stay the truth."""

_WIRE = {
    0: "RESERVED",
    1: "INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS",
    2: "INCORRECT_PAYMENT_AMOUNT",
    3: "FINAL_INCORRECT_CLTV_EXPIRY",
    4: "FINAL_INCORRECT_HTLC_AMOUNT",
    5: "FINAL_EXPIRY_TOO_SOON",
    6: "INVALID_REALM",
    7: "EXPIRY_TOO_SOON",
    8: "INVALID_ONION_VERSION",
    9: "INVALID_ONION_HMAC",
    10: "INVALID_ONION_KEY",
    11: "AMOUNT_BELOW_MINIMUM",
    12: "FEE_INSUFFICIENT",
    13: "INCORRECT_CLTV_EXPIRY",
    14: "CHANNEL_DISABLED",
    15: "TEMPORARY_CHANNEL_FAILURE",
    16: "REQUIRED_NODE_FEATURE_MISSING",
    17: "REQUIRED_CHANNEL_FEATURE_MISSING",
    18: "UNKNOWN_NEXT_PEER",
    19: "TEMPORARY_NODE_FAILURE",
    20: "PERMANENT_NODE_FAILURE",
    21: "PERMANENT_CHANNEL_FAILURE",
    22: "EXPIRY_TOO_FAR",
    23: "MPP_TIMEOUT",
    24: "INVALID_ONION_PAYLOAD",
    25: "INVALID_ONION_BLINDING",
    997: "INTERNAL_FAILURE",
    998: "UNKNOWN_FAILURE",
    999: "UNREADABLE_FAILURE",
}

_DETAIL = dict(
    enumerate(
        (
            "UNKNOWN",
            "NO_DETAIL",
            "ONION_DECODE",
            "LINK_NOT_ELIGIBLE",
            "ON_CHAIN_TIMEOUT",
            "HTLC_EXCEEDS_MAX",
            "INSUFFICIENT_BALANCE",
            "INCOMPLETE_FORWARD",
            "HTLC_ADD_FAILED",
            "FORWARDS_DISABLED",
            "INVOICE_CANCELED",
            "INVOICE_UNDERPAID",
            "INVOICE_EXPIRY_TOO_SOON",
            "INVOICE_NOT_OPEN",
            "MPP_INVOICE_TIMEOUT",
            "ADDRESS_MISMATCH",
            "SET_TOTAL_MISMATCH",
            "SET_TOTAL_TOO_LOW",
            "SET_OVERPAID",
            "UNKNOWN_INVOICE",
            "INVALID_KEYSEND",
            "MPP_IN_PROGRESS",
            "CIRCULAR_ROUTE",
        )
    )
)


def wire_name(code: int) -> str:
    """The name of a wire failure code, "" for one we do not know."""
    return _WIRE.get(code, "")


def detail_name(detail: int) -> str:
    """The name of a failure detail, "" for one we do not know."""
    return _DETAIL.get(detail, "")
