# thread-exporter: `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

DOTNET ?= dotnet
# Another architecture: make publish RID=linux-arm64
RID ?= $(if $(filter aarch64,$(shell uname -m)),linux-arm64,linux-x64)
# The one place where the version stands.
VERSION := $(shell sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
CONFIG ?= etc/thread-exporter.toml
ARGS ?=
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

.PHONY: help run build test lint format publish man rpm srpm selinux install uninstall clean

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

man: ## the man pages with version and date: dist/man/*.gz
	packaging/man/build dist/man

# install and uninstall: for a package give DESTDIR and prefix=/usr.
DESTDIR ?=
prefix ?= /usr/local
sysconfdir ?= /etc
bindir ?= $(prefix)/bin
mandir ?= $(prefix)/share/man
completiondir ?= $(prefix)/share/bash-completion/completions
unitdir ?= $(prefix)/lib/systemd/system
sysusersdir ?= $(prefix)/lib/sysusers.d
# firewalld reads these two and no others.
firewalldir ?= $(if $(filter /usr,$(prefix)),/usr/lib/firewalld/services,$(sysconfdir)/firewalld/services)
INSTALL ?= install
RPMBUILD ?= rpmbuild
SOURCES := $(wildcard Directory.*.props src/*.props $(foreach kind,*.cs *.csproj,src/*/$(kind) src/*/*/$(kind)))

dist/thread-exporter: $(SOURCES)
	$(MAKE) publish

install: dist/thread-exporter ## install below $(DESTDIR)$(prefix); a configuration that is there is kept
	$(INSTALL) -D -m 755 dist/thread-exporter $(DESTDIR)$(bindir)/thread-exporter
	$(INSTALL) -d $(DESTDIR)$(unitdir) $(DESTDIR)$(sysconfdir)/sysconfig
	sed -e 's:/usr/bin/thread-exporter run:$(bindir)/thread-exporter run$(if $(filter-out /etc,$(sysconfdir)), --config $(sysconfdir)/thread-exporter.toml):' \
	    -e 's:/usr/bin/:$(bindir)/:; s:/etc/sysconfig/:$(sysconfdir)/sysconfig/:' packaging/systemd/thread-exporter.service \
	    > $(DESTDIR)$(unitdir)/thread-exporter.service
	chmod 644 $(DESTDIR)$(unitdir)/thread-exporter.service
	$(INSTALL) -D -m 644 packaging/systemd/thread-exporter.sysusers $(DESTDIR)$(sysusersdir)/thread-exporter.conf
	$(INSTALL) -D -m 644 packaging/completion/thread-exporter.bash $(DESTDIR)$(completiondir)/thread-exporter
	$(INSTALL) -D -m 644 packaging/firewalld/thread-exporter.xml $(DESTDIR)$(firewalldir)/thread-exporter.xml
	pages=$$(mktemp -d) && trap 'rm -rf "$$pages"' EXIT && packaging/man/build "$$pages" && \
	    $(INSTALL) -D -m 644 -t $(DESTDIR)$(mandir)/man5 "$$pages"/*.5* && $(INSTALL) -D -m 644 -t $(DESTDIR)$(mandir)/man8 "$$pages"/*.8*
	[ -e $(DESTDIR)$(sysconfdir)/thread-exporter.toml ] || $(INSTALL) -m 640 etc/thread-exporter.toml $(DESTDIR)$(sysconfdir)/thread-exporter.toml
	[ -e $(DESTDIR)$(sysconfdir)/sysconfig/thread-exporter ] || $(INSTALL) -m 644 packaging/sysconfig/thread-exporter $(DESTDIR)$(sysconfdir)/sysconfig/thread-exporter
ifeq ($(DESTDIR),)
	systemd-sysusers $(sysusersdir)/thread-exporter.conf
	chgrp thread-exporter $(sysconfdir)/thread-exporter.toml
	[ ! -d /run/systemd/system ] || systemctl daemon-reload
endif

uninstall: ## remove what install brought; the configuration, the logs and the user stay
ifeq ($(DESTDIR),)
	[ ! -d /run/systemd/system ] || ! [ -e $(unitdir)/thread-exporter.service ] || systemctl disable --now thread-exporter.service
endif
	rm -f $(DESTDIR)$(bindir)/thread-exporter $(DESTDIR)$(unitdir)/thread-exporter.service $(DESTDIR)$(sysusersdir)/thread-exporter.conf \
	    $(DESTDIR)$(completiondir)/thread-exporter $(DESTDIR)$(firewalldir)/thread-exporter.xml \
	    $(DESTDIR)$(mandir)/man5/thread-exporter.toml.5* $(DESTDIR)$(mandir)/man8/thread-exporter.8*
ifeq ($(DESTDIR),)
	[ ! -d /run/systemd/system ] || systemctl daemon-reload
endif

# From a copy of the working tree, as a build service would do it. --nodeps: the SDK need not have come as a package.
define build-rpm
rm -rf dist/rpmbuild
mkdir -p dist/rpmbuild/SOURCES dist/rpmbuild/SPECS
tar -czf dist/rpmbuild/SOURCES/thread-exporter-$(VERSION).tar.gz --exclude-vcs --exclude=./dist --exclude=bin --exclude=obj --exclude=TestResults \
    --sort=name --owner=0 --group=0 --numeric-owner --transform='s:^\.:thread-exporter-$(VERSION):' .
cp packaging/systemd/thread-exporter.sysusers dist/rpmbuild/SOURCES/
sed 's/@VERSION@/$(VERSION)/' packaging/rpm/thread-exporter.spec > dist/rpmbuild/SPECS/thread-exporter.spec
$(RPMBUILD) $(1) --nodeps --target $(if $(filter linux-arm64,$(RID)),aarch64,x86_64) --define '_topdir $(CURDIR)/dist/rpmbuild' $(RPMFLAGS) dist/rpmbuild/SPECS/thread-exporter.spec
find dist/rpmbuild/RPMS dist/rpmbuild/SRPMS -name '*.rpm' -exec mv -t dist {} +
rm -rf dist/rpmbuild
endef

rpm: ## dist/*.rpm; needs rpmbuild. For another architecture: RID=linux-arm64
	$(call build-rpm,-bb)

srpm: ## dist/*.src.rpm, for mock and build services
	$(call build-rpm,-bs)

selinux: ## dist/thread_exporter.pp, the policy module; needs the policy's development files
	rm -rf dist/selinux
	mkdir -p dist/selinux
	cp packaging/selinux/thread_exporter.* dist/selinux/
	$(MAKE) -C dist/selinux -f /usr/share/selinux/devel/Makefile thread_exporter.pp
	mv dist/selinux/thread_exporter.pp dist/
	rm -rf dist/selinux

clean: ## remove what was built
	rm -rf dist src/*/bin src/*/obj tests/*/bin tests/*/obj
