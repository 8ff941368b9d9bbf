"""Language models: prompting measured for real, and the category a language model makes of text."""
