"""Draws the demo's report for the README, in headless Chromium: what `make screenshots` runs.

python tools/demo_picture.py demo_output/report.html docs/images/demo-report.png
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

WIDTH, HEIGHT = 1080, 660
NAMES = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Draw the beginning of a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    browser = next((found for name in NAMES if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit("The picture needs Chromium: on Debian, apt-get install chromium")
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}",
         f"--screenshot={arguments.picture.resolve()}", arguments.page.resolve().as_uri()],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip


if __name__ == "__main__":
    main()
