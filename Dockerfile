# The local server and the sandbox. docs/sandbox.md shows how to use it; the clouds do not need it.
#
#     docker build -t giftstats .
#     docker run --rm -p 127.0.0.1:8080:8080 giftstats -sandbox -addr 0.0.0.0:8080

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN make build-local VERSION="$VERSION"

# The program is static. Nothing else is in the image but the certificates of public authorities, for calls to Tencent and to receivers.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/dist/container/giftstats /giftstats
USER 65534:65534
EXPOSE 8080
ENTRYPOINT ["/giftstats"]
CMD ["-sandbox"]
