#include "core/mem.h"
#include "core/suit_command.h"
#include "core/suit_p0.h"

/* Labels of the envelope and of the manifest (section 8 of the draft). */
enum {
	TAG_ENVELOPE = 107,
	ENV_WRAPPER = 2,
	ENV_MANIFEST = 3,
	M_VERSION = 1,
	M_SEQUENCE_NUMBER = 2,
	M_COMMON = 3,
	M_REFERENCE_URI = 4,
	M_COMPONENT_ID = 5, /* trust domains: the manifest's own name */
	M_SET_VERSION = 6,  /* update management */
	M_COSWID = 14,
	M_TEXT = 23,
	C_DEPENDENCIES = 1, /* trust domains */
	C_COMPONENTS = 2,
	C_SHARED = 4,
	D_PREFIX = 1
};

/* The members that are byte strings. */
static const struct member {
	uint8_t key;
	uint8_t sequence; /* enum mue_suit_sequence, MUE_SUIT_SEQUENCES: not a sequence */
	uint8_t severable, profile;
} members[] = {
	{ 7, MUE_SUIT_VALIDATE, 0, MUE_SUIT_P0 },
	{ 8, MUE_SUIT_LOAD, 0, MUE_SUIT_P1 },
	{ 9, MUE_SUIT_INVOKE, 0, MUE_SUIT_P0 },
	{ M_COSWID, MUE_SUIT_SEQUENCES, 1, MUE_SUIT_P2 },
	{ 15, MUE_SUIT_DEPENDENCY_RESOLUTION, 1, MUE_SUIT_P1 },
	{ 16, MUE_SUIT_PAYLOAD_FETCH, 1, MUE_SUIT_P1 },
	{ 20, MUE_SUIT_INSTALL, 1, MUE_SUIT_P0 },
	{ M_TEXT, MUE_SUIT_SEQUENCES, 1, MUE_SUIT_P0 },
	{ 24, MUE_SUIT_UNINSTALL, 1, MUE_SUIT_P2 },
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

struct opener {
	struct mue_suit s;
	struct mue_view want[MEMBERS]; /* digests of severable members */
};

static uint8_t member_of(uint64_t key)
{
	uint8_t i = 0;

	while (i < MEMBERS && members[i].key != key)
		i++;
	return i;
}

static struct mue_view *place(struct mue_suit *s, uint8_t member)
{
	if (members[member].sequence < MUE_SUIT_SEQUENCES)
		return &s->sequence[members[member].sequence];
	return members[member].key == M_TEXT ? &s->text : &s->coswid;
}

/* --- authentication wrapper --- */

static int read_wrapper(struct mue_suit *s, struct mue_view wrapper)
{
	struct mue_cbor c = mue_cbor_read(wrapper), inner;
	struct mue_view digest, block;
	uint8_t sum[MUE_SUIT_DIGEST_SIZE];
	size_t n;
	int r = mue_cbor_array(&c, &n);

	if (r == 0 && n == 0)
		r = MUE_EFORMAT;
	if (r == 0)
		r = mue_cbor_bytes(&c, &s->digest_structure);
	if (r < 0)
		return r;
	inner = mue_cbor_read(s->digest_structure);
	r = mue_suit_digest(&inner, &digest);
	if (r == 0)
		r = mue_cbor_end(&inner);
	if (r < 0)
		return r;
	if (n - 1 > MUE_SUIT_SIGNATURES_MAX)
		return MUE_EPROFILE;
	s->block_count = (uint8_t)(n - 1);
	s->blocks.data = c.at;
	s->blocks.len = (size_t)(c.end - c.at);
	while (--n > 0) {
		r = mue_cbor_bytes(&c, &block);
		if (r < 0)
			return r;
	}
	r = mue_cbor_end(&c);
	if (r < 0)
		return r;
	mue_suit_hash_bstr(s->manifest, sum);
	if (memcmp(sum, digest.data, sizeof(sum)) != 0)
		return MUE_EDIGEST;
	memcpy(s->digest, sum, sizeof(sum));
	return 0;
}

/* --- manifest --- */

static int read_component_id(struct mue_cbor *c)
{
	struct mue_view part;
	size_t n;
	int r = mue_cbor_array(c, &n);

	for (; r == 0 && n > 0; n--)
		r = mue_cbor_bytes(c, &part);
	return r;
}

static uint8_t components_max(const struct mue_suit *s)
{
	return s->profile == MUE_SUIT_P2 ? MUE_SUIT_COMPONENTS_MAX : MUE_SUIT_P1_COMPONENTS;
}

static int read_components(struct mue_suit *s, struct mue_cbor *c)
{
	size_t n;
	int r;

	s->components.data = c->at;
	r = mue_cbor_array(c, &n);
	if (r == 0 && n == 0)
		r = MUE_EFORMAT;
	if (r == 0 && n > components_max(s))
		r = MUE_EPROFILE;
	if (r < 0)
		return r;
	s->component_count = (uint8_t)n;
	s->listed_count = (uint8_t)n;
	for (; r == 0 && n > 0; n--)
		r = read_component_id(c);
	s->components.len = (size_t)(c->at - s->components.data);
	return r;
}

/* {?1: component id}; 1 when it names one. */
static int read_dependency(struct mue_cbor *c)
{
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	int named = 0;
	int r = mue_cbor_map_open(c, &m);

	if (r < 0)
		return r;
	while ((r = mue_cbor_map_key(c, &m, &key)) > 0) {
		if (key.type != MUE_CBOR_UINT || key.arg != D_PREFIX)
			return MUE_EPROFILE;
		r = read_component_id(c);
		if (r < 0)
			return r;
		named = 1;
	}
	return r < 0 ? r : named;
}

/*
 * Which components are dependencies.  The draft's text has them among the listed components, its
 * examples number them on behind those, named by the prefix: both are taken.
 */
static int check_dependencies(struct mue_suit *s)
{
	struct mue_cbor c = mue_cbor_read(s->dependencies);
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	int r = mue_cbor_map_open(&c, &m);

	if (r == 0 && m.left == 0)
		r = MUE_EFORMAT;
	if (r < 0)
		return r;
	while ((r = mue_cbor_map_key(&c, &m, &key)) > 0) {
		if (key.type != MUE_CBOR_UINT || key.arg > s->component_count)
			return MUE_EFORMAT;
		if (key.arg >= components_max(s))
			return MUE_EPROFILE;
		r = read_dependency(&c);
		if (r < 0)
			return r;
		if (key.arg == s->component_count) {
			if (r == 0)
				return MUE_EFORMAT;
			s->component_count++;
		}
		s->dependency_mask = (uint16_t)(s->dependency_mask | 1u << key.arg);
	}
	return r;
}

static int read_common_member(struct mue_suit *s, struct mue_cbor *c, uint64_t key)
{
	switch (key) {
	case C_DEPENDENCIES:
		return s->profile < MUE_SUIT_P1 ? MUE_EPROFILE : mue_cbor_skip(c, &s->dependencies);
	case C_COMPONENTS:
		return read_components(s, c);
	case C_SHARED:
		return mue_cbor_bytes(c, &s->shared);
	default:
		return MUE_EPROFILE;
	}
}

static int read_common(struct mue_suit *s, struct mue_cbor *outer)
{
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	struct mue_view common;
	struct mue_cbor c;
	int r = mue_cbor_bytes(outer, &common);

	if (r < 0)
		return r;
	c = mue_cbor_read(common);
	r = mue_cbor_map_open(&c, &m);
	if (r < 0)
		return r;
	while ((r = mue_cbor_map_key(&c, &m, &key)) > 0) {
		r = key.type == MUE_CBOR_UINT ? read_common_member(s, &c, key.arg) : MUE_EPROFILE;
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = mue_cbor_end(&c);
	if (r == 0 && s->component_count == 0)
		r = MUE_EFORMAT;
	return r == 0 && s->dependencies.data ? check_dependencies(s) : r;
}

/* A byte string, or the digest of one that stands in the envelope. */
static int read_member(struct opener *o, struct mue_cbor *c, uint8_t member)
{
	struct mue_cbor_item item;
	struct mue_cbor ahead = *c;
	int r;

	if (members[member].profile > o->s.profile)
		return MUE_EPROFILE;
	r = mue_cbor_next(&ahead, &item);
	if (r < 0)
		return r;
	if (item.type != MUE_CBOR_ARRAY)
		return mue_cbor_bytes(c, place(&o->s, member));
	if (!members[member].severable)
		return MUE_EFORMAT;
	return mue_suit_digest(c, &o->want[member]);
}

/* The members that are not byte strings. */
static int read_plain_member(struct mue_suit *s, struct mue_cbor *c, uint64_t key)
{
	uint64_t version;
	int r;

	switch (key) {
	case M_VERSION:
		r = mue_cbor_uint(c, &version);
		return r == 0 && version != 1 ? MUE_EPROFILE : r;
	case M_SEQUENCE_NUMBER:
		return mue_cbor_uint(c, &s->sequence_number);
	case M_COMMON:
		return read_common(s, c);
	case M_REFERENCE_URI:
		return mue_cbor_text(c, &s->reference_uri);
	case M_COMPONENT_ID:
		return s->profile < MUE_SUIT_P1 ? MUE_EPROFILE : read_component_id(c);
	case M_SET_VERSION:
		return s->profile < MUE_SUIT_P2 ? MUE_EPROFILE : mue_cbor_skip(c, NULL);
	default:
		return MUE_EPROFILE;
	}
}

static int read_manifest(struct opener *o)
{
	struct mue_cbor c = mue_cbor_read(o->s.manifest);
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	uint8_t seen = 0;
	int r = mue_cbor_map_open(&c, &m);

	if (r < 0)
		return r;
	while ((r = mue_cbor_map_key(&c, &m, &key)) > 0) {
		uint8_t member = key.type == MUE_CBOR_UINT ? member_of(key.arg) : MEMBERS;

		if (member < MEMBERS)
			r = read_member(o, &c, member);
		else if (key.type == MUE_CBOR_UINT)
			r = read_plain_member(&o->s, &c, key.arg);
		else
			r = MUE_EPROFILE;
		if (r < 0)
			return r;
		if (key.arg <= M_COMMON)
			seen = (uint8_t)(seen | 1u << key.arg);
	}
	if (r == 0)
		r = mue_cbor_end(&c);
	if (r < 0)
		return r;
	return seen == (1 << M_VERSION | 1 << M_SEQUENCE_NUMBER | 1 << M_COMMON) ? 0 : MUE_EFORMAT;
}

/* --- envelope --- */

/* A severed member: the manifest must hold its digest (section 8.4.12). */
static int read_severed(struct opener *o, struct mue_cbor *c, uint64_t key)
{
	uint8_t sum[MUE_SUIT_DIGEST_SIZE];
	uint8_t member = member_of(key);
	struct mue_view content;
	int r;

	if (member == MEMBERS)
		return MUE_EPROFILE; /* 1: delegation */
	if (!o->want[member].data)
		return MUE_EFORMAT;
	r = mue_cbor_bytes(c, &content);
	if (r < 0)
		return r;
	mue_suit_hash_bstr(content, sum);
	if (memcmp(sum, o->want[member].data, sizeof(sum)) != 0)
		return MUE_EDIGEST;
	*place(&o->s, member) = content;
	return 0;
}

static int read_integrated(struct mue_suit *s, struct mue_cbor *c, const uint8_t *begin)
{
	struct mue_view payload;
	int r;

	if (s->profile == MUE_SUIT_P0 || s->integrated_count == UINT8_MAX)
		return MUE_EPROFILE;
	r = mue_cbor_bytes(c, &payload);
	if (r < 0)
		return r;
	if (!s->integrated.data)
		s->integrated.data = begin;
	s->integrated.len = (size_t)(c->at - s->integrated.data);
	s->integrated_count++;
	return 0;
}

/* Everything that follows the manifest. */
static int read_rest(struct opener *o, struct mue_cbor *c, struct mue_cbor_map *m)
{
	const uint8_t *begin = c->at;
	struct mue_cbor_item key;
	int r;

	while ((r = mue_cbor_map_key(c, m, &key)) > 0) {
		if (key.type == MUE_CBOR_UINT)
			r = read_severed(o, c, key.arg);
		else if (key.type == MUE_CBOR_TEXT)
			r = read_integrated(&o->s, c, begin);
		else
			r = MUE_EPROFILE;
		if (r < 0)
			return r;
		begin = c->at;
	}
	return r < 0 ? r : mue_cbor_end(c);
}

/* Reads the pair that must come next. */
static int read_pair(struct mue_cbor *c, struct mue_cbor_map *m, uint8_t label,
		     struct mue_view *ret)
{
	struct mue_cbor_item key;
	int r = mue_cbor_map_key(c, m, &key);

	if (r < 0)
		return r;
	if (r == 0)
		return MUE_EFORMAT;
	if (key.type != MUE_CBOR_UINT || key.arg != label)
		return key.type == MUE_CBOR_UINT && key.arg < label ? MUE_EPROFILE : MUE_EFORMAT;
	return mue_cbor_bytes(c, ret);
}

/* The text map is one item of deterministic CBOR; what it says is read by describe. */
static int check_text(const struct mue_suit *s)
{
	struct mue_cbor c = mue_cbor_read(s->text);
	int r = mue_cbor_skip(&c, NULL);

	return r < 0 ? r : mue_cbor_end(&c);
}

static int check_sequences(const struct mue_suit *s)
{
	struct mue_suit_check how = { s->profile, s->component_count, true, false,
				      s->dependency_mask != 0 };
	int r = s->shared.data ? mue_suit_sequence_check(s->shared, &how) : 0;

	how.shared = false;
	for (uint8_t i = 0; r == 0 && i < MUE_SUIT_SEQUENCES; i++) {
		how.uninstall = i == MUE_SUIT_UNINSTALL;
		if (s->sequence[i].data)
			r = mue_suit_sequence_check(s->sequence[i], &how);
	}
	return r;
}

/* --- P0 --- */

static int agree(const struct mue_verifier *v, const struct mue_cose_id *id,
		 const struct mue_lms_source *tbs, const struct mue_lms_source *sig)
{
	(void)v;
	(void)id;
	(void)tbs;
	(void)sig;
	return 0;
}

/* The bootloader's own reader decides; without a signature, over the manifest alone. */
static int check_p0(const struct mue_suit *s)
{
	static const struct mue_verifier_ops ops = { agree };
	struct mue_verifier v = { &ops, NULL };
	struct mue_lms_source env = { mue_lms_read_memory, s->envelope.data,
				      (uint32_t)s->envelope.len };
	struct mue_suit_p0 p0;

	if (s->block_count > 0)
		return mue_suit_p0_open(&env, &v, &p0);
	if (*s->envelope.data >> 5 != MUE_CBOR_TAG || s->manifest.len > MUE_SUIT_P0_MAX)
		return MUE_EPROFILE;
	p0.manifest_len = (uint8_t)s->manifest.len;
	memcpy(p0.manifest, s->manifest.data, s->manifest.len);
	return mue_suit_p0_parse(&p0);
}

/* Tag, wrapper, manifest, and what follows it. */
static int read_envelope(struct opener *o)
{
	struct mue_cbor c = mue_cbor_read(o->s.envelope);
	struct mue_view wrapper;
	struct mue_cbor_map m;
	int r = 0;

	if (o->s.envelope.len > 0 && *o->s.envelope.data >> 5 == MUE_CBOR_TAG)
		r = mue_cbor_tag(&c, TAG_ENVELOPE);
	if (r == 0)
		r = mue_cbor_map_open(&c, &m);
	if (r == 0)
		r = read_pair(&c, &m, ENV_WRAPPER, &wrapper);
	if (r == 0)
		r = read_pair(&c, &m, ENV_MANIFEST, &o->s.manifest);
	if (r == 0)
		r = read_wrapper(&o->s, wrapper);
	if (r == 0)
		r = read_manifest(o);
	return r < 0 ? r : read_rest(o, &c, &m);
}

static void note_severed(struct opener *o)
{
	for (uint8_t i = 0; i < MEMBERS; i++) {
		bool severed = o->want[i].data && !place(&o->s, i)->data;

		if (severed && members[i].sequence < MUE_SUIT_SEQUENCES)
			o->s.severed = (uint8_t)(o->s.severed | 1u << members[i].sequence);
		else if (severed && members[i].key == M_TEXT)
			o->s.text_severed = true;
	}
}

int mue_suit_open(struct mue_view envelope, enum mue_suit_profile profile, struct mue_suit *ret)
{
	struct opener o;
	int r;

	memset(&o, 0, sizeof(o));
	o.s.envelope = envelope;
	o.s.profile = (uint8_t)profile;
	r = read_envelope(&o);
	if (r == 0)
		r = check_sequences(&o.s);
	if (r == 0 && o.s.text.data)
		r = check_text(&o.s);
	if (r == 0 && profile == MUE_SUIT_P0)
		r = check_p0(&o.s);
	if (r < 0)
		return r;
	note_severed(&o);
	*ret = o.s;
	return 0;
}

int mue_suit_profile_of(struct mue_view envelope, enum mue_suit_profile *ret)
{
	struct mue_suit s;
	int r = MUE_EPROFILE;

	for (uint8_t p = MUE_SUIT_P0; p <= MUE_SUIT_P2; p++) {
		r = mue_suit_open(envelope, (enum mue_suit_profile)p, &s);
		if (r == 0) {
			*ret = (enum mue_suit_profile)p;
			return 0;
		}
	}
	return r;
}
