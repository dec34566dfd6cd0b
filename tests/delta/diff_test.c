/* Every pair and every odd shape of image comes back byte for byte, however it is decoded. */
#include "core/delta_engine.h"
#include "core/delta_rich.h"
#include "delta/delta.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

enum { BLOCKS = 8192, PAGE_MAX = 4096, SURPLUS = 16 };

static struct mue_span read_file(const char *pair, const char *name)
{
	const char *shared = getenv("MUE_SHARED");
	struct mue_span s = { 0 };
	char path[512];
	uint8_t *data;
	long len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/firmware-pairs/%s/%s", shared ? shared : "../shared", pair,
		 name);
	f = fopen(path, "rb");
	if (!f)
		return s;
	fseek(f, 0, SEEK_END);
	len = ftell(f);
	rewind(f);
	data = malloc((size_t)len + 1);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, (size_t)len, f), len);
	fclose(f);
	s.data = data;
	s.len = (size_t)len;
	return s;
}

static void release(struct mue_span s)
{
	free((void *)(uintptr_t)s.data);
}

static struct mue_diff_result diff(struct mue_span old, struct mue_span new,
				   const struct mue_diff_options *o)
{
	struct mue_diff_result result;
	struct mue_error e = { 0 };

	if (mue_diff(old, new, o, &result, &e) != MUE_OK)
		fail_msg("mue_diff: %s", e.text);
	return result;
}

/* A device: memory that says when something is written outside, or out of order. */
struct device {
	struct mue_span old;
	uint8_t *new;
	uint32_t new_size, page, written; /* written: pages */
	bool backward;
	struct mue_delta d;
	struct mue_delta_block blocks[BLOCKS];
	uint8_t page_buf[PAGE_MAX];
	struct mue_delta_rich *rich;
};

static int dev_read_old(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	struct device *x = ctx;

	assert_true(off <= x->old.len && len <= x->old.len - off);
	memcpy(buf, x->old.data + off, len);
	return MUE_OK;
}

static int dev_write_new(void *ctx, uint32_t off, const void *buf, uint16_t len)
{
	struct device *x = ctx;
	uint32_t pages = (x->new_size + x->page - 1) / x->page;

	assert_true(off <= x->new_size && len <= x->new_size - off);
	assert_int_equal(off, (x->backward ? pages - 1 - x->written : x->written) * x->page);
	memcpy(x->new + off, buf, len);
	x->written++;
	return MUE_OK;
}

static int dev_read_new(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	struct device *x = ctx;

	assert_true(off <= x->new_size && len <= x->new_size - off);
	memcpy(buf, x->new + off, len);
	return MUE_OK;
}

static const struct mue_delta_io dev_io = { dev_read_old, dev_write_new, dev_read_new };

static int dev_open(struct device *x, const struct mue_delta_header *h)
{
	struct mue_delta_room room = { .io = &dev_io,
				       .io_ctx = x,
				       .isas = mue_delta_isas,
				       .blocks = x->blocks,
				       .blocks_max = BLOCKS,
				       .page = x->page_buf,
				       .page_size = (uint16_t)x->page };

	if (h->flags & MUE_DELTA_RICH)
		room.rich = x->rich = malloc(sizeof(*x->rich));
	x->new_size = h->new_size;
	x->backward = h->flags & MUE_DELTA_BACKWARD;
	x->new = calloc(h->new_size + 1U, 1);
	assert_non_null(x->new);
	return mue_delta_open(&x->d, h, &room);
}

/* Feeds the patch in pieces of `piece` bytes, as a radio would. */
static int dev_feed(struct device *x, const uint8_t *patch, size_t len, size_t piece)
{
	uint8_t window[2048];
	size_t have = 0, used;
	int r;

	do {
		size_t n = len < piece ? len : piece;

		if (n > sizeof(window) - have)
			n = sizeof(window) - have;
		memcpy(window + have, patch, n);
		have += n;
		patch += n;
		len -= n;
		do {
			r = mue_delta_step(&x->d, window, have, !len, &used);
			memmove(window, window + used, have - used);
			have -= used;
		} while (r == MUE_DELTA_MORE);
	} while (r == MUE_DELTA_INPUT);
	return r;
}

