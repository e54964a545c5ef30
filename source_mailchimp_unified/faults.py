"""Kernel errors as Airbyte's traced exceptions: one failure type per class of error."""

from __future__ import annotations

from airbyte_cdk.models import AirbyteMessage, FailureType, StreamDescriptor
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from mailchimp_unified.errors import ConfigError, MailchimpError, TransientError
from mailchimp_unified.identity import masked

UNEXPECTED = "The source failed in an unexpected way. Please report it with the log of this sync."


def failure_type(error: BaseException) -> FailureType:
    """Return who must act: the user (config_error), nobody (transient_error) or the maintainers (system_error)."""
    if isinstance(error, AirbyteTracedException):
        return error.failure_type
    if isinstance(error, ConfigError):
        return FailureType.config_error
    if isinstance(error, TransientError):
        return FailureType.transient_error
    return FailureType.system_error


def traced(error: Exception, stream: str | None = None) -> AirbyteTracedException:
    """Return `error` as Airbyte wants it, with a sentence for the user, and of `stream` when it has one."""
    if isinstance(error, AirbyteTracedException):
        return error
    known = isinstance(error, MailchimpError)
    return AirbyteTracedException(
        message=masked(error.closing_message) if isinstance(error, MailchimpError) else UNEXPECTED,
        internal_message=masked((error.detail if isinstance(error, MailchimpError) else "") or f"{type(error).__name__}: {error}"),
        failure_type=failure_type(error),
        # What was foreseen needs no stack trace of ours; what was not does.
        exception=None if known else error,
        stream_descriptor=StreamDescriptor(name=stream) if stream else None,
    )


def error_message(error: Exception, stream: str | None = None) -> AirbyteMessage:
    """Return `error` as a message, secrets and email addresses masked in all of it."""
    fault = traced(error, stream)
    message: AirbyteMessage = fault.as_sanitized_airbyte_message()
    if message.trace is not None and message.trace.error is not None:
        # What was foreseen needs no stack trace.
        unforeseen = fault.failure_type == FailureType.system_error and message.trace.error.stack_trace
        message.trace.error.stack_trace = masked(message.trace.error.stack_trace) if unforeseen else None
    return message
