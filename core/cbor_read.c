#include "core/cbor.h"
#include "core/mem.h"

bool mue_view_equal(struct mue_view a, struct mue_view b)
{
	if (!a.data || !b.data)
		return a.data == b.data;
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

struct mue_cbor mue_cbor_read(struct mue_view bytes)
{
	/* An absent view has no end to point at. */
	struct mue_cbor c = { bytes.data, bytes.len ? bytes.data + bytes.len : bytes.data };

	return c;
}

static size_t left(const struct mue_cbor *c)
{
	return (size_t)(c->end - c->at);
}

/* The bytes that must follow a lead byte, and the least second byte (RFC 3629, section 4): that
 * refuses overlong forms, surrogates and what is above U+10FFFF. */
static uint8_t utf8_tail(uint8_t lead, uint8_t *lo, uint8_t *hi)
{
	*lo = 0x80;
	*hi = 0xbf;
	if (lead < 0x80)
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef) {
		if (lead == 0xe0)
			*lo = 0xa0;
		if (lead == 0xed)
			*hi = 0x9f;
		return 2;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		if (lead == 0xf0)
			*lo = 0x90;
		if (lead == 0xf4)
			*hi = 0x8f;
		return 3;
	}
	return 0xff;
}

static bool utf8_ok(struct mue_view text)
{
	const uint8_t *p = text.data, *end = p + text.len;

	while (p < end) {
		uint8_t lo, hi, n = utf8_tail(*p++, &lo, &hi);

		if (n == 0xff || n > (size_t)(end - p))
			return false;
		for (; n > 0; n--, p++) {
			if (*p < lo || *p > hi)
				return false;
			lo = 0x80;
			hi = 0xbf;
		}
	}
	return true;
}

/* Reads the argument that follows the initial byte and insists on the shortest form. */
static int read_arg(struct mue_cbor *c, uint8_t type, uint8_t info, uint64_t *ret)
{
	uint8_t n = (uint8_t)(1u << (info & 3));
	uint64_t arg = 0, least;

	if (info < 24) {
		*ret = info;
		return 0;
	}
	if (info > 27) /* 31 on strings, arrays and maps is the indefinite form */
		return info == 31 && type >= MUE_CBOR_BYTES && type <= MUE_CBOR_MAP ? MUE_ECANON
										    : MUE_EFORMAT;
	if (left(c) < n)
		return MUE_ETRUNC;
	for (uint8_t i = 0; i < n; i++)
		arg = arg << 8 | *c->at++;
	least = n == 1 ? 24 : (uint64_t)1 << (4 * n);
	if (type != MUE_CBOR_SIMPLE && arg < least)
		return MUE_ECANON;
	if (type == MUE_CBOR_SIMPLE && n == 1 && arg < 32)
		return MUE_EFORMAT;
	*ret = arg;
	return 0;
}

/* What the argument promises must be there, and be of a kind that our formats use. */
static int check_arg(struct mue_cbor *c, uint8_t info, struct mue_cbor_item *item)
{
	switch (item->type) {
	case MUE_CBOR_BYTES:
	case MUE_CBOR_TEXT:
		if (item->arg > left(c))
			return MUE_ETRUNC;
		item->view.data = c->at;
		item->view.len = (size_t)item->arg;
		c->at += item->view.len;
		if (item->type == MUE_CBOR_TEXT && !utf8_ok(item->view))
			return MUE_EFORMAT;
		return 0;
	case MUE_CBOR_ARRAY: /* an item takes at least one byte, a pair two */
		return item->arg > left(c) ? MUE_ETRUNC : 0;
	case MUE_CBOR_MAP:
		return item->arg > left(c) >> 1 ? MUE_ETRUNC : 0;
	case MUE_CBOR_SIMPLE:
		return info < MUE_CBOR_FALSE || info > MUE_CBOR_NULL ? MUE_EPROFILE : 0;
	default:
		return 0;
	}
}

