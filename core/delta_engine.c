#include "core/delta_engine.h"

#include "core/mem.h"

enum { PLAIN_AHEAD = 4 }; /* the rich model looks at four bytes of a unit */

void mue_delta_models_start(struct mue_delta_models *m)
{
	uint16_t *p = (uint16_t *)(void *)m;

	for (uint16_t i = 0; i < sizeof(*m) / sizeof(*p); i++)
		p[i] = MUE_DELTA_P_INIT;
}

void mue_delta_scan_seek(struct mue_delta_scan *s, uint32_t addr)
{
	if (addr - s->addr >= 4 * MUE_DELTA_POOL_BITS)
		memset(&s->u, 0, sizeof(s->u));
	s->addr = addr;
}

/* The last block that starts at or before `old`; NULL: none. */
static const struct mue_delta_block *block_before(const struct mue_delta *d, mue_delta_off old)
{
	uint16_t lo = 0, hi = d->blocks_count;

	while (lo < hi) {
		uint16_t mid = (uint16_t)((lo + hi) / 2);

		if (d->blocks[mid].old <= old)
			lo = (uint16_t)(mid + 1);
		else
			hi = mid;
	}
	return lo ? &d->blocks[lo - 1] : NULL;
}

void mue_delta_block_add(struct mue_delta *d, const struct mue_delta_block *b)
{
	uint16_t i = d->blocks_count++;

	for (; i > 0 && d->blocks[i - 1].old > b->old; i--)
		d->blocks[i] = d->blocks[i - 1];
	d->blocks[i] = *b;
}

const struct mue_delta_block *mue_delta_block_at(const struct mue_delta *d, mue_delta_off pos)
{
	const struct mue_delta_block *best = NULL;

	for (uint16_t i = 0; i < d->blocks_count; i++) {
		const struct mue_delta_block *b = &d->blocks[i];

		if (b->new + b->len > pos && (!best || b->new < best->new))
			best = b;
	}
	return best;
}

void mue_delta_copy_start(struct mue_delta *d, mue_delta_off old, mue_delta_off len)
{
	d->old_pos = old;
	d->copy = len;
	d->sure = d->hot = 0;
	if (d->isa)
		mue_delta_scan_seek(&d->scan, mue_delta_old_addr(d, old));
}

static int fill_window(struct mue_delta *d, uint8_t need)
{
	mue_delta_off left = (mue_delta_off)(d->old_size - d->old_pos);
	mue_delta_off at = (mue_delta_off)(d->old_pos - d->window_pos);
	int r;

	if (need > left)
		need = (uint8_t)left;
	if (d->old_pos >= d->window_pos && at < d->window_len && d->window_len - at >= need)
		return 0;
	d->window_pos = d->old_pos;
	d->window_len = (uint8_t)(left < MUE_DELTA_WINDOW ? left : MUE_DELTA_WINDOW);
	r = d->io->read_old(d->io_ctx, d->window_pos, d->window, d->window_len);
	if (r < 0)
		d->window_len = 0;
	return r;
}

/* Where the copy map sends an address of the old image; others stay. */
static uint32_t map_address(const struct mue_delta *d, uint32_t addr)
{
	const struct mue_delta_block *b;
	mue_delta_off off;

	if (!mue_delta_old_off(d, addr, &off))
		return addr;
	b = block_before(d, off);
	if (b)
		off = (mue_delta_off)(off + b->new - b->old);
	return mue_delta_new_addr(d, off);
}

static uint32_t lesson(const struct mue_delta *d, uint8_t space, uint32_t key)
{
	const struct mue_delta_lesson *best = NULL;

	for (uint8_t i = 0; i < MUE_DELTA_LEARNED; i++) {
		const struct mue_delta_lesson *l = &d->lessons[space][i];

		if (l->key <= key && (!best || l->key > best->key))
			best = l;
	}
	return best ? best->corr : 0;
}

static uint8_t space_of(const struct mue_delta_guess *g)
{
	return g->unit.kind == MUE_DELTA_DATA;
}

