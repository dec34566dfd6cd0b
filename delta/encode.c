/*
 * Mirrors core/delta.c: the same walk, the same contexts, with the decisions written instead of
 * read.  The prediction itself is core's own (core/delta_engine.h).
 */
#include "delta/encode.h"

#include "core/delta_engine.h"
#include "core/delta_rich.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	GRANULE = 8,      /* bytes of old that are claimed together */
	NOISE_LEN = 4096, /* inserted bytes whose entropy says something */
};

struct enc {
	struct mue_delta d; /* as the decoder's would be */
	struct mue_delta_io io;
	struct mue_rc_enc rc;
	struct mue_span old, new;
	const struct mue_delta_block *copies; /* all, in the order of new */
	size_t n_copies;
	struct mue_encoding *ret;
	uint32_t sure_end; /* new position up to which units are known to be right */
};

static int read_old(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	struct enc *x = ctx;

	memcpy(buf, x->old.data + off, len);
	return MUE_OK;
}

static void bit(struct enc *x, uint16_t *p, bool v)
{
	mue_rc_bit(&x->rc, p, v);
}

static void num(struct enc *x, uint8_t which, uint32_t v)
{
	mue_rc_num(&x->rc, x->d.u.m.num[which], v);
}

static void signed_num(struct enc *x, uint8_t which, uint32_t v)
{
	bool negative = v >> 31;

	bit(x, &x->d.u.m.sign[which == NUM_CORR], negative);
	num(x, which, (negative ? 0 - v : v) - 1);
}

static void cost_to(struct enc *x, enum mue_cost c)
{
	x->rc.cost = &x->ret->cost[c];
}

static void old_place(struct enc *x, uint32_t last, uint32_t gap, uint32_t old)
{
	bit(x, &x->d.u.m.seek[0], old != last + gap);
	if (old == last + gap)
		return;
	bit(x, &x->d.u.m.seek[1], old != last);
	if (old != last)
		signed_num(x, NUM_SEEK, old - last);
}

static void write_move(struct enc *x, uint8_t which, uint32_t v)
{
	bit(x, &x->d.u.m.moved[which], v != 0);
	if (v)
		signed_num(x, NUM_SEEK, v);
}

static int read_new(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	struct enc *x = ctx;

	memcpy(buf, x->new.data + off, len);
	return MUE_OK;
}

/* Where new's stretches are: its own program headers, compared with old's. */
static int write_segments(struct enc *x)
{
	const struct mue_delta_io io = { .read_old = read_new };
	struct mue_delta_segment *s = x->d.segments;
	struct mue_delta *n = NULL;
	int r = mue_delta_elf_open(&x->d);

	if (!r)
		n = calloc(1, sizeof(*n));
	if (!n)
		return MUE_EFORMAT;
	n->io = &io;
	n->io_ctx = x;
	n->old_size = (uint32_t)x->new.len;
	r = mue_delta_elf_open(n);
	for (uint8_t i = 0; i < x->d.segments_count; i++) {
		if (i < n->segments_count) {
			s[i].new_off = n->segments[i].old_off;
			s[i].new_addr = n->segments[i].old_addr;
		}
		write_move(x, 0, s[i].new_off - s[i].old_off);
		write_move(x, 1, s[i].new_addr - s[i].old_addr);
	}
	free(n);
	return r;
}

static void write_map(struct enc *x, const struct mue_copies *blocks)
{
	uint32_t pos = 0, old = 0;

	cost_to(x, MUE_COST_MAP);
	for (size_t i = 0; i < blocks->n; i++) {
		const struct mue_delta_block *b = &blocks->v[i];

		num(x, NUM_GAP, b->new - pos);
		num(x, NUM_LEN, b->len - 1);
		old_place(x, old, b->new - pos, b->old);
		pos = b->new + b->len;
		old = b->old + b->len;
		mue_delta_block_add(&x->d, b);
	}
	x->d.old_pos = 0;
}

static bool unit_good(const struct enc *x, const struct mue_delta_guess *g)
{
	return memcmp(g->unit.bytes, x->new.data + x->d.pos, g->unit.len) == 0;
}

/* Whether the next window of units is right as a whole. */
static bool window_good(struct enc *x)
{
	struct mue_delta *d = &x->d;
	struct mue_delta_scan scan = d->scan;
	uint32_t pos = d->pos, old_pos = d->old_pos, copy = d->copy;
	bool good = true;

	for (int i = 0; good && i < MUE_DELTA_SURE && d->copy; i++) {
		struct mue_delta_guess g;

		mue_delta_guess(d, &g);
		good = unit_good(x, &g);
		mue_delta_advance(d, g.unit.len);
	}
	d->scan = scan;
	d->pos = pos;
	d->old_pos = old_pos;
	d->copy = copy;
	return good;
}

