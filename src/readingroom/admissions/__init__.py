"""Access meted out by a competitive application, from a finite budget.

Owns: calls, applications, conflicts, reviews, allocation, decisions, awards, the account of each call's budget.
Hears: nothing; a stage arrives as a fact (`StageFact`), persons are read from the people room.
Says: admissions.call.opened|closed|allocated|published, admissions.application.started|submitted|returned,
    admissions.application.withdrawn|decided, admissions.review.assigned|submitted|released,
    admissions.conflict.declared|found, admissions.award.made|accepted|declined|lapsed|returned.
Never: a grant, a key, the text of terms; a float in an amount; a decision because a date has passed.
"""
