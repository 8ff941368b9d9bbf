"""Columns of integers and what is computed on them: graphs, joins, components, budgets."""