/* The window is decided before the unit is scanned. */
static void write_window(struct enc *x)
{
	struct mue_delta *d = &x->d;
	bool good;

	if (d->sure || d->run < MUE_DELTA_CALM || d->hot)
		return;
	good = window_good(x);
	cost_to(x, MUE_COST_GOOD);
	bit(x, mue_delta_sure(d), !good);
	if (good)
		d->sure = MUE_DELTA_SURE;
	else
		d->hot = MUE_DELTA_SURE;
}

static void write_good(struct enc *x, const struct mue_delta_guess *g, bool good)
{
	struct mue_delta *d = &x->d;

	if (d->sure) {
		d->sure--;
		return;
	}
	cost_to(x, MUE_COST_GOOD);
	if (d->rich) {
		mue_delta_rich_good(d, g);
		mue_rc_p(&x->rc, mue_rich_p(d->rich, 1), !good);
		mue_rich_learn(d->rich, !good);
	} else {
		bit(x, mue_delta_good(d, g), !good);
	}
	if (!good)
		d->hot = 0;
	else if (d->hot)
		d->hot--;
}

/* The address that makes the unit right; false: none does. */
static bool actual_address(const struct enc *x, const struct mue_delta_guess *g, uint32_t *ret)
{
	const uint8_t *n = x->new.data + x->d.pos;
	uint32_t addr = mue_delta_new_addr(&x->d, x->d.pos), guess = g->mapped + g->corr;
	struct mue_delta_unit u = g->unit;

	if (!g->reference)
		return false;
	memcpy(u.bytes, n, u.len);
	if (u.form < MUE_DELTA_FORM_DATA) { /* halves of an address: the other half is right */
		u.page = guess & ~(uint32_t)0xfff;
		u.hint = u.kind == MUE_DELTA_SPLIT && u.shift == 12 ? guess & 0xfff : u.hint;
	}
	*ret = mue_delta_get(&x->d, &u, addr);
	memcpy(u.bytes, g->unit.bytes, u.len);
	if (((*ret - guess) & ((1U << u.shift) - 1)) != 0)
		return false;
	return mue_delta_put(&x->d, &u, addr, *ret) && memcmp(u.bytes, n, u.len) == 0;
}

static void write_address(struct enc *x, const struct mue_delta_guess *g, uint32_t actual)
{
	struct mue_delta *d = &x->d;
	int32_t diff = (int32_t)(actual - g->mapped - g->corr);

	cost_to(x, MUE_COST_ADDRESS);
	if (g->undo != g->corr) {
		bool other = actual != g->mapped + g->undo;

		bit(x, &d->u.m.undo[g->corr != 0], other);
		if (!other)
			diff = 0;
	}
	if (diff)
		signed_num(x, NUM_CORR, (uint32_t)(diff >> g->unit.shift));
	mue_delta_learn(d, g, actual);
}

/* A byte through the rich model, whose contexts are set. */
static void write_rich(struct enc *x, uint8_t v)
{
	unsigned node = 1;

	for (int i = 7; i >= 0; i--) {
		uint8_t b = v >> i & 1;

		mue_rc_p(&x->rc, mue_rich_p(x->d.rich, (uint16_t)node), b);
		mue_rich_learn(x->d.rich, b);
		node = node << 1 | b;
	}
}

/* The rich model has seen new up to `pos`. */
static void catch_up(struct enc *x, uint32_t pos)
{
	uint32_t from = pos > 8 ? pos - 8 : 0;

	for (uint32_t i = from; i < pos; i++)
		mue_rich_seen(x->d.rich, x->new.data[i]);
}

static void write_diff(struct enc *x, const struct mue_delta_guess *g, uint8_t i, uint8_t diff)
{
	struct mue_delta *d = &x->d;
	bool again = diff == d->last_diff[i & 1];

	if (d->rich) {
		catch_up(x, d->pos);
		mue_delta_rich_diff(d, g, i);
		write_rich(x, diff);
		mue_delta_diffed(d, diff);
		return;
	}
	bit(x, &d->u.m.again[i & 1], !again);
	if (!again)
		mue_rc_diff(&x->rc, d->u.m.diff, diff);
}

