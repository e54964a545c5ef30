"""What reading an audience costs, and whether bulk calls are worth it. Pure."""

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


def bulk_is_cheaper(contacts: int, apart: int, totals: tuple[int, int], subscribed: int) -> bool:
    """Return whether reading all statuses and writing in bulk takes fewer requests than one PUT per contact:

        pages(plain) + pages(archived) + ceil(in bulk / 500) + PUTs  <  contacts

    `contacts` are those to be written, `apart` those of them that go by PUT anyway, `totals` the rows of the plain and of the
    archived listing, `subscribed` those who are subscribed. Of the others as many are expected to need a PUT as the audience
    has contacts that are not subscribed:

        PUTs = apart + (contacts - apart) x (all - subscribed) / all

    While the statuses are not known, a caller counts those already written singly among `contacts`: what a sync has brought
    is the best guess at what it will bring, and by this rule it never costs more than twice the best choice in hindsight.
    """  # noqa: D415 - the formula is the point
    everybody = sum(totals)
    others = max(0, everybody - subscribed) / everybody if everybody else 0.0
    puts = apart + round((contacts - apart) * others)
    in_bulk = contacts - puts
    return sum(map(pages, totals)) + -(-in_bulk // BULK_SIZE) + puts < contacts
