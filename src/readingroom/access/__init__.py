"""Who may read, how much, and on which terms.

Owns: grants of projects, their members and keys, terms and their acceptances, sanctions, bars, what holds after a
    restoring, the entitlement function (promise 7).
Hears: admissions.award.accepted (through app, which issues the grant in the same transaction).
Says: access.grant.issued|adjusted|suspended|reinstated|revoked, access.grants.revoked,
    access.terms.published|accepted,
    access.retention.agreed, access.key.issued|revoked|rotated, access.person.barred,
    access.sanction.imposed|lifted|acknowledged, access.member.invited|joined|declined|removed,
    access.restore.made|gap-found|matched|confirmed|lifted.
Never: how much of an allocation is used (the gateway's meter knows), what a stage's gate says.
"""
