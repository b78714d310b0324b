"""The kinds of gate: one file each, listed in `registry`."""
