"""Status: who can be reached, who joined and left, and one contact's state."""
