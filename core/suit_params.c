#include "core/mem.h"
#include "core/suit_command.h"

enum kind {
	K_UUID,   /* 16 bytes */
	K_RAW32,  /* 32 bytes */
	K_DIGEST, /* byte string that holds a SUIT_Digest */
	K_BYTES,
	K_TEXT,
	K_CBOR, /* byte string that holds one CBOR item */
	K_U64,
	K_U32,
	K_I32,
	K_U8
};

/* One row a parameter: where it stands in struct mue_suit_params, and its flag for numbers. */
struct row {
	int16_t number;
	uint8_t kind;
	uint8_t profile; /* least profile that has it */
	uint8_t max;     /* of K_U8 */
	uint16_t value, has;
};

#define AT(field) offsetof(struct mue_suit_params, field)
#define NO_FLAG   0xffff
#define VIEW(f)   AT(f), NO_FLAG
#define NUMBER(f) AT(f), AT(has_##f)

/* clang-format off */
static const struct row rows[] = {
	{ MUE_SUIT_P_VENDOR,      K_UUID,   MUE_SUIT_P0, 0,   VIEW(vendor) },
	{ MUE_SUIT_P_CLASS,       K_UUID,   MUE_SUIT_P0, 0,   VIEW(class_id) },
	{ MUE_SUIT_P_DIGEST,      K_DIGEST, MUE_SUIT_P0, 0,   VIEW(digest) },
	{ MUE_SUIT_P_USE_BEFORE,  K_U64,    MUE_SUIT_P1, 0,   NUMBER(use_before) },
	{ MUE_SUIT_P_SLOT,        K_U32,    MUE_SUIT_P0, 0,   NUMBER(slot) },
	{ MUE_SUIT_P_SIZE,        K_U64,    MUE_SUIT_P0, 0,   NUMBER(size) },
	{ MUE_SUIT_P_CONTENT,     K_BYTES,  MUE_SUIT_P1, 0,   VIEW(content) },
	{ MUE_SUIT_P_ENCRYPTION,  K_BYTES,  MUE_SUIT_P2, 0,   VIEW(encryption) },
	{ MUE_SUIT_P_URI,         K_TEXT,   MUE_SUIT_P0, 0,   VIEW(uri) },
	{ MUE_SUIT_P_SOURCE,      K_U8,     MUE_SUIT_P1, MUE_SUIT_COMPONENTS_MAX - 1, NUMBER(source) },
	{ MUE_SUIT_P_INVOKE_ARGS, K_BYTES,  MUE_SUIT_P1, 0,   VIEW(invoke_args) },
	{ MUE_SUIT_P_DEVICE,      K_UUID,   MUE_SUIT_P1, 0,   VIEW(device) },
	{ MUE_SUIT_P_FETCH_ARGS,  K_BYTES,  MUE_SUIT_P1, 0,   VIEW(fetch_args) },
	{ MUE_SUIT_P_BATTERY_MWH, K_U64,    MUE_SUIT_P1, 0,   NUMBER(battery_mwh) },
	{ MUE_SUIT_P_PRIORITY,    K_I32,    MUE_SUIT_P0, 0,   NUMBER(priority) },
	{ MUE_SUIT_P_VERSION,     K_CBOR,   MUE_SUIT_P1, 0,   VIEW(version) },
	{ MUE_SUIT_P_WAIT,        K_CBOR,   MUE_SUIT_P1, 0,   VIEW(wait) },
	{ MUE_SUIT_P_COUNTER,     K_U32,    MUE_SUIT_P0, 0,   NUMBER(counter) },
	{ MUE_SUIT_P_KIND,        K_U8,     MUE_SUIT_P0, 2,   AT(kind), NO_FLAG },
	{ MUE_SUIT_P_PRECURSOR,   K_RAW32,  MUE_SUIT_P0, 0,   VIEW(precursor) },
	{ MUE_SUIT_P_SBOM,        K_RAW32,  MUE_SUIT_P0, 0,   VIEW(sbom) },
	{ MUE_SUIT_P_BATTERY,     K_U8,     MUE_SUIT_P0, 100, NUMBER(battery) },
	{ MUE_SUIT_P_ROOT,        K_RAW32,  MUE_SUIT_P0, 0,   VIEW(root) },
};
/* clang-format on */

void mue_suit_hash_bstr(struct mue_view content, uint8_t ret[MUE_SUIT_DIGEST_SIZE])
{
	struct mue_sha256 s;
	uint8_t head[5];

	mue_sha256_init(&s);
	mue_sha256_update(&s, head, mue_cbor_head(head, MUE_CBOR_BYTES, (uint32_t)content.len));
	mue_sha256_update(&s, content.data, content.len);
	mue_sha256_final(&s, ret);
}

int mue_suit_digest(struct mue_cbor *c, struct mue_view *ret_digest)
{
	struct mue_view digest;
	int64_t alg;
	size_t n;
	int r = mue_cbor_array(c, &n);

	if (r == 0 && n != 2)
		r = MUE_EFORMAT; /* one digest, exactly */
	if (r == 0)
		r = mue_cbor_int(c, &alg);
	if (r == 0 && alg != MUE_COSE_SHA256)
		r = MUE_EPROFILE;
	if (r == 0)
		r = mue_cbor_bytes(c, &digest);
	if (r == 0 && digest.len != MUE_SUIT_DIGEST_SIZE)
		r = MUE_EFORMAT;
	if (r == 0)
		*ret_digest = digest;
	return r;
}

