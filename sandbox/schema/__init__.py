"""What tables and entities exist, as frozen values read from packaged JSON."""

from sandbox.schema.load import load_dataverse, load_enums, load_finance

__all__ = ["load_dataverse", "load_enums", "load_finance"]
