# gradcheckd. `make help` lists the commands.

VERSION := 0.1.0
B       ?= build
ifeq ($(origin CC),default)
CC      := gcc
endif
ifeq ($(origin CXX),default)
CXX     := g++
endif
OPT     ?= -O3 -g
# -U before -D: some compilers define it themselves, and then warn
HARDEN  ?= -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion
EXTRA   ?=
PREFIX  ?= /usr/local
DESTDIR ?=

# Expanded when a recipe runs, not when this file is read: `make deps` may have installed pkg-config just before.
PKGS     := libmicrohttpd jansson openblas nettle zlib libzstd
# The daemon takes a CUDA object only where it was built from the same of these headers.
INTERFACE := core/backend/backend.h core/backend/plugin.h core/backend/formulas.h core/backend/layouts.h core/pass/fused.h core/base/error.h core/backend/updates.h
DEFINES  := -D_GNU_SOURCE -DGRADCHECKD_VERSION='"$(VERSION)"' \
    -DGRADCHECKD_CUDA_INTERFACE=$(shell cat $(INTERFACE) | cksum | cut -d' ' -f1)UL
CPPFLAGS  = -I. $(DEFINES) $(HARDEN) $(shell pkg-config --cflags $(PKGS))
# Nobody looks at floating-point exceptions: without them compilers choose between two numbers without a branch. NaN and
# infinities stay what they are.
CFLAGS    = -std=c17 $(OPT) -fno-trapping-math $(WARN) $(EXTRA) -pthread
CXXFLAGS  = -std=c++17 $(OPT) $(WARN) $(EXTRA) -fno-exceptions -fno-rtti
LDLIBS    = $(shell pkg-config --libs $(PKGS)) -lstdc++ -lm

