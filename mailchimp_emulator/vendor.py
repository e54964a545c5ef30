"""Mailchimp's numbers and vocabulary, each with its public source."""

from __future__ import annotations

from typing import Final

# https://mailchimp.com/developer/marketing/docs/fundamentals/#api-limits
SIMULTANEOUS_CONNECTIONS: Final = 10
# https://mailchimp.com/developer/marketing/docs/methods-parameters/#pagination
DEFAULT_COUNT: Final = 10
MAX_COUNT: Final = 1000
# https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/
MAX_BULK_MEMBERS: Final = 500
# https://mailchimp.com/developer/marketing/api/list-segments/batch-add-or-remove-members/
MAX_SEGMENT_MEMBERS: Final = 500
# https://mailchimp.com/developer/marketing/api/list-members/list-members-info/ ("tags": limited to 50)
INLINE_TAGS: Final = 50
# https://mailchimp.com/developer/marketing/docs/merge-fields/ (text is cut at 255 bytes)
MAX_TEXT_BYTES: Final = 255
# https://github.com/mailchimp/OAuth2-sample-apps (the code of the PHP sample lives about half a minute)
OAUTH_CODE_SECONDS: Final = 30
# https://mailchimp.com/developer/marketing/docs/errors/
PROBLEM_TYPE: Final = "https://mailchimp.com/developer/marketing/docs/errors/"

# https://mailchimp.com/developer/marketing/api/list-members/list-members-info/
STATUSES: Final = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived")
# https://mailchimp.com/developer/marketing/api/list-members/add-member-to-list/ (archiving is DELETE)
WRITABLE_STATUSES: Final = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
# https://mailchimp.com/developer/marketing/api/list-merges/add-merge-field/
MERGE_FIELD_TYPES: Final = (
    "text",
    "number",
    "address",
    "phone",
    "date",
    "url",
    "imageurl",
    "radio",
    "dropdown",
    "birthday",
    "zip",
)
# https://mailchimp.com/developer/marketing/docs/merge-fields/ (a tag has at most ten characters)
MAX_MERGE_TAG: Final = 10
# https://mailchimp.com/developer/marketing/api/interest-categories/
CATEGORY_TYPES: Final = ("checkboxes", "dropdown", "radio", "hidden")
# https://www.rfc-editor.org/rfc/rfc2606: domains that no person has an address at.
FAKE_DOMAINS: Final = ("example.com", "example.net", "example.org")
FAKE_TOP_LEVELS: Final = (".example", ".invalid", ".test", ".localhost")

API_ROOT: Final = "/3.0"
DEFAULT_API_KEY: Final = "0123456789abcdef0123456789abcdef-us1"
DEFAULT_OAUTH_TOKEN: Final = "emulator-oauth-token"  # noqa: S105 -- opens nothing but the emulator
