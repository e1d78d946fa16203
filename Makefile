# make help lists the targets. EVENKEEL_LISTEN and EVENKEEL_DATA move what make run serves.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
CONFIG ?=
PARTS ?= RecordRedis|RecordInProcess|ReadDay|ObserveUnchanged|BoardPage|BoardBars|Units|Sealer|Publish|Serve|Incidents|Deliver|Plan|FindInMillion|PublishReachesEverybody|Console

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## build everything and serve the demo on http://127.0.0.1:8080, or CONFIG=my.yaml
	@scripts/need go npm
	@[[ -x bin/evenkeel ]] || echo "The first build takes about four minutes on two cores; later ones take seconds."
	@$(MAKE) build
ifeq ($(CONFIG),)
	@command -v redis-server >/dev/null || scripts/packages --only redis-server || echo "Without redis-server the demo keeps latency in process."
	@exec bin/evenkeel demo
else
	@exec bin/evenkeel serve -c $(CONFIG)
endif

.PHONY: test
test: ## set up what is needed and run every check and test; LONG=1 fuzzes too
	@scripts/need go npm
	@scripts/test

.PHONY: check
check: ## format, vet, staticcheck, floor plan and the fast tests: before every commit
	@scripts/need go
	@scripts/lint
	@go test -short ./...

.PHONY: bench
bench: build ## measure the hub beside its limits; BENCH='-run page' picks, PARTS= leaves the parts out
	@go build -o bin/bench ./bench
	@bin/bench -hub bin/evenkeel $(BENCH)
ifneq ($(PARTS),)
	@go test -timeout 40m -run '^$$' -bench '^Benchmark($(PARTS))$$' ./internal/latency ./internal/status ./internal/store ./web/public ./web ./internal/app
endif

.PHONY: build
build: assets ## build bin/evenkeel with its assets
	@CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.release=$(VERSION)" -o bin/evenkeel ./cmd/evenkeel

.PHONY: assets
assets: .make/assets

.make/assets: .make/npm $(wildcard assets/src/* assets/src/console/*)
	@npm run --silent build
	@touch $@

.make/npm: package.json package-lock.json
	@scripts/need npm
	@npm ci --no-audit --no-fund --loglevel=error
	@mkdir -p .make
	@touch $@

.PHONY: image
image: ## build the container image evenkeel:VERSION
	@scripts/need docker
	@docker build -f deploy/Dockerfile --build-arg VERSION=$(VERSION) -t evenkeel:$(VERSION) -t evenkeel:latest .

.PHONY: packaging
packaging: ## try image, compose file and what deploy/ promises for real; takes root and some minutes
	@scripts/try-packaging

.PHONY: clean
clean: ## remove what was built; data stays
	@rm -rf bin .make node_modules
	@find assets/dist -mindepth 1 ! -name .gitkeep -delete
