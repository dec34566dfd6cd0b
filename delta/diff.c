/* Tries the instruction sets that could fit, keeps the smallest patch, proves it. */
#include "delta/encode.h"
#include "delta/explain.h"
#include "delta/guess.h"
#include "delta/unpack.h"

#include <stdlib.h>
#include <string.h>

struct best {
	struct mue_encoding enc;
	struct mue_delta_header h;
	bool set;
};

static void digest8(struct mue_span s, uint8_t ret[MUE_DELTA_DIGEST])
{
	struct mue_sha256 sha;
	uint8_t full[MUE_SHA256_SIZE];

	mue_sha256_init(&sha);
	mue_sha256_update(&sha, s.data, s.len);
	mue_sha256_final(&sha, full);
	memcpy(ret, full, MUE_DELTA_DIGEST);
}

static const struct mue_delta_isa *isa_by_id(int id)
{
	for (size_t i = 0; mue_delta_isas[i]; i++)
		if (mue_delta_isas[i]->id == id)
			return mue_delta_isas[i];
	return NULL;
}

/* Larger than what microcontrollers without an operating system run. */
static bool is_big(struct mue_span old, struct mue_span new)
{
	return old.len > 2 << 20 || new.len > 2 << 20;
}

static uint16_t blocks_for(const struct mue_diff_options *o, const struct mue_guess *g,
			   struct mue_span old, struct mue_span new)
{
	if (o->blocks_max)
		return o->blocks_max;
	if (g->elf || g->isa >= MUE_DELTA_ARM64 || is_big(old, new))
		return 8192;
	return g->isa == MUE_DELTA_AVR ? 36 : 96;
}

static void keep_smaller(struct best *best, struct mue_encoding *enc,
			 const struct mue_delta_header *h)
{
	if (best->set && best->enc.len <= enc->len) {
		free(enc->out);
		return;
	}
	free(best->enc.out);
	best->enc = *enc;
	best->h = *h;
	best->set = true;
}

static int align(struct mue_span old, struct mue_span new, const struct mue_delta_isa *isa,
		 const struct mue_guess *g, struct mue_copies *ret, struct mue_error *e)
{
	struct mue_span a = old, b = new;
	uint8_t *buf = NULL;
	int r;

	if (isa) {
		buf = malloc(old.len + new.len + 1);
		if (!buf)
			return mue_fail(e, MUE_ENOMEM, "no memory for %zu bytes",
					old.len + new.len);
		a.data = buf;
		b.data = buf + old.len;
		mue_normalise(old, isa, g->old_base, g->elf, buf);
		mue_normalise(new, isa, g->new_base, g->elf, buf + old.len);
	}
	r = mue_align(a, b, ret, e);
	if (r == MUE_OK)
		mue_refine(a, b, ret);
	free(buf);
	return r;
}

/* The same pair linked for the other slot: both images moved as a whole. */
static void add_variant(const struct mue_diff_options *o, const struct mue_guess *g,
			struct mue_delta_header *h)
{
	struct mue_delta_variant *v = &h->variant[h->variants++];

	v->old_base = mue_guess_base(o->also_old, g->isa);
	v->new_base = mue_guess_base(o->also_new, g->isa);
	digest8(o->also_old, v->old_digest);
	digest8(o->also_new, v->new_digest);
}

static int try_isa(struct mue_span old, struct mue_span new, const struct mue_diff_options *o,
		   const struct mue_guess *g, struct best *best, struct mue_error *e)
{
	const struct mue_delta_isa *isa = isa_by_id(g->isa);
	struct mue_copies copies = { 0 };
	struct mue_encoding enc;
	struct mue_delta_header h = { .old_size = (uint32_t)old.len,
				      .new_size = (uint32_t) new.len,
				      .isa = (uint8_t)g->isa,
				      .variants = 1,
				      .page_log2 = o->page_log2,
				      .flags = o->backward ? MUE_DELTA_BACKWARD : 0 };
	int r = align(old, new, isa, g, &copies, e);

	if (r < 0)
		goto out;
	if (g->elf)
		h.flags |= MUE_DELTA_ELF;
	if (o->rich > 0 || (!o->rich && (g->elf || is_big(old, new))))
		h.flags |= MUE_DELTA_RICH;
	h.blocks = blocks_for(o, g, old, new);
	h.variant[0].old_base = g->old_base;
	h.variant[0].new_base = g->new_base;
	digest8(old, h.variant[0].old_digest);
	digest8(new, h.variant[0].new_digest);
	if (o->also_old.len)
		add_variant(o, g, &h);
	r = mue_encode(old, new, &copies, isa, &h, &enc, e);
	if (r == MUE_OK)
		keep_smaller(best, &enc, &h);
out:
	free(copies.v);
	return r;
}

