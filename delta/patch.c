/* The core decoder over images in memory. */
#include "core/delta_rich.h"
#include "delta/delta.h"
#include "delta/unpack.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096 };

struct images {
	struct mue_span old;
	uint8_t *new;
};

static int read_old(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	struct images *m = ctx;

	memcpy(buf, m->old.data + off, len);
	return MUE_OK;
}

static int write_new(void *ctx, uint32_t off, const void *buf, uint16_t len)
{
	struct images *m = ctx;

	memcpy(m->new + off, buf, len);
	return MUE_OK;
}

static int read_new(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	struct images *m = ctx;

	memcpy(buf, m->new + off, len);
	return MUE_OK;
}

static const struct mue_delta_io io = { read_old, write_new, read_new };

static int run(struct mue_delta *d, struct mue_span patch, struct mue_error *e)
{
	size_t used;
	int r;

	do {
		r = mue_delta_step(d, patch.data, patch.len, true, &used);
		patch.data += used;
		patch.len -= used;
	} while (r > 0);
	if (r == MUE_EPRECURSOR)
		return mue_fail(e, r, "the patch was made from another image");
	if (r < 0)
		return mue_fail(e, r, "the patch is damaged: %s", mue_err_text(r));
	return MUE_OK;
}

int mue_patch(struct mue_span old, struct mue_span patch, uint8_t **ret_new, size_t *ret_len,
	      struct mue_error *e)
{
	struct mue_delta_header h;
	struct mue_delta *d = NULL;
	struct images m = { old, NULL };
	struct mue_delta_room room = { .io = &io, .io_ctx = &m, .isas = mue_delta_isas };
	int r;

	if (mue_is_unpacked_patch(patch))
		return mue_patch_unpacked(old, patch, ret_new, ret_len, e);
	r = mue_delta_header_read(patch.data, patch.len, &h);
	if (r < 0)
		return mue_fail(e, r, "no patch that this version reads");
	if (h.old_size != old.len)
		return mue_fail(e, MUE_EPRECURSOR, "the patch wants an image of %u bytes, not %zu",
				h.old_size, old.len);
	room.page_size = h.flags & MUE_DELTA_BACKWARD ? (uint16_t)(1U << h.page_log2) : PAGE;
	room.page = malloc(room.page_size);
	room.blocks_max = h.blocks;
	room.blocks = malloc((h.blocks + 1U) * sizeof(*room.blocks));
	m.new = malloc(h.new_size + 1U);
	d = malloc(sizeof(*d));
	room.rich = malloc(h.flags & MUE_DELTA_RICH ? sizeof(*room.rich) : 1);
	if (!room.page || !room.blocks || !m.new || !d || !room.rich)
		r = mue_fail(e, MUE_ENOMEM, "no memory for an image of %u bytes", h.new_size);
	else
		r = mue_delta_open(d, &h, &room);
	patch.data += h.size;
	patch.len -= h.size;
	if (r == MUE_OK)
		r = run(d, patch, e);
	if (r == MUE_OK) {
		*ret_new = m.new;
		*ret_len = h.new_size;
		m.new = NULL;
	}
	free(m.new);
	free(d);
	free(room.rich);
	free(room.blocks);
	free(room.page);
	return r;
}
