"""Letters: whoever an entry of the ledger concerns is told by mail, in the transaction of the decision.

`table` says who is told of what, and what is silent and why; `scene` finds the facts; `writing` makes the words;
`dates` the calendar files; `reminding` the one letter a day about what ends soon.
"""
