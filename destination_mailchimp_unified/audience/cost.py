"""What reading an audience costs, and whether it is worth it. Pure."""

from __future__ import annotations

from mailchimp_unified.request import PAGE_SIZE

BULK_SIZE = 500
"""Most contacts of one bulk call: https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/."""

LOOK_UPS_OF_TOTALS = 2
"""Requests that tell how many pages the two listings of an audience have."""


def pages(rows: int) -> int:
    """Return how many pages a listing of so many rows has."""
    return -(-rows // PAGE_SIZE)


def may_pay(contacts: int) -> bool:
    """Return whether bulk calls could be cheaper at all, so that it is worth asking how big the audience is.

    At the least they cost the two look-ups of totals and one bulk call.
    """
    return contacts > LOOK_UPS_OF_TOTALS + 1


def bulk_is_cheaper(contacts: int, apart: int, totals: tuple[int, int], subscribed: int, *, compares: bool = False) -> bool:
    """Return whether reading the audience and writing in bulk takes fewer requests than one call per contact:

        pages(plain) + pages(archived) + ceil(in bulk / 500) + calls of their own  <  contacts

    `contacts` are those to be written, `apart` those of them that go by a call of their own anyway, `totals` the rows of the plain
    and of the archived listing, `subscribed` those who are subscribed.

    A contact who is not subscribed takes a call of its own, if it is written at all. Where contacts are compared, nobody knows before
    the reading how many of them differ, and none is counted: reading a repeated table of unsubscribed contacts saves nearly all calls,
    and where all of them differ it has cost less than the calls themselves. Where contacts are not compared, as many of them are
    expected as the audience has:

        calls of their own = apart + (contacts - apart) x (all - subscribed) / all

    While the audience is not read, a caller counts those already written singly among `contacts`: what a sync has brought is the
    best guess at what it will bring, and by this rule it never costs more than about twice the best choice in hindsight.
    """  # noqa: D415 - the formula is the point
    everybody = sum(totals)
    others = max(0, everybody - subscribed) / everybody if everybody and not compares else 0.0
    singly = apart + round((contacts - apart) * others)
    return reading(totals) + -(-(contacts - singly) // BULK_SIZE) + singly < contacts


def reading(totals: tuple[int, int]) -> int:
    """Return how many pages the listings of an audience have together."""
    return sum(map(pages, totals))
