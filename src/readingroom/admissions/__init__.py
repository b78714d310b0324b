"""Access meted out by a competitive application, from a finite budget.

Owns: calls, applications, conflicts, reviews, allocation, decisions, awards, what holders
    ask for afterwards, appeals, the account of each call's budget.
Hears: nothing; a stage arrives as a fact (`StageFact`), persons are read from the people room.
Says: admissions.call.opened|closed|allocated|published|funded|gave-back|reserve-freed,
    admissions.application.started|submitted|returned|withdrawn|decided|second-chance,
    admissions.review.assigned|submitted|released, admissions.conflict.declared,
    admissions.award.made|accepted|declined|lapsed|returned|transferred,
    admissions.request.filed|decided|withdrawn, admissions.appeal.lodged|admitted|dismissed|spoken,
    admissions.appeal.concluded|withdrawn.
Never: a grant, a key, the text of terms; a float in an amount; a decision because a date has passed.
"""
