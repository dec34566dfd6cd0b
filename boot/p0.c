#include "boot/p0.h"

#include "boot/lms.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/sha256.h"

#include <stddef.h>

/* The reader: the first verdict sticks, and every byte after it reads as 0. */
struct reader {
	board_off_t at, end; /* offsets in the slot */
	uint8_t slot;
	uint8_t n; /* what T_PLUS read */
	int8_t err;
};

/*
 * The manifest's form as a program for run(): a table takes a quarter of the code that the same
 * steps take as calls.
 */
enum {
	T_END,
	T_IS,   /* n, n bytes: these stand next */
	T_UINT, /* offset: an unsigned integer into the result */
	T_COPY, /* offset: 32 bytes into the result */
	T_IN,   /* enter a byte string */
	T_OUT,  /* it must end here */
	T_SKIP, /* a byte string, passed over */
	T_PLUS, /* b: either b or b + 2 stands next; remembers which */
	T_HALF, /* b: b stands next, or b + 1 if T_PLUS read b + 2 */
	T_IF,   /* k: the next k bytes of the program count only after b + 2 */
	T_ID,   /* offset, verdict: these 16 bytes of the identity stand next */
};

#define FIELD(name) offsetof(struct mue_boot_p0, name)
#define IDENT(name) offsetof(struct mue_boot_identity, name)

/* clang-format off */
static const uint8_t form[] = {
	T_IS, 3, 0x01, 0x01, 0x02,			/* version 1, sequence number */
	T_UINT, FIELD(sequence),
	T_IS, 1, 0x03, T_IN,				/* common */
	T_IS, 4, 0xa2, 0x02, 0x81, 0x82, T_SKIP, T_SKIP,	/* one component: [kind, name] */
	T_IS, 1, 0x04, T_IN,				/* shared sequence */
	T_PLUS, 0x86,
	T_IS, 1, 0x14,
	T_HALF, 0xa4,
	T_IS, 2, 0x01, 0x50, T_ID, IDENT(vendor), (uint8_t)MUE_EVENDOR,
	T_IS, 2, 0x02, 0x50, T_ID, IDENT(class_id), (uint8_t)MUE_ECLASS,
	T_IS, 7, 0x03, 0x58, 0x24, 0x82, 0x2f, 0x58, 0x20, T_COPY, FIELD(image),
	T_IF, 5, T_IS, 1, 0x05, T_UINT, FIELD(slot),
	T_IS, 1, 0x0e, T_UINT, FIELD(size),
	T_IS, 4, 0x01, 0x0f, 0x02, 0x0f,
	T_IF, 4, T_IS, 2, 0x05, 0x0f,
	T_OUT, T_OUT,
	T_IS, 1, 0x07, T_IN,				/* validate */
	T_PLUS, 0x82,
	T_IF, 9, T_IS, 5, 0x14, 0xa1, 0x39, 0x01, 0x00, T_UINT, FIELD(counter),
	T_IS, 2, 0x03, 0x0f,
	T_OUT,
	T_IS, 5, 0x09, 0x43, 0x82, 0x17, 0x02,		/* invoke */
	T_END
};
/* clang-format on */

static void fail(struct reader *r, int8_t verdict)
{
	if (!r->err)
		r->err = verdict;
}

static uint8_t byte(struct reader *r)
{
	uint8_t b = 0;

	if (r->at >= r->end)
		fail(r, MUE_ETRUNC);
	if (!r->err)
		mue_board_read(r->slot, r->at++, &b, 1);
	return b;
}

static void expect(struct reader *r, const uint8_t *bytes, uint8_t len, int8_t verdict)
{
	while (len--)
		if (byte(r) != *bytes++)
			fail(r, verdict);
}

static void copy(struct reader *r, uint8_t *to)
{
	for (uint8_t i = 0; i < 32; i++)
		to[i] = byte(r);
}

