"""What others need to see.

Owns: the register of readers, whole for those who may read it and public without persons;
  what screening found, by grant and rule; who reads and erases texts that are kept for investigations, and why.
Hears: nothing; reads the rooms on its right.
Says: oversight.text.read|erased.
Never: a name, an address or a pseudonym in anything public; a kept text that is shown before its reading is on record.
"""
