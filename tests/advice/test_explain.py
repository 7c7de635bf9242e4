"""Every figure can be checked: its arithmetic, and that it is there at all."""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

import pytest
from click.testing import CliRunner

from htlctop import service
from htlctop.analysis.advice.arithmetic import plus
from htlctop.analysis.advice.models import Explanation, Figure
from htlctop.analysis.analyst import StoreAnalyst
from htlctop.analysis.models import CategoryRow, Slice, Sums
from htlctop.analysis.query import By, LogQuery, Query
from htlctop.cli import cli
from htlctop.domain.codes import Category, Group
from htlctop.domain.types import NS
from htlctop.ui.ranking import per_30d
from tests.advice import made
from tests.advice.made import CAT, CAT2

ALL = Query(window="all")
CHANGES = "Before and after each change"
_SUMS = {
    "fee_unknown": "fee unknown",
    "repeats": "repeats",
    "settled": "settled",
    "refused": "refused here",
    "lost": "lost",
    "downstream": "failed further on",
    "asked_msat": "every try",
    "demand_msat": "demand",
    "recovered_msat": "came back by itself",
    "net_demand_msat": "net demand",
    "expected_msat": "missed",
    "offered_msat": "offered too little",
    "earned_msat": "earned",
    "claims": "payments lost",
}


_REASON = {
    "count": "HTLCs",
    "fee_unknown": "of these with unknown fee",
    "asked_msat": "every try",
    "demand_msat": "demand",
    "net_demand_msat": "net demand",
    "expected_msat": "missed",
    "offered_msat": "offered too little",
}


def result(formula: str) -> float:
    """What a formula comes to, its words left out."""
    plain = formula.replace("×", "*").replace("÷", "/").replace("−", "-")
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", plain)
    plain = re.sub(r"of \d+ others", "", plain)
    plain = re.sub(r"[A-Za-z]+(?:'s)?", lambda w: w[0] if w[0] in ("min", "max") else " ", plain)
    assert re.fullmatch(r"(?:min|max|[\d.]+|[-+*/() ,])+", plain), formula
    return float(eval(plain, {"__builtins__": {}, "min": min, "max": max}))


def figures(explanation: Explanation) -> Iterator[tuple[str, Figure]]:
    for section in explanation.sections:
        for figure in section.figures:
            yield section.title, figure


def explanations(analyst: StoreAnalyst) -> Iterator[Explanation]:
    yield analyst.explain(ALL)
    for peer in analyst.overview(ALL).peers:
        if not peer.peer:
            continue
        yield analyst.explain(ALL, peer.peer)
        for channel in peer.channels:
            yield analyst.explain(ALL, peer.peer, channel.channel)
        for pair in analyst.peer(peer.peer, ALL).sources[:3]:
            yield analyst.explain(ALL, peer.peer, source=pair.in_peer)
    for line in analyst.log(LogQuery(300)).lines:
        yield analyst.explain_htlc(line.seq)


def test_every_formula_comes_to_its_figure(analyst):
    checked = 0
    for explanation in explanations(analyst):
        for title, figure in figures(explanation):
            if not figure.formula:
                continue
            assert isinstance(figure.value, int | float), figure
            got = result(figure.formula)
            # Whole msat are rounded or shared out once for each part; inputs have six decimals.
            slack = 1 + figure.formula.count("+") if isinstance(figure.value, int) else 1e-3
            assert math.isclose(got, figure.value, rel_tol=2e-4, abs_tol=slack), (
                title,
                figure,
                got,
            )
            checked += 1
    assert checked > 100


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("net demand 5,110 × settle rate 241 ÷ 1,000", 1231.51),
        ("(settled 223 + 20 × node's 539 ÷ 728) ÷ (settled 223 + failed 129 + 20)", 0.63926799),
        ("40 × min(1, a month's 3,440.5 ÷ 2,000)", 40),
        ("net demand 5,000 × settle rate 1 ÷ 4 + 30.25 of 1,004 others", 1280.25),
        ("would earn 10.5 × part used 1 − earns at the source 12", -1.5),
    ],
)
def test_the_checker_itself_reckons_rightly(formula, value):
    assert result(formula) == pytest.approx(value)


