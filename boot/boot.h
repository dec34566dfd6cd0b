/*
 * boot.h - the portable bootloader: choose, verify, count, start.
 *
 * The order of choice is core/bootstate.h's.  Everything that runs was verified in this very boot:
 * SUIT P0 (boot/p0.h), HSS/LMS, vendor, class, slot address, size, security counter, image digest.
 * A slot holds the image from its beginning and, at BOARD_FOOTER, the length of the envelope (16
 * bits, little endian) and the envelope.
 */
#ifndef MUE_BOOT_BOOT_H
#define MUE_BOOT_BOOT_H

#include "boot/board.h"
#include "boot/p0.h"

#define MUE_BOOT_FOOTER_HEAD 2

/* Boots; does not return.  Called by the board after reset, with memory set up. */
void mue_boot(void) __attribute__((noreturn));

/* 0, or the verdict for which the image in `slot` must not run.  Fills *ret. */
int8_t mue_boot_verify(uint8_t slot, uint32_t floor, struct mue_boot_p0 *ret);

/* The recovery link (docs/FORMATS.md, "Recovery link"): writes pages until told to boot. */
void mue_boot_recover(void);

/*
 * The service for the application, at a fixed address of the board: what it cannot do itself where
 * only the boot section may write flash.  The application (mcu/) links core/bootstate.c, changes
 * call->state by its functions, and stores it here.  Uses no memory but the stack.
 */
enum mue_boot_service {
	MUE_SERVICE_STATE, /* fills call->state */
	MUE_SERVICE_STORE, /* makes call->state durable; MUE_EPERM: its rollback floor is lower */
	MUE_SERVICE_WRITE  /* writes a page; MUE_EPERM: not one of a slot that begin_write opened */
};

struct mue_boot_call {
	struct mue_bootstate state;
	board_off_t off; /* of a page in `slot` */
	uint8_t slot;
	const uint8_t *page; /* BOARD_PAGE bytes */
};

int8_t mue_boot_service(uint8_t service, struct mue_boot_call *call);

#endif
