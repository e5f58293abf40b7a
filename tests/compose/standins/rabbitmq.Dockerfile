# Stands in for the official rabbitmq image: the same folders, as far as docker-compose.yml uses them.
FROM standin-servers:trixie
RUN mkdir -p /etc/rabbitmq/conf.d && rm -f /var/lib/rabbitmq/.erlang.cookie && chown -R rabbitmq /etc/rabbitmq /var/lib/rabbitmq /var/log/rabbitmq
COPY rabbitmq-entrypoint /
VOLUME /var/lib/rabbitmq
ENTRYPOINT ["/rabbitmq-entrypoint"]
CMD ["rabbitmq-server"]
