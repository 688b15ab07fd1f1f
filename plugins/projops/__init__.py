"""Project Operations Sync: keeps Dataverse and Dynamics 365 Finance in step."""

__version__ = "0.1.0"
