"""POST, PUT, PATCH and DELETE of one member."""

from __future__ import annotations

from typing import Any

import pytest

ADA = "members/ada@shop.test"


def problem(answer: Any) -> tuple[int, str, str]:
    """Status, title and detail of a refusal."""
    body = answer.json()
    assert body["status"] == answer.status_code
    assert answer.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert answer.headers["X-Request-Id"] == body["instance"]
    return answer.status_code, body["title"], body["detail"]


@pytest.mark.parametrize(
    ("act", "moves"),
    [
        (lambda api: api.put(ADA, {"merge_fields": {"FNAME": "Augusta"}}), True),
        (lambda api: api.put(ADA, {"merge_fields": {"FNAME": "Ada"}, "email_address": "ada@shop.test"}), False),
        (lambda api: api.put(ADA, {"status": "subscribed", "status_if_new": "pending"}), False),
        (lambda api: api.put(ADA, {"status_if_new": "unsubscribed"}), False),
        (lambda api: api.put(ADA, {"status": "unsubscribed"}), True),
        (lambda api: api.put(ADA, {"email_address": "ada.king@shop.test"}), True),
        (lambda api: api.put(ADA, {"tags": ["Ignored"]}), False),
        (lambda api: api.patch(ADA, {"language": "fr"}), True),
        (lambda api: api.patch(ADA, {"merge_fields": {"NOPE": "x"}}), False),
        (lambda api: api.delete(ADA), True),
        (lambda api: api.post(ADA + "/tags", {"tags": [{"name": "New", "status": "active"}]}), True),
        (lambda api: api.post(ADA + "/tags", {"tags": [{"name": "vip", "status": "active"}]}), True),
        (lambda api: api.post(ADA + "/tags", {"tags": [{"name": "VIP", "status": "inactive"}]}), True),
        (lambda api: api.post(ADA + "/tags", {"tags": [{"name": "Other", "status": "inactive"}]}), False),
        (lambda api: api.post(ADA + "/tags", {"tags": []}), False),
        (lambda api: api.get(ADA), False),
    ],
)
def test_what_moves_last_changed(api: Any, mailchimp: Any, act: Any, *, moves: bool) -> None:
    """A real change moves last_changed to now; a write that changes nothing leaves it alone."""
    contact = api.add("ada", merge_fields={"FNAME": "Ada"}, tags=["VIP"])["contact_id"]
    mailchimp.clock(advance=60)
    act(api)
    after = api.get(f"members/{contact}")["last_changed"]
    assert after == ("2026-05-04T12:01:00+00:00" if moves else "2026-05-04T12:00:00+00:00")


def test_tag_flags_hold_last_changed_still(api: Any, mailchimp: Any) -> None:
    """Flags switch off what tag edits, and re-adding a present tag, do to last_changed."""
    api.add("ada", tags=["VIP"])
    before = api.get(ADA)["last_changed"]
    mailchimp.clock(advance=60)
    mailchimp.behavior(tag_readd_moves_last_changed=False)
    api.post(ADA + "/tags", {"tags": [{"name": "VIP", "status": "active"}]})
    mailchimp.behavior(tag_edit_moves_last_changed=False)
    api.post(ADA + "/tags", {"tags": [{"name": "New", "status": "active"}]})
    after = api.get(ADA)
    assert (after["last_changed"], after["tags_count"]) == (before, 2)


def test_post_existing_is_refused_without_a_type(api: Any) -> None:
    """Posting an email address that is on the list is Member Exists, the one problem without a type."""
    api.add("ada")
    answer = api.post("members", {"email_address": "Ada@shop.test", "status": "subscribed"})
    detail = "Ada@shop.test is already a list member. Use PUT to insert or update list members."
    assert problem(answer) == (400, "Member Exists", detail)
    assert answer.json().keys() == {"title", "status", "detail", "instance"}


def test_post_brings_back_an_archived_contact(api: Any, mailchimp: Any) -> None:
    """Posting an archived address un-archives it: same contact_id, tags and values, new opt-in time."""
    before = api.add("ada", tags=["VIP"], merge_fields={"FNAME": "Ada", "PHONE": "1"})
    api.delete(ADA)
    mailchimp.clock(advance=60)
    after = api.add("ada", merge_fields={"FNAME": "Augusta"})
    assert after["status"] == "subscribed"
    assert after["timestamp_opt"] == after["last_changed"] == "2026-05-04T12:01:00+00:00"
    assert after["contact_id"] == before["contact_id"]
    assert after["tags"] == before["tags"]
    assert (after["merge_fields"]["FNAME"], after["merge_fields"]["PHONE"]) == ("Augusta", "1")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status_if_new": "pending"}, "pending"),
        ({"status": "unsubscribed", "status_if_new": "subscribed"}, "unsubscribed"),
        ({"status": "subscribed"}, "subscribed"),
    ],
)
def test_put_creates_what_the_body_names(api: Any, body: dict[str, str], status: str) -> None:
    """PUT on an unknown hash creates the email address in the body, regardless of the path."""
    answer = api.put(f"members/{'0' * 32}", {"email_address": "new@shop.test", "tags": ["First"], **body}).json()
    assert (answer["status"], answer["tags_count"]) == (status, 1)
    assert api.get("members/new@shop.test")["id"] == answer["id"]


