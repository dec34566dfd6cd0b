/*
 * lms.h - the LMS verifier of the smallest bootloaders: HSS with one level, SHA-256/192, W4, any
 * tree height (RFC 8554, SP 800-208: LMS_SHA256_M24_H*, LMOTS_SHA256_N24_W4).
 *
 * What core/lms.c does for every parameter set in 3 kB of AVR code, this does for one in 1 kB;
 * tests/boot/lms_test.c holds them against each other.  The signature is read from the slot
 * in pieces of at most 24 bytes.
 */
#ifndef MUE_BOOT_LMS_H
#define MUE_BOOT_LMS_H

#include "boot/board.h"

#define MUE_BOOT_PUB 52 /* bytes of an HSS public key with M24 */

/* Where a signature stands. */
struct mue_boot_range {
	board_off_t off;
	uint16_t len;
	uint8_t slot;
};

/* 0 when the bytes are equal, else the bits in which any of them differ. */
uint8_t mue_boot_differ(const uint8_t *a, const uint8_t *b, uint8_t len);

/* Does that HSS signature sign `msg` under `pub`?  0 or MUE_ESIGNATURE.  *ret_proof is
 * MUE_BOOT_PROOF_SIGNATURE only when it does. */
int8_t mue_boot_lms_verify(const uint8_t pub[MUE_BOOT_PUB], const struct mue_boot_range *sig,
			   const uint8_t *msg, uint8_t msg_len, uint8_t *ret_proof);

#endif
