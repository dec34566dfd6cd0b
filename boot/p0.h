/*
 * p0.h - the boot profile of SUIT for the smallest bootloaders: reads the envelope where it stands
 * in flash, compares it byte by byte with the one form there is (docs/FORMATS.md, "SUIT P0") and
 * verifies its HSS/LMS block.
 *
 * core/suit_p0.c does the same with any verifier and keeps the manifest in RAM; this knows only
 * boot/lms.h, skips blocks of other algorithms, and needs a third of the code.
 * tests/boot/p0_test.c holds them against each other.
 */
#ifndef MUE_BOOT_P0_H
#define MUE_BOOT_P0_H

#include "boot/lms.h"
#include "core/sha256.h"

/* What the manifest says; to be believed only after mue_boot_p0_open returned 0. */
struct mue_boot_p0 {
	uint32_t sequence;  /* SUIT sequence number */
	uint32_t size;      /* of the image, bytes */
	uint32_t counter;   /* security counter, 0 when unsaid */
	uint32_t slot;      /* that it is linked for, or MUE_SLOT_NONE */
	uint8_t image[32];  /* SHA-256 of the image */
	uint8_t digest[32]; /* SHA-256 of the manifest */
	/* MUE_BOOT_PROOF_SIGNATURE, _IMAGE, and the slot's token once they hold */
	uint8_t proof[MUE_BOOT_PROOF_SIZE];
};

/* Hashes `size` bytes of a slot, feeding the watchdog. */
void mue_boot_hash(struct mue_sha256 *s, uint8_t slot, board_off_t off, board_off_t size);

/*
 * Reads and verifies the envelope at `where` for device `id`.
 * MUE_ETRUNC, MUE_ECANON, MUE_EPROFILE, MUE_EFORMAT: not this form.  MUE_EVENDOR, MUE_ECLASS: made
 * for others.  MUE_EDIGEST: the manifest's digest differs.  MUE_ESIGNATURE: no block holds.
 */
int8_t mue_boot_p0_open(const struct mue_boot_identity *id, const struct mue_boot_range *where,
			struct mue_boot_p0 *ret);

#endif
