"""What can go wrong with Mailchimp, classed by who must act and whether the call is tried again.

MailchimpError
├── ConfigError              the user must change the configuration or the account; never retried
│   ├── SignInError          the key or token is not accepted
│   ├── DataCenterError      the key belongs to another data center
│   ├── PermissionDeniedError     the user's role or plan does not allow the call
│   ├── AccountDisabledError      the whole account is deactivated
│   └── NotFoundError        the list, member or tag is not there
├── TransientError           nobody must act; retried with back-off, and given up after a while
│   ├── TimedOutError        as above, but the request may still hold its connection at Mailchimp
│   ├── ServerError          as above, but a smaller page might work
│   ├── FirewallError        as above; it lasts until the firewall forgets this IP address
│   └── IncompleteAnswerError     a successful answer that lacks what it must have
├── RejectedRecordError      the owner of the record must act; the record is reported, the sync continues
├── StaleError               what the request rests on is too old; nothing was sent, the caller looks again
└── BugError                 we sent what Mailchimp cannot accept; reported, never retried
"""

from __future__ import annotations


class MailchimpError(Exception):
    """An error with a sentence for the user (`message`) and Mailchimp's own words (`detail`, may be empty)."""

    # Whether an earlier try of the same call may have been carried out although its answer was lost.
    after_lost_answer = False
    advice = ""

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

    @property
    def closing_message(self) -> str:
        """The message for an error that ends a command; without the advice it is also logged where a sync continues."""
        return f"{self.message} {self.advice}".rstrip()


class ConfigError(MailchimpError):
    """The user must change the configuration or the account. Never retried."""


class SignInError(ConfigError):
    """The key or token is not accepted: the user must sign in again. Never retried."""


class DataCenterError(ConfigError):
    """The key belongs to another data center: the user must correct its suffix. Never retried."""


class PermissionDeniedError(ConfigError):
    """The role or plan of the user does not allow the call: the user must get the permission. Never retried."""


class AccountDisabledError(ConfigError):
    """The whole account is deactivated: the user must have it reactivated. Never retried."""


class NotFoundError(ConfigError):
    """The list, member or tag named in the request is not there. Never retried."""


class TransientError(MailchimpError):
    """Nobody must act. Retried with back-off; raised when the time for retries is used up.

    `said` tells what happened once, such as "HTTP 500 for the contacts of Newsletter"; the message adds how long it was tried.
    `sent` tells whether Mailchimp may have carried out the request all the same, `answered` whether any answer came,
    `heavy` whether asking for less might help, `retry_after` the seconds Mailchimp asked to wait (0 when it named none),
    `is_final` whether the time for retries was used up.
    """

    advice = "Try again later."
    heavy = False
    is_final = False

    def __init__(
        self, said: str, *, what: str = "", detail: str = "", sent: bool = True, answered: bool = False, retry_after: float = 0.0
    ) -> None:
        self.said = f"{said} for {what}" if what else said
        super().__init__(f"{self.said}.", detail=detail)
        self.sent = sent
        self.answered = answered
        self.retry_after = retry_after

    def give_up(self, tries: int, seconds: float) -> None:
        """Say in the message how often and how long the request was tried, both greater than 0."""
        times = "" if tries == 1 else f", {tries} times in a row"
        self.message = f"{self.said}{times}; gave up after {_duration(seconds)}."
        self.args = (self.message,)


class TimedOutError(TransientError):
    """No answer in time. Retried, after a rest: the request may still hold its connection at Mailchimp."""

    heavy = True


class ServerError(TransientError):
    """Mailchimp failed inside. Retried; big pages fail more often than small ones."""

    heavy = True


class FirewallError(TransientError):
    """A firewall before Mailchimp blocks this IP address. Retried; it may take hours until it lets us pass."""


class IncompleteAnswerError(TransientError):
    """A successful answer without what it must have. It does not count as an answer: it is asked for again, a few times."""


class RejectedRecordError(MailchimpError):
    """Mailchimp refuses this record: its owner must act. Never retried.

    `title` is Mailchimp's problem title, `fields` its per-field complaints as (field, message) pairs; `temporary` tells that the
    same record may be accepted some hours later.
    """

    def __init__(
        self, message: str, *, detail: str = "", title: str = "", fields: tuple[tuple[str, str], ...] = (), temporary: bool = False
    ) -> None:
        super().__init__(message, detail=detail)
        self.title = title
        self.fields = fields
        self.temporary = temporary


class StaleError(MailchimpError):
    """What the request rests on no longer holds: it was not sent by this try. The caller looks again."""


class BugError(MailchimpError):
    """We sent what Mailchimp cannot accept, or cannot read its answer: the maintainers must act. Never retried."""


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s"  # noqa: PLR2004 - from two minutes on
