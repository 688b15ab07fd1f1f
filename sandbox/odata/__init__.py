"""OData as both systems speak it: filters, keys, query options, batches and exact JSON.

Nothing here knows Dataverse or Finance; what differs between them is data in a `Profile`.
"""
