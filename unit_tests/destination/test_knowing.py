"""What is known of an audience: its settings, fields, groups and tags, what its contacts have, and what that costs to learn."""

from __future__ import annotations

import logging
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest

from destination_mailchimp_unified.audience.audience import Audience, Tag
from destination_mailchimp_unified.audience.comparison import Comparison, Wanted, comparison_of
from destination_mailchimp_unified.audience.cost import bulk_is_cheaper, may_pay, pages
from destination_mailchimp_unified.audience.groups import Groups, wants_groups, with_ids
from destination_mailchimp_unified.audience.lookups import define, load_audience, load_groups, load_tags
from destination_mailchimp_unified.audience.merge_fields import Creation, PlannedField
from integration_tests.simulation.clock import run
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.errors import NotFoundError
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.account import page
from unit_tests.destination.asking import LIST, body_of, by_path, missing, pager, path_of, refused
from unit_tests.destination.test_report import Kept
from unit_tests.kernel.conftest import answer

Json = dict[str, Any]

ME, OTHER = "a" * 32, "b" * 32

# What an audience knows.


def by_first_name() -> Comparison:
    """A comparison by a merge field."""
    return comparison_of([Wanted({}, frozenset({("merge_fields", "FNAME")}))], {}, lambda _: False)


def member(contact_id: str = ME, **more: Any) -> Json:
    """A contact as a listing shows it."""
    return {"id": contact_id, "status": "subscribed", "email_address": "a@x.org", "merge_fields": {"FNAME": "A"}, **more}


def test_of_an_audience_that_nobody_looked_at_nothing_is_known() -> None:
    """And what could be known of it is compared, unless somebody says otherwise."""
    audience = Audience(LIST)

    found = (audience.known, audience.double_optin, audience.listed_whole, audience.is_compared, audience.expects_new, audience.compares)
    assert found == (False, False, False, False, False, True)
    assert (audience.subscribed, audience.written, audience.totals, audience.statuses) == (0, 0, None, None)
    assert (audience.status_of(ME), audience.words_of(ME), audience.tag_id("VIP")) == (None, None, None)
    assert (audience.spelled("VIP"), audience.spelled("vip")) == ("VIP", "vip")


def test_answers_keep_statuses_up_to_date() -> None:
    """Where they were read; an answer without one says nothing."""
    audience = Audience(LIST)
    audience.note(ME, "pending")
    assert audience.statuses is None
    audience.note_member(member())
    audience.begin_to_know(None)
    audience.note(ME, "pending")
    audience.note(ME, None)
    assert audience.status_of(ME) == "pending"
    audience.note_member(member())

    assert (audience.status_of(ME), audience.status_of(OTHER), audience.words_of(ME)) == ("subscribed", None, None)


def test_where_nothing_is_compared_no_words_are_kept() -> None:
    """A contact takes half as much memory then."""
    sizes = []
    for comparison in (None, by_first_name()):
        audience = Audience(LIST, totals=(64_000, 0))
        tracemalloc.start()
        audience.begin_to_know(comparison)
        sizes.append(tracemalloc.get_traced_memory()[0] / 64_000)
        tracemalloc.stop()

    assert sizes == [pytest.approx(15.5, abs=1), pytest.approx(23.5, abs=1)]


def compared() -> Audience:
    """An audience of which two contacts are compared."""
    audience = Audience(LIST, totals=(1, 1))
    audience.begin_to_know(by_first_name())
    audience.note_member(member())
    audience.note_member(member(OTHER))
    audience.is_compared = True
    return audience


def test_contacts_are_compared_once_all_is_known() -> None:
    """Not while it is read, and not those who were not in it."""
    audience = compared()
    assert (audience.words_of(ME) is not None, audience.words_of("c" * 32)) == (True, None)
    audience.is_compared = False
    assert audience.words_of(ME) is None
    audience.is_compared, audience.statuses = True, None
    assert audience.words_of(ME) is None


def test_who_was_written_is_compared_no_more() -> None:
    """Others are; an id that there is not is nobody."""
    audience = compared()
    audience.note_written(ME, None, "")

    assert (audience.written, audience.words_of(ME), audience.words_of(OTHER) is not None) == (1, None, True)
    audience.note_written(ME, OTHER)
    assert (audience.written, audience.words_of(OTHER)) == (3, None)


