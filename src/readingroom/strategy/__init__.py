"""The release plan, written before the evidence.

Owns: the plan document, stages, gate kinds and their verdicts, exact bounds, the comparison of strategies.
Hears: nothing; it is pure.
Says: nothing.
Never: a database, a clock, a file, or a verdict that missing evidence could open.
"""
