"""Project Operations' own behaviour in Dataverse: one module a subject, each in force by being here."""
