"""Reading Room: release a language model the way a rare-books library lends a manuscript."""

__version__ = "0.1.0"
