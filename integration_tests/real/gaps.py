"""Where Mailchimp does more than its API description says, each with a public source."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """What the description does not have although Mailchimp does, and where that is public."""

    fault: str
    reason: str
    source: str


GAPS = {
    "paging": Gap(
        r"GET /(?!.*\{[a-z_]+\} ).* request query (count|offset): not described",
        "paging holds for all collections, as Mailchimp's support says, also where the reference names none: else ten items come",
        "https://github.com/VingtCinq/python-mailchimp/issues/144",
    ),
    "bots": Gap(
        r"GET /reports/\{campaign_id\}/(email-activity|open-details|click-details) request query filter_bots: not described",
        "events of bots are left out on request, by contract 3.0.91 of August 2026",
        "https://github.com/api-evangelist/mailchimp",
    ),
    "bulk tags": Gap(
        r"POST /lists/\{list_id\} request body\.members\[\]\.tags: not described",
        "tags of a bulk write are added to new and existing contacts since January 2022",
        "https://github.com/mailchimp/mailchimp-client-lib-codegen/issues/273",
    ),
    "field errors": Gap(
        r".* answer 400 body\.errors: not described",
        "a refusal of single fields names them under errors",
        "https://mailchimp.com/developer/marketing/docs/errors/",
    ),
    "Member Exists": Gap(
        r".* answer 400 body\.type: missing",
        "the one problem that comes without a type, as recorded against the live API",
        "https://github.com/grouparoo/grouparoo/tree/main/plugins/@grouparoo/mailchimp/__tests__/fixtures",
    ),
}


def gap(fault: str) -> str:
    """Return the name of the gap that explains a fault, or the fault itself."""
    return next((name for name, one in GAPS.items() if re.fullmatch(one.fault, fault)), fault)
