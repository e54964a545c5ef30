"""How raw streams follow what changes, what that costs, and what a start date leaves out; each example was a fault once."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from integration_tests.commands import Output
from integration_tests.raw.account import DAY, NOW, Account, Run, item, moment, problem
from source_mailchimp_unified.raw.cost import NOTEWORTHY_REQUESTS
from source_mailchimp_unified.raw.refusals import REFUSALS, SAMPLE_SIZE
from source_mailchimp_unified.raw_collections import table

REPORTS = "/reports"
ACTIVITY = "email_activity"
BELOW_REPORTS = [ACTIVITY, "report_open_details", "report_click_details", "report_sent_to", "unsubscribes"]

Json = dict[str, Any]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The source over an account of a hundred campaigns that were sent long ago, each with two recipients."""
    account = Account()
    for name in ("reports", "campaigns"):
        account.items[table()[name].path] = [item(table()[name], number) for number in range(100)]
    return Run(tmp_path, account)


def warnings(output: Output) -> list[str]:
    """Return the warnings."""
    return [m["log"]["message"] for m in output.messages if m["type"] == "LOG" and m["log"]["level"] == "WARN"]


def entered(run: Run, ending: str) -> set[str]:
    """Return the campaigns below which was asked since the last time, and forget them."""
    found = {path.split("/")[2] for path, _ in run.account.asked if path.endswith(ending)}
    run.account.asked.clear()
    return found


def happen(run: Run, campaign: int, second: int, **counts: int) -> None:
    """Let a report tell of an open at a second."""
    report = run.account.items[REPORTS][campaign]
    report["opens"] = {**report["opens"], "last_open": moment(second), **counts}


def activity(run: Run, campaign: int, second: int, **more: Any) -> None:
    """Let a recipient open an email."""
    path = f"/reports/{run.account.items[REPORTS][campaign]['id']}/email-activity"
    recipients = run.account.of(table()[ACTIVITY], path)
    recipients[0]["activity"].append({"action": "open", "timestamp": moment(second), **more})


@pytest.mark.parametrize("name", BELOW_REPORTS)
def test_only_campaigns_with_something_new_are_asked_for(run: Run, name: str) -> None:
    """A sync after which nothing has happened asks for no campaign; one open makes the next one ask for that campaign only."""
    ending = table()[name].path.rpartition("/")[2]
    first = run.read(name)
    assert len(entered(run, ending)) == 100

    second = run.read(name, state=first.state())
    assert entered(run, ending) == set()
    for parent, field in (("opens", "last_open"), ("clicks", "last_click")):
        run.account.items[REPORTS][7][parent][field] = moment(NOW - 4000)
    third = run.read(name, state=second.state())

    assert entered(run, ending) == {"id-7"}
    run.read(name, state=third.state())
    assert entered(run, ending) == set()


def test_a_quiet_sync_of_many_campaigns_costs_two_requests(run: Run) -> None:
    """The price of email activity was a page for every campaign; it is the reports and the time."""
    first = run.read(ACTIVITY)
    run.account.asked.clear()

    second = run.read(ACTIVITY, state=first.state())

    assert second.records("mailchimp_email_activity") == []
    assert len(run.account.asked) == 2


def test_what_happened_just_now_is_looked_for_again(run: Run) -> None:
    """An event that a report tells of may show minutes later: its campaign is asked for until ten minutes have passed."""
    first = run.read(ACTIVITY)
    run.account.asked.clear()
    happen(run, 3, NOW - 60)
    second = run.read(ACTIVITY, state=first.state())
    assert second.records("mailchimp_email_activity") == []
    activity(run, 3, NOW - 60)

    third = run.read(ACTIVITY, state=second.state())

    assert [one["timestamp"] for one in third.records("mailchimp_email_activity")] == [moment(NOW - 60)]


