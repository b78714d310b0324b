"""The allocation policies: one file each, listed in `registry`."""