def test_who_was_written_before_all_was_known_is_not_compared() -> None:
    """What was read of them may be older than the call."""
    audience = Audience(LIST)
    audience.note_written(ME)
    audience.begin_to_know(by_first_name())
    assert (audience.written, audience.is_compared) == (0, False)
    audience.note_member(member())
    audience.note_member(member(OTHER))
    audience.note_written(OTHER)
    audience.is_compared = True

    assert (audience.words_of(ME), audience.words_of(OTHER)) == (None, None)
    audience.note_member(member("c" * 32))
    assert audience.words_of("c" * 32) is not None


def test_who_is_written_once_all_is_known_may_be_compared_by_the_next_reading() -> None:
    """Which begins with nobody written."""
    audience = compared()
    audience.note_written(ME)
    audience.begin_to_know(by_first_name())
    audience.note_member(member())
    audience.is_compared = True

    assert audience.words_of(ME) is not None


def test_where_nothing_is_compared_nothing_is_noted_of_those_who_are_written() -> None:
    """Memory would grow with them."""
    audience = Audience(LIST, compares=False)
    audience.note_written(ME, OTHER)

    assert (audience.written, len(audience.written_before)) == (0, 0)


def test_tags_are_learned_only_where_they_were_asked_for() -> None:
    """A few are not all."""
    audience = Audience(LIST)
    audience.note_tags([{"name": "VIP", "id": 7}])
    assert (audience.tags, audience.tag_id("VIP")) == (None, None)
    audience.tags = {}
    audience.note_tags([{"name": "VIP", "id": 7}, {"name": "Old", "id": 8}])

    assert (audience.tag_id(" vip"), audience.tag_id("OLD"), audience.tag_id("new")) == (7, 8, None)
    assert (audience.spelled("old"), audience.spelled("New"), audience.spelled("NEW")) == ("Old", "New", "New")


def test_a_merge_field_is_found_in_any_case() -> None:
    """But the one that is spelled so comes first."""
    audience = Audience(LIST)
    define(audience, [{"tag": "FNAME", "type": "text", "required": True}, {"tag": "LTV", "type": "number", "required": False}])

    assert [getattr(audience.merge_field(tag), "tag", None) for tag in ("FNAME", "fname", "Ltv", "OTHER")] == [
        "FNAME",
        "FNAME",
        "LTV",
        None,
    ]
    assert audience.required_tags == ["FNAME"]


# Costs.


@pytest.mark.parametrize(("rows", "expected"), [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (2_001, 3)])
def test_a_page_has_a_thousand_rows(rows: int, expected: int) -> None:
    """The last may have fewer."""
    assert pages(rows) == expected


def test_four_contacts_may_be_worth_asking() -> None:
    """Two requests for the counts and one call for all are three."""
    assert [may_pay(contacts) for contacts in (0, 3, 4, 5)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("contacts", "apart", "totals", "subscribed", "compares", "cheaper"),
    [
        (2, 0, (1_000, 0), 1_000, False, False),
        (3, 0, (1_000, 0), 1_000, False, True),
        (3, 0, (1_000, 1), 1_001, False, False),
        (4, 0, (1_000, 1), 1_001, False, True),
        (10, 8, (1_000, 0), 1_000, False, False),
        (10, 7, (1_000, 0), 1_000, False, True),
        (10, 8, (0, 0), 0, False, True),
        (10, 9, (0, 0), 0, False, False),
        (500, 0, (498_000, 0), 498_000, False, True),
        (500, 0, (499_000, 0), 499_000, False, False),
        (501, 0, (498_000, 0), 498_000, False, True),
        (501, 0, (499_000, 0), 499_000, False, False),
        (600, 300, (298_000, 0), 298_000, False, True),
        (600, 300, (299_000, 0), 299_000, False, False),
        (100, 0, (1_000, 0), 20, False, False),
        (100, 0, (1_000, 0), 30, False, True),
        (100, 0, (600, 400), 30, False, False),
        (100, 0, (600, 400), 40, False, True),
        (100, 50, (1_000, 0), 50, False, False),
        (100, 50, (1_000, 0), 60, False, True),
        (100, 0, (1_000, 0), 0, True, True),
        (100, 98, (1_000, 0), 0, True, False),
        (100, 97, (1_000, 0), 0, True, True),
        (3, 0, (2, 0), 2, False, True),
        (2, 0, (1, 0), 5, False, False),
        (1, 0, (0, 0), 0, False, False),
        (2, 0, (0, 0), 0, False, True),
        (1, 0, (0, 0), 0, True, False),
        (2, 0, (0, 0), 0, True, True),
    ],
)
def test_bulk_pays_from_the_first_request_that_it_saves(
    contacts: int, apart: int, totals: tuple[int, int], subscribed: int, compares: bool, cheaper: bool
) -> None:
    """Pages to read, calls of five hundred, and calls for those who take one of their own, against a call for each."""
    assert bulk_is_cheaper(contacts, apart, totals, subscribed, compares=compares) == cheaper