def test_put_needs_a_status_for_a_new_contact(api: Any) -> None:
    """PUT of an unknown contact without any status is refused."""
    answer = api.put("members/new@shop.test", {"email_address": "new@shop.test"})
    assert answer.json()["errors"] == [{"field": "", "message": "Required fields were not provided: status_if_new"}]


def test_status_if_new_leaves_a_choice_alone(api: Any) -> None:
    """status_if_new never touches an existing contact, archived ones included; status does."""
    api.add("ada", "unsubscribed")
    assert api.put(ADA, {"status_if_new": "subscribed"}).json()["status"] == "unsubscribed"
    api.delete(ADA)
    assert api.put(ADA, {"status_if_new": "subscribed"}).json()["status"] == "archived"
    assert api.put(ADA, {"status": "subscribed"}).json()["status"] == "subscribed"


def test_put_with_another_address_moves_the_contact(api: Any) -> None:
    """A new address gives a new id and keeps contact_id, web_id and tags; the old hash is gone."""
    before = api.add("ada", tags=["VIP"])
    after = api.put(f"members/{before['id']}", {"email_address": "king@shop.test"}).json()
    assert after["id"] != before["id"]
    assert after["unique_email_id"] != before["unique_email_id"]
    for key in ("contact_id", "web_id", "tags", "timestamp_opt"):
        assert after[key] == before[key]
    assert api.call("GET", f"members/{before['id']}").status_code == 404


def test_put_with_the_address_of_another_is_refused(api: Any) -> None:
    """The email address of another member cannot be taken, from a known path or an unknown one."""
    api.add("ada")
    api.add("ben")
    for path in (ADA, f"members/{'0' * 32}"):
        body = {"email_address": "ben@shop.test", "status": "subscribed"}
        assert problem(api.put(path, body))[1] == "Member Exists"


def test_archive(api: Any) -> None:
    """DELETE archives: 204 without a body, and the contact can still be read."""
    api.add("ada", tags=["VIP"])
    answer = api.delete(ADA)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    archived = api.get(ADA)
    assert (archived["status"], archived["tags_count"]) == ("archived", 1)


@pytest.mark.parametrize("status", ["cleaned", "pending", "archived"])
def test_what_can_not_be_archived(api: Any, mailchimp: Any, status: str) -> None:
    """Bounced, pending and archived contacts are refused with 405 and the allowed methods."""
    api.add("ada")
    mailchimp.act(api.list_id, "ada@shop.test", {"cleaned": "clean", "archived": "archive"}.get(status, status))
    answer = api.delete(ADA)
    detail = "This list member cannot be removed. Can not archive a contact that is bounced, pending or archived"
    assert problem(answer) == (405, "Method Not Allowed", detail)
    assert answer.headers["Allow"] == "GET, PUT"


def test_unknown_member_is_not_found(api: Any) -> None:
    """Every path below an unknown member is 404, with the recorded words."""
    for method, path in (("GET", ADA), ("PATCH", ADA), ("DELETE", ADA), ("POST", ADA + "/tags")):
        answer = api.call(method, path, json={"tags": []})
        assert problem(answer) == (404, "Resource Not Found", "The requested resource could not be found.")


@pytest.mark.parametrize("status", [405, 404])
def test_patch_of_an_archived_contact_is_refused(api: Any, mailchimp: Any, status: int) -> None:
    """PATCH does not reach the archive; PUT with a status is the way back."""
    mailchimp.behavior(patch_archived_status=status)
    api.add("ada")
    api.delete(ADA)
    assert api.patch(ADA, {"status": "subscribed"}).status_code == status
    assert api.put(ADA, {"status": "subscribed"}).json()["status"] == "subscribed"


def test_permanent_deletion(api: Any) -> None:
    """A forgotten address is 404 and can not be imported again in any way."""
    api.add("ada")
    assert api.post(ADA + "/actions/delete-permanent").status_code == 204
    assert api.call("GET", ADA).status_code == 404
    body = {"email_address": "ada@shop.test", "status": "pending"}
    detail = "ada@shop.test was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list."
    for answer in (api.post("members", body), api.put(ADA, body)):
        assert problem(answer) == (400, "Forgotten Email Not Subscribed", detail)
    assert api.bulk(body)["errors"][0]["error"] == detail


