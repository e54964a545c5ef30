"""A call that failed for fifteen minutes: is Mailchimp away, or is it only this call that it does not take?"""

from __future__ import annotations

from destination_mailchimp_unified.settling.outcomes import Outcome
from mailchimp_unified import endpoints
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.errors import IncompleteAnswerError, TransientError

NOT_TAKEN = Outcome("rejected", "temporary: Mailchimp kept failing on this event while accepting others", later=True)


async def mailchimp_answers(client: MailchimpClient) -> bool:
    """Return whether Mailchimp answers the simplest call."""
    try:
        await client.call(endpoints.ACCOUNT)
    except TransientError:
        return False
    return True


def is_of_its_own(error: TransientError) -> bool:
    """Return whether a call was tried for as long as calls are tried, and not given up with another one."""
    return error.is_final or isinstance(error, IncompleteAnswerError)
