"""Who may act.

Owns: persons, roles, identities, affiliations and credentials, sign-in links, sessions, the table of permissions.
Hears: nothing.
Says: people.person.added|merged|erased, people.role.added|removed, people.link.made, people.identity.added|removed,
    people.address.chosen, people.fact.added|confirmed|ended, people.sessions.ended.
Never: what a permission is used for.
"""
