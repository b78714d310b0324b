"""The one database handle.

Owns: the connection to SQLite or Postgres, transactions, column types, migrations.
Hears: nothing.
Says: nothing.
Never: a table of its own, a domain word.
"""