int mue_delta_guess(struct mue_delta *d, struct mue_delta_guess *g)
{
	struct mue_delta_unit *u = &g->unit;
	uint8_t step = d->isa ? d->isa->step : 2, ahead = d->isa ? d->isa->ahead : PLAIN_AHEAD;
	uint8_t w[MUE_DELTA_AHEAD], skip, have;
	uint32_t addr = mue_delta_new_addr(d, d->pos);
	mue_delta_off off;
	int r = fill_window(d, d->flags & MUE_DELTA_ELF ? MUE_DELTA_AHEAD : ahead);

	if (r < 0)
		return r;
	memset(w, 0, sizeof(w));
	skip = (uint8_t)(d->old_pos - d->window_pos);
	have = (uint8_t)(d->window_len - skip);
	memcpy(w, d->window + skip, have < sizeof(w) ? have : sizeof(w));
	memset(g, 0, sizeof(*g));
	memcpy(u->bytes, w, sizeof(u->bytes));
	u->len = (uint8_t)(step - d->old_pos % step);
	d->scan.addr = mue_delta_old_addr(d, d->old_pos);
	if (d->isa && u->len == step && !mue_delta_elf_scan(&d->scan, w, u))
		d->isa->scan(&d->scan, w, u);
	if (u->len > d->copy) {
		u->len = (uint8_t)d->copy;
		u->kind = MUE_DELTA_BYTES;
		u->form = 0;
	}
	if (!u->form)
		return 0;
	u->value = mue_delta_get(d, u, d->scan.addr);
	if (u->kind == MUE_DELTA_WIDE) {
		g->mapped = u->value;
		g->undo = d->number;
		g->reference = true;
		return 0;
	}
	if (u->kind == MUE_DELTA_POINTER && !mue_delta_old_off(d, u->value, &off))
		u->kind = MUE_DELTA_DATA;
	g->mapped = u->kind == MUE_DELTA_DATA ? u->value : map_address(d, u->value);
	if (u->form >= MUE_DELTA_FORM_DATA)
		u->page = map_address(d, u->page);
	g->corr = lesson(d, space_of(g), u->value);
	if (!g->corr && d->space >= 0)
		g->undo = d->lessons[d->space]
				    [(uint8_t)(d->lessons_next[d->space] - 1) % MUE_DELTA_LEARNED]
					    .corr;
	g->reference = mue_delta_put(d, u, addr, g->mapped + g->corr);
	return 0;
}

void mue_delta_advance(struct mue_delta *d, uint8_t len)
{
	d->pos = (mue_delta_off)(d->pos + len);
	d->old_pos = (mue_delta_off)(d->old_pos + len);
	d->copy = (mue_delta_off)(d->copy - len);
}

uint16_t *mue_delta_good(struct mue_delta *d, const struct mue_delta_guess *g)
{
	return &d->u.m.good[d->hot != 0][g->unit.kind][d->history & 7];
}

uint16_t *mue_delta_sure(struct mue_delta *d)
{
	uint8_t i = d->run < 32 ? 0 : d->run < 128 ? 1 : d->run < 1024 ? 2 : 3;

	return &d->u.m.sure[i];
}

void mue_delta_note(struct mue_delta *d, bool good)
{
	d->history = (uint8_t)(d->history << 1 | !good);
	mue_delta_note_long(d, good);
	if (!good)
		d->run = 0;
	else if (d->run < UINT16_MAX)
		d->run++;
}

void mue_delta_learn(struct mue_delta *d, const struct mue_delta_guess *g, uint32_t actual)
{
	uint8_t space = space_of(g), i;
	struct mue_delta_lesson *l = d->lessons[space];

	if (g->unit.kind == MUE_DELTA_WIDE) {
		d->number = actual - g->mapped;
		return;
	}
	for (i = 0; i < MUE_DELTA_LEARNED; i++)
		if (l[i].key == g->unit.value)
			break;
	if (i == MUE_DELTA_LEARNED) {
		i = d->lessons_next[space];
		d->lessons_next[space] = (uint8_t)((i + 1) % MUE_DELTA_LEARNED);
	}
	l[i].key = g->unit.value;
	l[i].corr = actual - g->mapped;
	d->space = (int8_t)space;
}

uint16_t *mue_delta_same(struct mue_delta *d, const struct mue_delta_guess *g, uint8_t i,
			 uint8_t wrong)
{
	uint8_t row = wrong ? 2 : g->unit.len > 2;

	return &d->u.m.same[row][i & 3];
}
