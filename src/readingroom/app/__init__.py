"""Wiring.

Owns: how the rooms are put together, what one room does when another has spoken, refusals' endings.
Hears: the events that `processes.py` lists.
Says: nothing of its own.
Never: a rule, SQL, HTTP.
"""