def test_a_count_that_moves_without_a_time_is_looked_for_twice(run: Run) -> None:
    """A bounce moves a count and no time, so nobody knows when it happened: its campaign is asked for by two syncs."""
    state = run.read(ACTIVITY).state()
    run.account.items[REPORTS][5]["bounces"]["hard_bounces"] += 1
    seen = []
    for _ in range(3):
        entered(run, "email-activity")
        state = run.read(ACTIVITY, state=state).state()
        seen.append(entered(run, "email-activity"))

    assert seen == [{"id-5"}, {"id-5"}, set()]


def test_late_activity_comes_once(run: Run) -> None:
    """A bounce that shows four minutes after a newer open was read comes with the next sync, and nothing comes twice."""
    run.account.items[REPORTS] = run.account.items[REPORTS][:2]
    activity(run, 0, NOW - 400)
    happen(run, 0, NOW - 400)
    first = run.read(ACTIVITY)
    activity(run, 0, NOW - 640, type="hard")
    happen(run, 0, NOW - 399)

    second = run.read(ACTIVITY, state=first.state())
    third = run.read(ACTIVITY, state=second.state())

    assert [one["timestamp"] for one in second.records("mailchimp_email_activity")] == [moment(NOW - 640)]
    assert third.records("mailchimp_email_activity") == []


def test_two_equal_opens_are_two_records(run: Run) -> None:
    """Two opens of one second are told apart, and an open keeps its key when Mailchimp takes it for that of a proxy later."""
    run.account.items[REPORTS] = run.account.items[REPORTS][:1]
    (path,) = run.account.paths(table()["report_open_details"])
    members = run.account.of(table()["report_open_details"], path)
    members[0]["opens"] = [{"timestamp": moment(NOW - 9000), "is_proxy_open": False} for _ in range(2)]
    before = run.read("report_open_details", sync_mode="full_refresh").records("mailchimp_report_open_details")
    members[0]["opens"][1]["is_proxy_open"] = True

    after = run.read("report_open_details", sync_mode="full_refresh").records("mailchimp_report_open_details")

    keys = [{(one["email_id"], one["open_id"]) for one in records} for records in (before, after)]
    assert len(keys[0]) == len(before) == 3
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("row", "field"), [("reports", "unsubscribed"), ("campaigns", "status"), ("lists", "stats"), ("segments", "member_count")]
)
def test_results_of_a_campaign_and_numbers_of_an_audience_are_followed(run: Run, row: str, field: str) -> None:
    """What changes long after it was created comes again, once."""
    first = run.read(row)
    (path, *_) = run.account.paths(table()[row])
    run.account.of(table()[row], path)[0][field] = {"member_count": 3} if field == "stats" else 4711

    second = run.read(row, state=first.state())
    third = run.read(row, state=second.state())

    assert [one[field] for one in second.records(f"mailchimp_{row}")] == [{"member_count": 3} if field == "stats" else 4711]
    assert third.records(f"mailchimp_{row}") == []


def test_what_is_of_others_is_no_change(run: Run) -> None:
    """The averages of an industry move every week: they make no new version of a report, and come with the next one."""
    first = run.read("reports")
    for report in run.account.items[REPORTS]:
        report["industry_stats"] = {"open_rate": 0.3}

    assert run.read("reports", state=first.state()).records("mailchimp_reports") == []


def test_a_report_that_shows_late_is_read(run: Run) -> None:
    """A report of 10:00 that shows after that of 10:20 was read comes with the next sync."""
    late = run.account.items[REPORTS].pop(40)
    first = run.read("reports", ACTIVITY)
    run.account.items[REPORTS].append(late)

    second = run.read("reports", ACTIVITY, state=first.state())

    assert [one["id"] for one in second.records("mailchimp_reports")] == ["id-40"]
    assert {one["campaign_id"] for one in second.records("mailchimp_email_activity")} == {"id-40"}


def test_campaigns_without_content_stop_nothing(run: Run) -> None:
    """Twenty-five 404s in a row are twenty-five campaigns without content; the other seventy-five have theirs."""
    empty = {f"/campaigns/id-{number}/content" for number in range(25)}
    run.account.instead = lambda path, params: problem(404) if path in empty else None

    output = run.read("campaign_content")

    assert len(output.records("mailchimp_campaign_content")) == 75
    assert output.statuses("mailchimp_campaign_content")[-1] == "COMPLETE"
    assert [line.split(": ")[0] for line in warnings(output)] == ["Skipped 25 of 100 partitions of mailchimp_campaign_content"]