int mue_cbor_next(struct mue_cbor *c, struct mue_cbor_item *ret)
{
	struct mue_cbor_item item = { 0, 0, { NULL, 0 } };
	struct mue_cbor ahead = *c;
	uint8_t info;
	int r;

	if (ahead.at == ahead.end)
		return MUE_ETRUNC;
	item.type = *ahead.at >> 5;
	info = *ahead.at++ & 31;
	r = read_arg(&ahead, item.type, info, &item.arg);
	if (r == 0)
		r = check_arg(&ahead, info, &item);
	if (r < 0)
		return r;
	*c = ahead;
	*ret = item;
	return 0;
}

/* Reads one head and insists on its type. */
static int next_of(struct mue_cbor *c, uint8_t type, struct mue_cbor_item *ret)
{
	struct mue_cbor ahead = *c;
	int r = mue_cbor_next(&ahead, ret);

	if (r < 0)
		return r;
	if (ret->type != type)
		return MUE_EFORMAT;
	*c = ahead;
	return 0;
}

int mue_cbor_uint(struct mue_cbor *c, uint64_t *ret)
{
	struct mue_cbor_item item;
	int r = next_of(c, MUE_CBOR_UINT, &item);

	if (r == 0)
		*ret = item.arg;
	return r;
}

int mue_cbor_int(struct mue_cbor *c, int64_t *ret)
{
	struct mue_cbor ahead = *c;
	struct mue_cbor_item item;
	int r = mue_cbor_next(&ahead, &item);

	if (r < 0)
		return r;
	if (item.type > MUE_CBOR_NINT || item.arg > INT64_MAX)
		return MUE_EFORMAT;
	*ret = item.type == MUE_CBOR_UINT ? (int64_t)item.arg : -1 - (int64_t)item.arg;
	*c = ahead;
	return 0;
}

int mue_cbor_bytes(struct mue_cbor *c, struct mue_view *ret)
{
	struct mue_cbor_item item;
	int r = next_of(c, MUE_CBOR_BYTES, &item);

	if (r == 0)
		*ret = item.view;
	return r;
}

int mue_cbor_text(struct mue_cbor *c, struct mue_view *ret)
{
	struct mue_cbor_item item;
	int r = next_of(c, MUE_CBOR_TEXT, &item);

	if (r == 0)
		*ret = item.view;
	return r;
}

int mue_cbor_bool(struct mue_cbor *c, bool *ret)
{
	struct mue_cbor ahead = *c;
	struct mue_cbor_item item;
	int r = next_of(&ahead, MUE_CBOR_SIMPLE, &item);

	if (r < 0)
		return r;
	if (item.arg == MUE_CBOR_NULL)
		return MUE_EFORMAT;
	*ret = item.arg == MUE_CBOR_TRUE;
	*c = ahead;
	return 0;
}

int mue_cbor_null(struct mue_cbor *c)
{
	struct mue_cbor ahead = *c;
	struct mue_cbor_item item;
	int r = next_of(&ahead, MUE_CBOR_SIMPLE, &item);

	if (r < 0)
		return r;
	if (item.arg != MUE_CBOR_NULL)
		return MUE_EFORMAT;
	*c = ahead;
	return 0;
}

int mue_cbor_array(struct mue_cbor *c, size_t *ret)
{
	struct mue_cbor_item item;
	int r = next_of(c, MUE_CBOR_ARRAY, &item);

	if (r == 0)
		*ret = (size_t)item.arg;
	return r;
}

int mue_cbor_map(struct mue_cbor *c, size_t *ret)
{
	struct mue_cbor_item item;
	int r = next_of(c, MUE_CBOR_MAP, &item);

	if (r == 0)
		*ret = (size_t)item.arg;
	return r;
}

int mue_cbor_tag(struct mue_cbor *c, uint64_t tag)
{
	struct mue_cbor ahead = *c;
	struct mue_cbor_item item;
	int r = next_of(&ahead, MUE_CBOR_TAG, &item);

	if (r < 0)
		return r;
	if (item.arg != tag)
		return MUE_EFORMAT;
	*c = ahead;
	return 0;
}