def test_every_sum_of_a_report_is_explained(analyst):
    report = analyst.report(ALL)
    whole = section(analyst.explain(ALL), "Sums over the peers")
    compare(report.overview.totals.sums, whole)
    for peer in report.overview.peers:
        if not peer.peer:
            continue
        shown = analyst.explain(ALL, peer.peer)
        compare(peer.sums, section(shown, "Sums"))
        rate = section(shown, "Settle rate, over the 30 days before the window's end")
        assert rate["settle rate"] == pytest.approx(peer.settle_rate)
        for pair in report.pairs:
            if pair.out_peer == peer.peer and pair.in_peer:
                compare(pair.sums, section(shown, f"From {pair.in_alias}"), absent_is_zero=True)
        for channel in peer.channels:
            compare(channel.sums, section(analyst.explain(ALL, peer.peer, channel.channel), "Sums"))


def test_no_figure_of_a_row_is_left_out():
    """What a row of any screen or report adds up to; a new figure needs its explanation."""
    assert set(_SUMS) == {each.name for each in fields(Sums)} | {"net_demand_msat"}
    assert set(_REASON) == {each.name for each in fields(CategoryRow)} - {"category"}


def test_the_nodes_own_figures_are_explained(analyst):
    view, shown = analyst.overview(ALL), analyst.explain(ALL)
    watched = section(shown, "How much was watched")
    assert watched["covered"] == pytest.approx(view.window.coverage, abs=1e-6)
    counted = section(shown, "What became of forwards")
    totals = view.totals
    assert counted["forwards"] == totals.forwards
    assert (counted["in flight"], counted["unknown"]) == (totals.in_flight, totals.unknown)
    assert (counted["peers offline"], counted["channels dry"]) == (view.offline, view.dry)
    report = analyst.report(ALL).overview
    assert counted["missed, of what was earned"] == pytest.approx(
        report.totals.sums.expected_msat / report.totals.sums.earned_msat, abs=1e-6
    )
    reasons(report.categories, shown)


def reasons(categories: Sequence[CategoryRow], shown: Explanation) -> None:
    """Each line of Why, with its part of all that was missed."""
    missed = sum(row.expected_msat for row in categories)
    for row in categories:
        figures = section(shown, f"Why: {row.category.label}")
        for name, label in _REASON.items():
            assert figures.get(label, 0) == getattr(row, name), (row, name)
        if row.expected_msat:
            share = figures["of all that was missed"]
            assert share == pytest.approx(row.expected_msat / missed, abs=1e-6)


def test_how_many_htlcs_each_group_of_reasons_has_is_explained(analyst):
    """Those that cost us something, and those that earned, are told reason by reason alone."""
    counts: dict[str, int] = defaultdict(int)
    for row in analyst.overview(ALL).categories:
        if row.category.group not in (Group.LOST, Group.EARNED):
            counts[f"{row.category.group.label}: HTLCs"] += row.count
    shown = section(analyst.explain(ALL), "Why, by what it means")
    assert shown == counts and len(counts) > 1


def test_every_explanation_says_how_much_was_watched_and_each_cause_on_each_channel(analyst):
    watched = round(analyst.overview(ALL).window.covered_ns / NS, 6)
    assert section(analyst.explain(ALL), "How much was watched")["watched"] == watched
    for peer in analyst.overview(ALL).peers:
        if not peer.peer:
            continue
        pages = [(analyst.peer(peer.peer, ALL), analyst.explain(ALL, peer.peer))]
        for row in peer.channels:
            about = analyst.channel(row.channel, ALL)
            pages.append((about, analyst.explain(ALL, peer.peer, row.channel)))
        for pair in analyst.peer(peer.peer, ALL).sources[:3]:
            about = analyst.pair(*pair.id, ALL)
            pages.append((about, analyst.explain(ALL, peer.peer, source=pair.in_peer)))
        for page, shown in pages:
            assert section(shown, "How much was watched")["watched"] == watched
            rate = section(shown, "Settle rate, over the 30 days before the window's end")
            assert rate["settle rate"] == pytest.approx(peer.settle_rate)
            for reason in page.categories:
                assert by_channel(shown, reason.category) == (reason.count, reason.net_demand_msat)


