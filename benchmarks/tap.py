"""Runs Singer's tap-mailchimp, which has no option for an address, against another one.

Usage: tap.py ORIGIN [arguments of tap-mailchimp]
"""

from __future__ import annotations

import sys
from typing import Any

import requests
import tap_mailchimp

MAILCHIMP = "https://us1.api.mailchimp.com"


def main() -> None:
    """Send all requests for Mailchimp to the origin instead."""
    origin = sys.argv.pop(1)
    request = requests.Session.request

    def redirected(session: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
        return request(session, method, url.replace(MAILCHIMP, origin), **more)

    requests.Session.request = redirected
    tap_mailchimp.main()


if __name__ == "__main__":
    main()
