/*
 * What the delta codec knows of ELF files (System V ABI, "Object Files" and "Program Loading"; LSB
 * 5.0 "Exception Frames"): which file offset has which address, and where addresses stand as data.
 */
#include "core/delta_engine.h"
#include "core/delta_rich.h"

#include "core/mem.h"

#ifndef MUE_DELTA_SMALL

enum {
	CLASS_64 = 2,
	PT_LOAD = 1,
	EH_LEN_MAX = 0x4000,
	SHF_EXECINSTR = 4,
	SECTIONS_MAX = 256,
};

#define PT_EH_FRAME 0x6474e550U

/* Forms of references in data; mappers use forms below these. */
enum {
	F_PTR64 = MUE_DELTA_FORM_DATA,
	F_PREL32,
	F_TABLE32 = MUE_DELTA_FORM_FROM,
	F_CIE,
	F_PTR32,
	F_NUM32
};

static void set(struct mue_delta_unit *u, uint8_t len, uint8_t form)
{
	u->len = len;
	u->kind = MUE_DELTA_POINTER;
	u->form = form;
	u->shift = 0;
}

static int read_field(struct mue_delta *d, uint32_t off, uint8_t len, uint32_t *ret)
{
	uint8_t b[4] = { 0 };
	int r;

	if (off > d->old_size || d->old_size - off < len)
		return MUE_EFORMAT;
	r = d->io->read_old(d->io_ctx, off, b, len);
	if (r < 0)
		return r;
	*ret = mue_delta_get32(b);
	return MUE_OK;
}

struct phdr {
	uint32_t type, off, addr, size;
};

static int read_phdr(struct mue_delta *d, uint32_t at, bool wide, struct phdr *ret)
{
	int r = read_field(d, at, 4, &ret->type);

	if (!r)
		r = read_field(d, at + (wide ? 8 : 4), 4, &ret->off);
	if (!r)
		r = read_field(d, at + (wide ? 16 : 8), 4, &ret->addr);
	if (!r)
		r = read_field(d, at + (wide ? 32 : 16), 4, &ret->size);
	return r;
}

static void add_segment(struct mue_delta *d, const struct phdr *p)
{
	struct mue_delta_segment *s = &d->segments[d->segments_count];

	if (d->segments_count == MUE_DELTA_SEGMENTS || p->off > d->old_size ||
	    p->size > d->old_size - p->off)
		return;
	if (d->segments_count && p->off < s[-1].old_off)
		return;
	s->old_off = s->new_off = p->off;
	s->old_addr = s->new_addr = p->addr;
	s->len = p->size;
	d->segments_count++;
	if (p->addr + p->size > d->scan.size)
		d->scan.size = p->addr + p->size;
}

/* A section header's flags (as `type`), address and size. */
static int read_section(struct mue_delta *d, uint32_t at, bool wide, struct phdr *ret)
{
	int r = read_field(d, at + 8, 4, &ret->type);

	if (!r)
		r = read_field(d, at + (wide ? 16 : 12), 4, &ret->addr);
	if (!r)
		r = read_field(d, at + (wide ? 32 : 20), 4, &ret->size);
	return r;
}

/* Notes a section: instructions or the frames. */
static void take_section(struct mue_delta *d, const struct phdr *s)
{
	struct mue_delta_scan *x = &d->scan;

	if (s->addr && s->addr == x->eh_frames)
		x->eh_end = s->addr + s->size;
	if (!(s->type & SHF_EXECINSTR))
		return;
	if (!x->code_end || s->addr < x->code)
		x->code = s->addr;
	if (s->addr + s->size > x->code_end)
		x->code_end = s->addr + s->size;
}

/* Where instructions are, as the section headers say; everywhere when there are none. */
static void read_sections(struct mue_delta *d, bool wide)
{
	uint32_t at = 0, size = 0, count = 0;
	int r = read_field(d, wide ? 40 : 32, 4, &at);

	d->scan.code = d->scan.code_end = 0;
	if (!r)
		r = read_field(d, wide ? 58 : 46, 2, &size);
	if (!r)
		r = read_field(d, wide ? 60 : 48, 2, &count);
	for (uint16_t i = 0; !r && i < count && i < SECTIONS_MAX; i++, at += size) {
		struct phdr s;

		r = read_section(d, at, wide, &s);
		if (!r)
			take_section(d, &s);
	}
	if (!d->scan.code_end) {
		d->scan.code = 0;
		d->scan.code_end = UINT32_MAX;
	}
}

