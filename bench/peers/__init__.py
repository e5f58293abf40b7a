"""Two systems of Linli's shape as others would write them, to measure beside it: a gateway that
speaks HTTP and asks a tickets service over RabbitMQ, and a relay that publishes what happened.

`modern` is FastAPI, aio-pika, asyncpg; `stock` is nameko 2.14 as its examples show it. Both keep
the same tables (tables.py) on the same servers, take the same requests and give the same answers
from as many processes with pools as large, connections kept. For each filing both check an API key
and an Idempotency-Key, validate the body, and store a ticket, its history and its event in one
transaction; the relay publishes with confirms.

What they leave out, and Linli does besides: roles, grants and the wall in the database; rate
limits; problem details, ETags and translations; masking of phone numbers; the lease of an
idempotency key and the sealing of its answer; words to search by; figures for the rates; a look at
each pooled connection before it is used; deadlines of calls; a line in the log for each change;
waking the relay; the feed of events and whoever else listens to them.
"""
