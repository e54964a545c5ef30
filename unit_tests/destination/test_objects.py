"""What an audience is called as a destination object, and which audience an object stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_mailchimp_unified.intake.objects import NAME_CHARACTERS, list_id_of, object_name

ID = "2e6b74a9f8"
IDS = st.text("0123456789abcdef", min_size=10, max_size=10)


@given(st.text(), IDS)
def test_an_object_leads_back_to_its_audience(name: str, list_id: str) -> None:
    """No matter what the audience is called, its object is one readable line of limited length, and the id in it decides."""
    shown = object_name(name, list_id)

    assert list_id_of(shown) == list_id
    assert list_id in shown
    assert all(letter.isprintable() or letter in "\u200c\u200d" for letter in shown)
    assert len(shown) <= NAME_CHARACTERS + len(f" ({list_id})")


@given(st.text(), st.lists(IDS, min_size=2, max_size=5, unique=True))
def test_audiences_of_one_name_have_objects_of_their_own(name: str, ids: list[str]) -> None:
    """Two audiences may be called alike; their objects differ."""
    assert len({object_name(name, list_id) for list_id in ids}) == len(ids)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Event Guests", f"Event Guests ({ID})"),
        ("Guests (old)", f"Guests (old) ({ID})"),
        ("  Two\n lines\t", f"Two lines ({ID})"),
        ("\u202eGuests\u202c\u200b", f"Guests ({ID})"),
        ("G\u00e4ste \u2764\ufe0f \u6771\u4eac", None),
        ("x" * 300, f"{'x' * (NAME_CHARACTERS - 1)}\u2026 ({ID})"),
        ("", ID),
        (None, ID),
        ("\u200b \x00", ID),
    ],
)
def test_a_name_is_shown_as_people_know_it(name: str | None, shown: str | None) -> None:
    """Invisible characters and line breaks go, other scripts stay, long names are cut, and no name leaves the bare id."""
    found = object_name(name, ID)

    assert shown is None or found == shown
    assert list_id_of(found) == ID


@pytest.mark.parametrize(("letters", "shown"), [(79, "x" * 79), (80, "x" * 80), (81, "x" * 79 + "\u2026"), (300, "x" * 79 + "\u2026")])
def test_eighty_characters_of_a_name_are_shown(letters: int, shown: str) -> None:
    """The last of them says that there are more; no space stands before it."""
    assert object_name("x" * letters, ID) == f"{shown} ({ID})"
    assert object_name("x" * 70 + " " * 9 + "y" * 20, ID) == f"{'x' * 70} {'y' * 8}\u2026 ({ID})"
    assert object_name("x" * 78 + " " + "y" * 20, ID) == f"{'x' * 78}\u2026 ({ID})"


@pytest.mark.parametrize(
    "object_",
    [
        ID,
        f" {ID} ",
        f"Event Guests ({ID})",
        f"Called otherwise now ({ID})",
        f"Guests (old) ({ID})",
        f"({ID})",
        f"Guests ( {ID} ) ",
        f"a)b(c ({ID})",
    ],
)
def test_the_id_decides(object_: str) -> None:
    """A bare id, an object, and one whose audience was renamed since stand for the same audience."""
    assert list_id_of(object_) == ID


@pytest.mark.parametrize(
    "object_", ["Event Guests", "Event Guests ()", f"{ID} (Event Guests)", f"Guests ({ID}) copy", "a/b", "", "Guests (a b)"]
)
def test_an_object_without_an_id_is_none(object_: str) -> None:
    """What ends without an id in brackets, and is no id, stands for no audience."""
    assert list_id_of(object_) is None
