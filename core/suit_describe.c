#include "core/mem.h"
#include "core/suit_command.h"

/* Text labels: section 8.4.4 of the draft, and ours (negative). */
enum {
	TEXT_DESCRIPTION = 1,
	TEXT_UPDATE = 2,
	TEXT_NAME = -257,
	TEXT_VERSION = -258,
	COMPONENT_DESCRIPTION = 5,
	COMPONENT_VERSION = 6
};

/* --- component ids --- */

/* The prefix of the dependency with index i; MUE_ENOTFOUND. */
static int prefix_bytes(const struct mue_suit *s, uint8_t i, struct mue_view *ret)
{
	struct mue_cbor c = mue_cbor_read(s->dependencies);
	struct mue_cbor_item key;
	struct mue_cbor_map m, inner;
	int r = mue_cbor_map_open(&c, &m);

	while (r >= 0 && (r = mue_cbor_map_key(&c, &m, &key)) > 0) {
		if (key.arg != i) {
			r = mue_cbor_skip(&c, NULL);
			continue;
		}
		r = mue_cbor_map_open(&c, &inner);
		if (r == 0)
			r = mue_cbor_map_key(&c, &inner, &key);
		return r > 0 ? mue_cbor_skip(&c, ret) : r < 0 ? r : MUE_ENOTFOUND;
	}
	return r < 0 ? r : MUE_ENOTFOUND;
}

int mue_suit_id_bytes(const struct mue_suit *s, uint8_t i, struct mue_view *ret)
{
	struct mue_cbor c = mue_cbor_read(s->components);
	size_t n;
	int r = mue_cbor_array(&c, &n);

	if (i >= s->component_count)
		return MUE_EINVAL;
	if (i >= s->listed_count)
		return prefix_bytes(s, i, ret);
	for (uint8_t at = 0; r == 0 && at <= i; at++)
		r = mue_cbor_skip(&c, ret);
	return r;
}

int mue_suit_component_id(const struct mue_suit *s, uint8_t i, struct mue_view *ret, uint8_t max,
			  uint8_t *ret_count)
{
	struct mue_view id, part;
	struct mue_cbor c;
	size_t n;
	int r = mue_suit_id_bytes(s, i, &id);

	if (r < 0)
		return r;
	c = mue_cbor_read(id);
	r = mue_cbor_array(&c, &n);
	for (size_t at = 0; r == 0 && at < n; at++) {
		r = mue_cbor_bytes(&c, &part);
		if (r == 0 && at < max)
			ret[at] = part;
	}
	if (r == 0)
		*ret_count = (uint8_t)(n > UINT8_MAX ? UINT8_MAX : n);
	return r;
}

/* --- integrated payloads --- */

int mue_suit_integrated(const struct mue_suit *s, struct mue_view uri, struct mue_view *ret)
{
	struct mue_cbor c = mue_cbor_read(s->integrated);
	struct mue_view key, payload;

	for (uint8_t i = 0; i < s->integrated_count; i++) {
		int r = mue_cbor_text(&c, &key);

		if (r == 0)
			r = mue_cbor_bytes(&c, &payload);
		if (r < 0)
			return r;
		if (mue_view_equal(key, uri)) {
			*ret = payload;
			return 0;
		}
	}
	return MUE_ENOTFOUND;
}

/* --- texts --- */

static int64_t label_of(const struct mue_cbor_item *key)
{
	if (key->type > MUE_CBOR_NINT || key->arg > INT32_MAX)
		return 0;
	return key->type == MUE_CBOR_UINT ? (int64_t)key->arg : -1 - (int64_t)key->arg;
}

/* {label: text} of one component. */
static int component_texts(struct mue_cbor *c, struct mue_suit_component *ret)
{
	struct mue_cbor_item key;
	struct mue_cbor_map m;
	int r = mue_cbor_map_open(c, &m);

	if (r < 0)
		return r;
	while ((r = mue_cbor_map_key(c, &m, &key)) > 0) {
		struct mue_view text;

		r = mue_cbor_text(c, &text);
		if (r < 0)
			return r;
		if (label_of(&key) == COMPONENT_VERSION)
			ret->version = text;
		if (label_of(&key) == COMPONENT_DESCRIPTION)
			ret->description = text;
	}
	return r;
}

/* A key that is an array names a component; one that is not in the manifest is refused. */
static int texts_of(const struct mue_suit *s, struct mue_cbor *c, struct mue_view id,
		    struct mue_suit_info *ret)
{
	struct mue_view own;
	int r;

	for (uint8_t i = 0; i < s->component_count; i++) {
		r = mue_suit_id_bytes(s, i, &own);
		if (r < 0)
			return r;
		if (mue_view_equal(own, id))
			return component_texts(c, &ret->component[i]);
	}
	return MUE_EFORMAT;
}

