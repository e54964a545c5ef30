"""The workbench: a local page over both connectors. It runs them by their commands, exactly as Airbyte does, and imports neither."""