def test_contacts_are_expected_to_be_as_those_of_the_audience_unless_they_are_compared() -> None:
    """What is not said is that they are not."""
    assert not bulk_is_cheaper(100, 0, (1_000, 0), 0)


# Groups.


def groups() -> Groups:
    """Groups and permissions of an audience."""
    found = Groups()
    found.add_interests("Topics", [{"name": "News", "id": "i1"}, {"name": "Sport", "id": "i2"}])
    found.add_interests("Days", [{"name": "News", "id": "i3"}])
    found.add_permissions([{"text": "By mail", "marketing_permission_id": "p1"}, {"marketing_permission_id": "p2"}])
    return found


def unknown(error: InvalidValueError) -> None:
    """Raise for a name that is not there."""
    raise error


def test_groups_and_permissions_are_found_by_name() -> None:
    """Case and spaces do not matter; a text without a category and a group is an id."""
    found = groups()

    assert [found.interest_id(name) for name in ("Topics/News", "topics / SPORT", "Days/News", "abc")] == ["i1", "i2", "i3", "abc"]
    assert (found.permission_id("by  MAIL"), found.permission_id("")) == ("p1", "p2")
    for name in ("Topics/Other", "Other/News"):
        with pytest.raises(InvalidValueError, match="interests"):
            found.interest_id(name)
    with pytest.raises(InvalidValueError, match="marketing_permissions"):
        found.permission_id("By phone")


def test_where_no_contact_shows_a_permission_the_reason_says_so() -> None:
    """Else it would seem that the audience had none."""
    reasons = []
    for known in (groups(), Groups()):
        with pytest.raises(InvalidValueError) as caught:
            known.permission_id("By phone")
        reasons.append(caught.value.reason)
    assert ["no contact" in reason for reason in reasons] == [False, True]


@pytest.mark.parametrize(
    ("unified", "wants"),
    [
        ({}, False),
        ({"interests": None, "marketing_permissions": None}, False),
        ({"interests": {"i1": True}, "marketing_permissions": [{"marketing_permission_id": "p1", "enabled": True}]}, False),
        ({"interests": {"i1": True, "Topics/News": True}}, True),
        ({"marketing_permissions": [{"marketing_permission_id": "p1", "enabled": True}, {"text": "By mail", "enabled": True}]}, True),
    ],
)
def test_names_have_to_be_looked_up_and_ids_have_not(unified: Json, wants: bool) -> None:
    """One name is enough. Without one a contact stays as it is."""
    assert wants_groups(unified) == wants
    if not wants:
        assert with_ids(unified, groups(), unknown) is unified
    assert with_ids(unified, None, unknown) is unified


def test_a_contact_gets_ids_for_names() -> None:
    """Those that are not known are told of, and left out; where nothing is left there is nothing."""
    told: list[InvalidValueError] = []
    unified = {
        "email": "a@x.org",
        "interests": {"Topics/News": True, "Topics/Other": True, "i9": False},
        "marketing_permissions": [
            {"text": "By mail", "enabled": True}, {"text": "By phone", "enabled": True}, {"marketing_permission_id": "p9", "enabled": False}
        ],
    }  # fmt: skip

    assert with_ids(unified, groups(), told.append) == {
        "email": "a@x.org",
        "interests": {"i1": True, "i9": False},
        "marketing_permissions": [{"marketing_permission_id": "p1", "enabled": True}, {"marketing_permission_id": "p9", "enabled": False}],
    }
    assert [error.tag for error in told] == ["interests", "marketing_permissions"]
    assert with_ids({"interests": {"No/ne": True}}, groups(), told.append) == {"interests": None, "marketing_permissions": None}
    assert with_ids({"marketing_permissions": [{"text": "-", "enabled": True}]}, groups(), told.append)["marketing_permissions"] is None
    with_permission = with_ids({"interests": None, "marketing_permissions": [{"text": "By mail", "enabled": True}]}, groups(), unknown)
    assert with_permission == {"interests": None, "marketing_permissions": [{"marketing_permission_id": "p1", "enabled": True}]}
    assert with_ids({"interests": {"Topics/News": False}}, groups(), unknown)["interests"] == {"i1": False}