@pytest.mark.parametrize("action", ["unsubscribe_self", "clean"])
@pytest.mark.parametrize("archived", [False, True])
def test_compliance_state(api: Any, mailchimp: Any, action: str, *, archived: bool) -> None:
    """Who left by themselves or bounced can not be subscribed by API, but can be asked by `pending`."""
    api.add("ada")
    mailchimp.act(api.list_id, "ada@shop.test", action)
    if archived:
        mailchimp.act(api.list_id, "ada@shop.test", "archive")
    detail = "ada@shop.test is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed."
    assert problem(api.put(ADA, {"status": "subscribed"})) == (400, "Member In Compliance State", detail)
    assert api.put(ADA, {"status": "pending"}).json()["status"] == "pending"
    assert problem(api.put(ADA, {"status": "subscribed"}))[1] == "Member In Compliance State"
    mailchimp.act(api.list_id, "ada@shop.test", "subscribe")
    assert api.get(ADA)["status"] == "subscribed"


def test_admin_unsubscribed_contact_can_come_back(api: Any) -> None:
    """Whom the API unsubscribed the API can subscribe again; the reason is shown only meanwhile."""
    api.add("ada")
    gone = api.put(ADA, {"status": "unsubscribed"}).json()
    assert gone["unsubscribe_reason"] == "N/A (Unsubscribed by admin)"
    back = api.put(ADA, {"status": "subscribed"}).json()
    assert back["status"] == "subscribed"
    assert "unsubscribe_reason" not in back


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"email_address": 7, "status": "subscribed"}, "email_address", "Schema describes string, integer found instead"),
        ({"status": "subscribed"}, "", "Required fields were not provided: email_address"),
        ({"email_address": "a@b.co", "status": "archived"}, "status", "Value must be one of: subscribed"),
        ({"email_address": "a@b.co", "status": "subscribed", "tags": [{"name": "x"}]}, "tags.item:0", "Schema describes string, object found"),
        ({"email_address": "a@b.co", "status": "subscribed", "merge_fields": []}, "merge_fields", "Schema describes object, array found instead"),
        ({"email_address": "a@b.co", "status": "subscribed", "merge_fields": {"FNAME": None}}, "merge_fields.FNAME", "Data did not match any of the schemas described in anyOf."),
        ({"email_address": "a@b.co", "status": "subscribed", "ip_signup": "here"}, "ip_signup", "This value is not a valid IP address."),
        ({"email_address": "a@b.co", "status": "subscribed", "timestamp_opt": "now"}, "timestamp_opt", "This value is not a valid datetime."),
    ],
)  # fmt: skip
def test_schema_errors(api: Any, body: dict[str, Any], field: str, message: str) -> None:
    """A body of the wrong shape is Invalid Resource, with the field named."""
    answer = api.post("members", body)
    assert problem(answer)[:2] == (400, "Invalid Resource")
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert error["message"].startswith(message)


@pytest.mark.parametrize("email", ["AAAAA", "a@b", "a b@shop.test", "@shop.test", "a@@shop.test"])
def test_malformed_address(api: Any, email: str) -> None:
    """Anything but an email address is refused with the recorded words."""
    answer = api.post("members", {"email_address": email, "status": "subscribed"})
    assert problem(answer) == (400, "Invalid Resource", "Please provide a valid email address.")


def test_fake_domain_on_request(api: Any, mailchimp: Any) -> None:
    """With the flag on, addresses that no person has are refused as Mailchimp refuses them."""
    body = {"email_address": "foo@example.com", "status": "subscribed"}
    mailchimp.behavior(refuse_fake_domains=True)
    detail = "foo@example.com looks fake or invalid, please enter a real email address."
    assert problem(api.post("members", body)) == (400, "Invalid Resource", detail)
    mailchimp.behavior(refuse_fake_domains=False)
    assert api.post("members", body).status_code == 200


def test_bad_json(api: Any) -> None:
    """A body that is not JSON is a JSON Parse Exception."""
    answer = api.call("POST", "members", data="{")
    assert problem(answer)[:2] == (400, "JSON Parse Exception")


def test_a_refused_write_changes_nothing(api: Any) -> None:
    """One bad field refuses the whole body."""
    before = api.add("ada", merge_fields={"FNAME": "Ada"})
    body = {"email_address": "x@shop.test", "merge_fields": {"FNAME": "X", "BIRTHDAY": "never"}}
    assert api.put(ADA, body).status_code == 400
    assert api.get(ADA) == before


def test_pending_needs_no_opt_in_time_yet(api: Any, mailchimp: Any) -> None:
    """A pending contact has no opt-in time until the person confirms."""
    assert api.add("ada", "pending")["timestamp_opt"] == ""
    mailchimp.clock(advance=5)
    mailchimp.act(api.list_id, "ada@shop.test", "subscribe")
    assert api.get(ADA)["timestamp_opt"] == "2026-05-04T12:00:05+00:00"
