"""The demo account: three audiences of an outdoor shop, and the campaigns, reports, store and automations that belong to them."""

from __future__ import annotations

from mailchimp_emulator.demo.audiences import DEMO
from mailchimp_emulator.demo.automations import automations
from mailchimp_emulator.demo.campaigns import campaigns
from mailchimp_emulator.demo.designs import designs
from mailchimp_emulator.demo.reports import reports
from mailchimp_emulator.demo.sends import sent
from mailchimp_emulator.demo.store import store
from mailchimp_emulator.seed import seed
from mailchimp_emulator.state import State


def seed_demo(state: State) -> list[str]:
    """Make the demo account as of now; returns the ids of its audiences."""
    account, now = state.account, state.clock.second()
    made = seed(account, DEMO, now)
    sends = sent(account, now)
    for send in sends:
        send.audience.sent.append(send.at)
    parts = (campaigns(sends), reports(sends), store(account, sends, now), automations(account, now), designs(now))
    for part in parts:
        for served in part:
            state.described.keep(served.collection, served.items)
    return made
