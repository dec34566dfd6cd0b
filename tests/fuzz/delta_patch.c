/*
 * Delta decoder: header, map and stream from outside, every instruction set, old images made from
 * the input.  Nothing outside the images is touched, no input runs for ever, success only with the
 * digest right.
 * FUZZ_SOURCES: core/delta.c core/delta_arm64.c core/delta_avr.c core/delta_elf.c
 * FUZZ_SOURCES: core/delta_engine.c core/delta_header.c core/delta_rc.c core/delta_rich.c
 * FUZZ_SOURCES: core/delta_thumb.c core/delta_x86.c core/sha256.c
 * FUZZ_SOURCES: core/delta_arm32.c core/delta_riscv.c core/delta_field.c
 */
#include "core/delta.h"
#include "core/delta_rich.h"

#include <stdlib.h>
#include <string.h>

enum { OLD_MAX = 4096, NEW_MAX = 8192, BLOCKS = 64, STEPS_MAX = 100000 };

struct images {
	uint8_t old[OLD_MAX], new[NEW_MAX];
	uint32_t old_size, new_size;
};

static int read_old(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	struct images *m = ctx;

	if (off > m->old_size || len > m->old_size - off)
		abort();
	memcpy(buf, m->old + off, len);
	return MUE_OK;
}

static int write_new(void *ctx, uint32_t off, const void *buf, uint16_t len)
{
	struct images *m = ctx;

	if (off > m->new_size || len > m->new_size - off)
		abort();
	memcpy(m->new + off, buf, len);
	return MUE_OK;
}

static int read_new(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	struct images *m = ctx;

	if (off > m->new_size || len > m->new_size - off)
		abort();
	memcpy(buf, m->new + off, len);
	return MUE_OK;
}

static const struct mue_delta_io io = { read_old, write_new, read_new };
static const struct mue_delta_isa *const isas[] = { &mue_delta_avr,
						    &mue_delta_thumb,
						    &mue_delta_arm32,
						    &mue_delta_arm64,
						    &mue_delta_riscv,
						    &mue_delta_x86_64,
						    NULL };

static const uint8_t elf_ident[] = { 0x7f, 'E', 'L', 'F', 2 };

/* The digest of old is made to fit, so that what is behind it is reached. */
static void fit_digest(struct mue_delta_header *h, const struct images *m)
{
	uint8_t digest[MUE_SHA256_SIZE];
	struct mue_sha256 sha;

	mue_sha256_init(&sha);
	mue_sha256_update(&sha, m->old, m->old_size);
	mue_sha256_final(&sha, digest);
	memcpy(h->variant[0].old_digest, digest, MUE_DELTA_DIGEST);
}

static void check_digest(const struct mue_delta_header *h, const struct images *m)
{
	uint8_t digest[MUE_SHA256_SIZE];
	struct mue_sha256 sha;

	mue_sha256_init(&sha);
	mue_sha256_update(&sha, m->new, m->new_size);
	mue_sha256_final(&sha, digest);
	if (memcmp(h->variant[0].new_digest, digest, MUE_DELTA_DIGEST) != 0)
		abort();
}

static void decode(const struct mue_delta_header *h, struct images *m, const uint8_t *in,
		   size_t len, size_t piece)
{
	static struct mue_delta d;
	static struct mue_delta_block blocks[BLOCKS];
	static struct mue_delta_rich *rich;
	static uint8_t page[4096];
	struct mue_delta_room room = { .io = &io,
				       .io_ctx = m,
				       .isas = isas,
				       .blocks = blocks,
				       .blocks_max = BLOCKS,
				       .page = page,
				       .page_size = 64 };
	size_t have = 0, used, steps = 0;
	int r;

	if (h->flags & MUE_DELTA_RICH) {
		if (!rich)
			rich = malloc(sizeof(*rich));
		room.rich = rich;
	}
	if (h->flags & MUE_DELTA_BACKWARD)
		room.page_size = h->page_log2 <= 12 ? (uint16_t)(1U << h->page_log2) : 64;
	if (mue_delta_open(&d, h, &room) < 0)
		return;
	do {
		have = have + piece < len ? have + piece : len;
		r = mue_delta_step(&d, in, have, have == len, &used);
		in += used;
		len -= used;
		have -= used;
		if (++steps > STEPS_MAX)
			abort();
	} while (r > 0);
	if (r == MUE_OK)
		check_digest(h, m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct images m;
	struct mue_delta_header h;

	if (mue_delta_header_read(data, size, &h) < 0)
		return 0;
	if (h.old_size > OLD_MAX || h.new_size > NEW_MAX)
		return 0;
	/* The rich model takes long to set up: one input in 64 is enough. */
	if (h.flags & MUE_DELTA_RICH && data[size - 1] & 63)
		return 0;
	m.old_size = h.old_size;
	m.new_size = h.new_size;
	for (uint32_t i = 0; i < m.old_size; i++)
		m.old[i] = data[(size - 1 - i % size)];
	if (h.flags & MUE_DELTA_ELF && m.old_size > 64)
		memcpy(m.old, elf_ident, sizeof(elf_ident));
	fit_digest(&h, &m);
	decode(&h, &m, data + h.size, size - h.size, 1 + data[size - 1] % 200);
	return 0;
}
