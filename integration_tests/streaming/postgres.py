"""A PostgreSQL server of the machine's own package, in a folder of the test's, reached by a socket there."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

PATIENCE = 60.0


def program(name: str) -> str:
    """Return where a program of PostgreSQL is, "" when it is nowhere. Debian keeps them out of the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((str(folder / name) for folder in folders if (folder / name).exists()), shutil.which(name) or "")


def missing() -> str:
    """Return what this machine lacks, "" when all is there."""
    lacking = [name for name in ("initdb", "pg_ctl") if not program(name)]
    return f"no {lacking[0]} on this machine (Debian: apt-get install postgresql)" if lacking else ""


class Postgres:
    """The server; it listens on no port."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._owner = self._drop_root()
        self._run("initdb", "--pgdata", "data", "--auth", "trust", "--username", "postgres", "--encoding", "UTF8", "--locale", "C")
        options = f"-c listen_addresses='' -k {self._folder} -F"
        self._run("pg_ctl", "--pgdata", "data", "--wait", "--log", "log", "--options", options, "start")
        self.url = f"host={self._folder} user=postgres dbname=postgres"

    def close(self) -> None:
        """Stop the server."""
        self._run("pg_ctl", "--pgdata", "data", "--wait", "--mode", "immediate", "stop")
        shutil.rmtree(self._folder)

    def _run(self, name: str, *arguments: str) -> None:
        command = [program(name), *arguments]
        subprocess.run(command, cwd=self._folder, check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL, **self._owner)

    def _drop_root(self) -> dict[str, Any]:
        """PostgreSQL does not run as root: the user that Debian's package makes for it does."""
        if os.geteuid() != 0:
            return {}
        owner = pwd.getpwnam("postgres")
        os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
