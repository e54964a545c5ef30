"""python -m source_mailchimp_unified: the same as the command source-mailchimp-unified."""

from __future__ import annotations

from source_mailchimp_unified.run import main

if __name__ == "__main__":
    main()
