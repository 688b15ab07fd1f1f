"""System jobs: what Dataverse's asynchronous service does behind requests, each a row of `asyncoperations`.

`queue.py` tells the service that there is something to do · `jobs.py` the rows · `service.py` the service ·
`query.py` which rows a bulk deletion means · `bulk_delete.py` deletes them.
"""
