#include "core/delta.h"

#include "core/delta_engine.h"
#include "core/mem.h"

enum phase { PHASE_OLD, PHASE_START, PHASE_MAP, PHASE_WRITE, PHASE_NEW, PHASE_DONE, PHASE_FAILED };

enum { HASH_CHUNK = 32, HASH_STEPS = 32 };

/* Built small, all is written forwards. */
static bool backward(uint8_t flags)
{
	return flags & MUE_DELTA_FLAGS & MUE_DELTA_BACKWARD;
}

int mue_delta_open(struct mue_delta *d, const struct mue_delta_header *h,
		   const struct mue_delta_room *room)
{
	const struct mue_delta_isa *const *isa = room->isas;

	memset(d, 0, sizeof(*d));
	d->phase = PHASE_FAILED;
	while (h->isa != MUE_DELTA_PLAIN && *isa && (*isa)->id != h->isa)
		isa++;
	if (h->isa != MUE_DELTA_PLAIN) {
		if (!*isa)
			return MUE_EPROFILE;
		d->isa = *isa;
	}
	d->old_size = (mue_delta_off)h->old_size;
	d->new_size = (mue_delta_off)h->new_size;
	if (h->blocks > room->blocks_max || h->flags & ~MUE_DELTA_FLAGS ||
	    d->old_size != h->old_size || d->new_size != h->new_size)
		return MUE_EPROFILE;
	if (!room->page_size || (backward(h->flags) && room->page_size >> h->page_log2 != 1))
		return MUE_EINVAL;
	d->io = room->io;
	d->io_ctx = room->io_ctx;
	d->blocks = room->blocks;
	d->blocks_max = h->blocks;
	d->page = room->page;
	d->page_size = room->page_size;
	d->flags = h->flags;
	d->variants = h->variants;
	d->space = -1;
	if (!mue_delta_big_open(d, room))
		return MUE_EPROFILE;
	mue_sha256_init(&d->u.check.sha);
	memcpy(d->u.check.variant, h->variant, sizeof(h->variant));
	d->phase = PHASE_OLD;
	return MUE_OK;
}

/* Hashes up to HASH_STEPS chunks of an image; MUE_DELTA_MORE: there is more. */
static int hash(struct mue_delta *d, int (*read)(void *, uint32_t, void *, uint16_t),
		mue_delta_off size, uint8_t ret[MUE_SHA256_SIZE])
{
	uint8_t buf[HASH_CHUNK];

	for (uint8_t i = 0; i < HASH_STEPS; i++) {
		mue_delta_off left = (mue_delta_off)(size - d->u.check.at);
		uint16_t n = left < HASH_CHUNK ? (uint16_t)left : HASH_CHUNK;
		int r;

		if (!n) {
			mue_sha256_final(&d->u.check.sha, ret);
			return MUE_OK;
		}
		r = read(d->io_ctx, d->u.check.at, buf, n);
		if (r < 0)
			return r;
		mue_sha256_update(&d->u.check.sha, buf, n);
		d->u.check.at = (mue_delta_off)(d->u.check.at + n);
	}
	return MUE_DELTA_MORE;
}

static int check_old(struct mue_delta *d)
{
	uint8_t digest[MUE_SHA256_SIZE];
	int r = hash(d, d->io->read_old, d->old_size, digest);

	if (r)
		return r;
	for (uint8_t i = 0; i < d->variants; i++) {
		const struct mue_delta_variant *v = &d->u.check.variant[i];

		if (memcmp(v->old_digest, digest, MUE_DELTA_DIGEST) != 0)
			continue;
		d->old_base = d->scan.base = v->old_base;
		d->new_base = v->new_base;
		d->scan.size = d->old_size;
		memcpy(d->new_digest, v->new_digest, MUE_DELTA_DIGEST);
		d->phase = PHASE_START;
		return MUE_DELTA_MORE;
	}
	return MUE_EPRECURSOR;
}

static int check_new(struct mue_delta *d)
{
	uint8_t digest[MUE_SHA256_SIZE];
	int r = hash(d, d->io->read_new, d->new_size, digest);

	if (r)
		return r;
	if (memcmp(d->new_digest, digest, MUE_DELTA_DIGEST) != 0)
		return MUE_EDIGEST;
	d->phase = PHASE_DONE;
	return MUE_OK;
}

/* All of new is written: its digest comes next. */
static int finish(struct mue_delta *d)
{
	if (d->rc.at < d->rc.len)
		return MUE_EFORMAT;
	d->phase = PHASE_NEW;
	mue_sha256_init(&d->u.check.sha);
	d->u.check.at = 0;
	return MUE_DELTA_MORE;
}

static uint32_t num(struct mue_delta *d, uint8_t which)
{
	return mue_delta_rc_num(&d->rc, d->u.m.num[which]);
}

