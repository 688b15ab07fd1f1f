"""Data management: definition groups, exports, imports, and the blobs between them (protocol 2.2).

An export goes `actions -> export -> files, manifest -> blobs`. An import goes `blob_api -> actions ->
planning -> imports`, which reads (`reading -> staging`), writes (`matching -> target`) and tells what
became of the rows (`reporting -> error_files`). `executions` remembers both, `inquiries` answers how
they stand.
"""
