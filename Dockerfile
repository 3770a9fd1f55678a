# Builds a small image with the one static binary.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /troupe ./cmd/troupe

FROM scratch
COPY --from=build /troupe /troupe
EXPOSE 6379
ENTRYPOINT ["/troupe"]
# Inside a container the network is the container's own, so clients come from elsewhere: publish the port with care,
# or set a password (--requirepass).
CMD ["--bind", "*", "--protected-mode", "no"]
