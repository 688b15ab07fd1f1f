"""What Finance says about itself: service document, `$metadata`, and the metadata service (protocol 2.1)."""

from sandbox.finance.metadata.answers import answer_metadata, metadata_document, service_document

__all__ = ["answer_metadata", "metadata_document", "service_document"]
