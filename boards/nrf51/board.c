/* The nRF51's side of boot/board.h. */
#include "boot/boot.h"

#include "boards/nrf51/nvmc.h"
#include "boards/nrf51/uart.h"
#include "core/mem.h"
#include "core/size.h"

static uint32_t base_of(uint8_t slot)
{
	return BOARD_SLOT_BASE(slot);
}

void mue_board_identity(struct mue_boot_identity *ret)
{
	memcpy(ret, (const void *)BOARD_IDENTITY, sizeof(*ret));
}

void mue_board_read(uint8_t slot, board_off_t off, void *buf, uint8_t len)
{
	memcpy(buf, (const void *)(base_of(slot) + off), len);
}

void mue_board_write_page(uint8_t slot, board_off_t off, const uint8_t *page)
{
	mue_nvmc_erase(base_of(slot) + off);
	mue_nvmc_write(base_of(slot) + off, page, BOARD_PAGE);
}

const struct mue_flash *mue_board_state(struct mue_boot_medium *ret)
{
	mue_nvmc_state(&ret->flash, &ret->ops);
	return &ret->flash;
}

void mue_board_kick(void)
{
	mue_watchdog_kick();
}

MUE_NOINLINE uint8_t mue_board_token(uint8_t slot)
{
	return (uint8_t)(base_of(slot) >> 12);
}

/* An image's vectors: stack pointer, then entry.  Without proof the address is 0: the bootloader's
 * own, which begins again. */
void mue_board_start(uint8_t slot, const uint8_t proof[MUE_BOOT_PROOF_SIZE])
{
	uint32_t base = base_of(slot);
	uint32_t unproven = (uint32_t)((proof[0] ^ MUE_BOOT_PROOF_SIGNATURE) |
				       (proof[1] ^ MUE_BOOT_PROOF_IMAGE)) |
			    (proof[2] ^ (base >> 12));

	base &= ((unproven + 0xff) >> 8) - 1;
	*(volatile uint32_t *)BOARD_VECTORS = base;
	__asm__ volatile("ldr	r1, [%0]\n\t"
			 "ldr	r2, [%0, #4]\n\t"
			 "msr	msp, r1\n\t"
			 "bx	r2"
			 :
			 : "l"(base)
			 : "r1", "r2", "memory");
	__builtin_unreachable();
}

uint8_t mue_board_receive(void)
{
	return mue_uart_receive();
}

void mue_board_send(uint8_t byte)
{
	mue_uart_open();
	mue_uart_send(byte);
}
