"""python -m mailchimp_workbench: the same as the command mailchimp-unified-workbench."""

from __future__ import annotations

import sys

from mailchimp_workbench.run import main

if __name__ == "__main__":
    sys.exit(main())