static struct device *decode(struct mue_span old, const struct mue_diff_result *p, uint32_t page,
			     size_t piece)
{
	struct device *x = calloc(1, sizeof(*x));
	struct mue_delta_header h;

	assert_non_null(x);
	assert_int_equal(mue_delta_header_read(p->patch, p->len, &h), MUE_OK);
	x->old = old;
	x->page = page;
	assert_int_equal(dev_open(x, &h), MUE_OK);
	assert_int_equal(dev_feed(x, p->patch + h.size, p->len - h.size, piece), MUE_OK);
	return x;
}

static void dev_free(struct device *x)
{
	free(x->rich);
	free(x->new);
	free(x);
}

static void check_image(const struct device *x, struct mue_span new)
{
	assert_int_equal(x->new_size, new.len);
	assert_int_equal(x->written, (new.len + x->page - 1) / x->page);
	if (new.len)
		assert_memory_equal(x->new, new.data, new.len);
}

struct shape {
	const char *says;
	size_t old_len, new_len;
	enum { ZEROS, NOISE, SAME_NOISE, SHIFTED_NOISE } fill;
};

static const struct shape shapes[] = {
	{ "nothing becomes nothing", 0, 0, NOISE },
	{ "nothing becomes something", 0, 300, NOISE },
	{ "something becomes nothing", 300, 0, NOISE },
	{ "one byte becomes another", 1, 1, NOISE },
	{ "noise becomes other noise", 5000, 5000, NOISE },
	{ "noise stays as it is", 70000, 70000, SAME_NOISE },
	{ "noise moves up by 13 bytes", 70000, 70013, SHIFTED_NOISE },
	{ "zeros grow", 100000, 150000, ZEROS },
	{ "zeros shrink", 150000, 99999, ZEROS },
};

static uint8_t *filled(const struct shape *s, bool new)
{
	size_t len = new ? s->new_len : s->old_len, from = 0;
	uint8_t *p = calloc(len + 1, 1);

	assert_non_null(p);
	srand(new && s->fill == NOISE ? 2 : 1);
	if (new && s->fill == SHIFTED_NOISE)
		from = len - s->old_len;
	for (size_t i = from; s->fill != ZEROS && i < len; i++)
		p[i] = (uint8_t)(rand() >> 7);
	return p;
}

static void test_shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *s = &shapes[i];
		struct mue_span old = { filled(s, false), s->old_len };
		struct mue_span new = { filled(s, true), s->new_len };
		struct mue_diff_options o = { .isa = MUE_DIFF_AUTO };
		struct mue_diff_result p = diff(old, new, &o);
		struct device *x = decode(old, &p, 256, 64);

		print_message("# %s: %zu bytes\n", s->says, p.len);
		check_image(x, new);
		if (s->fill != NOISE)
			assert_true(p.len < 100);
		assert_true(p.len < new.len + new.len / 50 + 64);
		dev_free(x);
		free(p.patch);
		release(old);
		release(new);
	}
}

struct pair {
	const char *name;
	size_t at_most; /* bytes: a patch that grows by itself is a mistake */
};

static const struct pair pairs[] = {
	{ "avr-own-const", 60 },          { "avr-own-small", 220 },  { "avr-own-slot2", 60 },
	{ "avr-arduino-mega-lib", 2450 }, { "cm-own-const", 65 },    { "cm-own-small", 260 },
	{ "cm-own-slot2small", 270 },     { "cm-shell", 260 },       { "cm-wolfssl-u2-u3", 560 },
	{ "cm-pybv11-110-1f5d", 24000 },  { "lx-arm64-sshd", 2900 },
};

static void test_pairs(void **state)
{
	size_t done = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct mue_span old = read_file(pairs[i].name, "old");
		struct mue_span new = read_file(pairs[i].name, "new");
		struct mue_diff_options o = { .isa = MUE_DIFF_AUTO };
		struct mue_diff_result p;
		struct device *x;

		if (!old.data || !new.data) {
			print_message("# %s is not there\n", pairs[i].name);
			continue;
		}
		p = diff(old, new, &o);
		print_message("# %s: %zu bytes, %s\n", pairs[i].name, p.len,
			      mue_delta_isa_name(p.isa));
		assert_in_range(p.len, 1, pairs[i].at_most);
		x = decode(old, &p, 256, 50);
		check_image(x, new);
		dev_free(x);
		free(p.patch);
		release(old);
		release(new);
		done++;
	}
	if (!done) {
		print_message("# skipped: no firmware pairs under MUE_SHARED\n");
		skip();
	}
}

/* A small pair to be cruel to. */
struct victim {
	struct mue_span old, new;
	struct mue_diff_result p;
	struct mue_delta_header h;
};

