"""Read: a sync of the source into the warehouse, watched while it runs."""
