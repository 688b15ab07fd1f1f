"""The only code that does HTTP: Dataverse, Finance and its data packages.

    connection ─> auth ─> session ─> dataverse, finance ─> packages
                             │            │
                          failures     quoting, encoding ─> batch
                                       decoding

Rows go in and out as Arrow; what the wire looks like is known here and nowhere else.
"""
