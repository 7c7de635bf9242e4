"""The cursor belongs to a row and goes where it goes; the view does as the user last asked."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from htlctop.analysis.rows import Rows
from htlctop.ui.table.roster import Roster


@dataclass(frozen=True)
class Thing:
    number: int
    parts: tuple["Thing", ...] = ()


@dataclass(frozen=True)
class Numbered:
    id: int


def roster(*numbers: int, height: int = 5) -> Roster[Thing]:
    made: Roster[Thing] = Roster(lambda thing: ("thing", thing.number), lambda thing: thing.parts)
    made.replace([Thing(number) for number in numbers])
    made.resize(height)
    return made


def under(made: Roster[Thing]) -> int | None:
    return made.current.item.number if made.current else None


def order(made: Roster[Thing]) -> list[int]:
    return [entry.item.number for entry in made.entries]


def test_the_cursor_follows_its_row_through_a_re_sort() -> None:
    made = roster(1, 2, 3, 4)
    made.move_to(1)
    made.replace([Thing(4), Thing(3), Thing(2), Thing(1)])
    assert under(made) == 2 and made.cursor == 2


def test_the_cursor_on_the_first_and_on_the_last_row_follows_too() -> None:
    made = roster(1, 2, 3)
    made.home()
    made.replace([Thing(3), Thing(2), Thing(1)])
    assert under(made) == 1
    made.move_to(2)
    made.replace([Thing(1), Thing(2), Thing(3)])
    assert under(made) == 1 and made.cursor == 0


def test_a_row_that_vanishes_hands_the_cursor_to_the_one_below_it() -> None:
    made = roster(1, 2, 3, 4)
    made.move_to(1)
    made.replace([Thing(4), Thing(3), Thing(1)])
    assert under(made) == 3


def test_the_last_row_vanishing_hands_the_cursor_to_the_one_above() -> None:
    made = roster(1, 2, 3)
    made.move_to(2)
    made.replace([Thing(1), Thing(2)])
    assert under(made) == 2


def test_when_every_row_vanishes_and_others_come_the_cursor_is_on_the_first() -> None:
    made = roster(1, 2)
    made.move_to(1)
    made.replace([])
    assert made.current is None
    made.replace([Thing(7), Thing(8)])
    assert under(made) == 7


def test_held_order_keeps_known_rows_in_place_and_puts_new_ones_last() -> None:
    made = roster(1, 2, 3)
    made.replace([Thing(9), Thing(3), Thing(1)], keep_order=True)
    assert order(made) == [1, 3, 9]


def test_until_it_is_moved_the_cursor_is_on_the_first_row_whichever_that_is() -> None:
    made = roster(*range(20), height=5)
    made.replace([Thing(n) for n in [*range(1, 20), 0]])
    assert under(made) == 1 and made.top == 0


def test_a_row_that_was_opened_keeps_the_cursor() -> None:
    made = roster(1, 2, 3)
    made.choose()
    made.replace([Thing(3), Thing(2), Thing(1)])
    assert under(made) == 1


def test_a_row_that_was_opened_stays_in_view() -> None:
    made = roster(*range(20), height=5)
    made.choose()
    made.replace([Thing(n) for n in [*range(1, 20), 0]])
    assert under(made) == 0 and made.top == 15


def test_the_view_stays_at_the_top_until_the_cursor_is_moved() -> None:
    made = roster(*range(20), height=5)
    made.home()
    made.replace([Thing(n) for n in [*range(1, 20), 0]])
    assert under(made) == 0 and made.top == 0
    made.move_to(19)
    assert made.top == 15
    made.home()
    assert made.top == 0


def test_the_wheel_moves_the_view_and_it_stays_there_while_rows_change() -> None:
    made = roster(*range(20), height=5)
    made.scroll(6)
    made.replace([Thing(n) for n in range(20)])
    assert made.top == 6 and made.cursor == 0


def test_unfolding_shows_the_parts_and_folding_from_a_part_returns_to_its_parent() -> None:
    made = roster(height=9)
    made.replace([Thing(1, (Thing(11), Thing(12))), Thing(2, (Thing(21),)), Thing(3)])
    assert made.unfold() and order(made) == [1, 11, 12, 2, 3]
    made.move_to(2)
    assert made.fold() and under(made) == 1 and order(made) == [1, 2, 3]
    made.move_to(1)
    assert not made.unfold(), "a single part is no more than the row itself"


def test_unfolding_at_the_bottom_scrolls_the_parts_into_view() -> None:
    made = roster(height=3)
    made.replace([Thing(1), Thing(2), Thing(3, (Thing(31), Thing(32)))])
    made.move_to(2)
    made.unfold()
    assert [entry.item.number for entry in made.visible] == [3, 31, 32]


keys = st.lists(st.integers(0, 15), unique=True, max_size=12)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(-20, 20)),
        st.tuples(st.just("scroll"), st.integers(-9, 9)),
        st.tuples(st.just("resize"), st.integers(-2, 12)),
        st.tuples(st.sampled_from(["home", "fold", "unfold"]), st.just(0)),
        st.tuples(st.just("replace"), keys),
        st.tuples(st.just("held"), keys),
    ),
    max_size=30,
)


@given(keys, moves)
def test_whatever_happens_there_is_one_cursor_on_a_row_and_the_view_is_within_the_rows(
    first: list[int], steps: list[tuple[str, object]]
) -> None:
    def things(numbers: object) -> list[Thing]:
        assert isinstance(numbers, list)
        return [Thing(n, (Thing(n + 100), Thing(n + 200)) if n % 3 == 0 else ()) for n in numbers]

    made: Roster[Thing] = Roster(lambda thing: ("thing", thing.number), lambda thing: thing.parts)
    made.replace(things(first))
    made.choose()
    for what, value in steps:
        before = made.current
        if what == "move":
            made.move_to(made.cursor + value)
        elif what == "scroll":
            made.scroll(value)
        elif what == "resize":
            made.resize(value)
        elif what in ("replace", "held"):
            made.replace(things(value), keep_order=what == "held")
            if before is not None and before.key in {entry.key for entry in made.entries}:
                assert made.current is not None and made.current.key == before.key
        else:
            getattr(made, what)()
        assert 0 <= made.top <= max(0, len(made.entries) - 1)
        assert (made.current is None) == (not made.entries)
        assert len(made.visible) == min(made.height, len(made.entries))


def test_only_what_is_in_view_is_looked_at() -> None:
    looked_at: list[int] = []
    numbers = list(range(1000, 0, -1))

    def things(of: list[int]) -> Rows[Numbered]:
        def make(at: int) -> Numbered:
            looked_at.append(of[at])
            return Numbered(of[at])

        return Rows(of, make)

    made: Roster[Numbered] = Roster(lambda thing: thing.id, lambda thing: ())
    made.resize(10)
    for _ in range(3):
        made.replace(things(numbers), numbers)
        assert [entry.key for entry in made.visible] == numbers[:10]
        made.move_to(5)
    made.replace(things(numbers[::-1]), numbers[::-1], keep_order=True)
    assert [entry.item.id for entry in made.visible] == numbers[:10]
    assert set(looked_at) == set(numbers[:10])
