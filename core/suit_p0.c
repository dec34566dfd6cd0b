#include "core/suit_p0.h"
#include "core/mem.h"

/*
 * The form, in the order of its bytes (docs/FORMATS.md, "SUIT P0").  Literals are compared whole,
 * so that whatever is neither in a literal nor read as a value cannot be there.  The first verdict
 * sticks in the reader: every step after it reads zeros.
 */

enum { UINT = 0, BYTES = 2 };
enum { INSTALL = 20, TEXT = 23 };

/* 16-bit offsets, since a boot envelope is below 64 kB. */
struct reader {
	const struct mue_lms_source *s;
	uint16_t at, end;
	int8_t err;
};

static void fail(struct reader *c, int8_t verdict)
{
	if (c->err == 0)
		c->err = verdict;
}

static uint8_t byte(struct reader *c)
{
	uint8_t b = 0;

	if (c->at == c->end)
		fail(c, MUE_ETRUNC);
	if (c->err == 0)
		c->err = (int8_t)c->s->read(c->s, c->at++, &b, 1);
	return b;
}

static void take(struct reader *c, uint8_t *buf, uint8_t len)
{
	for (; len > 0; len--)
		*buf++ = byte(c);
}

/* The bytes that must stand next. */
static void expect(struct reader *c, const void *bytes, uint8_t len, int8_t verdict)
{
	const uint8_t *p = bytes;

	for (; len > 0; len--)
		if (byte(c) != *p++)
			fail(c, verdict);
}
#define LITERAL(c, text) expect(c, text, sizeof(text) - 1, MUE_EPROFILE)

/* A byte of lo..hi; returns how far above lo it is. */
static uint8_t range(struct reader *c, uint8_t lo, uint8_t hi)
{
	uint8_t b = byte(c);

	if (b < lo || b > hi)
		fail(c, MUE_EPROFILE);
	return (uint8_t)(c->err < 0 ? 0 : b - lo);
}

/* Reads a head of major type `type` in the shortest form; its argument is below 2^32. */
static uint32_t head(struct reader *c, uint8_t type)
{
	uint8_t n = range(c, (uint8_t)(type << 5), (uint8_t)(type << 5 | 26));
	uint32_t arg = 0;

	if (n < 24)
		return n;
	n = (uint8_t)(1 << (n - 24));
	for (uint8_t i = n; i > 0; i--)
		arg = arg << 8 | byte(c);
	if (arg < 24 || (n > 1 && arg < 0x100) || (n > 2 && arg < 0x10000))
		fail(c, MUE_ECANON);
	return arg;
}

/* Enters a byte string: the reader ends where it ends.  Returns the end before, for leave(). */
static uint16_t enter(struct reader *c)
{
	uint32_t n = head(c, BYTES);
	uint16_t end = c->end;

	if (n > (uint16_t)(end - c->at)) {
		fail(c, MUE_ETRUNC);
		n = 0;
	}
	c->end = (uint16_t)(c->at + (uint16_t)n);
	return end;
}

static void leave(struct reader *c, uint16_t end)
{
	if (c->at != c->end)
		fail(c, MUE_EFORMAT);
	c->end = end;
}

/* Passes over a byte string; returns where its content begins, *ret_len (may be NULL) how long. */
static uint16_t skip_string(struct reader *c, uint16_t *ret_len)
{
	uint16_t end = enter(c), begin = c->at;

	if (ret_len)
		*ret_len = (uint16_t)(c->end - begin);
	c->at = c->end;
	c->end = end;
	return begin;
}

/* Keys of what may be severed: 20, then 23. */
static uint8_t severable_key(struct reader *c, uint8_t last)
{
	uint8_t key = byte(c);

	if (key <= last || (key != INSTALL && key != TEXT))
		fail(c, MUE_EPROFILE);
	return key;
}

/* --- the manifest, in RAM: a byte program --- */

/* A program stands for a third of the code that calls would take. */
enum op {
	OP_END,
	OP_NUMBER, /* field: an unsigned number below 2^32 */
	OP_SLOT,   /* a number below 24: the slot */
	OP_POINT,  /* field, length: bytes that are pointed to, not copied */
	OP_ENTER,  /* a byte string; not inside each other more than twice */
	OP_LEAVE,
	OP_STRINGS, /* an array of at most 23 byte strings, passed over */
	OP_EITHER,  /* byte: that one, or, with the option, the one that is 2 higher */
	OP_OPTION,  /* byte: that one, or 1 higher, as the option was chosen */
	OP_IF,      /* n: without the option the next n program bytes do not count */
	OP_LITERAL  /* OP_LITERAL + n, n bytes: these bytes */
};
#define LIT(n)   (OP_LITERAL + (n))
#define FIELD(f) offsetof(struct mue_suit_p0, f)
#define SHA256   0x82, 0x2f, 0x58, 0x20 /* head of [-16, 32 bytes] */

