"""`readingroom batch`: a reader's tool for many questions; it knows a house by its address and a key alone."""