int mue_delta_elf_open(struct mue_delta *d)
{
	uint32_t ident, class, at, count, size;
	bool wide;
	int r = read_field(d, 0, 4, &ident);

	d->segments_count = 0;
	d->scan.size = 0;
	if (r || ident != 0x464c457f)
		return MUE_EFORMAT;
	r = read_field(d, 4, 1, &class);
	wide = class == CLASS_64;
	if (!r)
		r = read_field(d, wide ? 32 : 28, 4, &at);
	if (!r)
		r = read_field(d, wide ? 54 : 42, 2, &size);
	if (!r)
		r = read_field(d, wide ? 56 : 44, 2, &count);
	for (uint16_t i = 0; !r && i < count && i < 32; i++) {
		struct phdr p;

		r = read_phdr(d, at + i * size, wide, &p);
		if (!r && p.type == PT_LOAD)
			add_segment(d, &p);
		if (!r && p.type == PT_EH_FRAME) {
			d->scan.eh_table = p.addr;
			d->scan.eh_table_size = p.size;
			/* The frames follow their table in every linker's layout. */
			d->scan.eh_frames = (p.addr + p.size + 7) & ~(uint32_t)7;
			d->scan.eh_end = d->scan.eh_frames + 4 * p.size;
		}
	}
	d->scan.elf = true;
	d->scan.wide = wide;
	if (!r)
		read_sections(d, wide);
	return r;
}

static bool scan_frames(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u)
{
	uint32_t len = mue_delta_get32(b), cie = mue_delta_get32(b + 4);
	uint32_t begin = s->addr + 8 + mue_delta_get32(b + 8);

	if (s->addr == s->eh_next) {
		set(u, 4, F_PREL32);
		return true;
	}
	if (len < 12 || len > EH_LEN_MAX || len & 3 || !cie || cie & 3 || begin >= s->size ||
	    s->addr + 4 - cie - s->eh_frames >= s->addr - s->eh_frames)
		return false;
	s->eh_next = s->addr + 8;
	set(u, 8, F_CIE);
	return true;
}

bool mue_delta_elf_scan(struct mue_delta_scan *s, const uint8_t *b, struct mue_delta_unit *u)
{
	uint32_t at = s->addr - s->eh_table;

	if (s->addr & 3)
		return false;
	if (at < s->eh_table_size && at >= 4 && at != 8) {
		set(u, 4, at == 4 ? F_PREL32 : F_TABLE32);
		u->page = s->eh_table;
		return true;
	}
	if (s->addr >= s->eh_frames && s->addr < s->eh_end && scan_frames(s, b, u))
		return true;
	if (s->wide && !(s->addr & 7) && !mue_delta_get32(b + 4) && mue_delta_get32(b) &&
	    mue_delta_get32(b) < s->size) {
		set(u, 8, F_PTR64);
		return true;
	}
	if (!s->elf || s->addr - s->code < s->code_end - s->code)
		return false;
	set(u, 4, F_NUM32);
	u->kind = MUE_DELTA_WIDE;
	if (!s->wide && mue_delta_get32(b) && mue_delta_get32(b) < s->size)
		set(u, 4, F_PTR32);
	return true;
}

static uint32_t get_data(const struct mue_delta_unit *u, uint32_t addr)
{
	uint32_t v = mue_delta_get32(u->bytes);

	switch (u->form) {
	case F_PREL32:
		return addr + v;
	case F_TABLE32:
		return u->page + v;
	case F_CIE:
		return addr + 4 - mue_delta_get32(u->bytes + 4);
	default:
		return v;
	}
}

static void put_data(struct mue_delta_unit *u, uint32_t addr, uint32_t value)
{
	if (u->form == F_CIE)
		mue_delta_put32(u->bytes + 4, addr + 4 - value);
	else if (u->form == F_PREL32)
		mue_delta_put32(u->bytes, value - addr);
	else if (u->form == F_TABLE32)
		mue_delta_put32(u->bytes, value - u->page);
	else
		mue_delta_put32(u->bytes, value);
}

uint32_t mue_delta_get(const struct mue_delta *d, const struct mue_delta_unit *u, uint32_t addr)
{
	if (u->form >= MUE_DELTA_FORM_DATA)
		return get_data(u, addr);
	return d->isa->get(u, addr);
}

bool mue_delta_put(const struct mue_delta *d, struct mue_delta_unit *u, uint32_t addr,
		   uint32_t value)
{
	if (u->form < MUE_DELTA_FORM_DATA)
		return d->isa->put(u, addr, value);
	put_data(u, addr, value);
	return true;
}

uint32_t mue_delta_old_addr(const struct mue_delta *d, mue_delta_off off)
{
	uint8_t i = d->segments_count;

	while (i > 0 && d->segments[i - 1].old_off > off)
		i--;
	if (!i)
		return d->old_base + off;
	return d->segments[i - 1].old_addr + (off - d->segments[i - 1].old_off);
}

