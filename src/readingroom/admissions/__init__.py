"""Access meted out by a competitive application, from a finite budget.

Owns: calls, applications, conflicts, reviews, allocation, decisions, awards, the account of each call's budget.
Hears: nothing; a stage arrives as a fact (`StageFact`), persons are read from the people room.
Says: admissions.call.opened|closed|divided|allocated|published, admissions.application.started|submitted|returned,
    admissions.application.withdrawn|decided|late|moved|admitted|checked, admissions.sift.assigned|scored|overruled,
    admissions.review.assigned|submitted|released, admissions.conflict.declared,
    admissions.award.made|accepted|declined|lapsed|returned.
Never: a grant, a key, the text of terms; a float in an amount; a decision because a date has passed.
"""
