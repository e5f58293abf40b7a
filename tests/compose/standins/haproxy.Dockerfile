# Stands in for the official haproxy image.
FROM standin-servers:trixie
# Its number is the package's affair.
# hadolint ignore=DL3066
USER haproxy
STOPSIGNAL SIGUSR1
CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
