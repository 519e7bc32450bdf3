# Everything a newcomer needs, by name. Each target is one script or one cargo command and says
# what it does while it does it. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help demo build deb test test-data lint bench soak fuzz advisories

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

demo:  ## a sample API, Palisade before it, honest callers, one attacker (KEEP=1: keep it running)
	@KEEP="$(KEEP)" scripts/demo.sh

build:  ## the program: target/release/palisade
	@scripts/need.sh build
	cargo build --release --bin palisade

deb:  ## a Debian package of what `make build` made, looked at with lintian
	@scripts/deb.sh

test:  ## install what is missing, then format, lints, all tests, house rules
	@scripts/test.sh

test-data:  ## the tests on recorded data (PALISADE_DATA) and with other servers on the far side
	@scripts/test-data.sh

lint:  ## format and clippy, warnings are errors
	@scripts/lint.sh

bench:  ## the decision alone, CPU and latency per request beside nginx, overload, reloads, memory
	@scripts/bench.sh

soak:  ## the property tests with many more cases, and the simulator with many more seeds
	@scripts/soak.sh

fuzz:  ## everything that reads bytes of strangers under libFuzzer (FUZZ_SECS each, FUZZ_TARGETS)
	@scripts/fuzz.sh

advisories:  ## cargo-deny over the whole of deny.toml (needs the network)
	@scripts/advisories.sh