/* A byte string whose content is one item of CBOR; for a digest, its 32 bytes. */
static int read_wrapped(struct mue_cbor *c, bool digest, struct mue_view *ret)
{
	struct mue_view content;
	struct mue_cbor inner;
	int r = mue_cbor_bytes(c, &content);

	if (r < 0)
		return r;
	inner = mue_cbor_read(content);
	*ret = content;
	r = digest ? mue_suit_digest(&inner, ret) : mue_cbor_skip(&inner, NULL);
	return r < 0 ? r : mue_cbor_end(&inner);
}

static int read_view(struct mue_cbor *c, uint8_t kind, struct mue_view *ret)
{
	int r;

	switch (kind) {
	case K_UUID: /* a vendor named by tag 112 (enterprise number) is no byte string: refused */
		r = mue_cbor_bytes(c, ret);
		return r == 0 && ret->len != MUE_SUIT_UUID_SIZE ? MUE_EFORMAT : r;
	case K_RAW32:
		r = mue_cbor_bytes(c, ret);
		return r == 0 && ret->len != MUE_SUIT_DIGEST_SIZE ? MUE_EFORMAT : r;
	case K_BYTES:
		return mue_cbor_bytes(c, ret);
	case K_TEXT:
		return mue_cbor_text(c, ret);
	default:
		return read_wrapped(c, kind == K_DIGEST, ret);
	}
}

static int read_number(struct mue_cbor *c, const struct row *row, uint8_t *to)
{
	uint64_t u = 0;
	int64_t s = 0;
	uint32_t w;
	int32_t i;
	int r = row->kind == K_I32 ? mue_cbor_int(c, &s) : mue_cbor_uint(c, &u);

	if (r < 0)
		return r;
	switch (row->kind) {
	case K_U64:
		memcpy(to, &u, sizeof(u));
		return 0;
	case K_U32:
		w = (uint32_t)u;
		memcpy(to, &w, sizeof(w));
		return u > UINT32_MAX ? MUE_EPROFILE : 0;
	case K_I32:
		i = (int32_t)s;
		memcpy(to, &i, sizeof(i));
		return s < INT32_MIN || s > INT32_MAX ? MUE_EPROFILE : 0;
	default:
		*to = (uint8_t)u;
		return u > row->max ? MUE_EPROFILE : 0;
	}
}

static const struct row *find(int64_t number)
{
	for (uint8_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == number)
			return &rows[i];
	return NULL;
}

static int read_one(struct mue_cbor *c, const struct row *row, struct mue_suit_params *p)
{
	uint8_t *base = (uint8_t *)p;
	struct mue_view view;
	bool has = true;
	int r;

	if (row->kind >= K_U64) {
		r = read_number(c, row, base + row->value);
	} else {
		r = read_view(c, row->kind, &view);
		if (r == 0)
			memcpy(base + row->value, &view, sizeof(view));
	}
	if (r == 0 && row->has != NO_FLAG)
		memcpy(base + row->has, &has, sizeof(has));
	return r;
}

/* A key of a parameter map as a signed number. */
static int number_of(const struct mue_cbor_item *key, int64_t *ret)
{
	if (key->type > MUE_CBOR_NINT)
		return MUE_EFORMAT;
	if (key->arg > INT32_MAX)
		return MUE_EPROFILE;
	*ret = key->type == MUE_CBOR_UINT ? (int64_t)key->arg : -1 - (int64_t)key->arg;
	return 0;
}

static int read_numbered(struct mue_cbor *c, const struct mue_suit_param_scope *scope,
			 int64_t number, struct mue_suit_params *p)
{
	const struct row *row = find(number);
	int r;

	if (number < 0 && scope->shared)
		return MUE_EFORMAT; /* section 8.4.8.16 */
	if (!row || row->profile > scope->profile)
		return MUE_EPROFILE;
	r = read_one(c, row, p);
	return r == 0 && number == MUE_SUIT_P_SOURCE && p->source >= scope->components ? MUE_EFORMAT
										       : r;
}

int mue_suit_params_read(struct mue_cbor *c, const struct mue_suit_param_scope *scope,
			 struct mue_suit_params *p, bool *soft, bool *strict)
{
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	int64_t number;
	int r = mue_cbor_map_open(c, &m);

	if (r == 0 && m.left == 0)
		r = MUE_EFORMAT;
	if (r < 0)
		return r;
	while ((r = mue_cbor_map_key(c, &m, &key)) > 0) {
		r = number_of(&key, &number);
		if (r < 0)
			return r;
		if (number == MUE_SUIT_P_STRICT_ORDER)
			r = mue_cbor_bool(c, strict);
		else if (number == MUE_SUIT_P_SOFT_FAILURE)
			r = scope->nested ? mue_cbor_bool(c, soft) : MUE_EFORMAT;
		else
			r = read_numbered(c, scope, number, p);
		if (r < 0)
			return r;
	}
	return r;
}

static uint8_t size_of(uint8_t kind)
{
	switch (kind) {
	case K_U64:
		return sizeof(uint64_t);
	case K_U32:
	case K_I32:
		return sizeof(uint32_t);
	case K_U8:
		return sizeof(uint8_t);
	default:
		return sizeof(struct mue_view);
	}
}

int mue_suit_param_copy(int64_t number, const struct mue_suit_params *from,
			struct mue_suit_params *to)
{
	const struct row *row = find(number);
	const uint8_t *f = (const uint8_t *)from;
	uint8_t *t = (uint8_t *)to;

	if (!row)
		return MUE_EPROFILE;
	memcpy(t + row->value, f + row->value, size_of(row->kind));
	if (row->has != NO_FLAG)
		memcpy(t + row->has, f + row->has, sizeof(bool));
	return 0;
}