/* clang-format off */
static const uint8_t form[] = {
	LIT(3), 1, 1, 2, OP_NUMBER, FIELD(sequence),
	LIT(1), 3, OP_ENTER, LIT(3), 0xa2, 2, 0x81, OP_STRINGS, LIT(1), 4, OP_ENTER,
	/* [20, {1: vendor, 2: class, 3: digest, ?5: slot, 14: size}, 1, 15, 2, 15, ?5, ?15] */
	OP_EITHER, 0x86, LIT(1), 20, OP_OPTION, 0xa4,
	LIT(2), 1, 0x50, OP_POINT, FIELD(vendor), 16,
	LIT(2), 2, 0x50, OP_POINT, FIELD(class_id), 16,
	LIT(7), 3, 0x58, 0x24, SHA256, OP_POINT, FIELD(image), 32,
	OP_IF, 3, LIT(1), 5, OP_SLOT,
	LIT(1), 14, OP_NUMBER, FIELD(size), LIT(4), 1, 15, 2, 15, OP_IF, 3, LIT(2), 5, 15,
	OP_LEAVE, OP_LEAVE,
	/* [3, 15], or the security counter before it: [20, {-257: counter}, 3, 15] */
	LIT(1), 7, OP_ENTER, OP_EITHER, 0x82,
	OP_IF, 8, LIT(5), 20, 0xa1, 0x39, 1, 0, OP_NUMBER, FIELD(counter),
	LIT(2), 3, 15, OP_LEAVE,
	LIT(5), 9, 0x43, 0x82, 23, 2, OP_END
};
/* clang-format on */

/* `len` bytes that are pointed to. */
static const uint8_t *point(struct reader *c, uint8_t len)
{
	const uint8_t *at = (const uint8_t *)c->s->ctx + c->at;

	while (len-- > 0)
		byte(c);
	return at;
}

static void follow(struct reader *c, struct mue_suit_p0 *p)
{
	const uint8_t *at = form;
	uint8_t *base = (uint8_t *)p;
	uint16_t ends[2] = { 0, 0 };
	uint8_t depth = 0, option = 0, op;

	while ((op = *at++) != OP_END) {
		const uint8_t *bytes;
		uint32_t number;

		switch (op) {
		case OP_NUMBER:
			number = head(c, UINT);
			memcpy(base + *at++, &number, sizeof(number));
			break;
		case OP_SLOT:
			p->slot = range(c, 0, 23);
			break;
		case OP_POINT:
			bytes = point(c, at[1]);
			memcpy(base + *at, &bytes, sizeof(bytes));
			at += 2;
			break;
		case OP_ENTER:
			ends[depth++ & 1] = enter(c);
			break;
		case OP_LEAVE:
			leave(c, ends[--depth & 1]);
			break;
		case OP_STRINGS:
			for (uint8_t n = range(c, 0x80, 0x97); n > 0; n--)
				skip_string(c, NULL);
			break;
		case OP_EITHER:
			option = range(c, *at, (uint8_t)(*at + 2));
			at++;
			if (option == 1)
				fail(c, MUE_EPROFILE);
			option >>= 1;
			break;
		case OP_OPTION:
			if (byte(c) != (uint8_t)(*at++ + option))
				fail(c, MUE_EPROFILE);
			break;
		case OP_IF:
			at += option ? 1 : *at + 1;
			break;
		default:
			op = (uint8_t)(op - OP_LITERAL);
			expect(c, at, op, MUE_EPROFILE);
			at += op;
		}
	}
}

int mue_suit_p0_parse(struct mue_suit_p0 *p)
{
	struct mue_lms_source ram = { mue_lms_read_memory, p->manifest, p->manifest_len };
	struct reader c = { &ram, 0, p->manifest_len, 0 };
	uint8_t severed = range(&c, 0xa5, 0xa7), key = 0;

	p->counter = 0;
	p->slot = MUE_SUIT_P0_ANY;
	follow(&c, p);
	for (; severed > 0; severed--) {
		key = severable_key(&c, key);
		LITERAL(&c, "\x82\x2f\x58\x20");
		point(&c, MUE_SHA256_SIZE);
	}
	leave(&c, c.end);
	return c.err;
}

/* --- the envelope, in its source --- */

/* A block being read: its parts, and the window of the source in which its signature stands. */
struct block {
	const struct mue_lms_source *s;
	uint16_t at;
	uint8_t kid[8];
	/*
	 * Sig_structure (RFC 9052, section 4.4): array and context, protected header {1: alg} of 3
	 * or 4 bytes with its head, empty external data, SUIT_Digest of 36 bytes with its head.
	 */
	uint8_t tbs[12 + 1 + 4 + 1 + 2 + 4 + MUE_SHA256_SIZE];
};

static int read_signature(const struct mue_lms_source *s, uint32_t off, void *buf, uint8_t len)
{
	const struct block *b = s->ctx;

	return b->s->read(b->s, b->at + off, buf, len);
}