def by_channel(shown: Explanation, category: Category) -> tuple[int, int]:
    """(HTLCs, net demand) of a cause, added up over the channels."""
    title = f"{category.label} on "
    parts = [section(shown, s.title) for s in shown.sections if s.title.startswith(title)]
    return sum(p["HTLCs"] for p in parts), sum(p.get("net demand", 0) for p in parts)


def test_a_peers_and_a_channels_page_is_explained(analyst):
    report = analyst.report(ALL)
    for peer in report.overview.peers:
        if not peer.peer:
            continue
        detail, shown = analyst.peer(peer.peer, ALL), analyst.explain(ALL, peer.peer)
        sums = section(shown, "Sums")
        assert sums.get("missed per 30 days") == per_30d(peer, report.overview.window)
        online = section(shown, "Online, in the window").get("online")
        assert online == (None if detail.online is None else pytest.approx(detail.online, abs=1e-6))
        reasons(detail.categories, shown)
        for channel in peer.channels:
            whole = analyst.explain(ALL, peer.peer, channel.channel)
            reasons(analyst.channel(channel.channel, ALL).categories, whole)
            others = [each.local_sat or 0 for each in peer.channels if each is not channel]
            siblings = section(whole, "The peer's other channels")
            assert siblings.get("our side there at most") == max(others, default=None)
            for explanation, title in ((shown, "Balances now"), (whole, "Balance now")):
                balance = section(explanation, title)
                if channel.is_open and channel.capacity_sat:
                    wanted = pytest.approx(channel.local_sat / channel.capacity_sat, abs=1e-6)
                    assert balance[f"our share of {channel.scid}"] == wanted
                    assert balance[f"rate asked on {channel.scid}"] == channel.fee_rate_ppm


def test_what_is_on_the_channels_now_is_explained(analyst):
    pages = [(analyst.node(ALL).pending, analyst.explain(ALL))]
    for peer in analyst.overview(ALL).peers:
        if peer.peer:
            pages.append((analyst.peer(peer.peer, ALL).pending, analyst.explain(ALL, peer.peer)))
            for row in peer.channels:
                pending = analyst.channel(row.channel, ALL).pending
                pages.append((pending, analyst.explain(ALL, channel=row.channel)))
    for pending, shown in pages:
        told = section(shown, "HTLCs on the channels now")
        assert (told.get("HTLCs", 0), told.get("amount", 0)) == (
            len(pending), sum(item.amount_msat for item in pending),
        )  # fmt: skip
    assert sum(1 for pending, _ in pages if pending) > 3


def test_every_bar_of_a_chart_is_explained(analyst):
    history, shown = analyst.history(ALL), analyst.explain(ALL)
    assert bars(shown) == drawn(history.series.slices)
    peak = section(shown, "Missed over time: the peak, by peers")
    assert peak["missed"] == max(bar.expected_msat for bar in history.series.slices)
    flying = section(shown, "HTLCs on the channels over time")
    assert flying["at most, in all bars"] == max(point.count for point in history.in_flight)
    for peer in analyst.overview(ALL).peers:
        if not peer.peer:
            continue
        detail = analyst.peer(peer.peer, ALL)
        pages = [(detail, analyst.explain(ALL, peer.peer))]
        for row in peer.channels:
            about = analyst.channel(row.channel, ALL)
            pages.append((about, analyst.explain(ALL, channel=row.channel)))
        for page, shown in pages:
            assert bars(shown) == drawn(page.series.slices)
            held = [(p.at_ns, round(p.local_sat / p.capacity_sat, 6)) for p in page.balance]
            sides = [
                (f.at_ns, f.value) for title, f in figures(shown) if title == "Our side over time"
            ]
            assert set(sides) <= set(held) and sides[-1:] == held[-1:]
        for pair in detail.sources[:2]:
            between = analyst.explain(ALL, peer.peer, source=pair.in_peer)
            assert bars(between) == drawn(analyst.pair(*pair.id, ALL).series.slices)


