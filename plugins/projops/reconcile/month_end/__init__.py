"""Month end: whether the period of a company can be closed, or what stands in the way."""
