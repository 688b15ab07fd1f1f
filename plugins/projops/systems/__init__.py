"""The only code that does HTTP: Dataverse, Finance and its data packages.

    connection ─> auth ─> transport ─> session ─> dataverse, dataverse_writer, finance, packages
                              │           │           │
      limits, concurrency, allowance   failures,   quoting, encoding ─> batch ─> exchange ─> outcomes
                ─> admission           retries,    decoding <─ paging, package_files
                                       links                 │
                                                 column_decoding, row_decoding

Rows go in and out as Arrow; what the wire looks like is known here and nowhere else.
"""
