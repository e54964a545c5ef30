"""Numbers and moments in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from mailchimp_workbench import charts, words

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("value", "expected"), [(None, "\N{EN DASH}"), (0, "0"), (999, "999"), (1234567, "1,234,567")])
def test_numbers_are_grouped(value: int | None, expected: str) -> None:
    """Thousands are grouped, none is a dash."""
    assert words.number(value) == expected


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(0, 0, "0%"), (0, 5, "0%"), (1, 1000, "under 1%"), (500, 1000, "50%"), (999, 1000, "over 99%"), (1000, 1000, "100%")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(part: int, whole: int, expected: str) -> None:
    """99.9% is not 100%, and 0.1% is not 0%."""
    assert words.percent(part, whole) == expected


@pytest.mark.parametrize(
    ("back", "expected"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86400, "1 day ago"),
        (86400 * 1200, "1,200 days ago"),
    ],
)
def test_how_long_ago(back: int, expected: str) -> None:
    """The largest unit that fits is named."""
    assert words.ago(NOW - timedelta(seconds=back), NOW) == expected


def test_days_are_words() -> None:
    """Dates are written as Americans write them."""
    assert words.day(date(2026, 3, 2)) == "March 2, 2026"
    assert words.moment(NOW) == "November 25, 2026 at 12:00"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        ("plain", "plain"),
        ("{not json", "{not json"),
        ('{"addr1": "1 Main Street", "addr2": "", "city": null, "zip": "97201"}', "1 Main Street, 97201"),
        ("[1, 2]", "1, 2"),
    ],
)
def test_values_are_shown_by_their_parts(value: str | None, expected: str) -> None:
    """A postal address reads as one, and text that only looks like JSON stays."""
    assert words.shown(value) == expected


def test_a_bar_is_as_wide_as_its_parts() -> None:
    """Every status that somebody has is wide enough to be seen, and together they fill the bar."""
    cut = charts.pieces({"subscribed": 199_990, "pending": 10, "cleaned": 0}, ["subscribed", "pending", "cleaned"])

    assert [piece.name for piece in cut] == ["subscribed", "pending"]
    assert cut[1].width >= charts.LEAST_WIDTH - 1
    assert abs(cut[-1].x + cut[-1].width - charts.SHARE_WIDTH) < 1


def test_joined_and_left_share_a_scale() -> None:
    """Twice as many are twice as high, upwards and downwards."""
    chart = charts.growth(
        [{"month": date(2026, 1, 1), "joined": 100, "departed": 50}, {"month": date(2026, 2, 1), "joined": 0, "departed": 0}]
    )

    assert chart.columns[0].up == 2 * chart.columns[0].down
    assert (chart.columns[1].up, chart.columns[1].down) == (0, 0)


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        ("2010-11-14", "date", "November 14, 2010"),
        ("1.0", "number", "1"),
        ("1234.50", "number", "1,234.5"),
        ("100000", "number", "100,000"),
        ("n/a", "number", "n/a"),
        ("soon", "date", "soon"),
        ("01/03", "birthday", "01/03"),
        ("0123", "zip", "0123"),
        (None, "number", ""),
    ],
)
def test_values_of_merge_fields_are_written_for_people(value: str | None, type_: str, expected: str) -> None:
    """Dates are words and numbers are grouped; what is neither stays as it is."""
    assert words.field_value(value, type_) == expected


@pytest.mark.parametrize(
    ("count", "name", "expected"), [(1, "users", "1 user"), (6350, "contacts", "6,350 contacts"), (1, "created", "1 created")]
)
def test_one_is_singular(count: int, name: str, expected: str) -> None:
    """A count agrees with its noun."""
    assert words.records(count, name) == expected
