"""Finite categories with every arrow tabled: ways to make them, and what their arrows are."""
