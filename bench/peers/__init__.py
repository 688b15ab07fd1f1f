"""Us and others reading the same pages: a server of pages made before, and a client process for each."""
