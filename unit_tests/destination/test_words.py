"""The words that a contact is compared by: which fields share one, what is in it, and when a contact has all that is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.comparison import TAGS, UNKNOWN, Comparison, Wanted, comparison_of
from mailchimp_unified.entities.comparable import Field

Json = dict[str, Any]

EMAIL = "Ada@x.org"
VIP: Field = ("vip", "")
LANGUAGE: Field = ("language", "")
KIND: Field = ("email_type", "")
ADDRESS: Field = ("ip_opt", "")


def fills(*fields: Field, tags: dict[str, bool] | None = None, whole: bool = False, **body: Any) -> Wanted:
    """What a record wants that fills these fields."""
    return Wanted(body, frozenset(fields), tags or {}, whole)


def made(*wanted: Wanted, shown: list[str] | None = None, managed: str = "") -> Comparison:
    """Return the comparison for what is wanted; tags are managed that begin so."""
    return comparison_of(wanted, {}, lambda name: bool(managed) and name.startswith(managed), shown)


def member(tags: list[str] | None = None, **more: Any) -> Json:
    """A contact as a listing shows it."""
    names = tags or []
    return {
        "id": "a" * 32, "status": "subscribed", "email_address": EMAIL, "tags": [{"name": name} for name in names], "tags_count": len(names),
        "vip": True, "language": "en", "email_type": "html", "ip_opt": "", **more,
    }  # fmt: skip


# Which fields share a word.


def test_fields_that_every_record_fills_come_first_and_then_the_most_common() -> None:
    """Rare ones share the last word."""
    rare, some, common = fills(VIP, ADDRESS), fills(VIP, KIND), fills(VIP, LANGUAGE)

    assert made(rare, some, some, common, common, common).groups == ((VIP,), (LANGUAGE,), (KIND, ADDRESS))
    assert made(rare, some, common, common).groups[:2] == ((VIP,), (LANGUAGE,))
    assert made(fills(VIP, LANGUAGE), fills(VIP, LANGUAGE)).groups == ((LANGUAGE, VIP),)


def test_the_first_word_is_there_for_the_email_address_alone() -> None:
    """Where no field is filled by all, or none at all."""
    assert made(fills(VIP), fills(LANGUAGE), fills(LANGUAGE)).groups == ((), (LANGUAGE,), (VIP,))
    assert (made(fills()).groups, made(fills()).words) == (((),), 1)


def test_tags_take_the_last_of_three_words() -> None:
    """So fields have two."""
    some = [fills(VIP, ADDRESS), fills(VIP, KIND), fills(VIP, KIND), fills(VIP, LANGUAGE, tags={"a": True})]
    comparison = made(*some)

    assert (comparison.groups, comparison.words) == (((VIP,), (*sorted((ADDRESS, LANGUAGE, KIND)),)), 3)
    assert (made(some[0]).words, made(*some[:3]).words) == (1, 3)
    assert made(fills(VIP, tags={"a": True})).words == 2


def test_only_fields_that_were_shown_are_compared() -> None:
    """Where a listing was read already; tags are shown with their count."""
    comparison = made(fills(VIP, LANGUAGE, whole=True), shown=["vip"])

    assert comparison.groups == ((TAGS, VIP),)
    assert comparison.shown == ["email_address", "tags", "tags_count", "vip"]
    assert made(fills(VIP, LANGUAGE)).shown == ["email_address", "language", "vip"]
    assert made(fills(tags={"a": False})).shown == ["email_address", "tags", "tags_count"]


def tagged(number: int) -> list[Wanted]:
    """Records that each want a tag; the first one is wanted most."""
    return [fills(tags={f"t{place:02}": True}) for place in range(number) for _ in range(1 + (place == 0))]


@pytest.mark.parametrize(("number", "bits", "groups"), [(1, 1, ((),)), (63, 63, ((),)), (64, 63, ((), (TAGS,)))])
def test_sixty_three_tags_have_a_bit(number: int, bits: int, groups: Any) -> None:
    """The most common ones; the others are compared as if they were a field."""
    comparison = made(*tagged(number))

    assert (len(comparison.bits), comparison.groups) == (bits, groups)
    assert "t00" in comparison.bits


def test_each_tag_with_a_bit_is_told_from_all_others() -> None:
    """And from a contact of which it is not known."""
    wanted = tagged(63)
    comparison = made(*wanted)
    for place in (0, 1, 31, 61, 62):
        words = comparison.of_member(member([f"T{place:02} "]))
        assert [number for number in range(63) if comparison.is_met(fills(tags={f"t{number:02}": True}), words, [EMAIL])] == [place]
        assert max(words) < 1 << 64
    unknown = comparison.of_member(member(["T00"], tags_count=51))
    assert [comparison.is_met(fills(tags={"t00": present}), unknown, [EMAIL]) for present in (True, False)] == [False, False]
    assert comparison.is_met(fills(), unknown, [EMAIL])
    assert max(unknown) < 1 << 64


# What is in a word.


def test_a_word_has_sixty_four_bits() -> None:
    """Fewer would lose changes, and more do not fit."""
    comparison = made(fills(VIP))
    words = [comparison.of_member(member(email_address=f"p{number}@x.org"))[0] for number in range(200)]

    assert (max(words).bit_length(), len(set(words))) == (64, 200)


def test_the_email_address_is_in_the_first_word_only() -> None:
    """As it is spelled: a record is compared by it no matter which fields it fills."""
    wanted = [fills(VIP), fills(LANGUAGE), fills(LANGUAGE)]
    comparison = made(*wanted)
    here, there = (comparison.of_member(member(email_address=email)) for email in (EMAIL, EMAIL.lower()))

    assert [one == other for one, other in zip(here, there, strict=True)] == [False, True, True]
    for one in (fills(), fills(VIP, vip=True), fills(LANGUAGE, language="en")):
        assert comparison.is_met(one, here, [EMAIL])
        assert comparison.is_met(one, there, [EMAIL, EMAIL.lower()])
        assert not comparison.is_met(one, there, [EMAIL])


@pytest.mark.parametrize("odd", [{"vip": None}, {"email_address": None}])
def test_a_contact_that_does_not_show_what_it_is_compared_by_has_no_words(odd: Json) -> None:
    """Then it is written."""
    comparison, audience = made(fills(VIP, vip=True)), Audience("a1")
    audience.begin_to_know(comparison)
    audience.is_compared = True
    shown = {name: value for name, value in {**member(), **odd}.items() if value is not None}
    audience.note_member(shown)

    assert comparison.of_member(shown) == (UNKNOWN,)
    assert audience.words_of("a" * 32) is None
    assert not comparison.is_met(fills(VIP, vip=True), (UNKNOWN,), [EMAIL])


# When all that is wanted is there.


@pytest.mark.parametrize(
    ("wanted", "met"),
    [
        (fills(VIP, vip=True), True),
        (fills(VIP, vip=False), False),
        (fills(VIP, LANGUAGE, KIND, vip=True, language="en", email_type="html"), True),
        (fills(LANGUAGE, KIND, language="en", email_type="html"), False),
        (fills(VIP, LANGUAGE, KIND, vip=True, language="de", email_type="html"), False),
        (fills(VIP, LANGUAGE, vip=True, language="en"), False),
        (fills(VIP, ADDRESS, vip=True, ip_opt=""), False),
        (fills(VIP, vip=True, tags={"a": True}), True),
        (fills(VIP, vip=True, tags={"a": False}), False),
        (fills(VIP, vip=True, tags={"b": True}), False),
        (fills(VIP, vip=True, tags={"b": False}), True),
        (fills(VIP, vip=True, tags={"a": True, "b": True}), False),
        (fills(VIP, vip=True, tags={"a": True, "b": False}), True),
        (fills(VIP, vip=True, tags={"c": False}), False),
        (fills(VIP, vip=True, whole=True), False),
    ],
)
def test_a_record_changes_nothing_where_all_that_it_says_is_there(wanted: Wanted, met: bool) -> None:
    """And what it leaves alone of the fields that share a word with those is blank; of what is not compared nobody knows."""
    comparison = made(fills(VIP), fills(VIP, LANGUAGE, KIND, tags={"a": True, "b": False}))
    words = comparison.of_member(member(["a", "z"]))

    assert len(words) == comparison.words == 3
    assert comparison.is_met(wanted, words, [EMAIL]) == met
