"""Holds the stages together."""
