"""Counts over the receipts of one campaign."""

from __future__ import annotations

from mailchimp_emulator.demo.sends import Send


def summary(send: Send) -> dict[str, int]:
    """Opens and clicks, in all and by contact."""
    return {
        "opens": sum(len(receipt.opened) for receipt in send.receipts),
        "unique_opens": sum(bool(receipt.opened) for receipt in send.receipts),
        "clicks": sum(len(receipt.clicked) for receipt in send.receipts),
        "subscriber_clicks": sum(bool(receipt.clicked) for receipt in send.receipts),
    }


def rate(part: int, whole: int) -> float:
    """A share as Mailchimp gives it; none of nothing is 0."""
    return round(part / whole, 4) if whole else 0.0
