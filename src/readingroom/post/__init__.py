"""Letters that are on their way.

Owns: letters that wait, were sent or are stuck; their spelling as mail; calendar files; how a mail server or a folder
  is handed them.
Hears: nothing; whoever decides puts a letter in the transaction of the decision.
Says: nothing of its own: a letter tells of an entry that is in the ledger already.
Never: a letter that is given up in silence; the text of one longer than the settings keep it; a password in a file.
"""
