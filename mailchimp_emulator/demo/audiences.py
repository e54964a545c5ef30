"""Three small audiences of one outdoor shop, with every status, every type of merge field and plenty of tags."""

from __future__ import annotations

from typing import Any

_STATUSES = {
    "subscribed": 0.74,
    "unsubscribed": 0.1,
    "cleaned": 0.04,
    "pending": 0.03,
    "transactional": 0.04,
    "archived": 0.05,
}
_EVERY_TYPE: list[dict[str, Any]] = [
    {"tag": "COMPANY", "name": "Company", "type": "text"},
    {"tag": "LTV", "name": "Lifetime value", "type": "number"},
    {"tag": "ADDRESS", "name": "Address", "type": "address"},
    {"tag": "PHONE", "name": "Phone Number", "type": "phone"},
    {"tag": "JOINED", "name": "Customer since", "type": "date"},
    {"tag": "WEBSITE", "name": "Website", "type": "url"},
    {"tag": "AVATAR", "name": "Picture", "type": "imageurl"},
    {"tag": "PLAN", "name": "Plan", "type": "radio", "choices": ["Free", "Plus", "Pro"]},
    {"tag": "SIZE", "name": "Shirt size", "type": "dropdown", "choices": ["S", "M", "L", "XL"]},
    {"tag": "BIRTHDAY", "name": "Birthday", "type": "birthday"},
    {"tag": "ZIP", "name": "Zip code", "type": "zip"},
]

_TRAILS = ("Mount Hood", "Forest Park", "Cape Falcon", "Smith Rock", "Eagle Creek", "Crater Rim", "Blue Pool", "Tillamook Head")
_HIKES = [f"Hike {year} {trail}" for year in range(2018, 2026) for trail in _TRAILS]

DEMO: dict[str, Any] = {
    "seed": 7,
    "lists": [
        {
            "id": "7a3c91e0d2",
            "name": "Northwind Customers",
            "contacts": 5000,
            "statuses": _STATUSES,
            "tags": ["VIP", "Hiking", "Climbing", "Wholesale", "Repeat buyer", "Newsletter 2025"],
            "tags_per_contact": 2,
            "contacts_with_many_tags": {"count": 3, "tags": 64, "names": _HIKES},
            "merge_fields": _EVERY_TYPE,
            "ties": {"groups": [1, 40]},
            "date_created": "2021-03-02T09:15:00+00:00",
        },
        {
            "id": "c5d80f4b16",
            "name": "Trail Notes Newsletter",
            "contacts": 1200,
            "statuses": {**_STATUSES, "pending": 0.12},
            "tags": ["Reader", "Contributor"],
            "tags_per_contact": 1,
            "double_optin": True,
            "domain": "readers.example",
            "date_created": "2022-06-20T12:00:00+00:00",
        },
        {
            "id": "2e6b74a9f8",
            "name": "Event Guests",
            "contacts": 150,
            "statuses": {"subscribed": 0.6, "transactional": 0.3, "archived": 0.1},
            "tags": ["Spring fair"],
            "tags_per_contact": 1,
            "domain": "guests.example",
            "date_created": "2024-11-05T08:30:00+00:00",
        },
    ],
}