static void write_bytes(struct enc *x, const struct mue_delta_guess *g)
{
	struct mue_delta *d = &x->d;
	struct mue_delta_guess now = *g; /* the bytes so far are right */
	uint8_t wrong = 0;

	cost_to(x, MUE_COST_BYTES);
	for (uint8_t i = 0; i < g->unit.len; i++) {
		uint8_t diff = (uint8_t)(x->new.data[d->pos + i] - g->unit.bytes[i]);

		bit(x, mue_delta_same(d, g, i, wrong), diff != 0);
		if (!diff)
			continue;
		wrong = 1;
		write_diff(x, &now, i, diff);
		d->last_diff[i & 1] = diff;
		now.unit.bytes[i] = x->new.data[d->pos + i];
	}
}

/* A number that is quite another is cheaper as bytes. */
static bool number_pays(const struct mue_delta_guess *g, uint32_t actual)
{
	return actual == g->mapped + g->undo || actual - g->mapped + 2048 < 4096;
}

static void write_wrong(struct enc *x, const struct mue_delta_guess *g)
{
	uint32_t actual;
	bool address = actual_address(x, g, &actual);
	double before = x->ret->cost[MUE_COST_ADDRESS] + x->ret->cost[MUE_COST_BYTES];

	if (address && g->unit.kind == MUE_DELTA_WIDE)
		address = number_pays(g, actual);
	x->ret->wrong[g->unit.kind]++;
	if (g->reference) {
		cost_to(x, MUE_COST_ADDRESS);
		bit(x, &x->d.u.m.address[g->unit.kind], !address);
	}
	if (address)
		write_address(x, g, actual);
	else
		write_bytes(x, g);
	x->ret->wrong_cost[g->unit.kind] += x->ret->cost[MUE_COST_ADDRESS] +
					    x->ret->cost[MUE_COST_BYTES] - before;
}

static void write_copy(struct enc *x, uint32_t old, uint32_t len)
{
	struct mue_delta *d = &x->d;

	mue_delta_copy_start(d, old, len);
	while (d->copy) {
		struct mue_delta_guess g;
		bool good;

		write_window(x);
		mue_delta_guess(d, &g);
		good = unit_good(x, &g);
		write_good(x, &g, good);
		x->ret->units[g.unit.kind]++;
		if (!good)
			write_wrong(x, &g);
		mue_delta_note(d, good);
		mue_delta_advance(d, g.unit.len);
	}
}

/* What the small model would need for inserted bytes. */
static double simulated_bits(const struct enc *x, uint32_t pos, uint32_t len)
{
	uint16_t fresh[MUE_DELTA_FRESH_SIZE];
	struct mue_rc_enc rc;
	double cost = 0;

	memcpy(fresh, x->d.u.m.fresh, sizeof(fresh));
	mue_rc_start(&rc, &cost);
	for (uint32_t i = pos; i < pos + len; i++)
		mue_rc_fresh(&rc, fresh, i & 1, x->new.data[i]);
	free(rc.out);
	return cost;
}

/* Whether the model would make inserted bytes larger: noise, compressed or encrypted data. */
static bool is_noise(const struct enc *x, uint32_t pos, uint32_t len)
{
	uint32_t count[256] = { 0 };
	double bits = 0;

	if (len < 32)
		return false;
	if (x->d.rich) {
		for (uint32_t i = 0; i < len; i++)
			count[x->new.data[pos + i]]++;
		for (int i = 0; i < 256; i++)
			bits -= count[i] ? count[i] * log2((double)count[i] / len) : 0;
		return len >= NOISE_LEN && bits > 7.9 * len;
	}
	return simulated_bits(x, pos, len) > 8.0 * len;
}

static void write_fresh(struct enc *x, uint32_t len)
{
	cost_to(x, MUE_COST_FRESH);
	x->ret->fresh += len;
	if (x->d.rich)
		catch_up(x, x->d.pos);
	for (; len; len--) {
		uint8_t b = x->new.data[x->d.pos];

		if (x->d.raw) {
			mue_rc_direct(&x->rc, b, 8);
			if (x->d.rich)
				mue_rich_seen(x->d.rich, b);
		} else if (x->d.rich) {
			mue_rich_fresh(x->d.rich, x->d.pos);
			write_rich(x, b);
			mue_rich_seen(x->d.rich, b);
		} else {
			mue_rc_fresh(&x->rc, x->d.u.m.fresh, x->d.pos & 1, b);
		}
		x->d.pos++;
	}
}

/* The copy that starts in [pos, end), NULL: none. */
static const struct mue_delta_block *copy_in(const struct enc *x, uint32_t pos, uint32_t end)
{
	size_t lo = 0, hi = x->n_copies;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (x->copies[mid].new < pos)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < x->n_copies && x->copies[lo].new < end ? &x->copies[lo] : NULL;
}

