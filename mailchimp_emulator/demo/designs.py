"""Templates and folders of the demo.

Public source: https://mailchimp.com/developer/marketing/api/templates/
"""

from __future__ import annotations

from mailchimp_emulator.demo.serving import DAY, Json, Served, collection
from mailchimp_emulator.models import stable_hex
from mailchimp_emulator.times import format_second

_TEMPLATES = (("Trail Notes", "Newsletters"), ("Product launch", "Shop"), ("Invitation", "Events"), ("Price list", "Shop"))
_OWNER = "Dana Reyes"


def designs(now: int) -> list[Served]:
    """Templates in folders, and folders for campaigns."""
    names = sorted({folder for _, folder in _TEMPLATES})
    times = {"time": "date_created", "since": "since_date_created", "before": "before_date_created"}
    return [
        collection("/templates", "templates", {"/templates": [_template(number, now) for number in range(len(_TEMPLATES))]}, **times),
        collection("/template-folders", "folders", {"/template-folders": [_folder("template", name) for name in names]}),
        collection("/campaign-folders", "folders", {"/campaign-folders": [{**_folder("campaign", name), "count": 0} for name in names]}),
    ]


def _folder(kind: str, name: str) -> Json:
    count = sum(folder == name for _, folder in _TEMPLATES)
    return {"name": name, "id": stable_hex(f"{kind}-folder:{name}", 10), "count": count}


def _template(number: int, now: int) -> Json:
    name, folder = _TEMPLATES[number]
    return {
        "id": 10_001 + number,
        "type": "user",
        "name": name,
        "drag_and_drop": True,
        "responsive": True,
        "category": "",
        "date_created": format_second(now - (330 - 40 * number) * DAY),
        "date_edited": format_second(now - (300 - 40 * number) * DAY),
        "created_by": _OWNER,
        "edited_by": _OWNER,
        "active": True,
        "folder_id": stable_hex(f"template-folder:{folder}", 10),
        "thumbnail": "",
        "share_url": "",
        "content_type": "template",
    }
