# nRF51822 (Cortex-M0): the bootloader and the example application for either slot.
CC := arm-none-eabi-gcc
DIR := boards/nrf51

FLAGS := -mcpu=cortex-m0 -mthumb -masm-syntax-unified -std=c11 -Os -ffreestanding -I. -I$(DIR) -flto -ffunction-sections \
	-fdata-sections $(WARN)
LINK := -nostartfiles -nostdlib -fno-builtin -fno-tree-loop-distribute-patterns -Wl,--gc-sections
SHARED := $(DIR)/mem.c $(DIR)/nvmc.c $(DIR)/uart.c core/bootstate.c core/bootjournal.c core/crc.c
BOOT := $(DIR)/start.c $(DIR)/board.c boot/boot.c boot/lms.c boot/p0.c boot/recovery.c boot/verify.c core/sha256.c $(SHARED)
APP := $(DIR)/app/app.c $(SHARED)
HEADERS := $(wildcard $(DIR)/*.h boot/*.h core/*.h) $(DIR)/board.mk

.PHONY: all
all: $(B)/boot.elf $(B)/app_a.elf $(B)/app_b.elf
	@size=$$(arm-none-eabi-size $(B)/boot.elf | awk 'NR > 1 { print $$1 + $$2, $$2 + $$3 }'); set -- $$size; \
		echo "FIGURE nrf51 bootloader: $$1 of 16384 bytes, static RAM $$2"
	@size=$$(arm-none-eabi-size $(B)/app_a.elf | awk 'NR > 1 { print $$1 + $$2, $$2 + $$3 }'); set -- $$size; \
		echo "FIGURE nrf51 example application: $$1 bytes, static RAM $$2"

$(B)/boot.elf: $(BOOT) $(DIR)/layout.ld $(HEADERS)
	$(CC) $(FLAGS) $(LINK) -Wl,-T,$(DIR)/layout.ld $(BOOT) -lgcc -o $@

$(B)/app_a.elf: $(APP) $(DIR)/app/app.ld $(HEADERS)
	$(CC) $(FLAGS) $(LINK) -DAPP_SLOT=0u -Wl,--defsym=slot=0x04000 -Wl,-T,$(DIR)/app/app.ld $(APP) -lgcc -o $@

$(B)/app_b.elf: $(APP) $(DIR)/app/app.ld $(HEADERS)
	$(CC) $(FLAGS) $(LINK) -DAPP_SLOT=1u -Wl,--defsym=slot=0x21000 -Wl,-T,$(DIR)/app/app.ld $(APP) -lgcc -o $@
