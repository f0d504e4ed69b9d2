# meter95 from a clean clone, on Debian 12 or 13: `make demo` shows it, `make test` holds it to its rules. Both say what
# they miss and why, install it, and go on. `make` alone tells what else there is.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Cargo and the bundler use all cores already; in order, the cheapest failure comes first.
.NOTPARALLEL:
.ONESHELL:
.SUFFIXES:
SHELL := /bin/sh
.SHELLFLAGS := -euc

# Where rustup puts cargo, for a shell that was open before, and where Debian puts agents and network tools.
export PATH := $(PATH):$(HOME)/.cargo/bin:/usr/sbin:/sbin

# What a command is needed for, and the packages that bring it: command:package+package:what_for
NEEDS_BUILD := cc:gcc+libc6-dev:links_the_program_and_compiles_its_parts_in_C
NEEDS_TEST := \
	chromium:chromium:looks_at_the_dashboard_in_the_tests \
	git:git:tells_the_tests_which_files_belong_to_the_project \
	ip:iproute2:makes_the_interfaces_that_the_tests_of_the_NIC_collector_read \
	python3:python3:opens_the_zip_files_that_the_tests_make \
	pdftotext:poppler-utils:reads_the_PDF_reports_that_the_tests_make \
	snmpd:snmpd:is_the_switch_that_the_tests_of_the_SNMP_collector_read \
	prometheus-alertmanager:prometheus-alertmanager:takes_alerts_in_the_tests \
	aiosmtpd:python3-aiosmtpd:takes_mail_in_the_tests \
	virtualenv:virtualenv:keeps_Schemathesis_apart,_which_asks_the_API_what_nobody_thought_of

# Packages among them that start a service of their name, which the tests do not want: they start the program themselves.
SERVICES := snmpd prometheus-alertmanager

# Node by which the dashboard can be built, as package.json has it under "engines".
NODE_IS_NEW := const [a, b] = process.versions.node.split(".").map(Number); \
	process.exit(a === 20 && b >= 19 || a === 22 && b >= 12 || a > 22 ? 0 : 1)