/* RFC 8949, section 4.2.1: keys rise bytewise.  Equal ones are duplicates, refused with it. */
static bool rises(struct mue_view last, struct mue_view key)
{
	size_t n = last.len < key.len ? last.len : key.len;
	int d;

	if (!last.data)
		return true;
	d = memcmp(last.data, key.data, n);
	return d < 0 || (d == 0 && last.len < key.len);
}

/* An array, map or tag whose items are being read. */
struct level {
	size_t items;         /* still to come; of a map: keys and values together */
	const uint8_t *key;   /* where the item under way begins */
	struct mue_view last; /* the key before */
	bool map;
};

/* Closes what is complete after an item; *depth falls to 0 when the outermost item is. */
static int close_levels(struct level *stack, uint8_t *depth, const uint8_t *at)
{
	while (*depth > 0) {
		struct level *l = &stack[*depth - 1];

		if (l->items > 0) { /* the item that just ended was one of this level */
			if (l->map && (l->items & 1) == 0) {
				struct mue_view key = { l->key, (size_t)(at - l->key) };

				if (!rises(l->last, key))
					return MUE_ECANON;
				l->last = key;
			}
			l->items--;
		}
		if (l->items > 0) {
			l->key = at;
			return 0;
		}
		(*depth)--;
	}
	return 0;
}

static size_t items_of(const struct mue_cbor_item *item)
{
	switch (item->type) {
	case MUE_CBOR_ARRAY:
		return (size_t)item->arg;
	case MUE_CBOR_MAP:
		return (size_t)item->arg * 2;
	case MUE_CBOR_TAG:
		return 1;
	default:
		return 0;
	}
}

int mue_cbor_skip(struct mue_cbor *c, struct mue_view *ret)
{
	struct level stack[MUE_CBOR_DEPTH];
	struct mue_cbor ahead = *c;
	struct mue_cbor_item item;
	uint8_t depth = 0;
	int r;

	do {
		size_t items;

		r = mue_cbor_next(&ahead, &item);
		if (r < 0)
			return r;
		items = items_of(&item);
		if (items > 0) {
			if (depth == MUE_CBOR_DEPTH)
				return MUE_EPROFILE;
			stack[depth].items = items;
			stack[depth].key = ahead.at;
			stack[depth].last.data = NULL;
			stack[depth].last.len = 0;
			stack[depth++].map = item.type == MUE_CBOR_MAP;
			continue;
		}
		r = close_levels(stack, &depth, ahead.at);
		if (r < 0)
			return r;
	} while (depth > 0);
	if (ret) {
		ret->data = c->at;
		ret->len = (size_t)(ahead.at - c->at);
	}
	*c = ahead;
	return 0;
}

int mue_cbor_end(const struct mue_cbor *c)
{
	return c->at == c->end ? 0 : MUE_EFORMAT;
}

int mue_cbor_map_open(struct mue_cbor *c, struct mue_cbor_map *ret)
{
	size_t pairs;
	int r = mue_cbor_map(c, &pairs);

	if (r < 0)
		return r;
	ret->left = pairs;
	ret->last.data = NULL;
	ret->last.len = 0;
	return 0;
}

int mue_cbor_map_key(struct mue_cbor *c, struct mue_cbor_map *m, struct mue_cbor_item *ret)
{
	struct mue_cbor ahead = *c;
	struct mue_cbor_item item;
	struct mue_view key;
	int r;

	if (m->left == 0)
		return 0;
	r = mue_cbor_next(&ahead, &item);
	if (r < 0)
		return r;
	if (item.type > MUE_CBOR_ARRAY)
		return MUE_EPROFILE;
	ahead = *c;
	r = mue_cbor_skip(&ahead, &key);
	if (r < 0)
		return r;
	if (!rises(m->last, key))
		return MUE_ECANON;
	if (item.type == MUE_CBOR_ARRAY)
		item.view = key;
	m->last = key;
	m->left--;
	*c = ahead;
	*ret = item;
	return 1;
}
