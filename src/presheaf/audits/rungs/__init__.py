"""The rungs of the ladder, one a file: what each kind of adaptation reaches on held-out rows."""
