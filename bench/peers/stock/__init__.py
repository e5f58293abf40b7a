"""nameko 2.14 as its examples show it: its own HTTP server, RPC proxy, timer and event dispatcher,
marshmallow, a session of SQLAlchemy for each worker.
"""
