"""Rows of a table are made where they are looked at, and nowhere else."""

from dataclasses import dataclass

from htlctop.analysis.rows import Rows


@dataclass(frozen=True)
class Thing:
    id: int


def counted(numbers: list[int], made: list[int]) -> Rows[Thing]:
    def make(at: int) -> Thing:
        made.append(numbers[at])
        return Thing(numbers[at])

    return Rows(numbers, make)


def test_a_row_is_made_when_it_is_looked_at():
    made: list[int] = []
    rows = counted([7, 5, 3], made)
    assert len(rows) == 3 and made == []
    assert rows[-1] == Thing(3) and made == [3]
    assert rows[:2] == (Thing(7), Thing(5)) and made == [3, 7, 5]
    assert rows == Rows.of([Thing(7), Thing(5), Thing(3)])
    assert rows != Rows.of([Thing(7), Thing(5)])
    assert [thing.id for thing in rows.changed(lambda thing: Thing(-thing.id))] == [-7, -5, -3]
