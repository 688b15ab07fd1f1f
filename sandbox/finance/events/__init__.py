"""Business events and data events, sent to HTTPS endpoints (protocol 2.3).

`activation.py` what is active for which endpoint · `endpoints.py` endpoints as rows · `message.py` and
`business.py` what an event says · `rules.py` events follow from writes · `outbox.py` events wait as rows,
committed with the write · `service.py` sends them · `desk.py` all of it together.
"""
