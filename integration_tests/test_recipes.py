"""Each recipe lands the table as people have it, through the example that the page of recipes shows."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from integration_tests.commands import config
from mailchimp_emulator import Emulator

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ROOT / "examples" / "recipes"

TEXT, ADDRESS = {"tag": "COMPANY"}, {"tag": "ADDRESS", "type": "address"}


@dataclass
class Recipe:
    """What a recipe needs in the audience, the query over its file, and what comes of it: members by name before the @."""

    name: str
    merge_fields: list[dict[str, Any]]
    members: dict[str, dict[str, Any]]
    alone: list[str]
    sql: str | None = None
    rejected: int = 0
    before: list[tuple[str, list[str]]] = field(default_factory=list)


RECIPE_LIST = [
    Recipe(
        "attendees",
        [TEXT],
        {
            "mara.quist": {"tags": ["event:meetup-2026", "ticket:Early Bird"], "FNAME": "Mara", "COMPANY": "Quist Studio"},
            "tomas.reyl": {"tags": ["event:meetup-2026", "ticket:VIP"], "LNAME": "Reyl"},
            "ines.okafor": {"tags": ["event:meetup-2026", "ticket:Early Bird"], "LNAME": None},
            "jun.park": {"tags": ["event:meetup-2026"], "COMPANY": "Park & Co, Ltd"},
        },
        ["Order #", "Order Date", "Attendee Status"],
        rejected=1,
    ),
    Recipe(
        "form_answers",
        [{"tag": "SIZE"}],
        {
            "rosa.lindt": {"tags": ["form:demo-request", "topic:Integrations", "topic:Pricing"], "FNAME": "Rosa", "SIZE": "11-50"},
            "omar.haddad": {"tags": ["form:demo-request"], "FNAME": "Omar", "LNAME": "Haddad"},
            "yuki.tanabe": {"tags": ["form:demo-request", "topic:Pricing", "topic:Security, privacy"], "LNAME": "Tanabe"},
        },
        ["May we email you?"],
        sql="FROM rows WHERE \"May we email you?\" = 'Yes'",
    ),
    Recipe(
        "behavior",
        [],
        {
            "piet.visser": {"tags": ["Active", "Uses reports"]},
            "amara.diallo": {"tags": ["Uses reports"]},
            "leo.marchetti": {"tags": ["Active", "Invited a team"]},
        },
        ["user_id", "last_seen", "status"],
        before=[("amara.diallo", ["Active"])],
    ),
    Recipe(
        "hubspot",
        [TEXT],
        {
            "nadia.ferro": {"tags": ["stage:Contract Sent"], "PHONE": "+39 06 555 0101", "COMPANY": "Ferro Srl"},
            "oskar.lind": {"tags": ["beta", "hand made", "reference", "stage:Closed Won"]},
            "priya.raman": {"tags": [], "LNAME": "Raman"},
        },
        ["Record ID", "Lead Status", "Lifecycle Stage", "Status"],
        before=[("oskar.lind", ["stage:Contract Sent", "hand made"])],
    ),
    Recipe(
        "salesforce",
        [TEXT, ADDRESS],
        {
            "greta.holm": {"tags": ["source:Web"], "ADDRESS": {"addr1": "1 Orchard Way", "state": "OR", "zip": "97031"}},
            "idris.bello": {"tags": [], "ADDRESS": {"city": "Lagos", "state": "-", "country": "Nigeria"}},
            "chloe.martin": {"tags": ["source:Event"], "ADDRESS": None},
        },
        ["Status", "IsDeleted", "HasOptedOutOfEmail"],
    ),
    Recipe(
        "subscriptions",
        [],
        {
            "vera.nowak": {"tags": ["subscription:active"], "PLAN": "Pro", "MRR": 1290, "STARTED": "2025-03-05", "RENEWS": "2027-01-01"},
            "hugo.berg": {"tags": ["subscription:past_due"], "MRR": 29, "STARTED": "2025-11-17"},
            "sana.malik": {"tags": ["subscription:canceled"], "MRR": 0},
            "kofi.asante": {"tags": ["subscription:trialing"], "MRR": None, "RENEWS": None, "LNAME": "Asante"},
        },
        ["canceled_at"],
        before=[("sana.malik", ["subscription:active"])],
    ),
    Recipe(
        "mailchimp_export",
        [ADDRESS, {"tag": "PHONE", "type": "phone"}, {"tag": "BIRTHDAY", "type": "birthday"}],
        {
            "edith.crane": {"tags": ["Gold, Silver", "VIP"], "BIRTHDAY": "04/12", "ADDRESS": {"addr1": "9 Mill Lane", "zip": "97201"}},
            "bram.kuiper": {"tags": [], "FNAME": "Bram", "ADDRESS": None, "PHONE": None},
        },
        ["MEMBER_RATING", "LATITUDE", "LEID", "NOTES"],
    ),
    Recipe(
        "shopify",
        [{"tag": "SPENT", "type": "number"}, ADDRESS],
        {
            "ada.moss": {
                "tags": ["repeat", "wholesale"],
                "SPENT": 1240.5,
                "PHONE": "+15125550130",
                "ADDRESS": {"zip": "78701", "state": "TX"},
            },
            "ravi.sen": {"tags": [], "ADDRESS": {"addr2": "Flat 3", "state": "-", "country": "GB"}},
            "mia.costa": {"tags": ["newsletter"], "ADDRESS": None, "SPENT": 19.9},
        },
        ["Customer ID", "Accepts Email Marketing", "Note"],
        sql="FROM rows WHERE \"Accepts Email Marketing\" = 'yes'",
    ),
]


def audience_of(mailchimp: Emulator, recipe: Recipe) -> str:
    """Make an audience with the recipe's merge fields, and with the contacts who are there before."""
    tags = {tag: {"tag": tag, "type": "text"} for tag in ("FNAME", "LNAME", "PHONE")}
    fields = {**tags, **{one["tag"]: one for one in recipe.merge_fields}}
    [list_id] = mailchimp.seed(name="Audience", merge_fields=list(fields.values()))
    return list_id


