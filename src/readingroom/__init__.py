"""Reading Room."""