# Looking up.


class Account:
    """An audience with contacts, merge fields, tags and groups; `asked` are the paths of the requests."""

    def __init__(self, members: int = 0, **described: Any) -> None:
        self.members = [
            {**member(f"{n:016x}" * 2), "last_changed": f"2026-11-24T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}+00:00"}
            for n in range(members)
        ]
        self.described = {"id": LIST, "name": "Readers", **described}
        self.asked: list[str] = []
        self.fields: list[Any] = []
        self.bodies: list[Any] = []

    def __call__(self, outgoing: Outgoing) -> Received:
        """Answer a request."""
        path = path_of(outgoing)
        self.asked.append(path)
        if path == "/members":
            self.fields.append(outgoing.params["fields"])
        if outgoing.method == "POST":
            self.bodies.append(body_of(outgoing))
            return answer(body_of(outgoing))
        since = str(outgoing.params.get("since_last_changed", ""))
        members = [one for one in self.members if one["last_changed"] > since] if "status" not in outgoing.params else []
        lists: dict[str, tuple[str, list[Any]]] = {
            "/members": ("members", members),
            "/merge-fields": ("merge_fields", [{"tag": "FNAME", "type": "text"}]),
            "/segments": ("segments", [{"name": "VIP", "id": 7}]),
            "/interest-categories": ("categories", [{"id": "c1", "title": "Topics"}, {"id": "c2", "title": "Days"}]),
            "/interest-categories/c1/interests": ("interests", [{"name": "News", "id": "i1"}]),
            "/interest-categories/c2/interests": ("interests", [{"name": "Monday", "id": "i2"}]),
        }
        return page(outgoing, *lists[path]) if path else answer(self.described)


def loaded(**described: Any) -> Audience:
    """Return an audience that is described so."""
    audience = Audience(LIST)
    run(load_audience(audience, pager(Account(**described))[0]))
    return audience


def test_an_audience_is_known_by_two_requests() -> None:
    """When it was asked for is when the sync began in it."""
    audience = loaded(double_optin=True, stats={"member_count": 12})

    assert (audience.known, audience.name, audience.double_optin, audience.subscribed) == (True, "Readers", True, 12)
    assert (audience.began, [*audience.merge_fields]) == ("2026-11-25T12:00:00+00:00", ["FNAME"])
    assert (loaded().double_optin, loaded().subscribed, loaded(stats={"member_count": None}).subscribed) == (False, 0, 0)


def test_an_answer_without_a_time_says_not_when_it_was() -> None:
    """Then everything changed since."""

    def undated(outgoing: Outgoing) -> Received:
        received = Account()(outgoing)
        del received.headers["Date"]
        return received

    audience = Audience(LIST)
    run(load_audience(audience, pager(undated)[0]))
    assert (audience.known, audience.began) == (True, "")


def test_an_audience_that_is_not_there_stays_unknown() -> None:
    """What asks for it is told."""
    audience = Audience(LIST)
    answers = by_path({"GET": missing(), "GET /merge-fields": missing()})
    with pytest.raises(NotFoundError):
        run(load_audience(audience, pager(answers)[0]))
    assert not audience.known


def test_tags_that_are_about_to_be_are_kept() -> None:
    """And of those that Mailchimp has its spelling counts."""
    audience = Audience(LIST, tags={"new": Tag("New"), "vip": Tag("vip")})
    run(load_tags(audience, pager(Account())[0]))
    fresh = Audience(LIST)
    run(load_tags(fresh, pager(Account())[0]))

    assert audience.tags == {"new": Tag("New"), "vip": Tag("VIP", 7)}
    assert fresh.tags == {"vip": Tag("VIP", 7)}


