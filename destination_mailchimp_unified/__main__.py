"""python -m destination_mailchimp_unified: the same as the command destination-mailchimp-unified."""

from __future__ import annotations

from destination_mailchimp_unified.run import main

if __name__ == "__main__":
    main()
