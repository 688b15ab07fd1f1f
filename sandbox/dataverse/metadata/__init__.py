"""What the Web API says about itself (protocol 1.8): definitions, `$metadata`, the service document."""

from sandbox.dataverse.metadata.answers import METADATA_SETS, answer_metadata, service_document

__all__ = ["METADATA_SETS", "answer_metadata", "service_document"]
