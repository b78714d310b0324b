"""What every room stands on.

Owns: ids, the clock, canonical JSON, refusals, errors, positioned YAML, settings.
Hears: nothing.
Says: nothing.
Never: a domain word, a database, a network call.
"""
