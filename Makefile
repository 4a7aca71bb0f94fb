# thread-exporter: `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

DOTNET ?= dotnet
# Another architecture: make publish RID=linux-arm64
HOST_RID := $(if $(filter aarch64,$(shell uname -m)),linux-arm64,linux-x64)
RID ?= $(HOST_RID)
# Native AOT needs a linker for the architecture. For another than the host's: Debian's cross tools.
CROSS := $(if $(filter $(HOST_RID),$(RID)),,$(if $(filter linux-arm64,$(RID)),aarch64,x86_64)-linux-gnu-)
AOT := $(if $(CROSS),$(if $(shell command -v $(CROSS)gcc),true,false),true)
# false: the debug symbols stay in the program, uncompressed, for a package whose tools extract them.
STRIP ?= true
# Where publish and man write, and install reads.
OUT ?= dist
CONFIG ?= etc/thread-exporter.toml
ARGS ?=
# The version is read from its only place. := so that a VERSION in the environment changes nothing.
VERSION := $(shell sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
prefix ?= /usr/local
sysconfdir ?= /etc
bindir ?= $(prefix)/bin
unitdir ?= $(prefix)/lib/systemd/system
readytorun = $(unitdir)/thread-exporter.service.d/50-readytorun.conf
# The program finds them beside its own folder.
rolesdir = $(abspath $(bindir)/../share/thread-exporter/roles.d)
# firewalld reads these two folders and no others. The one below /etc is the administrator's: a file that is there is kept, and
# uninstall removes it only while it is the one from here.
firewalldir ?= $(if $(filter /usr,$(prefix)),/usr/lib,$(sysconfdir))/firewalld/services
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

.PHONY: help run build test test-slow test-published test-all fuzz soak e2e servers bench bench-memory bench-huge bench-recorder bench-top bench-micro bench-cgroups lint format publish docs picture man rpm selinux install uninstall clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build and run with etc/thread-exporter.toml: metrics at http://localhost:9199/metrics
	$(DOTNET) build src/ThreadExporter -c Release -v q
	exec src/ThreadExporter/bin/Release/net10.0/thread-exporter --config $(CONFIG) $(ARGS)

build: ## build everything
	$(DOTNET) build ThreadExporter.sln -c Release -v q

test: ## build and run the quick tests: needs the SDK alone and installs nothing
	$(DOTNET) build ThreadExporter.sln -c Release -v q
	tests/run

test-slow: ## install what they need (with root and apt), run the slow tests (browser, Prometheus, a minute of soak), the end-to-end test and real servers
	tests/setup
	tests/setup servers
	$(DOTNET) build ThreadExporter.sln -c Release -v q
	tests/run slow

test-published: publish ## the quick tests that start the daemon, with dist/thread-exporter
	$(DOTNET) build ThreadExporter.sln -c Release -v q
	TE_BINARY=dist/thread-exporter tests/run daemon

# TE_BINARY=dist/thread-exporter: with the published program instead of the one that was built with the tests.
test-all: ## every test: what test and test-slow run
	tests/setup
	tests/setup servers
	$(DOTNET) build ThreadExporter.sln -c Release -v q
	tests/run all

# FUZZ times a hundred thousand inputs; FUZZ_SEED=N repeats a run.
FUZZ ?= 100
fuzz: ## twenty million random inputs for the parsers of /proc, exit records, TOML and HTTP's Accept; FUZZ=1 for a hundredth
	$(DOTNET) build ThreadExporter.sln -c Release -v q
	FUZZ_FACTOR=$(FUZZ) tests/ThreadExporter.Tests/bin/Release/net10.0/ThreadExporter.Tests -noLogo -noColor -showLiveOutput -class '*FuzzTests'
	FUZZ_FACTOR=$(FUZZ) tests/ThreadExporter.Netlink.Tests/bin/Release/net10.0/ThreadExporter.Netlink.Tests -noLogo -noColor -showLiveOutput -method '*.Random_damage_and_random_bytes'

SECONDS ?= 600
soak: ## ten minutes of churn, reloads and abuse with two scrapers: SECONDS=N for another time
	$(DOTNET) build tests/ThreadExporter.Tests -c Release -v q
	SOAK_SECONDS=$(SECONDS) tests/ThreadExporter.Tests/bin/Release/net10.0/ThreadExporter.Tests -noLogo -noColor -showLiveOutput -explicit on -class '*SoakTests'

e2e: ## end-to-end test of the RPM in a real systemd, with a real Prometheus; needs root
	tests/setup
	$(DOTNET) build tests/Workload -c Release -v q
	tests/e2e/run

servers: ## real PostgreSQL and MariaDB under load: CPU of a group beside its cgroup's; needs root. ARGS='mariadb --seconds 60'
	tests/setup servers
	$(DOTNET) build src/ThreadExporter -c Release -v q
	tests/servers/run $(ARGS)

bench: publish ## what a scrape costs, compared with prometheus-process-exporter: 5 minutes, writes docs/performance.md
	tests/setup bench
	$(DOTNET) build tests/Benchmarks -c Release -v q
	tests/bench/bench.py

bench-memory: publish ## memory over 1,000 scrapes and while a million threads come and go: 5 minutes, writes docs/performance.md
	tests/setup bench
	tests/bench/memory.py

bench-huge: publish ## ten processes of up to 10,000 threads each: 10 minutes, writes docs/performance.md; as root it raises kernel.pid_max meanwhile
	tests/setup bench
	tests/bench/huge.py

bench-recorder: publish ## what the recorder costs at 1,000 threads, 50 active: 4 minutes, writes docs/performance.md
	tests/setup bench
	tests/bench/recorder.py

bench-top: publish ## what `thread-exporter top` costs, and how long its first screen takes: 3 minutes, writes docs/performance.md
	tests/setup bench
	tests/bench/top.py

bench-micro: ## the parsers and the writer, each by itself, with allocations
	$(DOTNET) build tests/Benchmarks -c Release -v q
	tests/Benchmarks/bin/Release/net10.0/benchmarks

CGROUPS ?= 1000
bench-cgroups: ## what cgroup series add to a scrape: 1,000 processes in as many cgroups, version 1 and 2; needs root. CGROUPS=N for another number
	$(DOTNET) build tests/Benchmarks -c Release -v q
	tests/Benchmarks/bin/Release/net10.0/benchmarks cgroups $(CGROUPS) 1
	tests/Benchmarks/bin/Release/net10.0/benchmarks cgroups $(CGROUPS) 1 limited
	tests/Benchmarks/bin/Release/net10.0/benchmarks cgroups $(CGROUPS) 2

lint: ## check formatting, style and analyzers, and that the benchmarks build
	$(DOTNET) format ThreadExporter.sln --verify-no-changes
	$(DOTNET) build tests/Benchmarks -c Release -v q
	tests/lint

format: ## format the sources
	$(DOTNET) format ThreadExporter.sln

publish: ## one file of native code: dist/thread-exporter, with its debug symbols beside it; needs gcc or clang
ifeq ($(AOT),false)
	@echo "publish: $(CROSS)gcc is not installed, so dist/thread-exporter for $(RID) is not Native AOT: it is precompiled (ReadyToRun) and contains the runtime"
else
	@command -v $(if $(CROSS),$(CROSS)gcc,clang) >/dev/null || command -v $(CROSS)gcc >/dev/null || { echo "publish: Native AOT needs a C linker: install gcc or clang"; exit 1; }
endif
	rm -rf $(OUT)/publish $(OUT)/roles.d $(OUT)/thread-exporter $(OUT)/thread-exporter.dbg
	# The linker does not run again for another STRIP.
	rm -f src/ThreadExporter/bin/Release/net10.0/$(RID)/native/thread-exporter*
	$(DOTNET) publish src/ThreadExporter -c Release -r $(RID) --self-contained -p:PublishAot=$(AOT) -p:Version=$(VERSION) "-p:PathMap=$(CURDIR)=/_" \
		$(if $(filter true,$(AOT)),-p:StripSymbols=$(STRIP) -p:CompressSymbols=$(STRIP) $(if $(CROSS),-p:CppCompilerAndLinker=$(CROSS)gcc -p:ObjCopyName=$(CROSS)objcopy)) \
		-o $(abspath $(OUT))/publish -v q
	mv $(OUT)/publish/thread-exporter $(OUT)/
	[ ! -e $(OUT)/publish/thread-exporter.dbg ] || mv $(OUT)/publish/thread-exporter.dbg $(OUT)/
	cp -r packaging/roles.d $(OUT)/roles.d
	rm -rf $(OUT)/publish

rpm: ## dist/*.rpm from the working tree
	rpmbuild -bb --quiet --target $(if $(filter linux-arm64,$(RID)),aarch64,x86_64)-linux \
		--define "_topdir $(CURDIR)/dist/rpmbuild" --define "_rpmdir $(CURDIR)/dist" --define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" \
		--define "srcdir $(CURDIR)" --define "version_from_tree $(VERSION)" --define "rid $(RID)" --define "aot $(AOT)" $(if $(CROSS),--define "cross $(CROSS)") packaging/rpm/thread-exporter.spec
	rm -rf dist/rpmbuild

selinux: ## dist/thread_exporter.pp, the policy module; needs the reference policy's development files
	rm -rf dist/selinux
	mkdir -p dist/selinux
	cp packaging/selinux/thread_exporter.* dist/selinux/
	$(MAKE) -C dist/selinux -f /usr/share/selinux/devel/Makefile thread_exporter.pp
	mv dist/selinux/thread_exporter.pp dist/
	rm -rf dist/selinux

# Builds nothing when it is there: `make publish man`, then install as root. With DESTDIR it only puts files there, for a package.
install: ## install what publish and man made, with DESTDIR and prefix (/usr/local); a configuration that is there is kept
	@[ -x $(OUT)/thread-exporter ] && [ -d $(OUT)/man ] || { echo "$(OUT)/thread-exporter or $(OUT)/man is not there: run make publish man first"; exit 1; }
	install -D -m 0755 $(OUT)/thread-exporter $(DESTDIR)$(bindir)/thread-exporter
	install -d $(DESTDIR)$(unitdir)
	sed -e 's:/usr/bin/thread-exporter run:$(bindir)/thread-exporter run$(if $(filter-out /etc,$(sysconfdir)), --config $(sysconfdir)/thread-exporter.toml):' \
		-e 's:/usr/bin/:$(bindir)/:; s:-/etc/:-$(sysconfdir)/:' packaging/systemd/thread-exporter.service > $(DESTDIR)$(unitdir)/thread-exporter.service
	chmod 0644 $(DESTDIR)$(unitdir)/thread-exporter.service
	# Native AOT puts compiled code into a section of this name; a program without it contains CoreCLR, for which the unit is too strict.
	rm -f $(DESTDIR)$(readytorun)
	grep -qa __managedcode $(OUT)/thread-exporter || install -D -m 0644 packaging/systemd/readytorun.conf $(DESTDIR)$(readytorun)
	install -D -m 0644 packaging/systemd/thread-exporter.sysusers $(DESTDIR)$(prefix)/lib/sysusers.d/thread-exporter.conf
	[ -e $(DESTDIR)$(firewalldir)/thread-exporter.xml ] || install -D -m 0644 packaging/firewalld/thread-exporter.xml $(DESTDIR)$(firewalldir)/thread-exporter.xml
	install -D -m 0644 packaging/completion/thread-exporter.bash $(DESTDIR)$(prefix)/share/bash-completion/completions/thread-exporter
	install -d $(DESTDIR)$(rolesdir) $(DESTDIR)$(sysconfdir)/thread-exporter/roles.d
	install -m 0644 packaging/roles.d/*.toml $(DESTDIR)$(rolesdir)/
	install -D -m 0644 $(OUT)/man/thread-exporter.8.gz $(DESTDIR)$(prefix)/share/man/man8/thread-exporter.8.gz
	install -D -m 0644 $(OUT)/man/thread-exporter.toml.5.gz $(DESTDIR)$(prefix)/share/man/man5/thread-exporter.toml.5.gz
	[ -e $(DESTDIR)$(sysconfdir)/sysconfig/thread-exporter ] || install -D -m 0644 packaging/systemd/thread-exporter.sysconfig $(DESTDIR)$(sysconfdir)/sysconfig/thread-exporter
	[ -e $(DESTDIR)$(sysconfdir)/thread-exporter.toml ] || install -D -m 0640 etc/thread-exporter.toml $(DESTDIR)$(sysconfdir)/thread-exporter.toml
ifeq ($(DESTDIR),)
	systemd-sysusers $(prefix)/lib/sysusers.d/thread-exporter.conf
	chgrp thread-exporter $(sysconfdir)/thread-exporter.toml
	[ ! -d /run/systemd/system ] || systemctl daemon-reload
	@echo "Next: edit $(sysconfdir)/thread-exporter.toml; systemctl enable --now thread-exporter"
endif

uninstall: ## stop it and remove what install put there; the configuration, the logs and the user stay
ifeq ($(DESTDIR),)
	[ ! -d /run/systemd/system ] || [ ! -e $(unitdir)/thread-exporter.service ] || systemctl disable --now thread-exporter.service
endif
	rm -f $(DESTDIR)$(bindir)/thread-exporter $(DESTDIR)$(unitdir)/thread-exporter.service $(DESTDIR)$(readytorun) \
		$(DESTDIR)$(prefix)/lib/sysusers.d/thread-exporter.conf \
		$(DESTDIR)$(prefix)/share/bash-completion/completions/thread-exporter \
		$(DESTDIR)$(prefix)/share/man/man8/thread-exporter.8.gz $(DESTDIR)$(prefix)/share/man/man5/thread-exporter.toml.5.gz \
		$(patsubst packaging/roles.d/%,$(DESTDIR)$(rolesdir)/%,$(wildcard packaging/roles.d/*.toml))
	rmdir --ignore-fail-on-non-empty -p $(DESTDIR)$(rolesdir) 2>/dev/null || true
	rmdir --ignore-fail-on-non-empty $(dir $(DESTDIR)$(readytorun)) 2>/dev/null || true
	! cmp -s packaging/firewalld/thread-exporter.xml $(DESTDIR)$(firewalldir)/thread-exporter.xml || rm -f $(DESTDIR)$(firewalldir)/thread-exporter.xml
ifeq ($(DESTDIR),)
	[ ! -d /run/systemd/system ] || systemctl daemon-reload
endif

docs: ## write what the docs and a man page repeat of the table of configuration keys
	$(DOTNET) build tests/ThreadExporter.Tests -c Release -v q
	UPDATE_DOCS=1 tests/ThreadExporter.Tests/bin/Release/net10.0/ThreadExporter.Tests -noLogo -noColor -class '*ConfigDocsTests' -class '*ArrowTests'

picture: ## docs/top.png: top in a terminal, drawn by Chromium; a minute
	tests/setup
	$(DOTNET) build tests/ThreadExporter.Tests -c Release -v q
	tests/picture.py

man: ## the man pages with version and date: dist/man/*.gz
	VERSION=$(VERSION) packaging/man/build $(OUT)/man

clean: ## remove what was built
	rm -rf dist src/*/bin src/*/obj tests/*/bin tests/*/obj