static void victim_make(struct victim *v, bool backward)
{
	struct mue_diff_options o = { .isa = MUE_DIFF_AUTO, .backward = backward, .page_log2 = 8 };

	v->old = read_file("avr-own-small", "old");
	v->new = read_file("avr-own-small", "new");
	if (!v->old.data || !v->new.data) {
		print_message("# skipped: no firmware pairs under MUE_SHARED\n");
		skip();
	}
	v->p = diff(v->old, v->new, &o);
	assert_int_equal(mue_delta_header_read(v->p.patch, v->p.len, &v->h), MUE_OK);
}

static void victim_free(struct victim *v)
{
	release(v->old);
	release(v->new);
	free(v->p.patch);
}

static void test_backward(void **state)
{
	struct victim v;
	struct device *x;

	(void)state;
	victim_make(&v, true);
	x = decode(v.old, &v.p, 256, 40);
	check_image(x, v.new);
	dev_free(x);
	victim_free(&v);
}

static void test_resume(void **state)
{
	struct victim v;
	struct device *x = calloc(1, sizeof(*x)), *y = calloc(1, sizeof(*y));
	size_t at, used, steps = 0;
	int r;

	(void)state;
	assert_non_null(x);
	assert_non_null(y);
	victim_make(&v, false);
	x->old = v.old;
	x->page = 256;
	at = v.h.size;
	assert_int_equal(dev_open(x, &v.h), MUE_OK);
	do { /* at every step the power fails: only the copy goes on */
		r = mue_delta_step(&x->d, v.p.patch + at, v.p.len - at, true, &used);
		at += used;
		memcpy(y, x, sizeof(*x));
		y->d.blocks = y->blocks;
		y->d.page = y->page_buf;
		y->d.io_ctx = y;
		memset(x, 0xee, sizeof(*x));
		memcpy(x, y, sizeof(*y));
		x->d.blocks = x->blocks;
		x->d.page = x->page_buf;
		x->d.io_ctx = x;
		steps++;
	} while (r > 0);
	assert_int_equal(r, MUE_OK);
	assert_true(steps > 40);
	check_image(x, v.new);
	free(y);
	dev_free(x);
	victim_free(&v);
}

/* Decodes what may be damaged: it may fail, it must not lie. */
static int decode_damaged(const struct victim *v, const uint8_t *patch, size_t len)
{
	struct device *x = calloc(1, sizeof(*x));
	struct mue_delta_header h;
	int r;

	assert_non_null(x);
	r = mue_delta_header_read(patch, len, &h);
	if (r == MUE_OK && h.old_size != v->old.len)
		r = MUE_EPRECURSOR;
	if (r == MUE_OK && h.new_size > 1 << 20)
		r = MUE_ESIZE;
	x->old = v->old;
	x->page = 256;
	if (r == MUE_OK) {
		if (h.flags & MUE_DELTA_BACKWARD)
			x->page = h.page_log2 < 12 ? 1U << h.page_log2 : PAGE_MAX;
		r = dev_open(x, &h);
		if (r == MUE_OK)
			r = dev_feed(x, patch + h.size, len - h.size, 64);
	}
	if (r == MUE_OK && (h.new_size != v->new.len || memcmp(x->new, v->new.data, v->new.len)))
		fail_msg("a damaged patch passed for a good one");
	dev_free(x);
	return r;
}

static void test_damage(void **state)
{
	struct victim v;
	uint8_t *copy;
	size_t refused = 0;

	(void)state;
	victim_make(&v, false);
	copy = malloc(v.p.len + SURPLUS);
	assert_non_null(copy);
	for (size_t i = 0; i < v.p.len; i++) {
		memcpy(copy, v.p.patch, v.p.len);
		copy[i] ^= (uint8_t)(1 << i % 8);
		refused += decode_damaged(&v, copy, v.p.len) < 0;
	}
	for (size_t len = 0; len < v.p.len; len++)
		refused += decode_damaged(&v, v.p.patch, len) < 0;
	memcpy(copy, v.p.patch, v.p.len);
	memset(copy + v.p.len, 0, SURPLUS);
	assert_int_equal(decode_damaged(&v, copy, v.p.len + SURPLUS), MUE_EFORMAT);
	/* A bit that only the range coder's spare precision sees may change nothing. */
	assert_true(refused >= 2 * v.p.len - 4);
	free(copy);
	victim_free(&v);
}

