"""New evidence: files in, checked rows of data/ out, and which headlines they move."""
