"""Kernel errors as Airbyte's traced exceptions: one failure type per class of error."""

from __future__ import annotations

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from mailchimp_unified.errors import ConfigError, MailchimpError, TransientError
from mailchimp_unified.identity import masked

UNEXPECTED = "The destination failed in an unexpected way. Please report it with the log of this sync."


def failure_type(error: BaseException) -> FailureType:
    """Return who must act: the user (config_error), nobody (transient_error) or the maintainers (system_error)."""
    if isinstance(error, AirbyteTracedException):
        return error.failure_type
    if isinstance(error, ConfigError):
        return FailureType.config_error
    if isinstance(error, TransientError):
        return FailureType.transient_error
    return FailureType.system_error


def traced(error: Exception) -> AirbyteTracedException:
    """Return `error` as Airbyte wants it, with a sentence for the user."""
    if isinstance(error, AirbyteTracedException):
        return error
    known, kind = isinstance(error, MailchimpError), type(error).__name__
    return AirbyteTracedException(
        message=error.closing_message if isinstance(error, MailchimpError) else UNEXPECTED,
        # PyAirbyte shows this one: without a detail it says the same as the message.
        internal_message=masked(error.detail or f"{kind}: {error.message}") if isinstance(error, MailchimpError) else kind,
        failure_type=failure_type(error),
        # What was foreseen needs no stack trace of ours; what was not does.
        exception=None if known else error,
    )
