"""Project management and accounting in Finance: one module a subject, each in force by being here."""
