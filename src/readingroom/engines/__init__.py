"""Where a forward pass runs.

Owns: the engine interface; echo, any OpenAI-compatible server, llama.cpp in a process of its own; the demo model;
  classifiers that screens ask.
Hears: nothing.
Says: nothing.
Never: who asks, what it costs, what may leave.
"""
