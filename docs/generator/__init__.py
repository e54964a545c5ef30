"""Fills the generated parts of the documentation from the specifications, the schemas, the code and the measurements."""
