"""Language models as sources: what follows a text, with which probability."""
