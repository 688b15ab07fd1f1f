"""Dynamics 365 Finance on the wire: OData under `/data`, metadata, and data packages."""
