# ATmega128 at 8 MHz: the boot section (8 kB) and the example application for either slot.
CC := avr-gcc
DIR := boards/atmega128

# What makes the boot section small: link-time optimisation, shared prologues, and no option that
# trades bytes for cycles.
FLAGS := -mmcu=atmega128 -DF_CPU=8000000UL -std=gnu11 -Os -ffreestanding -I. -I$(DIR) -flto -mrelax \
	-ffunction-sections -fdata-sections -mcall-prologues -mstrict-X -fno-jump-tables \
	-fno-split-wide-types -fno-tree-scev-cprop -fno-move-loop-invariants -DMUE_BOOTSTATE_SMALL=256 $(WARN)
BOOT := $(DIR)/start.S $(DIR)/sha256_compress.S $(DIR)/board.c boot/boot.c boot/lms.c boot/p0.c \
	boot/recovery.c boot/service.c boot/verify.c core/bootstate.c core/bootjournal.c core/crc.c core/sha256.c
APP := $(DIR)/app/app.c core/bootstate.c core/crc.c
HEADERS := $(wildcard $(DIR)/*.h boot/*.h core/*.h) $(DIR)/board.mk

.PHONY: all
all: $(B)/boot.elf $(B)/app_a.elf $(B)/app_b.elf
	@avr-size -A $(B)/boot.elf | awk '/^\.(text|data)/ { n += $$2 } /^\.(data|bss)/ { r += $$2 } \
		END { printf "FIGURE atmega128 boot section: %d of 8192 bytes with the identity, static RAM %d\n", n + 84, r }'
	@avr-size -A $(B)/app_a.elf | awk '/^\.(text|data)/ { n += $$2 } /^\.(data|bss)/ { r += $$2 } \
		END { printf "FIGURE atmega128 example application: %d bytes, static RAM %d\n", n, r }'

$(B)/boot.elf: $(BOOT) $(DIR)/layout.ld $(HEADERS)
	$(CC) $(FLAGS) -nostartfiles -nodefaultlibs -Wl,--gc-sections -Wl,-T,$(DIR)/layout.ld $(BOOT) -lgcc -lc -o $@

# One source, two link addresses; VERSION tells releases apart.
VERSION ?= 1
APPFLAGS := -mmcu=atmega128 -DF_CPU=8000000UL -std=gnu11 -Os -I. -I$(DIR) -ffunction-sections -mrelax \
	-mcall-prologues $(WARN)
$(B)/app_a.elf: $(APP) $(HEADERS)
	$(CC) $(APPFLAGS) -DAPP_SLOT=0 -Wl,--gc-sections -Wl,--section-start=.text=0 $(APP) -o $@

$(B)/app_b.elf: $(APP) $(HEADERS)
	$(CC) $(APPFLAGS) -DAPP_SLOT=1 -Wl,--gc-sections -Wl,--section-start=.text=0xf000 $(APP) -o $@
