"""The door for people: the portal.

Owns: pages, forms, the browser's session, the look.
Hears: a browser, with or without JavaScript.
Says: HTML.
Never: a rule, SQL; a script or a style that is not a file of ours.
"""
