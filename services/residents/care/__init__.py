"""Care tags: why somebody needs regular attention. The secretary alone knows that there are any, so
nothing of them leaves by event, and the audit says that the tags of somebody were used, not that
they have some.
"""