def test_one_404_is_not_believed(run: Run) -> None:
    """Trouble in passing, of a part or of a parent, costs a second request and nothing else."""
    failed = {REPORTS, "/reports/id-3/sent-to", "/lists/id-0/members", "/lists/id-1/segments"}

    def once(path: str, _: Any) -> Any:
        if path in failed:
            failed.discard(path)
            return problem(404)
        return None

    run.account.instead = once

    output = run.read("report_sent_to", "list_members", "segment_members")

    assert failed == set()
    assert len(output.records("mailchimp_report_sent_to")) == 200
    assert len(output.records("mailchimp_list_members")) == 4
    assert len(output.records("mailchimp_segment_members")) == 8
    assert warnings(output) == []


@pytest.mark.parametrize("open_ones", [0, 10, 75])
def test_a_permission_stops_a_collection_only_when_all_of_it_is_closed(run: Run, open_ones: int) -> None:
    """After twenty refusals some of the others are asked for: where all refuse, the rest is spared; where one answers, all are read."""
    closed = {f"/reports/id-{number}/sent-to" for number in range(100 - open_ones)}
    run.account.instead = lambda path, params: problem(403, "Forbidden", "No.") if path in closed else None

    output = run.read("report_sent_to")

    assert len(output.records("mailchimp_report_sent_to")) == 2 * open_ones
    asked = sum(path.endswith("/sent-to") for path, _ in run.account.asked)
    assert asked >= 100 if open_ones else asked <= REFUSALS + SAMPLE_SIZE + 10


@pytest.mark.parametrize("open_ones", [0, 50])
def test_a_collection_that_fails_everywhere_is_not_waited_for_everywhere(run: Run, open_ones: int) -> None:
    """Where nothing can be read some of the parts are tried, not all for minutes each; where anything can, all of it is."""
    broken = {f"/reports/id-{number}/sent-to" for number in range(100 - open_ones)}
    run.account.instead = lambda path, params: {"error": "no"} if path in broken else None

    output = run.read("report_sent_to")

    assert output.statuses("mailchimp_report_sent_to")[-1] == "INCOMPLETE"
    assert len(output.records("mailchimp_report_sent_to")) == 2 * open_ones
    tried = {path for path, _ in run.account.asked if path in broken}
    assert len(tried) == 50 if open_ones else len(tried) <= REFUSALS + SAMPLE_SIZE + 10


def test_costs_are_announced_before_they_are_spent(run: Run) -> None:
    """Of 3,000 promo rules, or a campaign of a million recipients, the log says how many requests it takes before the first of them."""
    rules = table()["store_promo_rules"]
    run.account.items["/ecommerce/stores/id-0/promo-rules"] = [item(rules, number) for number in range(3000)]
    run.account.items[REPORTS] = run.account.items[REPORTS][:2]
    run.account.items[REPORTS][0]["emails_sent"] = 1_000_000
    run.account.items[REPORTS][1]["emails_sent"] = 1
    run.account.instead = lambda path, params: {"promo_codes": []} if path.endswith("/promo-codes") else None

    output = run.read("store_promo_codes", "report_sent_to", "unsubscribes")

    promised = {
        "The stream mailchimp_store_promo_codes needs about 3,002 requests, one for each of the store promo rules.",
        "The stream mailchimp_report_sent_to needs about 1,001 requests, for 2 of the reports.",
    }
    assert set(warnings(output)) == promised


def test_a_collection_that_turns_out_to_be_big_is_announced(tmp_path: Path) -> None:
    """Where no parent tells how much there is, the count in the first answer does, before the rest is read."""
    account, orders = Account(), table()["orders"]
    account.items["/ecommerce/orders"] = [item(orders, 0)]
    total = 1000 * (NOTEWORTHY_REQUESTS + 1)
    account.instead = lambda path, params: (
        {"orders": account.items[path], "total_items": total} if path == "/ecommerce/orders" and params["offset"] == 0 else None
    )

    output = Run(tmp_path, account).read("orders")

    assert [line for line in warnings(output) if "needs about" in line] == [
        f"The stream mailchimp_orders needs about {NOTEWORTHY_REQUESTS + 1} requests, as far as known so far."
    ]


