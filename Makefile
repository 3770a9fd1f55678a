# Troupe. `make` alone lists the targets.
SHELL := bash
.DEFAULT_GOAL := help
GO ?= go
BIN := bin/troupe
PORT ?= 6379
FUZZTIME ?= 20s
DIFFTIME ?= 1h
REDIS_SUITE_DIR ?= .redis-suite
LIBRARIES_DIR ?= .libraries

.PHONY: help run build test race lint fuzz differential bench redis-suite libraries oracle clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build and start the server on port 6379 (PORT=…)
	exec $(BIN) --port $(PORT)

build: ## leave one static binary in bin/troupe
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $(BIN) ./cmd/troupe

oracle: # install redis-server and redis-tools, which the tests compare with, where that is possible
	@./integration/oracle.sh

test: build lint oracle ## run all tests, against real redis-server too where it can be had
	$(GO) test -count=1 -timeout 20m ./...
	$(GO) test -count=1 -timeout 20m -race -short ./actors/... ./netio/... ./datatypes/... ./integration/...

race: build oracle ## run all tests under the race detector, in full length
	$(GO) test -count=1 -race -timeout 40m ./...

lint: ## vet, staticcheck and the project's own rules
	@out=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); if [ -n "$$out" ]; then echo "gofmt: $$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

fuzz: ## run every fuzz target for FUZZTIME (20s)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; done; done

differential: build oracle ## send random commands to troupe and to redis-server for DIFFTIME (1h) and compare
	TROUPE_DIFF_TIME=$(DIFFTIME) TROUPE_DIFF_SEED=$${TROUPE_DIFF_SEED:-$$(date +%s)} TROUPE_BIN=$(abspath $(BIN)) \
	  $(GO) test -count=1 -timeout 0 -v -run '^TestDifferential$$' ./integration

bench: build oracle ## compare with redis-server side by side: ratios of throughput, latency, CPU and memory
	$(GO) run ./integration/bench -subject $(abspath $(BIN))

redis-suite: build oracle ## run the upstream test suite (Debian's source package) against troupe
	./integration/redis-suite.sh $(REDIS_SUITE_DIR) $(abspath $(BIN))

libraries: build ## run the tests of asynq, redislock and redsync, and BullMQ, against troupe
	./integration/libraries.sh $(LIBRARIES_DIR) $(abspath $(BIN)) $(LIBRARIES)

clean: ## remove what was built
	rm -rf bin $(REDIS_SUITE_DIR) $(LIBRARIES_DIR)
