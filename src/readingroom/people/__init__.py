"""Who may act.

Owns: persons, roles, sign-in links, sessions, the table of permissions.
Hears: nothing.
Says: people.person.added, people.role.added, people.role.removed.
Never: what a permission is used for.
"""
