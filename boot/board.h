/*
 * board.h - what the portable bootloader asks of a board, resolved when the board is linked.
 *
 * A board's folder has layout.h (geometry as constants) and the functions below; nothing here
 * returns an error, because code flash that cannot be read or written is found out by the digest.
 * Link-time instead of a struct of pointers: it saves a tenth of an 8 kB boot section.
 */
#ifndef MUE_BOOT_BOARD_H
#define MUE_BOOT_BOARD_H

#include "core/bootstate.h"
#include "core/flash.h"

/*
 * layout.h defines:
 *	board_off_t		an offset in a slot
 *	BOARD_SLOT_SIZE		bytes of a slot: image, then footer
 *	BOARD_FOOTER		offset of the footer in a slot; the image ends before it
 *	BOARD_PAGE		bytes erased and written at once
 *	BOARD_POLICY		MUE_BOOT_* bits
 *	BOARD_SLOT_ADDRESSED	1: an image must be linked for its slot, 0: one link address
 */
#include <layout.h>

/* Who this device is; programmed at the factory beside the bootloader. */
struct mue_boot_identity {
	uint8_t pub[52]; /* HSS public key of the product's releases */
	uint8_t vendor[16];
	uint8_t class_id[16];
};
void mue_board_identity(struct mue_boot_identity *ret);

/* Reads `len` (at least 1) bytes of a slot. */
void mue_board_read(uint8_t slot, board_off_t off, void *buf, uint8_t len);

/* Erases the page at `off` of a slot and writes BOARD_PAGE bytes. */
void mue_board_write_page(uint8_t slot, board_off_t off, const uint8_t *page);

/* The journal's medium (NULL with MUE_BOOTSTATE_SMALL), on the caller's stack: an application that
 * calls the service has its own variables where the bootloader's were. */
struct mue_boot_medium {
	struct mue_flash flash;
	struct mue_flash_ops ops;
};
const struct mue_flash *mue_board_state(struct mue_boot_medium *ret);

/* Feeds the watchdog.  Called at least once every 64 bytes hashed. */
void mue_board_kick(void);

/*
 * What the first two bytes of a proof are once signature (0) and image digest (1) hold; neither 0
 * nor erased, so that memory nobody wrote proves nothing.  The third is mue_board_token of the slot
 * that was verified.
 */
#define MUE_BOOT_PROOF_SIGNATURE 0xa5u
#define MUE_BOOT_PROOF_IMAGE     0x5au
#define MUE_BOOT_PROOF_SIZE      3

/* A part of the address that mue_board_start would jump to. */
uint8_t mue_board_token(uint8_t slot);

/*
 * Hands control to the image in `slot`; does not return.  `proof` goes into the address that is
 * jumped to: with anything but the bytes above that is the reset vector, so that a skipped branch
 * before the call, a slot number that changed since it was verified, or a wild jump starts nothing.
 */
void mue_board_start(uint8_t slot, const uint8_t proof[MUE_BOOT_PROOF_SIZE]);

/* The recovery link: one byte, waiting (and feeding the watchdog); and back. */
uint8_t mue_board_receive(void);
void mue_board_send(uint8_t byte);

#endif
