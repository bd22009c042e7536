# Every command of the project. `make` alone lists them; each installs what it misses by itself.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
# Two cargos at once would only wait for each other.
.NOTPARALLEL:
.PHONY: help run watch build bench size check test test-sqlite test-lab test-postgres test-operators \
  test-clients test-browser test-watch test-release pictures clean setup-rust setup-build setup-test

# Cargo's own folder need not be on the caller's PATH, wasm-opt is among the npm packages, and
# Debian's nginx is where only root's PATH looks.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(CURDIR)/end2end/node_modules/.bin:$(PATH):/usr/sbin

# Lazy pages and parts are files of their own; without it the browser's program lacks them.
LEPTOS := --split
# The demonstration of attacks at /lab, and the notes that it is about: in no release.
LAB := --features lab
# An app that signs people in through this one, and a project of its own.
EXAMPLE := --manifest-path examples/relying-party/Cargo.toml

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
# Checks and tests have binaries and a site of their own, so that they run beside `make watch`.
TESTED := $(TARGET)/test
check test-%: export CARGO_TARGET_DIR := $(TESTED)
check test-%: export LEPTOS_SITE_ROOT := $(TESTED)/site

# cargo-leptos itself goes on after an error, and starts the server of the build before.
define build-first
@$(1) cargo leptos build $(LEPTOS) $(LAB) || \
  { echo "✗ It does not build, so no server was started." >&2; exit 1; }
endef

# Browsers keep the files of a release for ever: each has a hash in its name.
define build-release
LEPTOS_HASH_FILES=true cargo leptos build $(LEPTOS) --release --precompress
scripts/without-lab
endef

##@ Use it

run: setup-rust ## Start it on http://localhost:3000, with SQLite in data/
	$(call build-first)
	$(TARGET)/debug/cloakroom

# Leptos compiles to something else where it is watched; the second build finds all of it done.
watch: setup-rust ## The same, built anew and reloaded at every change of a file
	$(call build-first,LEPTOS_WATCH=true)
	cargo leptos watch $(LEPTOS) $(LAB)

##@ Release it

build: setup-build ## Build target/release/cloakroom and its site, target/site
	$(build-release)

size: build ## Measure what a browser downloads, against its budget
	scripts/size

bench: build setup-test ## Measure how fast it answers, and write benches/RESULTS.md
	scripts/with-postgres cargo bench --quiet --features ssr --bench speed

##@ Change it

check: setup-build ## Formatting, lints, documentation and types; warnings are errors
	cargo fmt --check
	cargo clippy --features ssr --all-targets -- -D warnings
	cargo clippy --features ssr,lab --lib --bins --test lab -- -D warnings
	cargo clippy --lib --features hydrate --target wasm32-unknown-unknown -- -D warnings
	cargo clippy --lib --features hydrate,lab --target wasm32-unknown-unknown -- -D warnings
	cargo fmt --check $(EXAMPLE)
	cargo clippy $(EXAMPLE) --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --document-private-items --features ssr
	npm --prefix end2end run check
	@if command -v shellcheck >/dev/null; then \
	  shellcheck $$(grep -lE '^#!.*bash|^# shellcheck shell=bash' scripts/* .ci/run); \
	else \
	  echo "shellcheck is not installed, so the scripts were not checked."; \
	fi

test: test-sqlite test-lab test-postgres test-operators test-clients test-browser test-watch test-release ## Every test: the next eight

test-sqlite: setup-test ## The Rust tests on SQLite
	env -u CLOAKROOM_TEST_POSTGRES cargo test --features ssr --test cloakroom

test-lab: setup-test ## The tests of the lab, and of the notes that it is about
	env -u CLOAKROOM_TEST_POSTGRES cargo test --features ssr,lab --test lab

# What asks no database, or asks nothing of it but an account, has run on SQLite.
ONCE := build:: doctor:: guide:: proxies:: shape:: two_holders::

test-postgres: setup-test ## The same on a PostgreSQL of their own, and several nodes on one
	scripts/with-postgres cargo test --no-fail-fast --features ssr --test cloakroom --test nodes -- \
	  $(ONCE:%=--skip %)

test-operators: setup-test ## Deployments, each with a PostgreSQL of its own: TLS, poolers, standbys
	cargo test --features ssr --test operators

test-clients: setup-test ## What others wrote against /v1, and an app that signs people in through us
	cargo test --features ssr --test schemathesis
	CLOAKROOM_BIN=$(TESTED)/debug/cloakroom cargo test $(EXAMPLE)

test-browser: setup-test ## The tests in Chromium and Firefox, against a development build
	cargo leptos build $(LEPTOS) $(LAB)
	cd end2end && npx --no playwright test

test-watch: setup-test ## Edits under `make watch`, each seen in Chromium, and what does not build
	cargo leptos build $(LEPTOS) $(LAB)
	cd end2end && npx --no playwright test --config watch.config.ts

test-release: setup-test ## The release in Chromium: that its pages come to life, and its size
	$(build-release)
	scripts/size
	cd end2end && CLOAKROOM_BIN=$(TESTED)/release/cloakroom npx --no playwright test \
	  tests/hydration tests/accounts attacks/proof attacks/no-token --project with-javascript

pictures: test-browser ## The pictures of the documents, as that run saw the pages
	cp end2end/artefacts/screenshots/with-javascript/home-light-1280.png docs/home.png
	cp end2end/artefacts/screenshots/with-javascript/lab-picture.png docs/lab.png

##@ And

clean: ## Remove what was built and installed here; data/ stays
	rm -rf target end2end/artefacts end2end/node_modules

help: ## This list
	@awk 'BEGIN { FS = ":.*## "; print "Cloakroom" } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup-rust setup-build setup-test: setup-%:
	@env -u CARGO_TARGET_DIR scripts/setup $*
