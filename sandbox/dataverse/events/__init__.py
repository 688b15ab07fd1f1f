"""The event framework: steps that are registered for messages, and the webhooks they call (protocol 1.7).

`call.py` who writes and what a request says about steps · `steps.py` what is registered · `pipeline.py` runs
steps with writes · `message.py` what a webhook is sent · `delivery.py` sends it.
"""
