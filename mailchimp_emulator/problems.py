"""Errors as Mailchimp words them (application/problem+json).

Public source: https://mailchimp.com/developer/marketing/docs/errors/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mailchimp_emulator.vendor import MAX_BULK_MEMBERS, PROBLEM_TYPE

FieldErrors = list[dict[str, str]]

NOT_VALIDATED = "The resource submitted could not be validated. For field-specific details, see the 'errors' array."


class Problem(Exception):  # noqa: N818 -- the name of the document it becomes
    """One refusal: its status, title and words."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        errors: FieldErrors | None = None,
        typed: bool = True,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail
        self.errors, self.typed, self.headers = errors, typed, headers or {}

    def body(self, instance: str) -> dict[str, Any]:
        """`{type, title, status, detail, instance, errors?}`; `type` is missing where Mailchimp leaves it out."""
        document: dict[str, Any] = {"type": PROBLEM_TYPE} if self.typed else {}
        document |= {"title": self.title, "status": self.status, "detail": self.detail, "instance": instance}
        if self.errors is not None:
            document["errors"] = self.errors
        return document


def invalid_resource(detail: str, errors: FieldErrors | None = None) -> Problem:
    """400 for a body or parameter that makes no sense."""
    return Problem(400, "Invalid Resource", detail, errors=errors)


def schema_problem(errors: FieldErrors) -> Problem:
    """400 for a body of the wrong shape, field by field."""
    return invalid_resource(NOT_VALIDATED, errors)


def required(*names: str) -> Problem:
    """400 for missing fields."""
    message = f"Required fields were not provided: {', '.join(names)}"
    return schema_problem([{"field": "", "message": message}])


def merge_fields_invalid(errors: FieldErrors) -> Problem:
    """400 for values that merge fields do not take."""
    return invalid_resource("Your merge fields were invalid.", errors)


def bad_request(detail: str) -> Problem:
    """400 for a request that makes no sense."""
    return Problem(400, "Bad Request", detail)


def unreadable_json() -> Problem:
    """400 for a body that is not JSON."""
    return Problem(400, "JSON Parse Exception", "We encountered an unspecified JSON parsing error.")


def invalid_email() -> Problem:
    """400 for something that is not an email address."""
    return invalid_resource("Please provide a valid email address.")


def fake_email(email: str) -> Problem:
    """400 for an address that no person has."""
    return invalid_resource(f"{email} looks fake or invalid, please enter a real email address.")


def member_exists(email: str) -> Problem:
    """The one body without a `type` key."""
    detail = f"{email} is already a list member. Use PUT to insert or update list members."
    return Problem(400, "Member Exists", detail, typed=False)


def in_compliance_state(email: str) -> Problem:
    """400 for subscribing who left or bounced."""
    detail = f"{email} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed."
    return Problem(400, "Member In Compliance State", detail)


def signup_throttled(email: str) -> Problem:
    """400 for an address that signed up to many lists within a short time."""
    return invalid_resource(f"{email} has signed up to a lot of lists very recently; we're not allowing more signups for now")


def forgotten(email: str) -> Problem:
    """400 for an address that was permanently deleted."""
    detail = f"{email} was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list."
    return Problem(400, "Forgotten Email Not Subscribed", detail)


def too_many_members() -> Problem:
    """400 for a bulk write of more than 500."""
    return bad_request(f"Maximum allowed member items exceeded, please provide at most {MAX_BULK_MEMBERS}")


def key_missing() -> Problem:
    """401 without credentials."""
    return Problem(401, "API Key Invalid", "Your request did not include an API key.")


def key_invalid() -> Problem:
    """401 for credentials that do not exist."""
    detail = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
    return Problem(401, "API Key Invalid", detail)


def key_conflict() -> Problem:
    """401 for two different credentials in one request."""
    detail = (
        "The API key included in the query parameters is not consistent with the Authorization header. "
        "Please provide authorization using a single method."
    )
    return Problem(401, "API Key Invalid", detail)


def wrong_datacenter(datacenter: str) -> Problem:
    """403 for a key at another data center's host."""
    return Problem(403, "Forbidden", f"The API key provided is linked to datacenter '{datacenter}'")


def forbidden() -> Problem:
    """403 for what the role may not do."""
    return Problem(403, "Forbidden", "User does not have access to the requested operation.")


def not_found() -> Problem:
    """404, the same for every resource."""
    return Problem(404, "Resource Not Found", "The requested resource could not be found.")


def method_not_allowed(allow: str, detail: str | None = None) -> Problem:
    """405 with the methods that are allowed."""
    text = detail or ("The requested method and resource are not compatible. See the Allow header for this resource's available methods.")
    return Problem(405, "Method Not Allowed", text, headers={"Allow": allow})


def cannot_archive() -> Problem:
    """405 for archiving who is bounced, pending or archived."""
    detail = "This list member cannot be removed. Can not archive a contact that is bounced, pending or archived"
    return method_not_allowed("GET, PUT", detail)


def too_many_requests(limit: int) -> Problem:
    """429 for one connection too many."""
    detail = f"You have exceeded the limit of {limit} simultaneous connections."
    return Problem(429, "TooManyRequests", detail)


def internal_error() -> Problem:
    """500 for what went wrong inside Mailchimp."""
    detail = "A deep, internal error has occurred during the processing of your request. Please contact support."
    return Problem(500, "InternalServerError", detail)


# Names that the X-Trigger-Error request header answers to (https://mailchimp.com/developer/marketing/docs/errors/).
TRIGGERED: dict[str, Callable[[], Problem]] = {
    "BadRequest": lambda: bad_request("Your request could not be processed."),
    "InvalidResource": lambda: schema_problem([]),
    "InvalidAction": lambda: Problem(400, "Invalid Action", "The action requested was not valid for this resource."),
    "JSONParseError": unreadable_json,
    "APIKeyMissing": key_missing,
    "APIKeyInvalid": key_invalid,
    "Forbidden": forbidden,
    "UserDisabled": lambda: Problem(403, "User Disabled", "This account has been deactivated."),
    "WrongDatacenter": lambda: wrong_datacenter("us1"),
    "ResourceNotFound": not_found,
    "MethodNotAllowed": lambda: method_not_allowed("GET"),
    "ResourceNestingTooDeep": lambda: Problem(414, "Resource Nesting Too Deep", "The sub-resource requested is nested too deeply."),
    "InvalidMethodOverride": lambda: Problem(
        422, "Invalid Method Override", "You can only use the X-HTTP-Method-Override header with the POST method."
    ),
    "TooManyRequests": lambda: too_many_requests(10),
    "InternalServerError": internal_error,
    "ComplianceRelated": lambda: Problem(503, "Compliance Related", "This method has been disabled."),
}
