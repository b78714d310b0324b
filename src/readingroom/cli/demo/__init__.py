"""The story of the demo: the whole path of a release, each step checked by what the outside sees."""
