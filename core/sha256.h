/*
 * sha256.h - SHA-256 (FIPS 180-4), incremental, no allocation; a context may be copied or stored.
 */
#ifndef MUE_CORE_SHA256_H
#define MUE_CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define MUE_SHA256_SIZE  32
#define MUE_SHA256_BLOCK 64

struct mue_sha256 {
	uint32_t state[8];
	uint32_t count_lo, count_hi; /* bytes so far, 64 bits in two words */
	uint8_t block[MUE_SHA256_BLOCK];
};

void mue_sha256_init(struct mue_sha256 *s);
void mue_sha256_update(struct mue_sha256 *s, const void *data, size_t len);
/* Writes the digest; the context is spent afterwards. */
void mue_sha256_final(struct mue_sha256 *s, uint8_t ret_digest[MUE_SHA256_SIZE]);

/* One block into the state (FIPS 180-4, section 6.2.2): the test harness may replace it. */
void mue_sha256_compress(uint32_t state[8], const uint8_t block[MUE_SHA256_BLOCK]);

#endif
