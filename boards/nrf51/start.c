/* Reset and vectors of the bootloader on a Cortex-M0. */
#include "boards/nrf51/uart.h"
#include "boot/boot.h"
#include "core/mem.h"

#include <layout.h>

extern uint32_t data_start[], data_load[], bss_start[], stack_top[];
extern uint8_t data_size[], bss_size[]; /* their addresses are the sizes */

void reset_handler(void);
void forward(void);

void reset_handler(void)
{
	mue_watchdog_start();
	memcpy(data_start, data_load, (size_t)data_size);
	memset(bss_start, 0, (size_t)bss_size);
	/* A fault in here comes back here until the watchdog ends it. */
	*(volatile uint32_t *)BOARD_VECTORS = 0;
	mue_boot();
}

/* Every exception goes on to the running image's handler of the same number.  r0 to r3 are saved
 * by the hardware. */
__attribute__((naked)) void forward(void)
{
	__asm__ volatile("ldr	r0, =%c0\n\t"
			 "ldr	r0, [r0]\n\t"
			 "mrs	r1, ipsr\n\t"
			 "lsls	r1, r1, #2\n\t"
			 "ldr	r0, [r0, r1]\n\t"
			 "bx	r0\n\t"
			 ".ltorg"
			 :
			 : "i"(BOARD_VECTORS));
}

typedef void (*handler)(void);

struct vectors {
	uint32_t *stack;
	handler reset;
	handler other[46];
};

/* clang-format off */
#define F4 forward, forward, forward, forward
__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
	stack_top, reset_handler,
	{ F4, F4, F4, F4, F4, F4, F4, F4, F4, F4, F4, forward, forward }
};
/* clang-format on */