static uint32_t signed_num(struct mue_delta *d, uint8_t which)
{
	uint8_t negative = mue_delta_rc_bit(&d->rc, &d->u.m.sign[which == NUM_CORR]);
	uint32_t v = num(d, which) + 1;

	return negative ? 0 - v : v;
}

/* The next place in old: where the last copy ended, as far on as in new, or elsewhere. */
static uint32_t old_place(struct mue_delta *d, uint32_t last, uint32_t gap)
{
	if (!mue_delta_rc_bit(&d->rc, &d->u.m.seek[0]))
		return last + gap;
	if (!mue_delta_rc_bit(&d->rc, &d->u.m.seek[1]))
		return last;
	return last + signed_num(d, NUM_SEEK);
}

/* Whether [at, at + len) lies in [0, size). */
static bool inside(uint32_t at, uint32_t len, uint32_t size)
{
	return at <= size && len <= size - at;
}

static int read_block(struct mue_delta *d)
{
	struct mue_delta_block b;
	uint32_t gap = num(d, NUM_GAP), len = num(d, NUM_LEN) + 1;
	uint32_t old = old_place(d, d->old_pos, gap);

	if (!inside(d->pos, gap, d->new_size) || !inside(d->pos + gap, len, d->new_size) ||
	    !inside(old, len, d->old_size))
		return MUE_EFORMAT;
	b.len = (mue_delta_off)len;
	b.old = (mue_delta_off)old;
	b.new = (mue_delta_off)(d->pos + gap);
	d->pos = (mue_delta_off)(b.new + b.len);
	d->old_pos = (mue_delta_off)(b.old + b.len);
	mue_delta_block_add(d, &b);
	return MUE_DELTA_MORE;
}

/* Starts the next stretch: all of new, or in a backward patch the page before. */
static int next_stretch(struct mue_delta *d)
{
	d->stop = d->new_size;
	d->pos = 0;
	if (backward(d->flags)) {
		d->stop = d->page_pos;
		d->pos = (mue_delta_off)((d->stop - 1U) / d->page_size * d->page_size);
	}
	d->page_pos = d->gap_end = d->pos;
	d->page_fill = 0;
	return MUE_DELTA_MORE;
}

static int read_map(struct mue_delta *d)
{
	if (d->blocks_count < d->blocks_max)
		return read_block(d);
	d->old_pos = 0;
	d->page_pos = d->new_size;
	d->phase = PHASE_WRITE;
	return d->new_size ? next_stretch(d) : MUE_DELTA_MORE;
}

static void emit(struct mue_delta *d, uint8_t b)
{
	mue_delta_seen(d, b);
	d->page[d->page_fill++] = b;
	if (d->page_fill == d->page_size || d->page_pos + d->page_fill == d->stop) {
		int r = d->io->write_new(d->io_ctx, d->page_pos, d->page, d->page_fill);

		if (r < 0 && !d->err)
			d->err = (int16_t)r;
		if (!backward(d->flags)) {
			d->page_pos = (mue_delta_off)(d->page_pos + d->page_fill);
			d->page_fill = 0;
		}
	}
}

/* A gap goes up to the next block; in it, inserted bytes and copies that the map does not know. */
static int read_gap(struct mue_delta *d)
{
	mue_delta_off left = (mue_delta_off)(d->gap_end - d->pos);
	uint32_t fresh, len, old;

	d->fresh = left;
	d->raw = mue_delta_rc_bit(&d->rc, &d->u.m.raw);
	if (!mue_delta_rc_bit(&d->rc, &d->u.m.rest))
		return MUE_OK;
	fresh = num(d, NUM_GAP);
	len = num(d, NUM_LEN) + 1;
	old = old_place(d, d->old_pos, fresh);
	if (!inside(fresh, len, left) || !inside(old, len, d->old_size))
		return MUE_EFORMAT;
	d->fresh = (mue_delta_off)fresh;
	mue_delta_copy_start(d, (mue_delta_off)old, (mue_delta_off)len);
	return MUE_OK;
}

static int read_op(struct mue_delta *d)
{
	const struct mue_delta_block *b;
	mue_delta_off end;

	if (d->pos < d->gap_end)
		return read_gap(d);
	b = mue_delta_block_at(d, d->pos);
	d->gap_end = d->stop;
	if (b && b->new > d->pos) {
		if (b->new < d->stop)
			d->gap_end = b->new;
	} else if (b) {
		d->gap_end = d->pos;
		end = (mue_delta_off)(b->new + b->len);
		if (end > d->stop)
			end = d->stop;
		mue_delta_copy_start(d, (mue_delta_off)(b->old + (d->pos - b->new)),
				     (mue_delta_off)(end - d->pos));
	}
	return MUE_OK;
}

static void read_fresh(struct mue_delta *d)
{
	emit(d, d->raw ? (uint8_t)mue_delta_rc_direct(&d->rc, 0, 8) : mue_delta_read_fresh(d));
	d->pos++;
	d->fresh--;
}

