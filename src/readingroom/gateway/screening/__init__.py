"""The metal detector at the gateway's entrance and exit.

Owns: rule sets (YAML), normalisation with a map back to the original text, matching in streams; of judges, only what
  a rule says of them (`gateway.judges` asks them).
Hears: nothing.
Says: nothing; its hits go into the usage record of the call.
Never: a backtracking regular expression, the text of a rule in a message to a reader.
"""