uint32_t mue_delta_new_addr(const struct mue_delta *d, mue_delta_off off)
{
	uint8_t i = d->segments_count;

	while (i > 0 && d->segments[i - 1].new_off > off)
		i--;
	if (!i)
		return d->new_base + off;
	return d->segments[i - 1].new_addr + (off - d->segments[i - 1].new_off);
}

bool mue_delta_old_off(const struct mue_delta *d, uint32_t addr, mue_delta_off *ret)
{
	if (!d->segments_count) {
		*ret = addr - d->old_base;
		return *ret < d->old_size;
	}
	for (uint8_t i = 0; i < d->segments_count; i++) {
		const struct mue_delta_segment *s = &d->segments[i];

		if (addr - s->old_addr < s->len) {
			*ret = s->old_off + (addr - s->old_addr);
			return true;
		}
	}
	return false;
}

/* A difference, 0 as a rule. */
static uint32_t read_move(struct mue_delta *d, uint8_t which)
{
	uint8_t negative;
	uint32_t v;

	if (!mue_delta_rc_bit(&d->rc, &d->u.m.moved[which]))
		return 0;
	negative = mue_delta_rc_bit(&d->rc, &d->u.m.sign[0]);
	v = mue_delta_rc_num(&d->rc, d->u.m.num[NUM_SEEK]) + 1;
	return negative ? 0 - v : v;
}

static int read_segments(struct mue_delta *d)
{
	int r = mue_delta_elf_open(d);

	for (uint8_t i = 0; i < d->segments_count; i++) {
		d->segments[i].new_off += read_move(d, 0);
		d->segments[i].new_addr += read_move(d, 1);
	}
	return r;
}

bool mue_delta_big_open(struct mue_delta *d, const struct mue_delta_room *room)
{
	if (d->flags & MUE_DELTA_RICH) {
		d->rich = room->rich;
		return d->rich != NULL;
	}
	return true;
}

int mue_delta_big_start(struct mue_delta *d)
{
	int r = MUE_OK;

	if (d->flags & MUE_DELTA_ELF)
		r = read_segments(d);
	if (!r && d->rich)
		r = mue_rich_start(d->rich, d->old_size, d->io->read_old, d->io_ctx);
	return r;
}

uint8_t mue_delta_read_fresh(struct mue_delta *d)
{
	if (!d->rich)
		return mue_delta_rc_fresh(&d->rc, d->u.m.fresh, d->pos & 1);
	mue_rich_fresh(d->rich, d->pos);
	return mue_rich_read(d->rich, &d->rc);
}

uint32_t mue_delta_unit_word(const struct mue_delta_guess *g)
{
	return mue_delta_get32(g->unit.bytes);
}

/* The rich model's contexts of a changed byte. */
void mue_delta_rich_diff(struct mue_delta *d, const struct mue_delta_guess *g, uint8_t i)
{
	mue_rich_changed(d->rich, g->unit.bytes[i], i, mue_delta_unit_word(g), d->last_diff[i & 1]);
}

void mue_delta_rich_good(struct mue_delta *d, const struct mue_delta_guess *g)
{
	uint8_t kind = (uint8_t)(g->unit.kind | (d->hot ? 8 : 0));

	mue_rich_good(d->rich, kind, mue_delta_unit_word(g), d->long_history);
}

uint8_t mue_delta_read_diff(struct mue_delta *d, const struct mue_delta_guess *g, uint8_t i)
{
	uint8_t diff;

	if (!d->rich) {
		diff = d->last_diff[i & 1];
		if (mue_delta_rc_bit(&d->rc, &d->u.m.again[i & 1]))
			diff = mue_delta_rc_diff(&d->rc, d->u.m.diff);
		return diff;
	}
	mue_delta_rich_diff(d, g, i);
	diff = mue_rich_read(d->rich, &d->rc);
	mue_delta_diffed(d, diff);
	return diff;
}

bool mue_delta_read_good(struct mue_delta *d, const struct mue_delta_guess *g)
{
	uint8_t bit;

	if (!d->rich)
		return !mue_delta_rc_bit(&d->rc, mue_delta_good(d, g));
	mue_delta_rich_good(d, g);
	bit = mue_delta_rc_p(&d->rc, mue_rich_p(d->rich, 1));
	mue_rich_learn(d->rich, bit);
	return !bit;
}

void mue_delta_diffed(struct mue_delta *d, uint8_t diff)
{
	d->rich->diffs = d->rich->diffs << 8 | diff;
}

void mue_delta_seen(struct mue_delta *d, uint8_t b)
{
	if (d->rich)
		mue_rich_seen(d->rich, b);
}

#endif