/* Whether the unit is as predicted. */
static bool read_good(struct mue_delta *d, const struct mue_delta_guess *g)
{
	bool good;

	if (d->sure) {
		d->sure--;
		return true;
	}
	if (d->run >= MUE_DELTA_CALM && !d->hot) {
		if (!mue_delta_rc_bit(&d->rc, mue_delta_sure(d))) {
			d->sure = MUE_DELTA_SURE - 1;
			return true;
		}
		d->hot = MUE_DELTA_SURE;
	}
	good = mue_delta_read_good(d, g);
	if (!good)
		d->hot = 0;
	else if (d->hot)
		d->hot--;
	return good;
}

/* The address of a wrongly predicted reference; the unit's bytes become right. */
static int read_address(struct mue_delta *d, struct mue_delta_guess *g)
{
	uint32_t actual;

	if (g->undo != g->corr && !mue_delta_rc_bit(&d->rc, &d->u.m.undo[g->corr != 0]))
		actual = g->mapped + g->undo;
	else
		actual = g->mapped + g->corr + (signed_num(d, NUM_CORR) << g->unit.shift);
	if (!mue_delta_put(d, &g->unit, mue_delta_new_addr(d, d->pos), actual))
		return MUE_EFORMAT;
	mue_delta_learn(d, g, actual);
	return MUE_OK;
}

static void read_bytes(struct mue_delta *d, struct mue_delta_guess *g)
{
	uint8_t wrong = 0;

	for (uint8_t i = 0; i < g->unit.len; i++) {
		uint8_t diff;

		if (!mue_delta_rc_bit(&d->rc, mue_delta_same(d, g, i, wrong)))
			continue;
		wrong = 1;
		diff = mue_delta_read_diff(d, g, i);
		d->last_diff[i & 1] = diff;
		g->unit.bytes[i] = (uint8_t)(g->unit.bytes[i] + diff);
	}
}

static int read_unit(struct mue_delta *d)
{
	struct mue_delta_guess g;
	int r = mue_delta_guess(d, &g);
	bool good;

	if (r < 0)
		return r;
	good = read_good(d, &g);
	if (!good) {
		if (g.reference && !mue_delta_rc_bit(&d->rc, &d->u.m.address[g.unit.kind]))
			r = read_address(d, &g);
		else
			read_bytes(d, &g);
	}
	if (r < 0)
		return r;
	mue_delta_note(d, good);
	for (uint8_t i = 0; i < g.unit.len; i++)
		emit(d, g.unit.bytes[i]);
	mue_delta_advance(d, g.unit.len);
	return MUE_OK;
}

/* Whether the rest of the input might not do for one thing more. */
static bool starved(const struct mue_delta *d, bool last)
{
	return !last && d->rc.at + MUE_DELTA_LOOKAHEAD > d->rc.len;
}

/* Up to the end of a page. */
static int write_page(struct mue_delta *d, bool last)
{
	mue_delta_off page = d->page_pos;
	int r = MUE_OK;

	while (d->page_pos == page && d->pos < d->stop) {
		if (starved(d, last))
			return MUE_DELTA_INPUT;
		if (d->fresh)
			read_fresh(d);
		else if (d->copy)
			r = read_unit(d);
		else
			r = read_op(d);
		if (!r)
			r = d->err;
		if (r < 0)
			return r;
	}
	if (d->pos < d->stop)
		return MUE_DELTA_MORE;
	if (backward(d->flags) && d->page_pos)
		return next_stretch(d);
	if (!last)
		return MUE_DELTA_INPUT;
	return finish(d);
}

static int step(struct mue_delta *d, bool last)
{
	switch (d->phase) {
	case PHASE_OLD:
		return check_old(d);
	case PHASE_START:
		if (starved(d, last))
			return MUE_DELTA_INPUT;
		mue_delta_models_start(&d->u.m);
		mue_delta_rc_start(&d->rc);
		d->phase = PHASE_MAP;
		return mue_delta_big_start(d) < 0 ? MUE_EFORMAT : MUE_DELTA_MORE;
	case PHASE_MAP:
		if (starved(d, last))
			return MUE_DELTA_INPUT;
		return read_map(d);
	case PHASE_WRITE:
		return write_page(d, last);
	case PHASE_NEW:
		return check_new(d);
	case PHASE_DONE:
		return MUE_OK;
	default:
		return MUE_EINVAL;
	}
}

int mue_delta_step(struct mue_delta *d, const uint8_t *in, size_t len, bool last, size_t *ret_used)
{
	int r;

	d->rc.in = in;
	d->rc.len = len;
	d->rc.at = 0;
	r = step(d, last);
	*ret_used = d->rc.at < len ? d->rc.at : len;
	if (r < 0)
		d->phase = PHASE_FAILED;
	return r;
}
