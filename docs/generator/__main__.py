"""python -m docs.generator: write the generated parts of every page; with --check, fail when one is stale."""

from __future__ import annotations

import argparse
import sys

from docs.generator.pages import PAGES, ROOT, filled


def main() -> int:
    """Write or check the pages. Returns the exit code: 1 when a checked page is stale."""
    parser = argparse.ArgumentParser(prog="docs.generator", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    check = parser.parse_args().check
    stale = [page for page in PAGES if filled(page.read_text()) != page.read_text()]
    for page in stale:
        print(f"{'stale' if check else 'written'}: {page.relative_to(ROOT)}")
        if not check:
            page.write_text(filled(page.read_text()))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
