"""Raw streams: every collection of Mailchimp as it is, next to the unified streams.

../raw_collections.json has one row per collection and schemas/ one schema per row; nothing here knows any row by name.
parents: what partitions them; stream: reads one; records: what an item becomes.
"""
