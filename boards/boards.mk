# Builds every board: boards/<board>/board.mk says how.  Output: $(OUT)/<board>/, default build/boards.
#	make -f boards/boards.mk [BOARDS="atmega128"] [OUT=build/boards]
OUT ?= build/boards
BOARDS ?= $(patsubst boards/%/board.mk,%,$(wildcard boards/*/board.mk))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef -Wcast-qual -Wwrite-strings -Wpointer-arith -Wswitch-enum -Werror

.PHONY: boards $(BOARDS)
boards: $(BOARDS)

$(BOARDS):
	@mkdir -p $(OUT)/$@
	@$(MAKE) --no-print-directory -f boards/$@/board.mk B=$(OUT)/$@ WARN="$(WARN)"
