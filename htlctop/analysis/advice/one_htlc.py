"""One HTLC written out: what it offered, what was asked, what there was, how long it took."""

from collections.abc import Iterable

from htlctop.analysis.advice.arithmetic import term
from htlctop.analysis.advice.finding import whole
from htlctop.analysis.advice.models import Explanation, Figure, Section
from htlctop.analysis.details import Asked, HtlcDetail
from htlctop.domain.fees import inbound_fee, outbound_fee, ppm
from htlctop.domain.types import NS


def explain_htlc(detail: HtlcDetail) -> Explanation:
    """Every figure of its page."""
    about = f"{detail.line.in_scid or detail.in_channel_id}:{detail.in_htlc}"
    sections = [
        Section("What it offered", tuple(_offered(detail))),
        Section("What was asked, by the policy then", tuple(_asked(detail))),
        Section("What could be sent then", tuple(_usable(detail))),
        Section("When", tuple(_times(detail))),
        Section("The payment it belongs to", tuple(_payment(detail))),
    ]
    told = tuple(section for section in sections if section.figures)
    return Explanation(detail.node, detail.status, None, about, told)


def _offered(detail: HtlcDetail) -> Iterable[Figure]:
    into, out, fee = detail.in_msat, detail.out_msat, detail.line.fee_msat
    if into is not None:
        yield Figure("amount in", into, "msat")
    if out is not None:
        yield Figure("amount out", out, "msat")
    if fee is not None and into is not None and out is not None:
        yield Figure("fee offered", fee, "msat", f"in {into:,} − out {out:,}")
        yield Figure("rate offered", *_rate(fee, out))


def _rate(fee_msat: int, out_msat: int) -> tuple[float, str, str]:
    formula = f"fee {fee_msat:,} × 1,000,000 ÷ out {out_msat:,}"
    return round(ppm(fee_msat, out_msat), 6), "ppm", formula


def _asked(detail: HtlcDetail) -> Iterable[Figure]:
    asked, out = detail.asked, detail.out_msat
    if asked is None or out is None:
        return
    yield from _fee(asked, out)
    yield Figure("rate asked", *_rate(asked.fee_msat, out))
    if detail.line.fee_msat is not None:
        offered = detail.line.fee_msat
        yield Figure(
            "offered beyond it", offered - asked.fee_msat, "msat",
            f"offered {offered:,} − asked {asked.fee_msat:,}",
        )  # fmt: skip


def _fee(asked: Asked, out_msat: int) -> Iterable[Figure]:
    outbound = outbound_fee(out_msat, asked.base_msat, asked.rate_ppm)
    yield Figure(
        "fee asked on the way out", outbound, "msat",
        f"base {asked.base_msat:,} + out {out_msat:,} × rate {asked.rate_ppm:,} ÷ 1,000,000",
    )  # fmt: skip
    base, rate = asked.inbound_base_msat, asked.inbound_rate_ppm
    inbound = inbound_fee(out_msat, outbound, base, rate)
    if base or rate:
        yield Figure(
            "fee asked on the way in", inbound, "msat",
            f"base {term(base)} + (out {out_msat:,} + its fee {outbound:,}) × "
            f"rate {term(rate)} ÷ 1,000,000",
        )  # fmt: skip
    yield Figure(
        "fee asked", asked.fee_msat, "msat",
        f"max(0, out {outbound:,} + in {term(inbound)})",
    )  # fmt: skip


def _usable(detail: HtlcDetail) -> Iterable[Figure]:
    line, best = detail.line, detail.best_msat
    if best is None:
        return
    yield Figure("on the peer's best channel", best, "msat")
    if detail.total_msat is not None:
        yield Figure("on all of its channels", detail.total_msat, "msat")
    if detail.known_ns is not None:
        yield _length("known for", detail.known_ns, "since", line.at_ns, "first seen")
    if line.short_msat is not None and detail.out_msat is not None:
        yield Figure(
            "short by", line.short_msat, "msat", f"out {detail.out_msat:,} − best {best:,}"
        )


def _times(detail: HtlcDetail) -> Iterable[Figure]:
    line = detail.line
    if line.ended_ns is not None:
        yield _length("took", line.at_ns, "first seen", line.ended_ns, "ended")
    else:
        yield _length("open for", line.at_ns, "first seen", detail.status.now_ns, "now")


def _length(name: str, from_ns: int, began: str, until_ns: int, ended: str) -> Figure:
    """Between two times, which are told in seconds since the epoch."""
    first, last = from_ns / NS, until_ns / NS
    return Figure(
        name, round((until_ns - from_ns) / NS, 6), "s",
        f"{ended} {whole(round(last, 6))} − {began} {whole(round(first, 6))}", until_ns,
    )  # fmt: skip


def _payment(detail: HtlcDetail) -> Iterable[Figure]:
    seqs = [attempt.seq for attempt in detail.attempts]
    if seqs:
        yield Figure("tries", len(seqs), "")
    if detail.line.seq in seqs:
        yield Figure("this is try", seqs.index(detail.line.seq) + 1, "")
