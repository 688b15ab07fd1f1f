"""The only code that does HTTP: Dataverse, Finance and its data packages.

    connection ─> auth ─> transport ─> session ─> dataverse, dataverse_writer, finance, packages
                                          │           │
                              failures, retries    quoting, encoding ─> batch ─> exchange ─> outcomes
                                                   decoding <─ paging, package_files

Rows go in and out as Arrow; what the wire looks like is known here and nowhere else.
"""
