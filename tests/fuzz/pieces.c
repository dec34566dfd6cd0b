/*
 * core/pieces.c driven by arbitrary commands against a model: what it says is there must be there,
 * every byte is written at most once between drops, and asking and putting ends.
 * FUZZ_SOURCES: core/pieces.c core/crc.c
 */
#include "core/pieces.h"
#include "core/err.h"

#include <stdlib.h>
#include <string.h>

#define MAX 600

struct medium {
	uint8_t bytes[MAX];
	bool there[MAX]; /* written since the session began or the byte was dropped */
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int put_bytes(void *ctx, uint32_t off, const void *data, uint32_t len)
{
	struct medium *m = ctx;

	check(len > 0 && off <= MAX && len <= MAX - off);
	for (uint32_t i = 0; i < len; i++) {
		check(!m->there[off + i]);
		m->there[off + i] = true;
	}
	memcpy(m->bytes + off, data, len);
	return MUE_OK;
}

static int get_bytes(void *ctx, uint32_t off, void *buf, uint32_t len)
{
	const struct medium *m = ctx;

	check(off <= MAX && len <= MAX - off);
	memcpy(buf, m->bytes + off, len);
	return MUE_OK;
}

/* What the session counts, against what was written. */
static void same_count(const struct mue_pieces *p, const struct medium *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->size; i++)
		n += m->there[i];
	check(n == p->have);
}

/* A dropped grain's bytes may come again, wherever it was whole or a part. */
static void drop(struct mue_pieces *p, struct medium *m, uint32_t off, uint32_t len)
{
	uint32_t grain = (uint32_t)1 << p->grain_log2;

	mue_pieces_drop(p, off, len);
	if (!len || off >= p->size)
		return;
	len = len < p->size - off ? len : p->size - off;
	for (uint32_t i = off / grain * grain; i < p->size && i / grain <= (off + len - 1) / grain;
	     i++)
		m->there[i] = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct mue_pieces_sink sink = { put_bytes, get_bytes };
	static const uint8_t key[MUE_PIECES_KEY] = { 1 };
	uint8_t payload[MAX], bitmap[MAX / 8 + 1];
	struct mue_pieces_part parts[4];
	struct medium m = { .there = { false } };
	struct mue_pieces p;
	uint32_t off, n, size, asked = 0;

	if (len < 4)
		return 0;
	for (uint32_t i = 0; i < MAX; i++)
		payload[i] = (uint8_t)(i * 11);
	size = 1 + (data[0] | (uint32_t)data[1] << 8) % MAX;
	if (mue_pieces_begin(&p, &sink, &m, key, size, data[2] % 11, bitmap, sizeof(bitmap), parts,
			     data[3] % 5) < 0)
		abort();
	for (data += 4, len -= 4; len >= 4; data += 4, len -= 4) {
		off = (data[0] | (uint32_t)data[1] << 8) % (MAX + 20);
		n = data[2];
		if (data[3] == 255) {
			drop(&p, &m, off, n);
		} else {
			int32_t r = mue_pieces_put(&p, key, off, payload + off % MAX,
						   n % (MAX - off % MAX));

			check(r >= 0 || r == MUE_ESIZE);
		}
		same_count(&p, &m);
		if (mue_pieces_missing(&p, data[3] * 3u, data[2], &off, &n))
			check(n > 0 && off < size && n <= size - off);
	}
	while (mue_pieces_missing(&p, 0, 33, &off, &n)) {
		check(++asked <= 2 * MAX);
		check(mue_pieces_put(&p, key, off, payload + off, n) > 0);
	}
	check(mue_pieces_complete(&p) && !memcmp(m.bytes, payload, size));
	return 0;
}
