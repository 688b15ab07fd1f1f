"""Dataverse and Finance on a laptop: faithful on the wire, over a real database."""

__version__ = "0.1.0"
