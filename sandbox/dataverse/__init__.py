"""The Dataverse Web API: protocol section 1 over the store."""