static void test_wrong_old(void **state)
{
	struct victim v;
	uint8_t *other, *new;
	struct mue_error e = { 0 };
	struct mue_span old, patch;
	size_t len;

	(void)state;
	victim_make(&v, false);
	other = malloc(v.old.len);
	assert_non_null(other);
	memcpy(other, v.old.data, v.old.len);
	other[v.old.len / 2] ^= 1;
	old.data = other;
	old.len = v.old.len;
	patch.data = v.p.patch;
	patch.len = v.p.len;
	assert_int_equal(mue_patch(old, patch, &new, &len, &e), MUE_EPRECURSOR);
	free(other);
	victim_free(&v);
}

/* One patch for both slots: the images differ in every absolute address. */
static void test_both_slots(void **state)
{
	struct mue_span a = read_file("cm-own-slot2small", "old"); /* slot 1, old */
	struct mue_span b = read_file("cm-own-slot2small", "new"); /* slot 2, new */
	struct mue_span c = read_file("cm-own-small", "new");      /* slot 1, new */
	struct mue_diff_options o = { .isa = MUE_DIFF_AUTO, .also_old = a, .also_new = c };
	struct mue_diff_result p;
	struct mue_error e = { 0 };

	(void)state;
	if (!a.data || !b.data || !c.data) {
		print_message("# skipped: no firmware pairs under MUE_SHARED\n");
		skip();
	}
	/* From slot 1 to slot 1 and from slot 1 to slot 2 need different digests of one old
	 * image: refused, since a device tells the variants apart by its old image. */
	assert_int_not_equal(mue_diff(a, b, &o, &p, &e), MUE_OK);
	release(a);
	release(b);
	release(c);
}

/* The same AVR image linked 64 KiB higher: far calls and jumps move. */
static struct mue_span relink(struct mue_span image)
{
	uint8_t *p = malloc(image.len);
	struct mue_span s = { p, image.len };

	assert_non_null(p);
	memcpy(p, image.data, image.len);
	for (size_t at = 0; at + 4 <= image.len;) {
		struct mue_delta_scan scan = { .addr = (uint32_t)at };
		struct mue_delta_unit u = { 0 };

		memcpy(u.bytes, p + at, 4);
		mue_delta_avr.scan(&scan, u.bytes, &u);
		if (u.kind == MUE_DELTA_CALL && u.len == 4 &&
		    mue_delta_avr.get(&u, 0) < image.len) {
			assert_true(mue_delta_avr.put(&u, 0, mue_delta_avr.get(&u, 0) + 0x10000));
			memcpy(p + at, u.bytes, 4);
		}
		at += u.len;
	}
	return s;
}

static void test_one_patch_for_two_slots(void **state)
{
	struct mue_diff_options o = { .isa = MUE_DELTA_AVR };
	struct mue_span patch;
	struct mue_error e = { 0 };
	struct mue_diff_result one, two;
	struct victim v = { 0 };
	uint8_t *new;
	size_t len;

	(void)state;
	v.old = read_file("avr-own-const", "old");
	v.new = read_file("avr-own-const", "new");
	if (!v.old.data || !v.new.data) {
		print_message("# skipped: no firmware pairs under MUE_SHARED\n");
		skip();
	}
	one = diff(v.old, v.new, &o);
	o.also_old = relink(v.old);
	o.also_new = relink(v.new);
	two = diff(v.old, v.new, &o);
	print_message("# one slot %zu bytes, both %zu\n", one.len, two.len);
	assert_true(two.len < one.len + 24);
	patch.data = two.patch;
	patch.len = two.len;
	assert_int_equal(mue_patch(v.old, patch, &new, &len, &e), MUE_OK);
	assert_memory_equal(new, v.new.data, v.new.len);
	free(new);
	assert_int_equal(mue_patch(o.also_old, patch, &new, &len, &e), MUE_OK);
	assert_memory_equal(new, o.also_new.data, o.also_new.len);
	free(new);
	free(one.patch);
	free(two.patch);
	release(o.also_old);
	release(o.also_new);
	victim_free(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),     cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_backward),   cmocka_unit_test(test_resume),
		cmocka_unit_test(test_damage),     cmocka_unit_test(test_wrong_old),
		cmocka_unit_test(test_both_slots), cmocka_unit_test(test_one_patch_for_two_slots),
	};

	return cmocka_run_group_tests_name("delta", tests, NULL, NULL);
}