/* A head of major type `type` (in its upper three bits), shortest form, argument below 2^32. */
static uint32_t head(struct reader *r, uint8_t type)
{
	uint8_t b = byte(r) ^ type, n, i;
	uint32_t arg = 0;

	if (b < 24)
		return b;
	if (b > 26)
		fail(r, MUE_EPROFILE);
	n = (uint8_t)(1 << (b & 3));
	for (i = n; i > 0; i--)
		arg = arg << 8 | byte(r);
	/* The upper half of the argument's bytes must be needed; one byte is for 24 and above. */
	if (n == 1 ? arg < 24 : !(arg >> 4 * n))
		fail(r, MUE_ECANON);
	return arg;
}

/* Enters a byte string; returns the end before. */
static board_off_t enter(struct reader *r)
{
	uint32_t n = head(r, 0x40);
	board_off_t end = r->end;

	if (n > (board_off_t)(end - r->at)) {
		fail(r, MUE_ETRUNC);
		n = 0;
	}
	r->end = (board_off_t)(r->at + (board_off_t)n);
	return end;
}

static void leave(struct reader *r, board_off_t end)
{
	if (r->at != r->end)
		fail(r, MUE_EFORMAT);
	r->end = end;
}

static void skip(struct reader *r)
{
	board_off_t end = enter(r);

	r->at = r->end;
	r->end = end;
}

static void run(struct reader *r, const struct mue_boot_identity *id, struct mue_boot_p0 *ret)
{
	const uint8_t *t = form;
	uint8_t *to = (uint8_t *)ret, depth = 0, n;
	board_off_t end[2];

	for (;;) {
		switch (*t++) {
		case T_IS:
			n = *t++;
			expect(r, t, n, MUE_EPROFILE);
			t += n;
			break;
		case T_UINT: {
			uint32_t v = head(r, 0);

			memcpy(to + *t++, &v, sizeof(v));
			break;
		}
		case T_COPY:
			copy(r, to + *t++);
			break;
		case T_IN:
			end[depth++] = enter(r);
			break;
		case T_OUT:
			leave(r, end[--depth]);
			break;
		case T_SKIP:
			skip(r);
			break;
		case T_PLUS:
			r->n = (uint8_t)(byte(r) - *t++);
			if (r->n & ~2u)
				fail(r, MUE_EPROFILE);
			break;
		case T_HALF:
			if ((uint8_t)(byte(r) - *t++) != r->n >> 1)
				fail(r, MUE_EPROFILE);
			break;
		case T_IF:
			n = *t++;
			t += r->n ? 0 : n;
			break;
		case T_ID:
			expect(r, (const uint8_t *)id + t[0], 16, (int8_t)t[1]);
			t += 2;
			break;
		default:
			return;
		}
	}
}

/* Keys of what may be severed, in order: install (20), then text (23). */
static uint8_t severable(struct reader *r, uint8_t last)
{
	uint8_t key = byte(r);

	if ((key != 20 && key != 23) || key <= last)
		fail(r, MUE_EPROFILE);
	return key;
}

static const uint8_t digest_head[] = { 0x82, 0x2f, 0x58, 0x20 };

static void manifest(struct reader *r, board_off_t end, const struct mue_boot_identity *id,
		     struct mue_boot_p0 *ret)
{
	uint8_t severed = (uint8_t)(byte(r) - 0xa5), key = 0;

	if (severed > 2)
		fail(r, MUE_EPROFILE);
	ret->slot = MUE_SLOT_NONE;
	ret->counter = 0;
	run(r, id, ret);
	for (; severed > 0 && !r->err; severed--) {
		key = severable(r, key);
		expect(r, digest_head, sizeof(digest_head), MUE_EPROFILE);
		for (uint8_t i = 0; i < 32; i++)
			byte(r);
	}
	leave(r, end);
}

/* Sig_structure (RFC 9052, section 4.4) up to the manifest's digest; PROTECTED begins with the
 * block's tag and array. */
static const uint8_t tbs_head[] = { 0x84, 0x6a, 'S',  'i',  'g',  'n',  'a',  't',
				    'u',  'r',  'e',  '1',  0x44, 0xa1, 0x01, 0x38,
				    0x2d, 0x40, 0x58, 0x24, 0x82, 0x2f, 0x58, 0x20 };
