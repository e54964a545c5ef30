"""What is known of an audience."""