# Files stand for what makes them: node_modules for `npm ci`, dist for the built dashboard. Its folders stand for what is
# taken out of them.
WEB := dashboards/web
WEB_MODULES := $(WEB)/node_modules/.package-lock.json
WEB_BUILT := $(WEB)/dist/index.html
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/public) $(wildcard $(WEB)/*.*)

# Schemathesis, of the versions that are written down; .installed stands for all of it.
SCHEMATHESIS := target/schemathesis
SCHEMATHESIS_INSTALLED := $(SCHEMATHESIS)/.installed

# What installs whatever is missing of a list of needs, and of Node and npm.
#
# Debian starts a package's service when it is installed and at every boot; of those in SERVICES only the program is used.
# So such a service is masked while its package is installed, and disabled after; without systemd a run level in which it
# does not start is named to its script. One that was there before stays as it is.
define INSTALL_MISSING
say() { printf '%s\n' "$$*" >&2; }
packages=; reasons=
need() { packages="$$packages $$1"; reasons="$$reasons  $$1: $$2\n"; }
node_is_new() { node -e '$(NODE_IS_NEW)'; }
newer_node() {
	say "The dashboard needs Node 20.19 or newer (22.12 or newer of 22), and $$1."
	say "Install one from https://nodejs.org/en/download or https://github.com/nodesource/distributions, and run make again."
	exit 1
}
for entry; do
	command=$${entry%%:*}; entry=$${entry#*:}
	command -v "$$command" >/dev/null || need "$$(echo "$${entry%%:*}" | tr + ' ')" "$$(echo "$${entry#*:}" | tr _ ' ')"
done
if ! command -v node >/dev/null; then
	need nodejs "builds the dashboard"
elif ! node_is_new; then
	newer_node "node here is $$(node --version)"
fi
command -v npm >/dev/null || need npm "fetches what the dashboard is built with, and the embedded ClickHouse"
[ -n "$$packages" ] || exit 0

say "Missing here:"
printf "$$reasons" >&2
sudo=
[ "$$(id -u)" = 0 ] || sudo=sudo
if ! command -v apt-get >/dev/null || { [ -n "$$sudo" ] && ! command -v sudo >/dev/null; }; then
	say "Install these (the names are Debian's) and run make again."
	exit 1
fi
apt() { $$sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get --quiet --yes "$$@" </dev/null; }
say "Installing:$$packages"
apt update
case "$$packages " in *" nodejs "*)
	has=$$(LC_ALL=C apt-cache policy nodejs | sed -n 's/^ *Candidate: //p')
	dpkg --compare-versions "$$has" ge 20.19 || newer_node "this Debian's is $$has"
esac
masked=
for service in $(SERVICES); do
	case "$$packages " in *" $$service "*)
		if [ -d /run/systemd/system ]; then
			say "The service $$service is kept from starting, now and at boot: only the program is used."
			$$sudo systemctl mask --quiet --runtime "$$service.service"
			masked="$$masked $$service"
		fi
	esac
done
failed=
apt install --no-install-recommends $$packages || failed=yes
for service in $$masked; do
	$$sudo systemctl unmask --quiet --runtime "$$service.service"
	$$sudo systemctl disable --quiet "$$service.service" || true
done
[ -z "$$failed" ] || { say "apt-get could not install them all; what it said is above."; exit 1; }
node_is_new || newer_node "node here is $$(node --version)"
endef
export INSTALL_MISSING

##@ From a clean clone
.PHONY: demo
demo: need-build $(WEB_BUILT) ## Show a simulated site: engine, service and dashboard, until Ctrl-C
	cargo run --release --quiet -- engine install
	cargo run --release -- demo

.PHONY: test
test: need-test check engine $(SCHEMATHESIS_INSTALLED) ## Check and test everything
	failed=
	cargo test --workspace --no-fail-fast -- --skip browser:: || failed=yes
	# A browser beside other tests would wait for them more than for what it looks at.
	cargo test --test meter95 browser:: -- --test-threads 1 || failed=yes
	[ -z "$$failed" ]

##@ Piece by piece
.PHONY: build
build: need-build $(WEB_BUILT) ## The program, dashboard included: target/release/meter95
	cargo build --release

.PHONY: engine
engine: need-build $(WEB_BUILT) ## The embedded ClickHouse, fetched once into the user's cache
	cargo run --quiet -- engine install

.PHONY: schemathesis
schemathesis: $(SCHEMATHESIS_INSTALLED) ## What asks the API what nobody thought of, for the tests

.PHONY: web
web: need-build $(WEB_BUILT) ## The dashboard, where its sources have changed

.PHONY: check
check: check-format need-build check-web lint ## Everything but cargo's tests, the cheapest first

.PHONY: lint
lint: need-build $(WEB_BUILT) ## Clippy, with warnings as errors
	cargo clippy --workspace --all-targets -- -D warnings

.PHONY: fmt
fmt: need-cargo ## Format the Rust sources
	cargo fmt --all

.PHONY: bench
bench: need-build engine ## Measure
	cargo bench --workspace

.PHONY: clean
clean: ## Remove what was built; data and the engine stay
	rm -rf target $(WEB)/dist $(WEB)/node_modules

.PHONY: help
help: ## Tell what there is
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

.PHONY: check-format
check-format: need-cargo
	cargo fmt --all --check

.PHONY: check-web
check-web: $(WEB_MODULES)
	cd $(WEB)
	npm run check

$(SCHEMATHESIS_INSTALLED): tests/schemathesis/requirements.txt | need-test
	rm -rf $(SCHEMATHESIS)
	virtualenv --quiet $(SCHEMATHESIS)
	$(SCHEMATHESIS)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(WEB_MODULES): $(WEB)/package.json $(WEB)/package-lock.json | need-build
	cd $(WEB)
	npm ci --no-audit --no-fund

$(WEB_BUILT): $(WEB_MODULES) $(WEB_SOURCES) | need-build
	cd $(WEB)
	npm run build

.PHONY: need-cargo
need-cargo:
	@pinned=$$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
	how="rustup brings it, and follows rust-toolchain.toml by itself: https://rustup.rs"
	command -v cargo >/dev/null || { echo "meter95 needs Rust $$pinned, and there is no cargo. $$how" >&2; exit 1; }
	has=$$(cargo --version | cut -d ' ' -f 2)
	older=$$(printf '%s\n' "$$pinned" "$$has" | sort -V | head -n 1)
	[ "$$older" = "$$pinned" ] || { echo "meter95 needs Rust $$pinned, and cargo is $$has. $$how" >&2; exit 1; }

.PHONY: need-build
need-build: need-cargo
	@sh -euc "$$INSTALL_MISSING" need $(NEEDS_BUILD)

.PHONY: need-test
need-test: need-build
	@sh -euc "$$INSTALL_MISSING" need $(NEEDS_TEST)
