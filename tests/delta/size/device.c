/*
 * A device's use of the delta decoder, to be measured and never run: images mapped into memory, the
 * patch in one piece.  BASELINE is the same without the decoder.
 */
#include "core/delta.h"
#include "core/mem.h"

enum { PAGE = 256 };

#ifdef __AVR__
#define ISA        mue_delta_avr
#define BLOCKS     36
#define OLD_IMAGE  ((const uint8_t *)0x2000)
#define OTHER_SLOT ((volatile uint8_t *)0x4000)
#else
#define ISA        mue_delta_thumb
#define BLOCKS     96
#define OLD_IMAGE  ((const uint8_t *)0x08008000)
#define OTHER_SLOT ((volatile uint8_t *)0x08020000)
#endif

static uint8_t page[PAGE];

static int read_old(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	(void)ctx;
	memcpy(buf, OLD_IMAGE + off, len);
	return MUE_OK;
}

static int write_new(void *ctx, uint32_t off, const void *buf, uint16_t len)
{
	const uint8_t *b = buf;

	(void)ctx;
	for (uint16_t i = 0; i < len; i++)
		OTHER_SLOT[off + i] = b[i];
	return MUE_OK;
}

/* Keeps SHA-256 and memory functions in both programs. */
static void use_others(void)
{
	struct mue_sha256 s;
	uint8_t digest[MUE_SHA256_SIZE];

	mue_sha256_init(&s);
	mue_sha256_update(&s, OLD_IMAGE, 4096);
	mue_sha256_final(&s, digest);
	memset(page, digest[0], sizeof(page));
	memmove(page + 1, page, digest[1]);
	if (memcmp(page, digest, digest[2]))
		write_new(NULL, 0, page, sizeof(page));
	read_old(NULL, digest[3], page, 16);
}

#ifdef BASELINE
int main(void)
{
	use_others();
	return 0;
}
#else
static struct mue_delta decoder;
static struct mue_delta_block blocks[BLOCKS];
static const struct mue_delta_isa *const isas[] = { &ISA, NULL };
static const struct mue_delta_io io = { read_old, write_new, read_old };

int main(void)
{
	struct mue_delta_room room = { .io = &io,
				       .isas = isas,
				       .blocks = blocks,
				       .blocks_max = BLOCKS,
				       .page = page,
				       .page_size = PAGE };
	const uint8_t *patch = OLD_IMAGE + 0x8000;
	struct mue_delta_header h;
	size_t len = 2000, used;
	int r;

	use_others();
	r = mue_delta_header_read(patch, len, &h);
	if (r == MUE_OK)
		r = mue_delta_open(&decoder, &h, &room);
	patch += h.size;
	len -= h.size;
	while (r >= 0) {
		r = mue_delta_step(&decoder, patch, len, true, &used);
		if (r == MUE_OK)
			break;
		patch += used;
		len -= used;
	}
	return r;
}
#endif