/* << {1: alg} >> as it stands in the Sig_structure; returns its length with the head. */
static uint8_t read_protected(struct reader *c, uint8_t *to, int32_t *ret_alg)
{
	uint8_t n = range(c, 0x43, 0x44) == 0 ? 0 : 1, arg;

	to[0] = (uint8_t)(0x43 + n);
	to[1] = 0xa1;
	to[2] = 1;
	to[3] = 0x38;
	expect(c, to + 1, (uint8_t)(2 + n), MUE_EPROFILE);
	to[3 + n] = arg = byte(c);
	if (n == 0)
		arg = (uint8_t)(arg - 0x20); /* -1 - arg in the head */
	if ((n == 0) != (arg < 24))
		fail(c, MUE_EPROFILE);
	*ret_alg = -1 - (int32_t)arg;
	return (uint8_t)(4 + n);
}

/* Reads one COSE_Sign1 over `digest`; the verifier's verdict, which counts when c->err is 0. */
static int check_block(struct reader *c, const uint8_t *said, const struct mue_verifier *v)
{
	static const uint8_t begin[] = { 0x84, 0x6a, 'S', 'i', 'g', 'n',
					 'a',  't',  'u', 'r', 'e', '1' };
	struct mue_cose_id id = { 0, NULL, 0 };
	struct mue_lms_source msg = { mue_lms_read_memory, NULL, 0 };
	struct mue_lms_source sig = { read_signature, NULL, 0 };
	uint16_t end = enter(c), len;
	struct block b;
	uint8_t *to = b.tbs;

	memcpy(to, begin, sizeof(begin));
	to += sizeof(begin);
	LITERAL(c, "\xd2\x84");
	to += read_protected(c, to, &id.alg);
	if (range(c, 0xa0, 0xa1) == 1) {
		LITERAL(c, "\x04\x48");
		take(c, b.kid, sizeof(b.kid));
		id.kid = b.kid;
		id.kid_len = sizeof(b.kid);
	}
	LITERAL(c, "\xf6");
	b.s = c->s;
	b.at = skip_string(c, &len);
	leave(c, end);
	if (c->err < 0)
		return c->err;
	memcpy(to, "\x40\x58\x24\x82\x2f\x58\x20", 7);
	memcpy(to + 7, said, MUE_SHA256_SIZE);
	msg.ctx = b.tbs;
	msg.size = (uint8_t)(to + 7 + MUE_SHA256_SIZE - b.tbs);
	sig.ctx = &b;
	sig.size = len;
	return v->ops->verify(v, &id, &msg, &sig);
}

/* [<< digest >>, << block >>, ?<< block >>]: the digest is that of the manifest, a block holds. */
static int check_wrapper(struct reader *c, const uint8_t *said, const struct mue_verifier *v)
{
	uint8_t n = range(c, 0x81, 0x81 + MUE_SUIT_P0_BLOCKS);
	int held = MUE_ESIGNATURE, r;

	LITERAL(c, "\x58\x24\x82\x2f\x58\x20");
	expect(c, said, MUE_SHA256_SIZE, MUE_EDIGEST);
	for (; n > 0; n--) {
		r = check_block(c, said, v);
		if (r == 0)
			held = 0;
		else if (r != MUE_ESIGNATURE && r != MUE_EPROFILE)
			fail(c, (int8_t)r);
	}
	leave(c, c->end);
	return c->err < 0 ? c->err : held;
}

/* Reads the manifest into RAM and takes the digest over it and its head (section 8.3). */
static void load_manifest(struct reader *c, struct mue_suit_p0 *p)
{
	uint16_t end = enter(c), n = (uint16_t)(c->end - c->at);
	uint8_t bytes[2] = { 0x58, (uint8_t)n };
	struct mue_sha256 sha;

	if (n > MUE_SUIT_P0_MAX || n < 24) { /* the form itself is longer than that */
		fail(c, MUE_ESIZE);
		return;
	}
	p->manifest_len = (uint8_t)n;
	take(c, p->manifest, (uint8_t)n);
	leave(c, end);
	mue_sha256_init(&sha);
	mue_sha256_update(&sha, bytes, sizeof(bytes));
	mue_sha256_update(&sha, p->manifest, n);
	mue_sha256_final(&sha, p->digest);
}

int mue_suit_p0_open(const struct mue_lms_source *env, const struct mue_verifier *v,
		     struct mue_suit_p0 *ret)
{
	struct reader c = { env, 0, (uint16_t)env->size, 0 }, wrapper;
	uint8_t severed, key = 0;
	int r;

	if (env->size > UINT16_MAX)
		return MUE_ESIZE;
	ret->length = env->size;
	LITERAL(&c, "\xd8\x6b");
	severed = range(&c, 0xa2, 0xa4);
	LITERAL(&c, "\x02");
	wrapper = c;
	skip_string(&c, NULL);
	LITERAL(&c, "\x03");
	load_manifest(&c, ret);
	/* Severed install and text may follow; the bootloader needs neither. */
	for (; severed > 0; severed--) {
		key = severable_key(&c, key);
		skip_string(&c, NULL);
	}
	leave(&c, c.end);
	if (c.err < 0)
		return c.err;
	enter(&wrapper);
	r = check_wrapper(&wrapper, ret->digest, v);
	return r < 0 ? r : mue_suit_p0_parse(ret);
}