def bars(shown: Explanation) -> dict[int, list[object]]:
    """(net demand, missed) by when a bar begins."""
    found = defaultdict(list)
    for title, figure in figures(shown):
        if title == "Missed over time" and figure.at_ns is not None:
            found[figure.at_ns].append(figure.value)
    return found


def drawn(slices: Iterable[Slice]) -> dict[int, list[object]]:
    """The same of a chart; a bar of no height is not told."""
    return {
        bar.start_ns: [bar.net_demand_msat, bar.expected_msat]
        for bar in slices
        if bar.net_demand_msat
    }


def test_a_pairs_page_is_explained(analyst):
    for peer in analyst.overview(ALL).peers[:4]:
        for pair in analyst.peer(peer.peer, ALL).sources:
            detail = analyst.pair(*pair.id, ALL)
            shown = analyst.explain(ALL, peer.peer, source=pair.in_peer)
            sums = section(shown, "Sums")
            assert {label: sums[label] for label in _SUMS.values()} == {
                label: pytest.approx(getattr(detail.row.sums, name), abs=6)
                for name, label in _SUMS.items()
            }
            for row in detail.categories:
                told = section(shown, f"Why: {row.category.label}")
                assert told["HTLCs"] == row.count
                assert told.get("net demand", 0) == row.net_demand_msat


def test_an_htlc_is_explained(analyst):
    kinds = set()
    for line in analyst.log(LogQuery(300)).lines:
        detail, shown = analyst.htlc(line.seq), analyst.explain_htlc(line.seq)
        offered = section(shown, "What it offered")
        asked = section(shown, "What was asked, by the policy then")
        usable = section(shown, "What could be sent then")
        assert (offered.get("amount in"), offered.get("amount out")) == (
            detail.in_msat, detail.out_msat,
        )  # fmt: skip
        assert offered.get("fee offered") == line.fee_msat
        assert asked.get("fee asked") == detail.fee_asked_msat
        assert usable.get("on the peer's best channel") == detail.best_msat
        assert usable.get("short by") == line.short_msat
        payment = section(shown, "The payment it belongs to")
        assert payment.get("tries", 0) == len(detail.attempts)
        kinds |= set(asked) | set(usable) | set(payment)
        assert analyst.find_htlc(f"{detail.in_channel_id}:{detail.in_htlc}") in (line.seq, None)
    assert {"fee asked", "fee asked on the way in", "short by", "this is try"} <= kinds


def test_what_a_peer_sent_here_is_explained(analyst):
    for row in analyst.overview(Query(window="all", by=By.SOURCE)).rows:
        if not row.peer:
            continue
        shown = section(analyst.explain(ALL, row.peer), "What it sent here")
        for name, label in _SUMS.items():
            # A ranked table shares out what a channel's cell would have earned.
            assert shown.get(label, 0) == pytest.approx(getattr(row.sums, name), abs=40)


def test_what_was_missed_before_and_after_each_change_is_explained(made_up_store):
    analyst = service.open_analyst(made_up_store)
    changed = analyst.history(ALL).changes
    shown = section(analyst.explain(ALL), CHANGES)
    analyst.close()
    rates = {
        (number, when): rate
        for number, change in enumerate(changed, 1)
        for when, rate in (
            ("before", change.rate_before_msat), ("after", change.rate_after_msat),
        )
        if rate is not None
    }  # fmt: skip
    told = {
        (int(name.partition(".")[0]), name.rsplit(" ", 1)[1]): rate
        for name, rate in shown.items()
        if not name.endswith("change")
    }
    assert told == rates and len(rates) > 3