#define TBS_SIZE (sizeof(tbs_head) + 32)
static const uint8_t protected_[] = { 0xd2, 0x84, 0x44, 0xa1, 0x01, 0x38, 0x2d };
static const uint8_t kid_head[] = { 0x04, 0x48 };
static const uint8_t detached[] = { 0xf6 };

/* One COSE_Sign1.  Another algorithm's is passed over. */
static int8_t block(struct reader *r, const uint8_t *pub, const uint8_t *tbs, uint8_t *ret_proof)
{
	struct reader in = *r;
	board_off_t end = enter(&in);
	struct mue_boot_range sig;

	skip(r);
	expect(&in, protected_, sizeof(protected_), MUE_ESIGNATURE);
	if (head(&in, 0xa0)) {
		expect(&in, kid_head, sizeof(kid_head), MUE_ESIGNATURE);
		in.at = (board_off_t)(in.at + 8);
	}
	expect(&in, detached, 1, MUE_ESIGNATURE);
	end = enter(&in);
	if (in.end != end || in.err)
		return MUE_ESIGNATURE;
	sig.slot = in.slot;
	sig.off = in.at;
	sig.len = (uint16_t)(in.end - in.at);
	return mue_boot_lms_verify(pub, &sig, tbs, TBS_SIZE, ret_proof);
}

/* [<< digest >>, << block >>, ?<< block >>] */
static int8_t wrapper(struct reader *r, const struct mue_boot_identity *id, struct mue_boot_p0 *p)
{
	uint8_t tbs[TBS_SIZE], n;
	int8_t held = MUE_ESIGNATURE;

	memcpy(tbs, tbs_head, sizeof(tbs_head));
	memcpy(tbs + sizeof(tbs_head), p->digest, 32);
	n = (uint8_t)(byte(r) - 0x81);
	if (n > 2)
		fail(r, MUE_EPROFILE);
	/* The last six bytes of the head are those of the digest's own byte string. */
	expect(r, tbs_head + sizeof(tbs_head) - 6, 6, MUE_EPROFILE);
	expect(r, p->digest, 32, MUE_EDIGEST);
	for (; n > 0 && !r->err; n--)
		if (block(r, id->pub, tbs, p->proof) == MUE_OK)
			held = MUE_OK;
	leave(r, r->end);
	return r->err ? r->err : held;
}

static void hash_manifest(const struct reader *r, uint8_t *ret_digest)
{
	uint8_t len = (uint8_t)(r->end - r->at);
	/* The digest covers the byte string's head too (manifest draft, section 8.3). */
	uint8_t head[2] = { 0x58, len };
	struct mue_sha256 s;

	mue_sha256_init(&s);
	mue_sha256_update(&s, head, sizeof(head));
	mue_boot_hash(&s, r->slot, r->at, len);
	mue_sha256_final(&s, ret_digest);
}

static const uint8_t envelope_head[] = { 0xd8, 0x6b };
static const uint8_t wrapper_key[] = { 0x02 }, manifest_key[] = { 0x03 };

int8_t mue_boot_p0_open(const struct mue_boot_identity *id, const struct mue_boot_range *where,
			struct mue_boot_p0 *ret)
{
	struct reader r = { .slot = where->slot,
			    .at = where->off,
			    .end = (board_off_t)(where->off + where->len) },
		      auth;
	uint8_t severed, key = 0;
	board_off_t end;

	expect(&r, envelope_head, sizeof(envelope_head), MUE_EPROFILE);
	severed = (uint8_t)(byte(&r) - 0xa2);
	if (severed > 2)
		fail(&r, MUE_EPROFILE);
	expect(&r, wrapper_key, 1, MUE_EPROFILE);
	auth = r;
	skip(&r);
	expect(&r, manifest_key, 1, MUE_EPROFILE);
	end = enter(&r);
	if ((board_off_t)(r.end - r.at) > 255)
		fail(&r, MUE_ESIZE);
	hash_manifest(&r, ret->digest);
	manifest(&r, end, id, ret);
	for (; severed > 0 && !r.err; severed--) {
		key = severable(&r, key);
		skip(&r);
	}
	leave(&r, r.end);
	if (r.err)
		return r.err;
	enter(&auth);
	return wrapper(&auth, id, ret);
}
