#include "delta/align.h"

#include "core/delta_engine.h"

#include <string.h>

enum { FAKE_ADDR = 0x10000, FAKE_VALUE = FAKE_ADDR + 64, LOOK = 16 };

static int read_image(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	const struct mue_span *image = ctx;

	memcpy(buf, image->data + off, len);
	return MUE_OK;
}

/* What the code or data at an address looks like: 16 bytes of the normalised image. */
static uint32_t look(const struct mue_delta *d, const uint8_t *norm, uint32_t addr)
{
	uint32_t off, h = 2166136261; /* FNV-1a */

	if (!mue_delta_old_off(d, addr & ~(uint32_t)1, &off))
		return FAKE_VALUE;
	for (uint32_t i = off; i < off + LOOK && i < d->old_size; i++)
		h = (h ^ norm[i]) * 16777619;
	return FAKE_VALUE + (h >> 8 & (d->segments_count ? 0xffff : 0xff));
}

/* One unit at `at`: scans it, fills *u; returns its length. */
static size_t unit_at(struct mue_delta *d, struct mue_span image, size_t at,
		      struct mue_delta_unit *u)
{
	uint8_t w[MUE_DELTA_AHEAD] = { 0 };
	size_t left = image.len - at;

	memset(u, 0, sizeof(*u));
	memcpy(w, image.data + at, left < sizeof(w) ? left : sizeof(w));
	memcpy(u->bytes, w, sizeof(u->bytes));
	d->scan.addr = mue_delta_old_addr(d, (uint32_t)at);
	u->len = d->isa->step;
	if (!mue_delta_elf_scan(&d->scan, w, u))
		d->isa->scan(&d->scan, w, u);
	if (u->len > left) {
		u->form = 0;
		return left;
	}
	return u->len;
}

static void open_image(struct mue_delta *d, const struct mue_delta_io *io, struct mue_span *image,
		       const struct mue_delta_isa *isa, uint32_t base)
{
	memset(d, 0, sizeof(*d));
	d->io = io;
	d->io_ctx = image;
	d->isa = isa;
	d->old_base = d->scan.base = base;
	d->old_size = d->scan.size = (uint32_t)image->len;
}

/* All addresses become the same one. */
static void first_pass(struct mue_delta *d, struct mue_span image, uint8_t *ret)
{
	struct mue_delta_unit u;

	for (size_t at = 0; at < image.len;) {
		size_t n = unit_at(d, image, at, &u);

		u.page = FAKE_ADDR;
		/* A number that is no address says more unchanged. */
		if (u.form && u.kind != MUE_DELTA_DATA && u.kind != MUE_DELTA_WIDE &&
		    mue_delta_put(d, &u, FAKE_ADDR, FAKE_VALUE))
			memcpy(ret + at, u.bytes, u.len);
		at += n;
	}
}

/* Pointers in tables become what they point at, or rows of a table would all look alike. */
static void second_pass(struct mue_delta *d, struct mue_span image, uint8_t *ret)
{
	struct mue_delta_unit u;

	for (size_t at = 0; at < image.len;) {
		size_t n = unit_at(d, image, at, &u);
		uint32_t addr = d->scan.addr, off;

		if (u.form && u.kind == MUE_DELTA_POINTER) {
			uint32_t value = mue_delta_get(d, &u, addr);

			u.page = FAKE_ADDR;
			if (mue_delta_old_off(d, value, &off) &&
			    mue_delta_put(d, &u, FAKE_ADDR, look(d, ret, value)))
				memcpy(ret + at, u.bytes, u.len);
		}
		at += n;
	}
}

void mue_normalise(struct mue_span image, const struct mue_delta_isa *isa, uint32_t base, bool elf,
		   uint8_t *ret)
{
	const struct mue_delta_io io = { .read_old = read_image };
	struct mue_delta d;

	memcpy(ret, image.data, image.len);
	if (!isa)
		return;
	open_image(&d, &io, &image, isa, base);
	if (elf && mue_delta_elf_open(&d) < 0)
		return;
	first_pass(&d, image, ret);
	open_image(&d, &io, &image, isa, base);
	if (elf)
		mue_delta_elf_open(&d);
	second_pass(&d, image, ret);
}