def activate(folder: Path, settings: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the example."""
    (folder / "destination_config.json").write_text(json.dumps(settings))
    command = [sys.executable, str(ROOT / "examples" / "activate.py"), "--config", str(folder / "destination_config.json")]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=folder)


def members(mailchimp: Emulator, list_id: str) -> dict[str, dict[str, Any]]:
    """Return tags and merge fields of every contact, by the name before the @."""
    return {
        member["email_address"].partition("@")[0].lower(): {"tags": sorted(member["tags"]), **member["merge_fields"]}
        for member in mailchimp.members(list_id)
    }


def held(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Return what a contact has of what is expected, to the same depth."""
    return {
        name: {part: found[name].get(part) for part in value} if isinstance(value, dict) and found.get(name) else found.get(name)
        for name, value in expected.items()
    }


@pytest.mark.parametrize("recipe", RECIPE_LIST, ids=lambda recipe: recipe.name)
def test_a_recipe_lands_every_good_row(mailchimp: Emulator, tmp_path: Path, recipe: Recipe) -> None:
    """Every good row lands on the first try with the mapping shown, and the log says which columns were left alone."""
    list_id = audience_of(mailchimp, recipe)
    settings = config(mailchimp.url, list_id=list_id)
    if recipe.before:
        with duckdb.connect(str(tmp_path / "before.duckdb")) as database:
            database.execute("CREATE TABLE people (email VARCHAR, tags VARCHAR[])")
            database.executemany("INSERT INTO people VALUES (?, ?)", [(f"{name}@example.org", tags) for name, tags in recipe.before])
        done = activate(tmp_path, settings, "--database", "before.duckdb", "--table", "people")
        assert done.returncode == 0, done.stdout + done.stderr

    query = ["--sql", recipe.sql] if recipe.sql else []
    done = activate(tmp_path, settings, "--recipe", str(RECIPES / f"{recipe.name}.json"), str(RECIPES / f"{recipe.name}.csv"), *query)

    assert done.returncode == 0, done.stdout + done.stderr
    found = members(mailchimp, list_id)
    assert {name: held(found[name], expected) for name, expected in recipe.members.items()} == recipe.members, done.stdout
    assert set(found) == set(recipe.members)
    assert f"{len(recipe.members)} records written, {recipe.rejected} rejected" in done.stdout
    left_alone = next(line for line in done.stdout.splitlines() if "; ignored: " in line).partition("; ignored: ")[2]
    assert set(recipe.alone) <= set(left_alone.split(", "))


def test_every_recipe_is_tried() -> None:
    """A recipe under examples/ is one of those above, with a table of its own, and at most the configuration of a screen."""
    files = {path.stem for path in RECIPES.glob("*.json")}
    assert files == {path.stem for path in RECIPES.glob("*.csv")} == {recipe.name for recipe in RECIPE_LIST}
    assert all(len((RECIPES / f"{name}.json").read_text().splitlines()) < 20 for name in files)


def test_a_second_run_changes_nothing(mailchimp: Emulator, tmp_path: Path) -> None:
    """A recipe may be repeated: the same table again leaves every contact as it is."""
    recipe = next(one for one in RECIPE_LIST if one.name == "subscriptions")
    list_id = audience_of(mailchimp, recipe)
    arguments = ["--recipe", str(RECIPES / "subscriptions.json"), str(RECIPES / "subscriptions.csv")]
    activate(tmp_path, config(mailchimp.url, list_id=list_id), *arguments)
    before = members(mailchimp, list_id)
    done = activate(tmp_path, config(mailchimp.url, list_id=list_id), *arguments)
    assert done.returncode == 0, done.stdout
    assert members(mailchimp, list_id) == before


def test_parquet_and_queries_are_read(mailchimp: Emulator, tmp_path: Path) -> None:
    """A Parquet file and a query over a database go in with their types; the database is not changed, and a dry run writes nothing."""
    [list_id] = mailchimp.seed(name="Audience", merge_fields=[{"tag": "FNAME"}])
    settings = config(mailchimp.url, list_id=list_id, create_missing_merge_fields=True)
    rule = {"field_mapping": [{"column": "score", "field": "custom_fields.SCORE"}, {"column": "born", "field": "custom_fields.BORN"}]}
    (tmp_path / "rules.json").write_text(json.dumps(rule))
    query = "SELECT 'a@example.org' AS email, 4.5 AS score, DATE '1990-01-31' AS born, ['x'] AS tags"
    duckdb.sql(query).write_parquet(str(tmp_path / "people.parquet"))
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.execute(f"CREATE TABLE people AS {query.replace('a@', 'b@')}")
    (tmp_path / "shop.duckdb").chmod(0o444)

    dry = activate(tmp_path, settings, "--recipe", "rules.json", "people.parquet", "--dry-run")
    assert (dry.returncode, mailchimp.members(list_id)) == (0, []), dry.stdout
    for arguments in (["people.parquet"], ["--database", "shop.duckdb", "--sql", "FROM people"]):
        done = activate(tmp_path, settings, "--recipe", "rules.json", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    expected = {"tags": ["x"], "SCORE": 4.5, "BORN": "1990-01-31"}
    assert members(mailchimp, list_id) == {"a": expected, "b": expected}
