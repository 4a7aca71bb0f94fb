# thread-exporter: `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

DOTNET ?= dotnet
# Another architecture: make publish RID=linux-arm64
RID ?= $(if $(filter aarch64,$(shell uname -m)),linux-arm64,linux-x64)
CONFIG ?= etc/thread-exporter.toml
ARGS ?=
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

.PHONY: help run build test lint format publish clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build and run with etc/thread-exporter.toml: metrics at http://localhost:9199/metrics
	$(DOTNET) build src/ThreadExporter -c Release -v q
	exec src/ThreadExporter/bin/Release/net10.0/thread-exporter --config $(CONFIG) $(ARGS)

build: ## build everything
	$(DOTNET) build ThreadExporter.sln -c Release -v q

test: ## install what the tests need (when it may), build, run every test
	tests/setup
	$(DOTNET) build ThreadExporter.sln -c Release -v q
	tests/run

lint: ## check formatting, style and analyzers
	$(DOTNET) format ThreadExporter.sln --verify-no-changes
	tests/lint

format: ## put the sources into the house's format
	$(DOTNET) format ThreadExporter.sln

publish: ## one self-contained file: dist/thread-exporter
	$(DOTNET) publish src/ThreadExporter -c Release -r $(RID) --self-contained -p:PublishProfile= -p:ContinuousIntegrationBuild=true -o dist/publish -v q
	cp dist/publish/thread-exporter dist/thread-exporter
	rm -rf dist/publish

clean: ## remove what was built
	rm -rf dist src/*/bin src/*/obj tests/*/bin tests/*/obj
