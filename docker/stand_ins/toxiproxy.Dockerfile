# Stands in for the official ghcr.io/shopify/toxiproxy where Debian's packages can be reached and no image registry can.
# Takes the variables and arguments of the original as far as docker-compose.yml uses them.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY toxiproxy toxiproxy-cli /
ENTRYPOINT ["/toxiproxy"]
CMD ["-host=0.0.0.0"]
