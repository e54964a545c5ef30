"""Doing it: in bulk, or one contact at a time."""