static int release_text(struct mue_cbor *c, int64_t label, struct mue_suit_info *ret)
{
	struct mue_view text;
	int r = mue_cbor_text(c, &text);

	if (r < 0)
		return r;
	if (label == TEXT_NAME)
		ret->name = text;
	if (label == TEXT_VERSION)
		ret->version = text;
	if (label == TEXT_UPDATE || (label == TEXT_DESCRIPTION && !ret->notes.data))
		ret->notes = text;
	return 0;
}

/* {language: {label: text, component id: {label: text}}}: the first language. */
static int read_texts(const struct mue_suit *s, struct mue_suit_info *ret)
{
	struct mue_cbor c = mue_cbor_read(s->text);
	struct mue_cbor_item key;
	struct mue_cbor_map languages, m;
	int r = mue_cbor_map_open(&c, &languages);

	if (r == 0)
		r = mue_cbor_map_key(&c, &languages, &key);
	if (r <= 0)
		return r < 0 ? r : MUE_EFORMAT;
	if (key.type != MUE_CBOR_TEXT)
		return MUE_EFORMAT;
	r = mue_cbor_map_open(&c, &m);
	if (r < 0)
		return r;
	while ((r = mue_cbor_map_key(&c, &m, &key)) > 0) {
		if (key.type == MUE_CBOR_ARRAY)
			r = texts_of(s, &c, key.view, ret);
		else if (key.type <= MUE_CBOR_NINT)
			r = release_text(&c, label_of(&key), ret);
		else
			r = MUE_EFORMAT;
		if (r < 0)
			return r;
	}
	return r;
}

/* --- what the sequences say: run them over a port that agrees to all --- */

static int agree_check(const struct mue_suit_port *port, uint8_t condition, uint8_t c,
		       const struct mue_suit_params *p)
{
	(void)port;
	(void)condition;
	(void)c;
	(void)p;
	return 0;
}

static int agree(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	(void)port;
	(void)c;
	(void)p;
	return 0;
}

static int agree_dependency(const struct mue_suit_port *port, uint8_t sequence, uint8_t c,
			    const struct mue_suit_params *p)
{
	(void)port;
	(void)sequence;
	(void)c;
	(void)p;
	return 0;
}

static const struct mue_suit_port_ops agreeable = { agree_check, agree, agree,
						    agree,       agree, agree,
						    agree,       agree, agree_dependency };

static void run_all(const struct mue_suit *s, struct mue_suit_params *params)
{
	struct mue_suit_port port = { &agreeable, NULL, NULL, NULL, NULL, true };
	struct mue_suit_run run;

	memset(params, 0, s->component_count * sizeof(*params));
	for (uint8_t i = 0; i < MUE_SUIT_UNINSTALL; i++) {
		int r = mue_suit_start(&run, s, (enum mue_suit_sequence)i, &port, params,
				       s->component_count, false);

		/* What a sequence says before it fails is described; an abort is no reason not to
		 * show the rest. */
		if (r == 0)
			mue_suit_step(&run);
	}
}

static int describe_component(const struct mue_suit *s, uint8_t i, struct mue_suit_component *ret)
{
	struct mue_view part[2], id;
	uint8_t n;
	int r = mue_suit_component_id(s, i, part, 2, &n);

	if (r == 0)
		r = mue_suit_id_bytes(s, i, &id);
	if (r < 0)
		return r;
	ret->name = id;
	if (n == 2) {
		ret->kind = part[0];
		ret->name = part[1];
	}
	ret->dependency = (s->dependency_mask >> i & 1) != 0;
	if (ret->params.uri.data)
		mue_suit_integrated(s, ret->params.uri, &ret->payload);
	return 0;
}

/* The release as a whole: what its components say of it. */
static void summarise(struct mue_suit_info *ret)
{
	for (uint8_t i = 0; i < ret->component_count; i++) {
		const struct mue_suit_params *p = &ret->component[i].params;

		if (p->has_counter && p->counter > ret->counter)
			ret->counter = p->counter;
		if (ret->kind == MUE_SUIT_KIND_UNSAID)
			ret->kind = p->kind;
		if (!ret->sbom.data)
			ret->sbom = p->sbom;
		if (!ret->precursor.data)
			ret->precursor = p->precursor;
	}
	ret->vendor = ret->component[0].params.vendor;
	ret->class_id = ret->component[0].params.class_id;
}

int mue_suit_describe(const struct mue_suit *s, struct mue_suit_info *ret)
{
	struct mue_suit_params params[MUE_SUIT_COMPONENTS_MAX];
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	ret->profile = s->profile;
	ret->sequence_number = s->sequence_number;
	memcpy(ret->digest, s->digest, sizeof(ret->digest));
	ret->component_count = s->component_count;
	ret->signature_count = s->block_count;
	run_all(s, params);
	for (uint8_t i = 0; r == 0 && i < s->component_count; i++) {
		ret->component[i].params = params[i];
		r = describe_component(s, i, &ret->component[i]);
	}
	for (uint8_t i = 0; i < s->block_count; i++)
		mue_suit_signature(s, i, &ret->signature[i]); /* unreadable: stays zero */
	if (r == 0 && s->text.data)
		r = read_texts(s, ret);
	if (r == 0)
		summarise(ret);
	return r;
}
