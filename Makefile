# Everything the project can do; `make` alone lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help deps build install test test-vm test-vm-all compat suites fmt check demo bench bench-vm fuzz clean FORCE

PREFIX ?= /usr/local
# Seconds of `make fuzz`.
FUZZ_TIME ?= 600
FORMATTED := Package.swift Sources Tests
# One set of options, so that nothing is compiled twice. What a start runs lies side by side.
RELEASE := swift build --configuration release -Xswiftc -static-executable -Xswiftc -use-ld=lld \
    -Xlinker --symbol-ordering-file=$(CURDIR)/Sources/unirun/start-order.txt \
    -Xlinker --no-warn-symbol-ordering
# A build without warnings is kept apart from the one in daily use, unless all are to be such.
STRICT_SCRATCH = $(if $(UNIRUN_STRICT),.build,.build/strict)
# Shell scripts are the tracked files that say so in their first line.
SCRIPTS = $(shell git ls-files | xargs -r grep -lIE '^\#!.*\b(ba)?sh$$')

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

deps: ## install the Debian packages that builds, tests and programs need
	@tools/install-dependencies all

build: ## build bin/unirun and the kernel image beside it
	@tools/install-dependencies build
	tools/link-kernel bin/unirun.kernel
	$(RELEASE) --product unirun
	install -m 755 .build/release/unirun bin/unirun

install: build ## install both below PREFIX (/usr/local)
	install -D -m 755 -s bin/unirun $(DESTDIR)$(PREFIX)/bin/unirun
	install -D -m 755 bin/unirun.kernel $(DESTDIR)$(PREFIX)/lib/unirun/unirun.kernel
	install -D -m 644 bin/unirun.kernel.debug $(DESTDIR)$(PREFIX)/lib/unirun/unirun.kernel.debug

test: build ## run all tests, and compare programs with their native runs
	@tools/install-dependencies all
	apps/check-all || { status=$$?; echo "apps/check-all failed: see above the tests"; }; \
		tools/run-tests && exit $${status:-0}

# Software emulation is slow: these are left to test-vm-all.
SLOW_IN_VM := busybox sqlite zstd

test-vm: ## run programs in virtual machines, and compare them with their native runs
	$(MAKE) test-vm-all VM_APPS="$(filter-out $(SLOW_IN_VM),$(notdir $(patsubst %/,%,$(dir $(wildcard apps/*/check)))))"

test-vm-all: build ## the same with the programs that take long there
	@tools/install-dependencies vm
	export UNIRUN_OPTIONS="--platform vm --quiet"; \
		apps/check-all $(VM_APPS) || { status=$$?; echo "apps/check-all failed: see above the tests"; }; \
		tools/run-tests --filter 'ProgramTests|ProgramOnTerminalTests|HeapTests|MachineFaultTests|MachineImageTests|MachineDebuggerTests|MachineDiskTests|MachineFilesTests|VolumeTests|MachineNetworkTests|MachineBootTests|CoreTests|VolumeTests' && exit $${status:-0}

compat: build ## write the matrix of system calls, and of the programs that hold them
	@tools/install-dependencies all
	compat/run

suites: build ## run test suites that others wrote, and write their results
	@tools/install-dependencies all
	suites/run

fmt: ## format the Swift sources
	swift format --in-place --recursive $(FORMATTED)

check: ## format, shell syntax, and a build without warnings
	@tools/install-dependencies build
	swift format lint --strict --recursive $(FORMATTED)
	for script in $(SCRIPTS); do bash -n "$$script" || exit 1; done
	UNIRUN_STRICT=1 swift build --build-tests --scratch-path $(STRICT_SCRATCH)

demo: build ## build real programs and run them under unirun
	@tools/install-dependencies all
	tools/demo

bench: build ## measure native Linux and unirun side by side
	@tools/install-dependencies all
	bench/run

bench-vm: build ## count the guest instructions of Linux and unirun in virtual machines
	@tools/install-dependencies vm
	bench/run-vm

fuzz: ## feed damaged programs to the loader for FUZZ_TIME seconds
	@tools/install-dependencies build
	$(RELEASE) --product loader-fuzz
	.build/release/loader-fuzz $(FUZZ_TIME)

clean: ## remove what was built
	rm -rf .build bin build
