"""What residents does when told to, by capability. Every function takes the session of the
entrypoint's transaction.
"""
