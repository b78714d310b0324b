"""Access meted out by a competitive application, from a finite budget.

Owns: calls, applications with their files, teams and guarantors, conflicts, reviews, allocation, decisions, awards,
    what holders ask for afterwards, appeals, the account of each call's budget.
Hears: nothing; a stage arrives as a fact (`StageFact`), persons are read from the people room.
Says: admissions.call.opened|closed|divided|allocated|published|funded|gave-back|reserve-freed,
    admissions.application.started|submitted|late|moved|admitted|checked|returned|withdrawn|decided,
    admissions.application.second-chance, admissions.sift.assigned|scored|overruled,
    admissions.member.invited|reminded|accepted|declined|left|removed,
    admissions.guarantor.invited|reminded|accepted|declined|removed,
    admissions.reviewer.invited|accepted|declined|expired, admissions.review.assigned|submitted|released,
    admissions.conflict.declared|found|waived|recused, admissions.tie.declared|withdrawn,
    admissions.call.phase-moved|joined|moved, admissions.panel.noted, admissions.risk.judged,
    admissions.award.made|accepted|declined|lapsed|returned|transferred,
    admissions.request.filed|decided|withdrawn, admissions.appeal.lodged|admitted|dismissed|spoken,
    admissions.appeal.concluded|withdrawn.
Never: a grant, a key, the text of terms; a float in an amount; a decision because a date has passed.
"""
