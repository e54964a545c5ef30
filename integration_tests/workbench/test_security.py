"""The workbench is for the person who started it, and for nobody and nothing else."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from integration_tests.workbench.conftest import CUSTOMERS
from integration_tests.workbench.served import Served, Visitor, words
from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess
from mailchimp_workbench.limits import LARGEST_UPLOAD, MEGABYTE

PAGES = ("/", "/read", "/send", "/contacts?q=ada", "/status/audiences", f"/status/growth/{CUSTOMERS}", f"/status/tags/{CUSTOMERS}")
EVIL = "http://evil.example"

NASTY = (
    "email,note,<b>bold</b>\n"
    'a@guests.example,<script>window.pwned = 1</script>,"=HYPERLINK(""http://evil.example"")"\n'
    'b@,"<img src=x onerror=""window.pwned = 1"">",+1-555\n'
)


@pytest.mark.parametrize("path", PAGES)
def test_without_the_token_there_is_nothing(workbench: Served, path: str) -> None:
    """No page opens without the cookie that the token is exchanged for."""
    answer = requests.get(f"{workbench.origin}{path}")

    assert answer.status_code == 401
    assert "token" in answer.text
    assert "Northwind" not in answer.text


@pytest.mark.parametrize("cookie", ["", "x", "\xe9", '"\xe9"', "x; x"])
def test_a_wrong_cookie_opens_nothing(workbench: Served, cookie: str) -> None:
    """A cookie that is not ours is refused, no matter which characters it has."""
    name = f"workbench_{workbench.origin.rpartition(':')[2]}"
    answer = requests.get(f"{workbench.origin}/read", headers={"Cookie": f"{name}={cookie}".encode("latin-1")})

    assert answer.status_code == 401


@pytest.mark.parametrize("token", ["", "x", "none"])
def test_a_wrong_token_opens_nothing(workbench: Served, token: str) -> None:
    """A wrong token gets no cookie."""
    answer = requests.get(f"{workbench.origin}/open", params={"token": token}, allow_redirects=False)

    assert answer.status_code == 401
    assert not answer.cookies


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_page_gets(visitor: Visitor) -> None:
    """The cookie is for HTTP only and for the own page only, and is not the token."""
    (cookie,) = visitor.opened.headers["set-cookie"].split(", ")

    assert visitor.opened.headers["location"] == "/"
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert visitor.opened.url.partition("token=")[2] not in cookie


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost:1", ""])
def test_another_host_is_refused(visitor: Visitor, host: str) -> None:
    """A name that an attacker lets point to this machine does not open the page, with the cookie either."""
    answer = visitor.get("/", headers={"Host": host})

    assert answer.status_code in (400, 403)
    assert "Status" not in answer.text


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:1", "http://localhost", None])
def test_another_origin_starts_nothing(visitor: Visitor, origin: str | None) -> None:
    """A form of another page is refused, also one on another port of this machine, and one that hides where it comes from."""
    before = visitor.get("/read").text.count("/runs/")

    answer = visitor.post("/read/start", data={"stream": "contacts"}, headers={"Origin": origin})

    assert answer.status_code == 403
    assert visitor.get("/read").text.count("/runs/") == before


def test_another_origin_reads_nothing(visitor: Visitor) -> None:
    """A script of another page cannot read a page, even where its browser would allow it."""
    assert visitor.get("/", headers={"Origin": EVIL}).status_code == 403


@pytest.mark.parametrize("path", [*PAGES, "/nowhere", "/runs/nowhere", "/static/app.js"])
def test_every_answer_forbids_foreign_code(visitor: Visitor, path: str) -> None:
    """The policy allows our own files and nothing inline; no page holds an inline script, style or handler."""
    answer = visitor.get(path)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    if "html" in answer.headers["content-type"]:
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=|javascript:", answer.text)


def test_it_listens_on_this_machine_only(workbench: Served) -> None:
    """The socket is bound to the loopback address."""
    port = int(workbench.origin.rpartition(":")[2])
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"]

    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening


def test_credentials_stay_where_they_are(workbench: Served, visitor: Visitor) -> None:
    """Neither a page nor the saved configuration nor a line of the output holds the API key."""
    draft = visitor.upload("people.csv", "email\na@guests.example\n")
    visitor.post(draft.url.removeprefix(visitor.origin) + "/audience", data={"list_id": CUSTOMERS})
    seen = [visitor.get(path).text for path in PAGES]
    seen += [visitor.get(draft.url.removeprefix(visitor.origin) + more).text for more in ("", "/preview", "/options", "/destination.json")]

    assert not [page for page in seen if DEFAULT_API_KEY in page]
    assert DEFAULT_API_KEY not in workbench.log.read_text()


def test_what_is_written_is_for_its_owner_alone(workbench: Served) -> None:
    """The folder with the outcomes cannot be read by other people of this machine."""
    folder = workbench.database.with_name("demo.outcomes")

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


class Body:
    """A form with a file of so many megabytes, made as it is sent."""

    def __init__(self, megabytes: int) -> None:
        self._megabytes = megabytes

    def __iter__(self) -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n\r\nemail\r\n'
        for _ in range(self._megabytes):
            yield b"a@guests.example\r\n" * (MEGABYTE // 18)
        yield b"\r\n--x--\r\n"

    def __len__(self) -> int:
        return sum(map(len, self))


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_of_200_megabytes_is_refused_clearly(visitor: Visitor, announced: bool) -> None:
    """The answer says how much may be uploaded and what to do, whether or not the browser announced the size."""
    form = Body(200)

    answer = visitor.post(
        "/send/upload", data=form if announced else iter(form), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )

    assert answer.status_code == 413
    assert f"larger than {LARGEST_UPLOAD // MEGABYTE} MB" in answer.text
    assert "Split the file" in answer.text


def test_a_form_that_is_no_upload_may_not_be_large(visitor: Visitor) -> None:
    """Five megabytes of text are no query."""
    answer = visitor.post("/send/choose", data={"sql": "x" * (5 * MEGABYTE)})

    assert answer.status_code == 413


def test_script_and_formulas_of_a_file_are_text(visitor: Visitor) -> None:
    """Names of columns and values are shown as they are written and never run."""
    draft = visitor.upload("<img src=x onerror=alert(1)>.csv", NASTY)
    page = visitor.post(draft.url.removeprefix(visitor.origin) + "/audience", data={"list_id": CUSTOMERS}).text

    assert "&lt;script&gt;window.pwned" in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<script>window" not in page
    assert "<img" not in page


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY contacts TO '/tmp/stolen.csv'",
        "DROP TABLE contacts",
        "SELECT 1; DELETE FROM contacts",
        "ATTACH '/tmp/other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM read_csv('https://evil.example/x.csv')",
        "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
        "WITH gone AS (DELETE FROM contacts RETURNING *) SELECT * FROM gone",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM connection",
        "CALL enable_logging()",
        "EXPLAIN ANALYZE SELECT 1",
    ],
)
def test_a_query_only_reads_the_warehouse(visitor: Visitor, sql: str) -> None:
    """Everything else is refused with words, and nothing has changed."""
    answer = visitor.post("/send/choose", data={"sql": sql})

    assert answer.status_code == 400
    assert not Path("/tmp/stolen.csv").exists()
    assert "6,350" in visitor.get("/send").text


def test_a_query_comes_upon_no_credentials(visitor: Visitor, account: EmulatorProcess) -> None:
    """While a connector runs, its configuration lies where no query may look, for its owner alone."""
    draft = visitor.post("/send/choose", data={"sql": "SELECT list_last(current_setting('allowed_directories')) AS place"})
    mapping = visitor.post(draft.url.removeprefix(visitor.origin) + "/audience", data={"list_id": CUSTOMERS})
    found = re.search(r"<span>(/[^<]*)/</span>", mapping.text)
    assert found
    folder = Path(found[1]).parent
    account.latency(1)
    try:
        run = visitor.post("/read/start", data={"stream": "lists"})
        while not (configs := list(folder.rglob("config.json"))):
            assert "sse-connect" in visitor.get(run.url.removeprefix(visitor.origin)).text
        answers = [
            visitor.post("/send/choose", data={"sql": f"SELECT content FROM read_text('{pattern}')"})
            for pattern in (*configs, folder / "**", folder / "*" / "*" / "config.json", folder / "files" / "**")
        ]
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (*configs, *folder.iterdir())]
        visitor.post(run.url.removeprefix(visitor.origin) + "/stop")
    finally:
        account.latency(0)

    assert DEFAULT_API_KEY not in "".join(answer.text for answer in answers)
    assert {answer.status_code for answer in answers[:3]} == {400}
    assert set(modes) == {0o600, 0o700}


def test_a_table_of_a_thousand_columns_can_be_mapped(visitor: Visitor) -> None:
    """Its page stays small, says how many more there are, and any column is found by its name."""
    names = ["email", *(f"column_{number}" for number in range(999))]
    draft = visitor.upload("wide.csv", ",".join(names) + "\n" + ",".join(["a@guests.example", *["x"] * 999]) + "\n")
    path = draft.url.removeprefix(visitor.origin)

    page = visitor.post(f"{path}/audience", data={"list_id": CUSTOMERS})
    found = visitor.get(f"{path}/mapping", params={"find": "column_777"})

    assert len(page.content) < MEGABYTE
    assert "1,000 columns" in words(page.text)
    assert "950 columns" in words(page.text)
    assert "column_777" in found.text
    assert "column_776" not in found.text
