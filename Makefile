# The two commands: `make demo` shows an update travel the whole road, `make test` proves it.
# Everything they need is installed by scripts/deps.sh; everything they build is under build/.

BUILD := build
ASAN  := build/asan
export MUE_SHARED ?= $(abspath ../shared)

.PHONY: all demo test test-long check bench boards format deps clean

all: deps $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD) --buildtype=debugoptimized

# Warnings are errors in the plain build; the sanitizers' checks make gcc see ghosts.
$(ASAN)/build.ninja: | deps
	meson setup $(ASAN) -Db_sanitize=address,undefined -Db_lundef=false -Dwerror=false

deps:
	@scripts/deps.sh

demo: all
	@scripts/demo/demo.sh

# One closing line: N passed, N failed, N skipped.
test: all $(ASAN)/build.ninja
	@scripts/test.py

test-long: all $(ASAN)/build.ninja
	@scripts/test.py --long

check: all
	@scripts/check/all.sh

bench: all
	@bench/all.sh

boards: deps
	@$(MAKE) --no-print-directory -f boards/boards.mk

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf $(BUILD)
