"""Signing in: how long Mailchimp's login is waited for."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from mailchimp_unified.errors import TransientError
from mailchimp_unified.sign_in.command import Application, exchange


def test_the_login_has_half_a_minute_for_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code lives no longer; and no redirect takes the secret elsewhere."""
    asked: list[dict[str, Any]] = []

    def post(_: str, **options: Any) -> requests.Response:
        asked.append(options)
        raise requests.Timeout

    monkeypatch.setattr(requests, "post", post)
    with pytest.raises(TransientError):
        exchange(Application("app", "made-up", "https://login.mailchimp.com"), "code", "http://127.0.0.1:1/")

    assert [(one["timeout"], one["allow_redirects"]) for one in asked] == [(30.0, False)]