static int prove(struct mue_span old, struct mue_span new, struct mue_span patch,
		 struct mue_error *e)
{
	uint8_t *got;
	size_t len;
	int r = mue_patch(old, patch, &got, &len, e);

	if (r < 0)
		return mue_prefix(e, "the patch does not decode");
	if (len != new.len || memcmp(got, new.data, len) != 0)
		r = mue_fail(e, MUE_EDIGEST, "the patch decodes to something else");
	free(got);
	return r;
}

/* One patch between the images as they are. */
static int diff_plain(struct mue_span old, struct mue_span new, const struct mue_diff_options *o,
		      struct mue_diff_result *ret, struct mue_error *e)
{
	struct mue_guess guesses[MUE_GUESSES];
	struct best best = { 0 };
	struct mue_span patch;
	size_t n = mue_guess_isa(old, new, o, guesses);
	int r = MUE_OK;

	for (size_t i = 0; i < n && r == MUE_OK; i++) {
		r = try_isa(old, new, o, &guesses[i], &best, e);
		if (o->progress)
			o->progress(o->progress_ctx, (unsigned)(900 * (i + 1) / n));
	}
	if (r == MUE_OK) {
		patch.data = best.enc.out;
		patch.len = best.enc.len;
		r = prove(old, new, patch, e);
		if (r == MUE_OK && o->also_old.len) {
			r = prove(o->also_old, o->also_new, patch, e);
			if (r < 0)
				mue_prefix(e, "one patch cannot serve both slots");
		}
	}
	if (r < 0) {
		free(best.enc.out);
		return r;
	}
	if (o->explain)
		mue_explain(o->explain, &best.enc, &best.h);
	ret->patch = best.enc.out;
	ret->len = best.enc.len;
	ret->isa = best.h.isa;
	ret->old_base = best.h.variant[0].old_base;
	ret->new_base = best.h.variant[0].new_base;
	return MUE_OK;
}

/* A patch between what is in the images' zlib streams; *ret_made says whether it was worth it. */
static int diff_unpacked(struct mue_span old, struct mue_span new, const struct mue_diff_options *o,
			 struct mue_diff_result *ret, bool *ret_made, struct mue_error *e)
{
	struct mue_unpacked a = { 0 }, b = { 0 };
	int r = mue_unpack(new, true, &b, e);

	*ret_made = false;
	if (r == MUE_OK && mue_unpack_pays(&b, new.len))
		r = mue_unpack(old, false, &a, e);
	if (r == MUE_OK && mue_unpack_pays(&a, old.len)) {
		struct mue_span from = { a.data, a.len }, to = { b.data, b.len }, inner;

		r = diff_plain(from, to, o, ret, e);
		inner.data = ret->patch;
		inner.len = ret->len;
		if (r == MUE_OK)
			r = mue_wrap(old, new, &b, inner, &ret->patch, &ret->len, e);
		if (r == MUE_OK) {
			struct mue_span patch = { ret->patch, ret->len };

			free((void *)(uintptr_t)inner.data);
			r = prove(old, new, patch, e);
			*ret_made = true;
		}
	}
	mue_unpacked_free(&a);
	mue_unpacked_free(&b);
	return r;
}

int mue_diff(struct mue_span old, struct mue_span new, const struct mue_diff_options *o,
	     struct mue_diff_result *ret, struct mue_error *e)
{
	bool made;
	int r;

	if (old.len > INT32_MAX || new.len > INT32_MAX)
		return mue_fail(e, MUE_ESIZE, "an image of 2 GiB or more");
	if (o->also_old.len && (o->also_old.len != old.len || o->also_new.len != new.len))
		return mue_fail(e, MUE_EINVAL, "the images for the other slot differ in size");
	if (is_big(old, new)) {
		r = diff_unpacked(old, new, o, ret, &made, e);
		if (r < 0 || (made && ret->len < new.len / 2))
			return r;
		if (made)
			free(ret->patch);
	}
	return diff_plain(old, new, o, ret, e);
}