static void write_gap(struct enc *x, uint32_t end)
{
	struct mue_delta *d = &x->d;

	while (d->pos < end) {
		const struct mue_delta_block *b = copy_in(x, d->pos, end);
		uint32_t len;

		d->raw = is_noise(x, d->pos, (b ? b->new : end) - d->pos);
		cost_to(x, MUE_COST_GAPS);
		bit(x, &d->u.m.raw, d->raw);
		bit(x, &d->u.m.rest, b != NULL);
		if (!b) {
			write_fresh(x, end - d->pos);
			return;
		}
		len = b->len < end - b->new ? b->len : end - b->new;
		num(x, NUM_GAP, b->new - d->pos);
		num(x, NUM_LEN, len - 1);
		old_place(x, d->old_pos, b->new - d->pos, b->old);
		/* The decoder has started the copy by now. */
		d->old_pos = b->old;
		write_fresh(x, b->new - d->pos);
		write_copy(x, b->old, len);
	}
}

static void write_stretch(struct enc *x, uint32_t pos, uint32_t stop)
{
	struct mue_delta *d = &x->d;

	d->pos = pos;
	while (d->pos < stop) {
		const struct mue_delta_block *b = mue_delta_block_at(d, d->pos);

		if (b && b->new <= d->pos) {
			uint32_t end = b->new + b->len < stop ? b->new + b->len : stop;

			write_copy(x, b->old + (d->pos - b->new), end - d->pos);
		} else {
			write_gap(x, b && b->new < stop ? b->new : stop);
		}
	}
}

static void write_stretches(struct enc *x)
{
	uint32_t size = (uint32_t)x->new.len, page = (uint32_t)1 << x->d.page_log2;

	if (!(x->d.flags & MUE_DELTA_BACKWARD)) {
		write_stretch(x, 0, size);
		return;
	}
	while (size) {
		uint32_t pos = (size - 1) / page * page;

		write_stretch(x, pos, size);
		size = pos;
	}
}

static int by_len(const void *a, const void *b)
{
	const struct mue_delta_block *x = a, *y = b;

	return x->len < y->len ? 1 : x->len > y->len ? -1 : x->new < y->new ? -1 : x->new > y->new;
}

static int by_new(const void *a, const void *b)
{
	const struct mue_delta_block *x = a, *y = b;

	return x->new < y->new ? -1 : x->new > y->new;
}

/* Takes a block when longer ones have left at least half of its part of old. */
static bool claim(uint8_t *taken, const struct mue_delta_block *b)
{
	uint32_t first = b->old / GRANULE, last = (b->old + b->len - 1) / GRANULE, free_ones = 0;

	for (uint32_t i = first; i <= last; i++)
		free_ones += !taken[i];
	if (2 * free_ones < last - first + 1)
		return false;
	memset(taken + first, 1, last - first + 1);
	return true;
}

/*
 * The copies that say best where things went: the longest one for each part of old, as many as the
 * map holds.  The others stand in the stream.
 */
static int choose_blocks(const struct mue_copies *copies, size_t old_size, uint16_t max,
			 struct mue_copies *ret, struct mue_error *e)
{
	uint8_t *taken = calloc(old_size / GRANULE + 1, 1);

	ret->v = malloc((copies->n + 1) * sizeof(*ret->v));
	if (!ret->v || !taken) {
		free(taken);
		return mue_fail(e, MUE_ENOMEM, "no memory for %zu copies", copies->n);
	}
	if (copies->n)
		memcpy(ret->v, copies->v, copies->n * sizeof(*ret->v));
	qsort(ret->v, copies->n, sizeof(*ret->v), by_len);
	for (size_t i = 0; i < copies->n && ret->n < max; i++)
		if (claim(taken, &ret->v[i]))
			ret->v[ret->n++] = ret->v[i];
	qsort(ret->v, ret->n, sizeof(*ret->v), by_new);
	free(taken);
	return MUE_OK;
}

static void open_like_decoder(struct enc *x, const struct mue_delta_isa *isa,
			      const struct mue_delta_header *h, struct mue_delta_block *blocks)
{
	struct mue_delta *d = &x->d;

	x->io.read_old = read_old;
	d->io = &x->io;
	d->io_ctx = x;
	d->isa = isa;
	d->blocks = blocks;
	d->old_size = h->old_size;
	d->new_size = h->new_size;
	d->flags = h->flags;
	d->page_log2 = h->page_log2;
	d->old_base = h->variant[0].old_base;
	d->new_base = h->variant[0].new_base;
	d->scan.base = d->old_base;
	d->scan.size = d->old_size;
	d->space = -1;
	mue_delta_models_start(&d->u.m);
}

