#include "boards/nrf51/nvmc.h"

#include "core/err.h"
#include "core/mem.h"

#include <layout.h>

#define NVMC_READY     (*(volatile uint32_t *)0x4001e400)
#define NVMC_CONFIG    (*(volatile uint32_t *)0x4001e504)
#define NVMC_ERASEPAGE (*(volatile uint32_t *)0x4001e508)
enum { READ_ONLY = 0, WRITES = 1, ERASES = 2 };

static void wait(void)
{
	while (!(NVMC_READY & 1))
		;
}

void mue_nvmc_erase(uint32_t addr)
{
	NVMC_CONFIG = ERASES;
	NVMC_ERASEPAGE = addr;
	wait();
	NVMC_CONFIG = READ_ONLY;
}

void mue_nvmc_write(uint32_t addr, const void *data, uint32_t len)
{
	const uint8_t *from = data;
	uint32_t word, end = addr + len;

	NVMC_CONFIG = WRITES;
	for (; addr < end; addr += 4, from += 4) {
		memcpy(&word, from, 4);
		*(volatile uint32_t *)addr = word;
		wait();
	}
	NVMC_CONFIG = READ_ONLY;
}

static int state_read(const struct mue_flash *f, uint32_t off, void *buf, uint32_t len)
{
	(void)f;
	memcpy(buf, (const void *)(BOARD_STATE + off), len);
	return MUE_OK;
}

static int state_write(const struct mue_flash *f, uint32_t off, const void *buf, uint32_t len)
{
	(void)f;
	mue_nvmc_write(BOARD_STATE + off, buf, len);
	return MUE_OK;
}

static int state_erase(const struct mue_flash *f, uint32_t off)
{
	(void)f;
	mue_nvmc_erase(BOARD_STATE + off);
	return MUE_OK;
}

void mue_nvmc_state(struct mue_flash *ret, struct mue_flash_ops *ops)
{
	ops->read = state_read;
	ops->write = state_write;
	ops->erase = state_erase;
	ret->ops = ops;
	ret->ctx = 0;
	ret->size = 2 * BOARD_PAGE;
	ret->erase_size = BOARD_PAGE;
	ret->write_size = 4;
	ret->erased = 0xff;
}
