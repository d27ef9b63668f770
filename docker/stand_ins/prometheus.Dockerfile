# Stands in for the official prom/prometheus where Debian's packages can be reached and no image registry can.
# Takes the variables and arguments of the original as far as docker-compose.yml uses them.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends prometheus \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /usr/share/doc /usr/share/man \
 && install -d -o 65534 /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
