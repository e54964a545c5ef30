"""The demo account: what it holds, and that its parts belong together."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest


@pytest.fixture
def demo(api: Any, mailchimp: Any) -> Any:
    """A client for the demo account."""
    mailchimp.seed_demo()
    return api


def every(demo: Any, path: str, key: str) -> list[Any]:
    """All items of a collection, which must be as many as it counts."""
    answers = [demo.get(path, count=1000, offset=offset) for offset in (0, 1000)]
    items = [item for answer in answers for item in answer[key]]
    assert len(items) == answers[0]["total_items"]
    return items


def test_reports_belong_to_campaigns(demo: Any, mailchimp: Any) -> None:
    """Each campaign that was sent has a report; its recipients are contacts of its audience, and the counts are those of the rows."""
    campaigns = {campaign["id"]: campaign for campaign in every(demo, "/campaigns", "campaigns")}
    reports = every(demo, "/reports", "reports")
    assert {report["id"] for report in reports} == {key for key, one in campaigns.items() if one["status"] == "sent"}
    assert len(campaigns) > len(reports) >= 8
    for report in reports:
        path, contacts = f"/reports/{report['id']}", {member["id"]: member for member in mailchimp.members(report["list_id"])}
        sent = every(demo, f"{path}/sent-to", "sent_to")
        activity = every(demo, f"{path}/email-activity", "emails")
        opens = every(demo, f"{path}/open-details", "members")
        links = every(demo, f"{path}/click-details", "urls_clicked")
        left = every(demo, f"{path}/unsubscribed", "unsubscribes")
        assert len(sent) == len(activity) == report["emails_sent"] == campaigns[report["id"]]["emails_sent"]
        assert {row["email_id"] for row in sent} == {row["email_id"] for row in activity} <= contacts.keys()
        assert all(contacts[row["email_id"]]["email_address"] == row["email_address"] for row in sent)
        actions = Counter(entry["action"] for row in activity for entry in row["activity"])
        assert actions["open"] == report["opens"]["opens_total"] == sum(row["opens_count"] for row in opens) > 0
        assert actions["click"] == report["clicks"]["clicks_total"] == sum(link["total_clicks"] for link in links)
        assert actions["bounce"] == report["bounces"]["hard_bounces"] == sum(row["status"] == "hard" for row in sent)
        assert {contacts[row["email_id"]]["status"] for row in left} <= {"unsubscribed"}
        assert len(left) == report["unsubscribed"]
        assert (
            max(entry["timestamp"] for row in activity for entry in row["activity"] if entry["action"] == "open")
            == report["opens"]["last_open"]
        )
        for link in links:
            clickers = every(demo, f"{path}/click-details/{link['id']}/members", "members")
            assert sum(row["clicks"] for row in clickers) == link["total_clicks"]
    assert any(report["unsubscribed"] for report in reports)


def test_the_store(demo: Any, mailchimp: Any) -> None:
    """Orders have customers, products and campaigns that are there; customers are contacts."""
    [store] = every(demo, "/ecommerce/stores", "stores")
    path = f"/ecommerce/stores/{store['id']}"
    orders, products = every(demo, f"{path}/orders", "orders"), every(demo, f"{path}/products", "products")
    customers = {customer["id"]: customer for customer in every(demo, f"{path}/customers", "customers")}
    campaigns = {campaign["id"] for campaign in every(demo, "/campaigns", "campaigns")}
    contacts = {member["email_address"] for member in mailchimp.members(store["list_id"])}
    variants = {(product["id"], variant["id"]) for product in products for variant in product["variants"]}
    assert {customer["email_address"] for customer in customers.values()} <= contacts
    assert all((line["product_id"], line["product_variant_id"]) in variants for order in orders for line in order["lines"])
    assert Counter(order["customer"]["id"] for order in orders) == {
        key: customer["orders_count"] for key, customer in customers.items() if customer["orders_count"]
    }
    named = {order["campaign_id"] for order in orders} - {""}
    assert named
    assert named <= campaigns
    assert every(demo, "/ecommerce/orders", "orders") == orders
    assert every(demo, f"{path}/carts", "carts")


def test_automations_and_templates(demo: Any, mailchimp: Any) -> None:
    """Automations have emails, later emails have a queue of contacts, templates lie in folders."""
    for automation in every(demo, "/automations", "automations"):
        path, list_id = f"/automations/{automation['id']}/emails", automation["recipients"]["list_id"]
        contacts = {member["id"] for member in mailchimp.members(list_id)}
        emails = every(demo, path, "emails")
        assert len(emails) == automation["trigger_settings"]["workflow_emails_count"]
        queues = {email["position"]: every(demo, f"{path}/{email['id']}/queue", "queue") for email in emails}
        assert all(bool(queue) == (position > 1) for position, queue in queues.items())
        assert {row["id"] for queue in queues.values() for row in queue} <= contacts
    folders = {folder["id"]: folder["count"] for folder in every(demo, "/template-folders", "folders")}
    assert Counter(template["folder_id"] for template in every(demo, "/templates", "templates")) == folders


def test_a_draft_has_no_content(demo: Any) -> None:
    """Campaigns have contents but for the one that is not written yet; unknown ones are a 404."""
    statuses = {
        one["status"]: demo.call("GET", f"/campaigns/{one['id']}/content").status_code for one in every(demo, "/campaigns", "campaigns")
    }
    assert statuses == {"sent": 200, "save": 404}
    assert demo.call("GET", "/campaigns/nothing/content").status_code == 404
    assert demo.get(f"/campaigns/{every(demo, '/campaigns', 'campaigns')[0]['id']}")["settings"]["title"]


def test_audiences_know_their_campaigns(demo: Any) -> None:
    """An audience counts its campaigns and knows when the last was sent; times filter."""
    reports = every(demo, "/reports", "reports")
    for audience in demo.get("/lists")["lists"][1:]:
        times = [report["send_time"] for report in reports if report["list_id"] == audience["id"]]
        assert (audience["stats"]["campaign_count"], audience["stats"]["campaign_last_sent"]) == (len(times), max(times))
    latest = max(report["send_time"] for report in reports)
    assert demo.get("/reports", since_send_time=latest)["reports"] == []
    [last] = [report for report in demo.get("/reports", count=100)["reports"] if report["send_time"] == latest]
    assert demo.get(f"/reports/{last['id']}/email-activity", since="2026-12-31T00:00:00Z", count=1)["emails"][0]["activity"] == []


def test_names_are_those_of_a_shop(demo: Any, mailchimp: Any) -> None:
    """Tags and companies have names, no numbers that were counted up; a reset takes the demo away."""
    audience = next(one for one in mailchimp.lists() if one["name"] == "Northwind Customers")
    tags = demo.get(f"/lists/{audience['id']}/tag-search", count=1000)["tags"]
    assert not [tag["name"] for tag in tags if tag["name"].startswith("Tag ")]
    assert len(tags) == 64
    companies = {member["merge_fields"]["COMPANY"] for member in mailchimp.members(audience["id"])}
    assert "Abel Outfitters" in companies
    assert not [company for company in companies if company.startswith("Note")]
    mailchimp.reset()
    assert demo.call("GET", "/campaigns").status_code == 404
