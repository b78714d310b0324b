"""The command line, the server's processes, and the demo.

Owns: commands, their output as text and JSON, exit codes; the supervisor, its workers and its portal; the demo.
Hears: a person at a terminal, signals.
Says: what happened, on stdout; everything else on stderr.
Never: a rule, SQL.
"""
