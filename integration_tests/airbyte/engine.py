"""Stands in for `docker` where no container engine is to be had: it follows a Dockerfile's steps in a folder.

`docker buildx build` runs every RUN instruction with the context as working folder; what a step writes below /opt, and /entrypoint.sh,
lies in the folder ENGINE_ROOT instead of at the root. `docker run --rm IMAGE ARGUMENTS` runs the entry point. There is no isolation and no
base image: `python` is the one on the PATH. Every command line is written to ENGINE_ROOT/commands.jsonl.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

PLACES = re.compile(r"/opt/|/entrypoint\.sh")
"""The paths that an image of this project writes to."""


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile in order: keyword and the rest."""
    code = "\n".join(line for line in dockerfile.splitlines() if not line.lstrip().startswith("#"))
    lines = (line.strip() for line in code.replace("\\\n", " ").splitlines())
    return [(keyword.upper(), rest.strip()) for keyword, _, rest in (line.partition(" ") for line in lines if line)]


def values(arguments: list[str], option: str) -> list[str]:
    """Return what is given for an option, each time it is given."""
    return [value for name, value in itertools.pairwise(arguments) if name == option]


def build(arguments: list[str], root: Path) -> None:
    """Follow the RUN instructions. A step that fails ends the process with its exit code."""
    (dockerfile,) = values(arguments, "--file")
    given = dict(argument.split("=", 1) for argument in values(arguments, "--build-arg"))
    for keyword, rest in instructions(Path(dockerfile).read_text()):
        if keyword == "RUN":
            step = PLACES.sub(lambda match: f"{root}{match.group()}", rest)
            done = subprocess.run(["/bin/sh", "-c", step], cwd=arguments[-1], env={**os.environ, **given}, check=False)
            if done.returncode:
                sys.exit(done.returncode)


def main() -> None:
    """Do what the command line of docker says."""
    root, arguments = Path(os.environ["ENGINE_ROOT"]), sys.argv[1:]
    with (root / "commands.jsonl").open("a") as commands:
        commands.write(json.dumps(arguments) + "\n")
    if arguments[:2] == ["buildx", "build"]:
        build(arguments[2:], root)
    elif arguments[:2] == ["run", "--rm"]:
        sys.exit(subprocess.run([root / "entrypoint.sh", *arguments[3:]], check=False).returncode)


if __name__ == "__main__":
    main()