static void put_varint(uint8_t **p, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		*(*p)++ = (uint8_t)(v | 0x80);
	*(*p)++ = (uint8_t)v;
}

static void put_round(uint8_t **p, uint32_t v)
{
	uint32_t zeros = v ? (uint32_t)__builtin_ctz(v) : 0;

	if (zeros < 5 && v >> 27) { /* does not fit: decoders need v < 2^27 with its zeros off */
		zeros = 0;
	}
	put_varint(p, (v >> zeros) << 5 | zeros);
}

static size_t write_header(const struct mue_delta_header *h, uint8_t *out)
{
	uint8_t *p = out;
	uint32_t grown = h->new_size - h->old_size;

	*p++ = 'M';
	*p++ = 0xd1;
	*p++ = (uint8_t)(1 << 4 | h->flags);
	*p++ = (uint8_t)((h->variants - 1) << 6 | h->isa);
	put_varint(&p, h->old_size);
	put_varint(&p, grown << 1 ^ (grown >> 31 ? UINT32_MAX : 0));
	put_varint(&p, h->blocks);
	if (h->flags & MUE_DELTA_BACKWARD)
		*p++ = h->page_log2;
	for (uint8_t i = 0; i < h->variants; i++) {
		const struct mue_delta_variant *v = &h->variant[i];

		if (h->isa != MUE_DELTA_PLAIN) {
			put_round(&p, v->old_base);
			put_round(&p, v->new_base - v->old_base);
		}
		memcpy(p, v->old_digest, MUE_DELTA_DIGEST);
		p += MUE_DELTA_DIGEST;
		memcpy(p, v->new_digest, MUE_DELTA_DIGEST);
		p += MUE_DELTA_DIGEST;
	}
	return (size_t)(p - out);
}

static int join(struct enc *x, const struct mue_delta_header *h, struct mue_error *e)
{
	uint8_t head[MUE_DELTA_HEADER_MAX];
	struct mue_encoding *ret = x->ret;

	ret->header = write_header(h, head);
	ret->len = ret->header + x->rc.len;
	ret->out = x->rc.failed ? NULL : malloc(ret->len);
	if (!ret->out)
		return mue_fail(e, MUE_ENOMEM, "no memory for a patch of %zu bytes", ret->len);
	memcpy(ret->out, head, ret->header);
	memcpy(ret->out + ret->header, x->rc.out, x->rc.len);
	return MUE_OK;
}

int mue_encode(struct mue_span old, struct mue_span new, const struct mue_copies *copies,
	       const struct mue_delta_isa *isa, struct mue_delta_header *h,
	       struct mue_encoding *ret, struct mue_error *e)
{
	struct enc *x = calloc(1, sizeof(*x));
	struct mue_copies blocks = { 0 };
	struct mue_delta_block *map = NULL;
	int r = MUE_ENOMEM;

	memset(ret, 0, sizeof(*ret));
	if (!x || choose_blocks(copies, old.len, h->blocks, &blocks, e) < 0)
		goto out;
	map = malloc((blocks.n + 1) * sizeof(*map));
	if (!map)
		goto out;
	h->blocks = (uint16_t)blocks.n;
	x->old = old;
	x->new = new;
	x->copies = copies->v;
	x->n_copies = copies->n;
	x->ret = ret;
	open_like_decoder(x, isa, h, map);
	mue_rc_start(&x->rc, &ret->cost[MUE_COST_MAP]);
	if (h->flags & MUE_DELTA_ELF && write_segments(x) < 0) {
		r = mue_fail(e, MUE_EFORMAT, "damaged ELF file");
		goto out;
	}
	if (h->flags & MUE_DELTA_RICH) {
		x->d.rich = malloc(sizeof(*x->d.rich));
		if (!x->d.rich) {
			r = mue_fail(e, MUE_ENOMEM, "no memory for the rich model");
			goto out;
		}
		mue_rich_start(x->d.rich, h->old_size, read_old, x);
	}
	write_map(x, &blocks);
	write_stretches(x);
	mue_rc_finish(&x->rc);
	ret->copies = copies->n;
	ret->blocks = blocks.n;
	r = join(x, h, e);
out:
	if (x) {
		free(x->d.rich);
		free(x->rc.out);
	}
	free(x);
	free(map);
	free(blocks.v);
	return r;
}