async def test_a_peers_and_a_channels_changes_are_explained(store_file):
    both = {scid: made.channel(scid, "cat") for scid in (CAT, CAT2)}
    node = made.Node(channels={**made.USUAL, **both})
    for scid, changed_h in ((CAT, 20.0), (CAT2, 40.0)):
        node.asks(scid, 500)
        node.asks(scid, 700, hour=changed_h)
        for number, hour in enumerate(made.spread(30)):
            node.refuse(hour, 100_000 + 1_000 * number, 50 + number % 7, out=scid)
    analyst = await node.store(store_file)
    changed = analyst.history(ALL).changes
    peer = changed[0].peer
    of_peer = section(analyst.explain(ALL, peer), CHANGES)
    of_channel = [
        section(analyst.explain(ALL, channel=each.channel), CHANGES)
        for each in analyst.peer(peer, ALL).row.channels
    ]
    analyst.close()
    assert [change.rate_before_msat != change.rate_after_msat for change in changed] == [True] * 2
    for number, (change, its) in enumerate(zip(changed, of_channel, strict=True), 1):
        name = f"{number}. fee, {change.scid}"
        before, after = change.rate_before_msat, change.rate_after_msat
        assert its == {
            f"{name}: per hour before": before,
            f"{name}: per hour after": after,
            f"{name}: change": pytest.approx((after - before) / before, abs=1e-6),
        }
    assert of_peer == {**of_channel[0], **of_channel[1]}


def section(explanation: Explanation, title: str) -> dict[str, object]:
    found = [part for part in explanation.sections if part.title == title]
    return {figure.name: figure.value for figure in found[0].figures} if found else {}


def compare(sums: Sums, shown: dict[str, object], *, absent_is_zero: bool = False) -> None:
    for name, label in _SUMS.items():
        wanted = getattr(sums, name)
        got = shown.get(label, 0) if absent_is_zero else shown[label]
        assert got == wanted, (name, shown)


def test_every_figure_of_the_advice_is_explained_with_its_urgency(analyst):
    for item in analyst.advice(ALL).opportunities:
        shown = section(analyst.explain(ALL, item.peer), f"Advice: {item.kind.value}")
        assert shown["worth"] == item.worth_msat
        assert shown["urgency"] == item.urgency.total
        assert shown.get("advised: costs at most") == item.costs_at_most_sat
        for figure in item.evidence:
            assert figure.name in shown
        if item.per_30d_msat is not None:
            assert (shown["per 30 days, low"], shown["per 30 days, high"]) == item.per_30d_msat


def test_the_command_explains_a_peer_by_name_and_a_channel_by_its_scid(traffic_store):
    run = CliRunner().invoke
    store = ["--store", str(traffic_store), "--window", "all"]
    by_name = run(cli, ["explain", "cat", *store])
    assert by_name.exit_code == 0 and "net demand" in by_name.output
    of_pair = run(cli, ["explain", "cat", "--from", "ann", *store])
    assert of_pair.exit_code == 0 and "explain ann → cat" in of_pair.output
    alone = run(cli, ["explain", "--from", "ann", *store])
    assert alone.exit_code == 2 and "the peer that they were for" in alone.output
    of_htlc = run(cli, ["explain", "457x5x0:3", "--store", str(traffic_store)])
    assert of_htlc.exit_code == 0 and "amount in" in of_htlc.output
    gone = run(cli, ["explain", "457x5x0:99999999999999999999999", *store])
    assert gone.exit_code == 2 and "does not hold HTLC" in gone.output
    by_scid = run(cli, ["explain", "457x5x0", *store, "--json"])
    assert by_scid.exit_code == 0
    tables = json.loads(by_scid.output)["tables"]
    assert "sums" in tables and "watched hours" in by_scid.output
    nobody = run(cli, ["explain", "nobody", *store])
    assert nobody.exit_code == 2 and "no peer or channel found for 'nobody'; give" in nobody.output
    part = run(cli, ["explain", "n", *store])
    assert part.exit_code == 2 and "for 'n' (perhaps 'ann', 'ben', 'dan'); give" in part.output


def test_a_sum_of_very_many_is_written_with_the_smallest_added_up():
    values = [*range(1000, 1070), -5]
    told = plus(values)
    *terms, rest = told.removesuffix(" of 11 others").split(" + ")
    assert terms == [f"{value:,}" for value in range(1010, 1070)]
    assert sum(int(term.replace(",", "")) for term in (*terms, rest)) == sum(values)
    assert plus([1_200, -300]) == "1,200 + (−300)"