@pytest.mark.parametrize("sync_mode", ["incremental", "full_refresh"])
def test_a_start_date_limits_what_has_a_date(run: Run, sync_mode: str) -> None:
    """Both sync modes leave out the same: records older than it, and campaigns that nothing happened to since; what has no date stays."""
    names = ["reports", "campaigns", "lists", "segments", "unsubscribes", ACTIVITY, "report_sent_to", "list_members", "campaign_folders"]
    run.account.items[table()["reports"].path].append({**item(table()["reports"], 9999), "send_time": None, "opens": {}, "clicks": {}})
    start = NOW - 400 * DAY + 50 * DAY
    run.more["start_date"] = moment(start)

    output = run.read(*names, sync_mode=sync_mode)

    found = {name: output.records(f"mailchimp_{name}") for name in names}
    assert len(found["campaigns"]) == 50
    # A report without any date is neither left out nor passed over.
    assert len(found["reports"]) == 51
    assert {path.split("/")[2] for path, _ in run.account.asked if path.endswith("/sent-to")} == {
        *(f"id-{n}" for n in range(50, 100)),
        "id-9999",
    }
    assert len(found["lists"]) == len(found["campaign_folders"]) == 2
    assert found["segments"] == found["list_members"] == found["unsubscribes"] == found[ACTIVITY] == []


def test_an_earlier_start_date_reads_what_was_left_out(run: Run) -> None:
    """A state made with a later start date cannot serve an earlier one: everything from there is read, and the log says so."""
    names = ("list_members", "campaigns")
    run.more["start_date"] = moment(NOW - 350 * DAY)
    first = run.read(*names)
    run.more["start_date"] = moment(NOW - 500 * DAY)

    second = run.read(*names, state=first.state())

    assert len(second.records("mailchimp_list_members")) == 4
    assert len(second.records("mailchimp_campaigns")) == 100
    assert any("start_date is earlier" in line for line in warnings(second))


def state_of(name: str, stream_state: Json) -> Json:
    """Return a state as a platform gives it back."""
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": f"mailchimp_{name}"}, "stream_state": stream_state}}


def test_states_of_the_released_version(run: Run) -> None:
    """A cursor of a stream that still has one is understood; a stream that is followed differently now is read once more, and says so."""
    last = NOW - 400 * DAY + DAY
    states = [
        state_of("list_members", {"cursors": {'["id-0"]': moment(last), '["id-1"]': moment(last)}}),
        state_of("campaigns", {"cursors": {"[]": moment(NOW - DAY)}}),
    ]
    run.account.items["/lists/id-0/members"] = [item(table()["list_members"], number) for number in range(4)]

    output = run.read("list_members", "campaigns", state=states)

    # The newest one is within the lookback, and nothing is known about it yet.
    assert {one["id"] for one in output.records("mailchimp_list_members")} == {"id-1", "id-2", "id-3"}
    assert len(output.records("mailchimp_campaigns")) == 100
    assert [line for line in warnings(output) if "tracks changes differently" in line] == [
        "mailchimp_campaigns: this version tracks changes differently; reading it in full once."
    ]


def test_a_cursor_of_a_wrong_clock_reads_on(run: Run) -> None:
    """A cursor in the future, once written by a clock that was wrong, hides nothing: its part is read again."""
    states = [state_of("list_members", {"cursors": {'["id-0"]': moment(NOW + 90 * DAY)}})]
    run.account.items["/lists/id-0/members"] = [
        item(table()["list_members"], 0, NOW - 60),
        item(table()["list_members"], 1, NOW - 90 * DAY),
    ]

    output = run.read("list_members", state=states)

    assert [one["list_id"] for one in output.records("mailchimp_list_members")].count("id-0") == 2


