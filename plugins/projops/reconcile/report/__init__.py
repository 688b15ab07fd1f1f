"""The report of a reconciliation: values -> charts -> one page, kept beside the differences."""
