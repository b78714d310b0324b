"""What others need to see.

Owns: the register of readers, whole for those who may read it and public without persons;
  what screening found, by grant and rule.
Hears: nothing; reads the rooms on its right.
Says: nothing yet.
Never: a name, an address or a pseudonym in anything public.
"""
