"""A local, stateful stand-in for the Mailchimp Marketing API 3.0, for demos, tests and benchmarks.

with Emulator() as mailchimp:      # or EmulatorProcess()
    mailchimp.seed(name="Customers", contacts=1000)
    ...                            # point a client at mailchimp.url
    mailchimp.journal()
"""

from __future__ import annotations

from mailchimp_emulator.client import ControlClient, ControlError
from mailchimp_emulator.runner import Emulator, EmulatorProcess
from mailchimp_emulator.vendor import DEFAULT_API_KEY, DEFAULT_OAUTH_TOKEN

__all__ = ["DEFAULT_API_KEY", "DEFAULT_OAUTH_TOKEN", "ControlClient", "ControlError", "Emulator", "EmulatorProcess"]
