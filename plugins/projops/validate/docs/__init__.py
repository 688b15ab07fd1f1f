"""Data Docs: what each batch's expectations came to, as pages for people. Counts only, no values of rows."""
