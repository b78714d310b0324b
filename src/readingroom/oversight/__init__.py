"""What others need to see.

Owns: the register of readers, whole for those who may read it and public without persons;
  looks at it; what screening found, by grant and rule; who reads and erases texts that are kept for investigations,
  and why; the works that readers hand in, and the page of those that are published;
  what readers report, and what the lab answers.
Hears: nothing; reads the rooms on its right.
Says: oversight.register.read, oversight.text.read|erased, oversight.work.submitted|published|declined|withdrawn,
  oversight.observation.reported|answered.
Never: a name, an address or a pseudonym in anything public, nor who reported something; a register or a kept text
  that is shown before the look is on record.
"""
