"""Who may act.

Owns: persons, roles, sign-in links, sessions, the table of permissions.
Hears: nothing.
Says: people.person.added|erased, people.role.added|removed, people.link.made.
Never: what a permission is used for.
"""