def test_states_are_small(run: Run) -> None:
    """What is known of a hundred quiet campaigns takes some hundred bytes each, and 5,000 templates some forty kilobytes."""
    templates = table()["templates"]
    run.account.items["/templates"] = [item(templates, number) for number in range(5000)]

    output = run.read(ACTIVITY, "templates")

    sizes = {one["stream"]["stream_descriptor"]["name"]: len(orjson.dumps(one["stream"]["stream_state"])) for one in output.state()}
    assert sizes["mailchimp_email_activity"] < 100 * 150
    assert sizes["mailchimp_templates"] < 5000 * 9


def test_what_a_state_cannot_hold_comes_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the most that a state holds, records are emitted again by every sync, and the log counts them."""
    monkeypatch.setattr("source_mailchimp_unified.raw.positions.MOST_KNOWN", 60)

    first = run.read("campaigns")
    second = run.read("campaigns", state=first.state())

    assert len(second.records("mailchimp_campaigns")) == 40
    assert any("40 more records will be emitted again" in line for line in warnings(second))


TIMES = {
    "2024-01-05 10:00:00": "2024-01-05T10:00:00+00:00",
    "2024-01-05T10:00:00": "2024-01-05T10:00:00+00:00",
    "2024-01-05": "2024-01-05T00:00:00+00:00",
    "2024-01-05T10:00:00.250Z": "2024-01-05T10:00:00.250Z",
    "2024-01-05T10:00:00+02:00": "2024-01-05T10:00:00+02:00",
    "": None,
    "0000-00-00 00:00:00": None,
}


def test_times_have_a_zone(run: Run) -> None:
    """Where the schema has a time there is one, in UTC where Mailchimp names no zone, or null; what is unreadable is named as well."""
    notes = [{**item(table()["member_notes"], number), "created_at": given} for number, given in enumerate([*TIMES, "soon", 7])]
    path = "/lists/id-0/members/id-0/notes"
    run.account.items = {**run.account.items, path: notes}

    output = run.read("member_notes")

    records = [
        m["record"]
        for m in output.messages
        if m["type"] == "RECORD" and m["record"]["data"]["list_id"] == "id-0" and m["record"]["data"]["email_id"] == "id-0"
    ]
    by_id = {record["data"]["id"]: record for record in records}
    made = [by_id[f"id-{number}"] for number in range(len(notes))]
    assert [record["data"].get("created_at") for record in made] == [*TIMES.values(), None, None]
    named = [[change["field"] for change in (record.get("meta") or {}).get("changes", ())] for record in made]
    assert named == [[]] * len(TIMES) + [["created_at"]] * 2


@pytest.mark.parametrize(("flag", "sent"), [(True, {"true"}), (False, {None})])
def test_bots_are_left_out_on_request(run: Run, flag: bool, sent: set[str | None]) -> None:
    """`exclude_bot_activity` lets Mailchimp leave out what bots did, where it can."""
    run.more["exclude_bot_activity"] = flag

    run.read(ACTIVITY, "report_open_details", "report_click_details", "report_sent_to")

    by_ending: dict[str, set[str | None]] = {}
    for path, params in run.account.asked:
        by_ending.setdefault(path.rpartition("/")[2], set()).add(params.get("filter_bots"))
    assert by_ending["email-activity"] == by_ending["open-details"] == by_ending["click-details"] == sent
    assert by_ending["sent-to"] == {None}


def test_a_sync_that_fails_in_one_campaign_repeats_that_one_only(run: Run) -> None:
    """What failed is read again by the next sync; what was read is not."""
    run.account.instead = lambda path, params: {"error": "no"} if path == "/reports/id-3/email-activity" else None
    first = run.read(ACTIVITY)
    assert first.statuses("mailchimp_email_activity")[-1] == "INCOMPLETE"
    run.account.instead = lambda path, params: None
    run.account.asked.clear()

    second = run.read(ACTIVITY, state=copy.deepcopy(first.state()))

    assert entered(run, "email-activity") == {"id-3"}
    assert {one["campaign_id"] for one in second.records("mailchimp_email_activity")} == {"id-3"}
    assert json.dumps(second.state())
