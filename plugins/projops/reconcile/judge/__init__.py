"""Judge: what each difference is, by the state, by what the next run would read, by a second look."""