@pytest.mark.parametrize(
    ("members", "permissions"),
    [
        ([], {}),
        ([{"marketing_permissions": None}], {}),
        ([{"marketing_permissions": [{"text": "By mail", "marketing_permission_id": "p1"}]}], {"by mail": ("By mail", "p1")}),
    ],
)
def test_groups_are_those_of_every_category_and_permissions_those_that_a_contact_shows(
    members: list[Json], permissions: dict[str, tuple[str, str]]
) -> None:
    """Mailchimp lists permissions nowhere else."""
    account, audience = Account(), Audience(LIST)

    def answers(outgoing: Outgoing) -> Received:
        return answer({"members": members}) if path_of(outgoing) == "/members" else account(outgoing)

    run(load_groups(audience, pager(answers)[0]))

    assert audience.groups is not None
    assert audience.groups.interests == {"topics/news": ("Topics/News", "i1"), "days/monday": ("Days/Monday", "i2")}
    assert audience.groups.permissions == permissions


# Merge fields that are missing.


def creating(
    fields: Sequence[str], answers: Any = None, there: int = 0, *, dry_run: bool = False
) -> tuple[list[Any], list[str], Audience, list[logging.LogRecord]]:
    """Create merge fields; return the bodies of the calls, which fields there are then, the audience, and the warnings."""
    audience, account, kept = Audience(LIST), Account(), Kept()
    define(audience, [{"tag": f"T{number}", "type": "text"} for number in range(there)])
    logger = logging.getLogger("test.creation")
    logger.handlers, logger.propagate = [kept], False
    logger.setLevel(logging.WARNING)
    creation = Creation(pager(answers or account)[0].client, logger, dry_run)
    run(creation.create(audience, [PlannedField(tag, f"The {tag}", "number") for tag in fields]))
    return account.bodies, [*audience.merge_fields], audience, kept.records


@pytest.mark.parametrize(("number", "created", "warnings"), [(19, 19, 0), (20, 20, 0), (21, 20, 1), (25, 20, 5)])
def test_a_sync_creates_twenty_merge_fields(number: int, created: int, warnings: int) -> None:
    """Each of the others is told of, and stays missing."""
    bodies, there, _, told = creating([f"N{n}" for n in range(number)])

    assert bodies == [{"tag": f"N{n}", "name": f"The N{n}", "type": "number", "public": False} for n in range(created)]
    assert there == [f"N{n}" for n in range(created)]
    assert len(told) == warnings


def test_a_merge_field_that_is_there_is_not_created() -> None:
    """Nor does it count."""
    bodies, there, _, told = creating(["T1", *[f"N{n}" for n in range(20)], "t2"], there=3)

    assert ([body["tag"] for body in bodies], len(there), told) == ([f"N{n}" for n in range(20)], 23, [])


def test_a_dry_run_only_knows_what_it_would_create() -> None:
    """Records that fill the field are no rejects then."""
    bodies, there, audience, _ = creating(["N1"], dry_run=True)

    assert (bodies, there) == ([], ["N1"])
    assert getattr(audience.merge_field("N1"), "type", None) == "number"


@pytest.mark.parametrize("detail", ["full", ""])
def test_a_merge_field_that_is_refused_stays_missing(detail: str) -> None:
    """The next is created all the same, and the log has Mailchimp's words, or ours where it has none."""

    def answers(outgoing: Outgoing) -> Received:
        return refused(detail) if body_of(outgoing)["tag"] == "N1" else answer(body_of(outgoing))

    _, there, _, [told] = creating(["N1", "N2"], answers)

    assert there == ["N2"]
    assert isinstance(told.args, tuple)
    assert told.args[0] == "N1"
    assert told.args[1] == detail or (not detail and told.args[1])


@pytest.mark.parametrize(("there", "warned"), [(29, 0), (30, 1), (31, 1)])
def test_beyond_thirty_merge_fields_the_log_warns(there: int, warned: int) -> None:
    """Most plans allow no more: https://mailchimp.com/help/manage-audience-signup-form-fields/."""
    bodies, _, _, told = creating(["N1"], there=there)
    assert (len(bodies), len(told)) == (1, warned)
