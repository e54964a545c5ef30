"""The kernel both connectors share: it knows Mailchimp and imports nothing of Airbyte.

config -> auth -> client: from the user's configuration to parsed pages, with typed errors.
entities, schemas: the unified contact, list, tag and user, mapped from Mailchimp and back.
"""