CORE    := $(wildcard core/*/*.c)
SERVER  := $(filter-out server/main.c server/blas_setup.c,$(wildcard server/*.c server/*/*.c))
OBJECTS := $(patsubst %.c,$(B)/%.o,$(CORE) $(SERVER)) $(patsubst %.cpp,$(B)/%.o,$(wildcard server/*.cpp server/*/*.cpp))
LIBRARY := $(B)/gradcheck.a
MAIN    := $(B)/server/main.o $(B)/server/blas_setup.o
PAGES   := $(filter-out static/package%.json static/rules.mk,$(wildcard static/*.* static/js/*.js))
UPLOT   := build/npm/node_modules/uplot
HELP    := $(wildcard static/help/*.html static/help/recipes/*)
STATIC  := $(PAGES:static/%=$(B)/static/%) $(HELP:static/%=$(B)/static/%) $(B)/static/dark.css \
    $(addprefix $(B)/static/vendor/,uPlot.esm.js uPlot.min.css uPlot.LICENSE.txt)
TESTS   := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/core/test_*.c tests/server/test_*.c) tests/cuda/test_standin.c)
SOURCES := $(wildcard core/*/*.[ch] server/*.[ch] server/*/*.[ch] server/*/*.cpp cuda/*.h cuda/*.cu cuda/*.cpp \
    static/help/maker/*.[ch] tests/*.[ch] tests/*/*.[ch])

# The conformance suite, for the programs that run it on one backend or another.
CONFORMANCE := $(patsubst %.c,$(B)/%.o,$(wildcard tests/core/conformance*.c))

BUILD_PACKAGES := gcc g++ pkg-config libmicrohttpd-dev libjansson-dev libopenblas-dev nettle-dev zlib1g-dev libzstd-dev
# Debian's Node.js and npm, unless others are there; that npm needs ca-certificates, but only recommends them.
NODE_PACKAGES   = $(shell command -v node >/dev/null && command -v npm >/dev/null || echo nodejs npm ca-certificates)
TEST_PACKAGES  := check curl jq libxml2-utils perl python3 python3-jsonschema python3-numpy python3-yaml
LINT_PACKAGES  := clang clang-format clang-tidy cppcheck shellcheck libclang-rt-dev
BROWSER_PACKAGES := chromium
BENCH_PACKAGES := python3 python3-fastapi python3-httptools python3-numpy python3-torch python3-uvicorn python3-uvloop wrk

.DELETE_ON_ERROR:
.PHONY: all deps deps-lint deps-bench deps-browser run demo test check unit http object browser browser-files screenshot diagnosis-report truth codes claims programs asan tsan vectors lint format bench load drains soak fuzz fuzz-documents fuzz-headers fuzz-requests fuzz-multipart fuzz-npz fuzz-safetensors fuzz-corpus half-finished replay coverage install clean help

all: $(B)/gradcheckd $(STATIC) cuda ## build the daemon: build/gradcheckd, and build/gradcheckd-cuda.so where nvcc is there

# Commands are shown by their name and target alone; V=1 shows them whole.
ifneq ($(V),1)
Q = @echo "  $(1) $@";
else
Q =
endif

include $(wildcard */rules.mk)

$(B)/gradcheckd: $(MAIN) $(LIBRARY)
	$(call Q,link) $(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(LIBRARY): $(OBJECTS)
	$(call Q,ar) rm -f $@; ar rcs $@ $^

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call Q,cc) $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/%.o: %.cpp Makefile
	@mkdir -p $(@D)
	$(call Q,c++) $(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<

# npm fetches uPlot, once: into build/npm, where all builds find it.
$(UPLOT)/package.json: static/package.json static/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: make deps installs it" >&2; exit 1; }
	$(call Q,npm) $(call npm_ci,static,build/npm,--omit=dev)

# $(call npm_ci,FROM,INTO,OPTIONS): nothing is fetched where what the lock asks for is there.
npm_ci = mkdir -p $(2) && \
	if ! cmp -s $(1)/package-lock.json $(2)/node_modules/.installed; then \
	    cp $(1)/package.json $(1)/package-lock.json $(2)/ && \
	    (cd $(2) && npm ci $(3) --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null) && \
	    cp $(1)/package-lock.json $(2)/node_modules/.installed; \
	fi && touch -c $@

$(B)/static/vendor/%: $(UPLOT)/package.json
	@mkdir -p $(@D)
	$(call Q,cp) cp $(UPLOT)/dist/$(@F) $@

$(B)/static/vendor/uPlot.LICENSE.txt: $(UPLOT)/package.json
	@mkdir -p $(@D)
	$(call Q,cp) cp $(UPLOT)/LICENSE $@

$(B)/static/%: static/%
	@mkdir -p $(@D)
	$(call Q,cp) cp $< $@

$(B)/tests/core/test_conformance: $(CONFORMANCE)
$(B)/tests/core/test_graph: $(B)/tests/core/random_network.o

# tests/server/test_allocations.c stands for all that takes memory.
WRAPPED := malloc calloc realloc arena_alloc arena_array arena_zeroed arena_doubles arena_text \
    MHD_create_response_from_buffer MHD_create_response_from_callback MHD_add_response_header
$(B)/tests/server/test_allocations: $(B)/server/blas_setup.o $(B)/tests/server/packed.o
$(B)/tests/server/test_files: $(B)/tests/server/packed.o
$(B)/tests/server/test_allocations: TEST_LINK = $(WRAPPED:%=-Wl,--wrap=%)

.SECONDARY:
$(B)/tests/%: $(B)/tests/%.o $(B)/tests/main.o $(LIBRARY)
	$(call Q,link) $(CC) $(CFLAGS) $(TEST_LINK) -o $@ $(filter %.o,$^) $(LIBRARY) $$(pkg-config --libs check) $(LDLIBS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ---- what is needed ----

# $(call install,PACKAGES): nothing, and fast, where all are there; apt-get as root or through sudo, else says what is missing.
define install
	@missing=""; \
	if command -v dpkg-query >/dev/null; then \
	    for p in $(1); do \
	        dpkg-query -W -f='$${Status}\n' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; \
	    done; \
	else \
	    pkg-config --exists $(PKGS) && exit 0; missing=" $(1)"; \
	fi; \
	[ -z "$$missing" ] && exit 0; \
	echo "installing:$$missing"; \
	if [ "$$(id -u)" = 0 ]; then sudo=""; elif command -v sudo >/dev/null; then sudo=sudo; else sudo=none; fi; \
	if [ "$$sudo" = none ] || ! command -v apt-get >/dev/null; then \
	    echo "please install these packages (Debian's names):$$missing" >&2; exit 1; \
	fi; \
	$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null
endef

deps: ## install what building and testing need (Debian packages; nothing where all is there)
	$(call install,$(BUILD_PACKAGES) $(NODE_PACKAGES) $(TEST_PACKAGES))

deps-lint: ## ... and what linting needs
	$(call install,$(LINT_PACKAGES))

deps-browser: deps ## ... and what the tests in a browser need: Chromium
	$(call install,$(BROWSER_PACKAGES))

deps-bench: ## ... and what benchmarks and test vectors need: PyTorch, NumPy, FastAPI, wrk
	$(call install,$(BENCH_PACKAGES))

# ---- using it ----

run: all ## start the daemon on 127.0.0.1:8080
	$(B)/gradcheckd

demo: deps ## install, build, start, and check the lab's network with right and with wrong gradients
	@$(MAKE) --no-print-directory all
	@GRADCHECKD=$(B)/gradcheckd sh tests/demo/demo.sh

install: all ## install into PREFIX (/usr/local), below DESTDIR
	install -D -m 755 $(B)/gradcheckd $(DESTDIR)$(PREFIX)/bin/gradcheckd
	for file in $(STATIC:$(B)/static/%=%); do \
	    install -D -m 644 $(B)/static/$$file $(DESTDIR)$(PREFIX)/share/gradcheckd/static/$$file || exit 1; \
	done
	@if [ -e $(B)/gradcheckd-cuda.so ]; then \
	    echo '  with $(B)/gradcheckd-cuda.so'; \
	    install -D -m 644 $(B)/gradcheckd-cuda.so $(DESTDIR)$(PREFIX)/lib/gradcheckd/gradcheckd-cuda.so; \
	else \
	    rm -f $(DESTDIR)$(PREFIX)/lib/gradcheckd/gradcheckd-cuda.so; \
	fi

# ---- testing it ----

# Two jobs at once: the unit tests beside those over HTTP, and what lint builds.
BESIDE = -j2 --output-sync=target

test: deps ## install, build and run all tests, those of C and HTTP again under ASan and UBSan
	@$(MAKE) --no-print-directory $(BESIDE) check
	@$(MAKE) --no-print-directory browser
	@$(MAKE) --no-print-directory asan

check: all unit replay http object truth codes ## the unit tests and the tests over HTTP, as built

# One thread for OpenBLAS, as in the daemon. What runs on a GPU alone is compiled, and so does not rot.
unit: $(TESTS) $(ON_DEVICE)
	@export OPENBLAS_NUM_THREADS=1; failed=0; for t in $(TESTS); do $$t || failed=1; done; exit $$failed

http: all $(B)/gradcheckd-standin.so
	GRADCHECKD=$(B)/gradcheckd python3 tests/http/run.py
	GRADCHECKD=$(B)/gradcheckd python3 tests/programs/run.py
	GRADCHECKD=$(B)/gradcheckd python3 tests/backward/run.py
	GRADCHECKD=$(B)/gradcheckd python3 tests/client/run.py
	GRADCHECKD=$(B)/gradcheckd python3 tests/recipes/run.py
	GRADCHECKD=$(B)/gradcheckd python3 tests/help/run.py

# What can be said of the CUDA object without a GPU.
object: all $(ON_DEVICE) $(FAKES) $(B)/gradcheckd-standin.so
	@export OPENBLAS_NUM_THREADS=1; B=$(B) python3 tests/cuda/run.py

browser: deps-browser ## install, build, and test the pages in Chromium
	@$(MAKE) --no-print-directory all browser-files
	GRADCHECKD=$(abspath $(B)/gradcheckd) node --test build/browser/*.test.js

screenshot: deps-browser ## take the picture in the README anew
	@$(MAKE) --no-print-directory all browser-files
	GRADCHECKD=$(abspath $(B)/gradcheckd) node build/browser/screenshot.js tests/browser/screenshot.png

browser-files:
	@$(call npm_ci,tests/browser,build/browser)
	@rm -f build/browser/*.js; cp tests/browser/*.js build/browser/

# Debian's python3 has Debian's NumPy.
TRUTH_CASES ?= 300
TRUTH_SEED ?= 1

CODES ?= 300
codes: all ## that CODES (300) random student's codes mean what they mean in NumPy: under several names, as views
	GRADCHECKD=$(B)/gradcheckd /usr/bin/python3 tests/backward/differential.py --codes $(CODES)

PROGRAMS ?= 4000
programs: all deps-bench ## run PROGRAMS (4000) random programs in Python, too: their gradients have to pass, the formulas of their traces to hold
	GRADCHECKD=$(B)/gradcheckd /usr/bin/python3 tests/programs/differential.py --programs $(PROGRAMS)
	GRADCHECKD=$(B)/gradcheckd /usr/bin/python3 tests/programs/trace.py --programs $(PROGRAMS)

truth: all ## that what the diagnosis says is true: does it, and compares, for TRUTH_CASES wrong programs
	GRADCHECKD=$(B)/gradcheckd /usr/bin/python3 tests/truth/truth.py --cases $(TRUTH_CASES) --seed $(TRUTH_SEED) --show 5

diagnosis-report: all ## how well mistakes are named, on the test set of wrong gradients
	GRADCHECKD=$(B)/gradcheckd python3 tests/diagnosis/report.py

claims: deps-bench all ## that nothing false is said about wrong gradients which no rule explains
	GRADCHECKD=$(B)/gradcheckd /usr/bin/python3 tests/diagnosis/no_false_claims.py
	GRADCHECKD=$(B)/gradcheckd /usr/bin/python3 tests/diagnosis/suspects.py
	GRADCHECKD=$(B)/gradcheckd /usr/bin/python3 tests/diagnosis/forward_slips.py

SANITIZED = OPT='-O1 -g -fno-omit-frame-pointer' HARDEN= EXTRA='-fsanitize=address,undefined -fno-sanitize-recover=all'
# A process for each unit test would look for leaks at each one's end, which takes longer than the tests.
asan: export CK_FORK := no
asan: ## all tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory $(BESIDE) check B=build/asan $(SANITIZED)

tsan: ## all tests under ThreadSanitizer
	@$(MAKE) --no-print-directory check B=build/tsan OPT='-O1 -g' HARDEN= EXTRA='-fsanitize=thread'

vectors: deps-bench ## generate tests/vectors anew with PyTorch and NumPy
	/usr/bin/python3 tests/vectors/generate.py
	/usr/bin/python3 tests/vectors/graphs.py
	/usr/bin/python3 tests/vectors/programs.py
	/usr/bin/python3 tests/vectors/steps.py
	/usr/bin/python3 tests/vectors/pictures.py

$(B)/tests/bench/ceiling: $(B)/tests/bench/ceiling.o
	$(call Q,link) $(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

bench: deps-bench all $(B)/tests/bench/ceiling ## beside Python services around PyTorch and libmicrohttpd alone, in one run
	GRADCHECKD=$(B)/gradcheckd /usr/bin/python3 tests/bench/bench.py

load: all ## memory, waits and throughput under load; BEFORE=PROGRAM puts another build beside it
	GRADCHECKD=$(B)/gradcheckd BEFORE=$(BEFORE) python3 tests/load/figures.py

DRAINS ?= 1000
KILLS  ?= 200
drains: all ## end it DRAINS times (1000) in order and KILLS times (200) by force, under load; a tenth of that under the sanitizers
	GRADCHECKD=$(B)/gradcheckd python3 tests/load/ends.py $(DRAINS) $(KILLS)
	@$(MAKE) --no-print-directory all B=build/asan $(SANITIZED)
	GRADCHECKD=build/asan/gradcheckd python3 tests/load/ends.py $$(($(DRAINS) / 10)) $$(($(KILLS) / 10))

SOAK_MINUTES ?= 30
soak: all ## mixed load for SOAK_MINUTES (30): memory, descriptors and threads stay where they are; plotted in build/soak
	GRADCHECKD=$(B)/gradcheckd python3 tests/load/soak.py $(SOAK_MINUTES)

# ---- fuzzing; without a fuzzer, too: any compiler replays the corpora ----

FUZZED       := documents headers programs requests multipart npz safetensors
FUZZ_SHARED  := $(patsubst %.c,$(B)/%.o,$(filter-out tests/fuzz/fuzz_%.c tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
FUZZ_SECONDS ?= 120
FUZZ_DRAWN   ?= 1000
# tests/fuzz/clock.c stands for the clock, and tests/fuzz/library.c for what would start threads.
FUZZ_LINK     = -Wl,--wrap=clock_gettime -Wl,--wrap=connections_start
# In requests features are not weighed by how rare they are, which takes as long as the requests themselves.
FUZZ_OF_documents = -max_len=65536
FUZZ_OF_headers   = -max_len=2048
FUZZ_OF_programs  = -max_len=1024
FUZZ_OF_requests  = -max_len=1024 -entropic=0
FUZZ_OF_multipart = -max_len=4096
FUZZ_OF_npz       = -max_len=4096
FUZZ_OF_safetensors = -max_len=4096

$(B)/tests/fuzz/replay-%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(FUZZ_SHARED) $(LIBRARY)
	$(call Q,link) $(CC) $(CFLAGS) $(FUZZ_LINK) -o $@ $^ $(LDLIBS)

$(B)/tests/fuzz/run-%: $(B)/tests/fuzz/fuzz_%.o $(FUZZ_SHARED) $(LIBRARY)
	$(call Q,link) $(CC) $(CFLAGS) -fsanitize=fuzzer $(FUZZ_LINK) -o $@ $^ $(LDLIBS)

# The corpora, damaged copies of what is text in them, and FUZZ_DRAWN inputs (1000) for each target from a fixed seed.
COPIES_documents = 30
COPIES_headers   = 100
COPIES_programs  = 100
COPIES_requests  = 0
COPIES_multipart = 300
COPIES_npz       = 300
COPIES_safetensors = 300

replay: $(FUZZED:%=$(B)/tests/fuzz/replay-%)
	@export OPENBLAS_NUM_THREADS=1 ASAN_OPTIONS=abort_on_error=1; \
	$(foreach f,$(FUZZED),$(B)/tests/fuzz/replay-$(f) tests/fuzz/corpus-$(f) $(FUZZ_DRAWN) $(COPIES_$(f)) &&) true

fuzz: ## feed documents, headers, programs, requests and files with libFuzzer, each for FUZZ_SECONDS (120) or FUZZ_RUNS; fuzz-headers: one
	@for f in $(FUZZED); do $(MAKE) --no-print-directory fuzz-$$f || exit 1; done

# With so much arithmetic, tracing comparisons takes most of the time, and a fuzzer can say little about numbers: the
# core's are not.
build/fuzz/server/%.o: override EXTRA += -fsanitize-coverage=trace-cmp

# Leaks are found by `make asan`, which replays the corpora.
$(FUZZED:%=fuzz-%): fuzz-%:
	@$(MAKE) --no-print-directory build/fuzz/tests/fuzz/run-$* B=build/fuzz CC=clang CXX=clang++ \
	    OPT='-O2 -g -fno-omit-frame-pointer' HARDEN= \
	    EXTRA='-fsanitize=address,undefined -fno-sanitize-recover=all -fsanitize-coverage=inline-8bit-counters,pc-table'
	@mkdir -p build/fuzz/$*
	OPENBLAS_NUM_THREADS=1 ASAN_OPTIONS=malloc_context_size=1:quarantine_size_mb=1 \
	build/fuzz/tests/fuzz/run-$* -timeout=10 -detect_leaks=0 -artifact_prefix=build/fuzz/$*- $(FUZZ_OF_$*) \
	    $(if $(FUZZ_RUNS),-runs=$(FUZZ_RUNS),-max_total_time=$(FUZZ_SECONDS)) $(FUZZ_OPTIONS) \
	    build/fuzz/$* tests/fuzz/corpus-$*

# Those that have a name (crash-...) stay.
fuzz-corpus: ## take from what `make fuzz` has found the few small inputs that reach as much code
	@for f in $(FUZZED); do \
	    mkdir -p build/fuzz/merged build/fuzz/$$f && rm -f build/fuzz/merged/* && \
	    OPENBLAS_NUM_THREADS=1 build/fuzz/tests/fuzz/run-$$f -set_cover_merge=1 -use_counters=0 -max_len=512 \
	        build/fuzz/merged tests/fuzz/corpus-$$f build/fuzz/$$f 2>/dev/null && \
	    find tests/fuzz/corpus-$$f -type f ! -name '*-*' -delete && cp build/fuzz/merged/* tests/fuzz/corpus-$$f/ || exit 1; \
	done

HALF_FINISHED ?= 200000
half-finished: ## send HALF_FINISHED (200000) half-finished submissions to a daemon under the sanitizers
	@$(MAKE) --no-print-directory build/asan/gradcheckd B=build/asan $(SANITIZED)
	GRADCHECKD=build/asan/gradcheckd python3 tests/http/half_finished.py $(HALF_FINISHED)

# What a run before has counted would count again.
coverage: ## line coverage of core/ and server/ by all tests, file by file; fails where either has less than 90 %
	@find build/coverage -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) --no-print-directory check B=build/coverage OPT='-O0 -g' HARDEN= EXTRA='--coverage'
	@python3 tests/coverage.py build/coverage

# ---- keeping it tidy ----

format: deps-lint ## clang-format all sources
	clang-format -i $(SOURCES)

# What these build is only looked at. Some of gcc's warnings come from its optimizer.
lint: deps deps-lint ## who includes whom, format, clang-tidy, cppcheck, shellcheck, and warnings as errors with gcc and clang
	@python3 tests/lint/imports.py
	@clang-format --dry-run -Werror $(SOURCES)
	@$(MAKE) --no-print-directory $(BESIDE) -k all standin on-device B=build/lint-gcc OPT=-O2 EXTRA=-Werror
	@$(MAKE) --no-print-directory $(BESIDE) -k all standin on-device B=build/lint-clang OPT=-O0 HARDEN= EXTRA=-Werror CC=clang CXX=clang++
	cppcheck -j2 --quiet --error-exitcode=1 --std=c17 --enable=warning,performance,portability --inline-suppr \
	    --suppress=missingIncludeSystem -I. $(DEFINES) core server static
	@echo '  clang-tidy'; printf '%s\n' $(CORE) $(SERVER) server/main.c server/blas_setup.c $(wildcard static/help/maker/*.c) | \
	    xargs -P2 -I{} clang-tidy --quiet {} -- -std=c17 $(CPPFLAGS) 2>/dev/null
	shellcheck tests/demo/demo.sh cuda/toolkit.sh .ci/run static/help/recipes/*.sh

clean: ## remove build/
	rm -rf build

help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile */rules.mk | sort | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20
