#include "core/sha256.h"

#include "core/mem.h"

/* FIPS 180-4, section 4.2.2: the first 32 bits of the fractional parts of cube roots of primes. */
static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotr(uint32_t x, uint8_t n)
{
	return (x >> n) | (x << (32 - n));
}

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store_words(uint8_t *to, const uint32_t *from, uint8_t words)
{
	uint32_t v;
	uint8_t i;

	for (; words > 0; words--, to += 4) {
		v = *from++;
		for (i = 4; i > 0; v >>= 8)
			to[--i] = (uint8_t)v;
	}
}

__attribute__((weak)) void mue_sha256_compress(uint32_t state[8],
					       const uint8_t block[MUE_SHA256_BLOCK])
{
	uint32_t w[16]; /* a window of the message schedule: 64 bytes instead of 256 */
	uint32_t v[8];

	memcpy(v, state, sizeof(v));
	for (uint8_t i = 0; i < 64; i++) {
		uint32_t s0, s1, t1, t2;

		if (i < 16) {
			w[i] = load32(block + 4 * i);
		} else {
			s0 = w[(i + 1) & 15];
			s1 = w[(i + 14) & 15];
			s0 = rotr(s0, 7) ^ rotr(s0, 18) ^ (s0 >> 3);
			s1 = rotr(s1, 17) ^ rotr(s1, 19) ^ (s1 >> 10);
			w[i & 15] += s0 + s1 + w[(i + 9) & 15];
		}
		s1 = rotr(v[4], 6) ^ rotr(v[4], 11) ^ rotr(v[4], 25);
		t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i & 15];
		s0 = rotr(v[0], 2) ^ rotr(v[0], 13) ^ rotr(v[0], 22);
		t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (uint8_t i = 0; i < 8; i++)
		state[i] += v[i];
}

void mue_sha256_init(struct mue_sha256 *s)
{
	static const uint32_t h0[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(s->state, h0, sizeof(h0));
	s->count_lo = s->count_hi = 0;
}

/* Byte by byte: a fiftieth of the compression's time, and half the code of copying runs. */
void mue_sha256_update(struct mue_sha256 *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t at = (uint8_t)s->count_lo & (MUE_SHA256_BLOCK - 1);

	s->count_lo += (uint32_t)len;
	if (s->count_lo < len)
		s->count_hi++;
	for (; len > 0; len--) {
		s->block[at++] = *p++;
		if (at == MUE_SHA256_BLOCK) {
			mue_sha256_compress(s->state, s->block);
			at = 0;
		}
	}
}

void mue_sha256_final(struct mue_sha256 *s, uint8_t ret_digest[MUE_SHA256_SIZE])
{
	uint8_t *end = s->block + MUE_SHA256_BLOCK - 8, length[9], i, pad = 0x80;

	store_words(length, &s->count_hi, 1);
	store_words(length + 4, &s->count_lo, 1);
	length[8] = 0;
	do {
		mue_sha256_update(s, &pad, 1);
		pad = 0;
	} while ((s->count_lo & (MUE_SHA256_BLOCK - 1)) != MUE_SHA256_BLOCK - 8);
	for (i = 0; i < 8; i++) /* from bytes to bits */
		end[i] = (uint8_t)(length[i] << 3 | length[i + 1] >> 5);
	mue_sha256_compress(s->state, s->block);
	store_words(ret_digest, s->state, 8);
}
