/*
 * lms.h - HSS/LMS signature verification (RFC 8554; SHA-256 parameter sets of SP 800-208).
 *
 * Accepts LMS_SHA256_M32_H5..H25 and M24_H5..H25 with LMOTS_SHA256_N32/N24_W1..W8, 1 to 8 HSS
 * levels; other type codes are MUE_EPROFILE.  Neither the signature nor the message needs to be in
 * RAM: both are read in small pieces (at most MUE_LMS_READ_MAX bytes) through a source.  No
 * allocation, no recursion, no state between calls; about 0.6 kB of stack on an AVR.
 *
 * The signature is read while the hash chains run, at least once every 256 compressions: a
 * bootloader feeds its watchdog in the signature's read function.
 */
#ifndef MUE_CORE_LMS_H
#define MUE_CORE_LMS_H

#include <stddef.h>
#include <stdint.h>

#define MUE_LMS_READ_MAX  32 /* most bytes one read asks for */
#define MUE_LMS_PUB_MAX   60 /* HSS public key: levels, LMS type, OTS type, I, T[1] */
#define MUE_LMS_I_SIZE    16
#define MUE_LMS_N_MAX     32
#define MUE_HSS_LEVEL_MAX 8

/* Bytes that are read at random: flash, a buffer, a pair of buffers one after the other. */
struct mue_lms_source {
	/* Reads `len` (1..MUE_LMS_READ_MAX) bytes at `off` into `buf`; off + len <= size holds.
	 * 0, or a verdict, which mue_lms_verify passes on. */
	int (*read)(const struct mue_lms_source *s, uint32_t off, void *buf, uint8_t len);
	const void *ctx; /* the member's own */
	uint32_t size;   /* bytes in all */
};

/* The member for bytes in memory: .read = mue_lms_read_memory, .ctx = the bytes. */
int mue_lms_read_memory(const struct mue_lms_source *s, uint32_t off, void *buf, uint8_t len);

/*
 * Does `sig` (a whole HSS signature, RFC 8554 section 6.2) sign all of `msg` under the HSS public
 * key `pub` (52 bytes for M24, 60 for M32)?
 * 0: it does.  MUE_ESIGNATURE: it does not.  MUE_ETRUNC: key or signature ends too early.
 * MUE_EFORMAT: bytes after the end, or counts and types that contradict each other.
 * MUE_EPROFILE: a parameter set that is not one of the above.  Else: what a read returned.
 */
int mue_lms_verify(const uint8_t *pub, uint8_t pub_size, const struct mue_lms_source *sig,
		   const struct mue_lms_source *msg);

/* One parameter set of LMS (RFC 8554 section 5.1, SP 800-208 section 4). */
struct mue_lms_set {
	uint8_t n;      /* bytes of a node: 24 or 32 */
	uint8_t h;      /* height of the tree */
	uint8_t w;      /* Winternitz width in bits: 1, 2, 4, 8 */
	uint8_t ls;     /* left shift of the checksum */
	uint16_t p;     /* hash chains in a one-time signature */
	uint16_t bytes; /* of a whole LMS signature */
};

/* Looks up LMS and LM-OTS type codes.  MUE_EPROFILE: unknown; MUE_EFORMAT: their n differ. */
int mue_lms_set(uint32_t lms_type, uint32_t ots_type, struct mue_lms_set *ret);

#endif
