"""FastAPI on uvicorn (uvloop, httptools), pydantic, JSON-RPC of aio-pika's patterns, SQLAlchemy's
async ORM over asyncpg.
"""
