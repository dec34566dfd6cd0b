#include "host/release.h"

#include <stdlib.h>
#include <string.h>

#include "host/hash.h"

/*
 * What is written is docs/FORMATS.md, "SUIT: our releases".  Every part is a function that writes
 * into a CBOR writer; a part that is wrapped in a byte string is measured first, by running the
 * same function over no buffer.
 */

enum { TAG_ENVELOPE = 107 };
enum { POLICY_ALL = 15, POLICY_FAILURE = 2 };

struct build {
	const struct mue_release *r;
	bool many; /* several components: each is selected before it is talked about */
	struct mue_buf install, text, manifest;
	uint8_t install_digest[32], text_digest[32], manifest_digest[32];
	size_t by_id[MUE_SUIT_COMPONENTS_MAX];  /* components in the order of their ids */
	size_t by_uri[MUE_SUIT_COMPONENTS_MAX]; /* those with integrated payloads, by key */
	size_t integrated;
};

typedef void part_fn(struct mue_cbor_writer *w, const struct build *b, size_t i);

static void put_wrapped(struct mue_cbor_writer *w, part_fn *part, const struct build *b, size_t i)
{
	struct mue_cbor_writer measure;

	mue_cbor_write(&measure, NULL, 0);
	part(&measure, b, i);
	mue_cbor_put_bytes_head(w, measure.len);
	part(w, b, i);
}

static int render(part_fn *part, const struct build *b, struct mue_buf *ret, struct mue_error *e)
{
	struct mue_cbor_writer w;
	uint8_t *room;
	size_t len;

	mue_cbor_write(&w, NULL, 0);
	part(&w, b, 0);
	len = w.len;
	if (ret->max < ret->len || len > ret->max - ret->len)
		return mue_fail(e, MUE_ESIZE, "the envelope would be larger than %zu bytes",
				ret->max);
	room = mue_buf_room(ret, len);
	if (!room)
		return mue_fail(e, MUE_ENOMEM, "no memory for an envelope");
	mue_cbor_write(&w, room, len);
	part(&w, b, 0);
	mue_buf_added(ret, len);
	return 0;
}

static void put_str(struct mue_cbor_writer *w, const char *s)
{
	mue_cbor_put_text(w, s, strlen(s));
}

/* The draft's digest: over the byte string with its head. */
static void digest_of(const struct mue_buf *b, uint8_t ret[32])
{
	struct mue_cbor_writer w;
	uint8_t head[9];
	struct mue_hash h;

	mue_cbor_write(&w, head, sizeof(head));
	mue_cbor_put_bytes_head(&w, b->len);
	if (mue_hash_init(&h, MUE_HASH_SHA256) < 0)
		abort(); /* a few hundred bytes of heap */
	mue_hash_update(&h, head, w.len);
	mue_hash_update(&h, b->data, b->len);
	mue_hash_final(&h, ret);
}

static void put_digest(struct mue_cbor_writer *w, const uint8_t digest[32])
{
	mue_cbor_put_array(w, 2);
	mue_cbor_put_int(w, MUE_COSE_SHA256);
	mue_cbor_put_bytes(w, digest, 32);
}

static void image_digest(struct mue_cbor_writer *w, const struct build *b, size_t i)
{
	put_digest(w, b->r->components[i].digest);
}

static void put_command(struct mue_cbor_writer *w, uint8_t code, uint8_t argument)
{
	mue_cbor_put_uint(w, code);
	mue_cbor_put_uint(w, argument);
}

/* --- the manifest --- */

static void component_id(struct mue_cbor_writer *w, const struct mue_release_component *c)
{
	mue_cbor_put_array(w, 2);
	mue_cbor_put_bytes(w, c->kind, strlen(c->kind));
	mue_cbor_put_bytes(w, c->name, strlen(c->name));
}

/* What every sequence needs to know: identity, digest, slot and size of each image. */
static void shared(struct mue_cbor_writer *w, const struct build *b, size_t unused)
{
	const struct mue_release *r = b->r;
	size_t items = 0;

	(void)unused;
	for (size_t i = 0; i < r->count; i++)
		items += (b->many ? 8u : 6u) + (r->components[i].slot >= 0 ? 2u : 0u);
	mue_cbor_put_array(w, items);
	for (size_t i = 0; i < r->count; i++) {
		const struct mue_release_component *c = &r->components[i];

		if (b->many)
			put_command(w, MUE_SUIT_D_SET_INDEX, (uint8_t)i);
		mue_cbor_put_uint(w, MUE_SUIT_D_OVERRIDE);
		mue_cbor_put_map(w, c->slot >= 0 ? 5 : 4);
		mue_cbor_put_uint(w, MUE_SUIT_P_VENDOR);
		mue_cbor_put_bytes(w, r->vendor, 16);
		mue_cbor_put_uint(w, MUE_SUIT_P_CLASS);
		mue_cbor_put_bytes(w, r->class_id, 16);
		mue_cbor_put_uint(w, MUE_SUIT_P_DIGEST);
		put_wrapped(w, image_digest, b, i);
		if (c->slot >= 0) {
			mue_cbor_put_uint(w, MUE_SUIT_P_SLOT);
			mue_cbor_put_uint(w, (uint64_t)c->slot);
		}
		mue_cbor_put_uint(w, MUE_SUIT_P_SIZE);
		mue_cbor_put_uint(w, c->size);
		put_command(w, MUE_SUIT_C_VENDOR, POLICY_ALL);
		put_command(w, MUE_SUIT_C_CLASS, POLICY_ALL);
		if (c->slot >= 0)
			put_command(w, MUE_SUIT_C_SLOT, POLICY_ALL);
	}
}

static void common(struct mue_cbor_writer *w, const struct build *b, size_t unused)
{
	(void)unused;
	mue_cbor_put_map(w, 2);
	mue_cbor_put_uint(w, 2);
	mue_cbor_put_array(w, b->r->count);
	for (size_t i = 0; i < b->r->count; i++)
		component_id(w, &b->r->components[i]);
	mue_cbor_put_uint(w, 4);
	put_wrapped(w, shared, b, 0);
}

/* The security counter stands here, since the draft bans custom parameters from the shared
 * sequence and validation runs before every boot. */
static void validate(struct mue_cbor_writer *w, const struct build *b, size_t unused)
{
	bool counter = b->r->counter > 0;

	(void)unused;
	mue_cbor_put_array(w, b->r->count * (b->many ? 4 : 2) + (counter ? 2 : 0));
	for (size_t i = 0; i < b->r->count; i++) {
		if (b->many)
			put_command(w, MUE_SUIT_D_SET_INDEX, (uint8_t)i);
		if (i == 0 && counter) {
			mue_cbor_put_uint(w, MUE_SUIT_D_OVERRIDE);
			mue_cbor_put_map(w, 1);
			mue_cbor_put_int(w, MUE_SUIT_P_COUNTER);
			mue_cbor_put_uint(w, b->r->counter);
		}
		put_command(w, MUE_SUIT_C_IMAGE_MATCH, POLICY_ALL);
	}
}

static bool bootable(const struct mue_release_component *c)
{
	return strcmp(c->kind, "os") == 0 || strcmp(c->kind, "firmware") == 0;
}

static size_t count_bootable(const struct mue_release *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += bootable(&r->components[i]);
	return n;
}

static void invoke(struct mue_cbor_writer *w, const struct build *b, size_t unused)
{
	(void)unused;
	mue_cbor_put_array(w, count_bootable(b->r) * (b->many ? 4 : 2));
	for (size_t i = 0; i < b->r->count; i++) {
		if (!bootable(&b->r->components[i]))
			continue;
		if (b->many)
			put_command(w, MUE_SUIT_D_SET_INDEX, (uint8_t)i);
		put_command(w, MUE_SUIT_D_INVOKE, POLICY_FAILURE);
	}
}

static void manifest(struct mue_cbor_writer *w, const struct build *b, size_t unused)
{
	bool boots = count_bootable(b->r) > 0;

	(void)unused;
	mue_cbor_put_map(w, boots ? 7 : 6);
	put_command(w, 1, 1);
	mue_cbor_put_uint(w, 2);
	mue_cbor_put_uint(w, b->r->sequence);
	mue_cbor_put_uint(w, 3);
	put_wrapped(w, common, b, 0);
	mue_cbor_put_uint(w, 7);
	put_wrapped(w, validate, b, 0);
	if (boots) {
		mue_cbor_put_uint(w, 9);
		put_wrapped(w, invoke, b, 0);
	}
	mue_cbor_put_uint(w, 20);
	put_digest(w, b->install_digest);
	mue_cbor_put_uint(w, 23);
	put_digest(w, b->text_digest);
}

/* --- severable members --- */

static void put_view(struct mue_cbor_writer *w, int label, const uint8_t *bytes32)
{
	if (!bytes32)
		return;
	mue_cbor_put_int(w, label);
	mue_cbor_put_bytes(w, bytes32, 32);
}

/* What the agent needs and a bootloader does not.  Of the release as a whole: on component 0. */
static void install_params(struct mue_cbor_writer *w, const struct mue_release *r, size_t i)
{
	const struct mue_release_component *c = &r->components[i];
	bool first = i == 0;
	size_t pairs = 1u + (c->precursor != NULL) + (c->root != NULL);

	if (first)
		pairs += (size_t)(r->priority != 0) + (r->kind != MUE_SUIT_KIND_UNSAID) +
			 (r->sbom != NULL) + (r->battery > 0);
	mue_cbor_put_map(w, pairs);
	mue_cbor_put_uint(w, MUE_SUIT_P_URI);
	put_str(w, c->uri);
	if (first && r->priority != 0) {
		mue_cbor_put_uint(w, MUE_SUIT_P_PRIORITY);
		mue_cbor_put_int(w, r->priority);
	}
	if (first && r->kind != MUE_SUIT_KIND_UNSAID) {
		mue_cbor_put_int(w, MUE_SUIT_P_KIND);
		mue_cbor_put_uint(w, (uint64_t)r->kind);
	}
	put_view(w, MUE_SUIT_P_PRECURSOR, c->precursor);
	put_view(w, MUE_SUIT_P_SBOM, first ? r->sbom : NULL);
	if (first && r->battery > 0) {
		mue_cbor_put_int(w, MUE_SUIT_P_BATTERY);
		mue_cbor_put_uint(w, (uint64_t)r->battery);
	}
	put_view(w, MUE_SUIT_P_ROOT, c->root);
}

static void install(struct mue_cbor_writer *w, const struct build *b, size_t unused)
{
	const struct mue_release *r = b->r;

	(void)unused;
	mue_cbor_put_array(w, r->count * (b->many ? 8 : 6) + (r->battery > 0 ? 2 : 0));
	for (size_t i = 0; i < r->count; i++) {
		if (b->many)
			put_command(w, MUE_SUIT_D_SET_INDEX, (uint8_t)i);
		mue_cbor_put_uint(w, MUE_SUIT_D_OVERRIDE);
		install_params(w, r, i);
		if (i == 0 && r->battery > 0)
			put_command(w, MUE_SUIT_C_BATTERY, POLICY_ALL);
		put_command(w, MUE_SUIT_D_FETCH, POLICY_FAILURE);
		put_command(w, MUE_SUIT_C_IMAGE_MATCH, POLICY_ALL);
	}
}

static void text(struct mue_cbor_writer *w, const struct build *b, size_t unused)
{
	const struct mue_release *r = b->r;

	(void)unused;
	mue_cbor_put_map(w, 1);
	put_str(w, "en");
	mue_cbor_put_map(w, (r->notes ? 3 : 2) + r->count);
	if (r->notes) {
		mue_cbor_put_uint(w, 2);
		put_str(w, r->notes);
	}
	mue_cbor_put_int(w, -257);
	put_str(w, r->name);
	mue_cbor_put_int(w, -258);
	put_str(w, r->version);
	for (size_t i = 0; i < r->count; i++) {
		const struct mue_release_component *c = &r->components[b->by_id[i]];

		component_id(w, c);
		mue_cbor_put_map(w, 1);
		mue_cbor_put_uint(w, 6);
		put_str(w, c->version ? c->version : r->version);
	}
}

/* --- the envelope --- */

static void manifest_digest(struct mue_cbor_writer *w, const struct build *b, size_t unused)
{
	(void)unused;
	put_digest(w, b->manifest_digest);
}

static void wrapper(struct mue_cbor_writer *w, const struct build *b, size_t unused)
{
	(void)unused;
	mue_cbor_put_array(w, 1);
	put_wrapped(w, manifest_digest, b, 0);
}

static void envelope(struct mue_cbor_writer *w, const struct build *b, size_t unused)
{
	(void)unused;
	mue_cbor_put_tag(w, TAG_ENVELOPE);
	mue_cbor_put_map(w, 4 + b->integrated);
	mue_cbor_put_uint(w, 2);
	put_wrapped(w, wrapper, b, 0);
	mue_cbor_put_uint(w, 3);
	mue_cbor_put_bytes(w, b->manifest.data, b->manifest.len);
	mue_cbor_put_uint(w, 20);
	mue_cbor_put_bytes(w, b->install.data, b->install.len);
	mue_cbor_put_uint(w, 23);
	mue_cbor_put_bytes(w, b->text.data, b->text.len);
	for (size_t i = 0; i < b->integrated; i++) {
		const struct mue_release_component *c = &b->r->components[b->by_uri[i]];

		put_str(w, c->uri);
		mue_cbor_put_bytes(w, c->payload, c->payload_len);
	}
}

/* --- checks and order --- */

/* Order of two strings in deterministic CBOR: the shorter first, then bytewise. */
static int cbor_order(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	if (n != m)
		return n < m ? -1 : 1;
	return memcmp(a, b, n);
}

static int id_order(const struct mue_release_component *a, const struct mue_release_component *b)
{
	int d = cbor_order(a->kind, b->kind);

	return d != 0 ? d : cbor_order(a->name, b->name);
}

static int uri_order(const struct mue_release_component *a, const struct mue_release_component *b)
{
	return cbor_order(a->uri, b->uri);
}

/* Inserts component i; false when an equal one is there. */
static bool insert(const struct mue_release *r, size_t *order, size_t n, size_t i,
		   int (*cmp)(const struct mue_release_component *,
			      const struct mue_release_component *))
{
	size_t at = n;

	while (at > 0) {
		int d = cmp(&r->components[order[at - 1]], &r->components[i]);

		if (d == 0)
			return false;
		if (d < 0)
			break;
		order[at] = order[at - 1];
		at--;
	}
	order[at] = i;
	return true;
}

static bool known_kind(const char *kind)
{
	static const char *const kinds[] = { "os",     "firmware", "application",
					     "config", "library",  "driver" };

	for (size_t i = 0; kind && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

static int check_component(const struct mue_release_component *c, struct mue_error *e)
{
	const char *name = c->name ? c->name : "";

	if (!*name || strlen(name) > 255)
		return mue_fail(e, MUE_EINVAL, "a component needs a name of 1 to 255 bytes");
	if (!known_kind(c->kind))
		return mue_fail(e, MUE_EINVAL,
				"component %s: kind must be os, firmware, application, config, "
				"library or driver",
				name);
	if (!c->uri || !*c->uri)
		return mue_fail(e, MUE_EINVAL, "component %s: no payload URI", name);
	if (c->payload && c->uri[0] != '#')
		return mue_fail(e, MUE_EINVAL,
				"component %s: the URI of an integrated payload begins with #",
				name);
	if (!c->payload && c->uri[0] == '#')
		return mue_fail(e, MUE_EINVAL, "component %s: the payload of %s is missing", name,
				c->uri);
	if (c->slot < -1 || c->slot > 254)
		return mue_fail(e, MUE_EINVAL, "component %s: no slot %d", name, c->slot);
	return 0;
}

static int check_release(struct build *b, struct mue_error *e)
{
	const struct mue_release *r = b->r;
	int err;

	if (!r->name || !*r->name || !r->version || !*r->version)
		return mue_fail(e, MUE_EINVAL, "a release needs a name and a version");
	if (r->count < 1 || r->count > MUE_SUIT_COMPONENTS_MAX)
		return mue_fail(e, MUE_EINVAL, "a release has 1 to %d components",
				MUE_SUIT_COMPONENTS_MAX);
	if (r->battery < 0 || r->battery > 100)
		return mue_fail(e, MUE_EINVAL, "minimum battery is 0 to 100 per cent");
	for (size_t i = 0; i < r->count; i++) {
		const struct mue_release_component *c = &r->components[i];

		err = check_component(c, e);
		if (err < 0)
			return err;
		if (!insert(r, b->by_id, i, i, id_order))
			return mue_fail(e, MUE_EINVAL, "two components %s %s", c->kind, c->name);
		if (c->payload && !insert(r, b->by_uri, b->integrated++, i, uri_order))
			return mue_fail(e, MUE_EINVAL, "two payloads %s", c->uri);
	}
	return 0;
}

/* What was built must open under the profile it is for. */
static int check_built(const struct build *b, struct mue_view env, struct mue_error *e)
{
	enum mue_suit_profile want = b->r->mcu ? MUE_SUIT_P1 : MUE_SUIT_P2;
	struct mue_suit s;
	int r;

	if (b->r->mcu && !b->many && b->integrated == 0 &&
	    strcmp(b->r->components[0].kind, "firmware") == 0)
		want = MUE_SUIT_P0;
	r = mue_suit_open(env, want, &s);
	if (r == MUE_EFORMAT)
		return mue_fail(e, r, "a text of the release is not UTF-8");
	if (r < 0)
		return mue_fail(e, r, "does not fit the device profile P%d: %s%s", want,
				mue_err_text(r),
				want == MUE_SUIT_P0 ? " (a shorter component name helps)" : "");
	return 0;
}

int mue_release_build(const struct mue_release *r, struct mue_buf *ret, struct mue_error *e)
{
	struct build b = { .r = r, .many = r->count > 1 };
	size_t begin = ret->len;
	int err;

	b.install.max = b.text.max = b.manifest.max = MUE_RELEASE_MAX;
	err = check_release(&b, e);
	if (err == 0)
		err = render(install, &b, &b.install, e);
	if (err == 0)
		err = render(text, &b, &b.text, e);
	if (err == 0) {
		digest_of(&b.install, b.install_digest);
		digest_of(&b.text, b.text_digest);
		err = render(manifest, &b, &b.manifest, e);
	}
	if (err == 0) {
		digest_of(&b.manifest, b.manifest_digest);
		err = render(envelope, &b, ret, e);
	}
	if (err == 0)
		err = check_built(&b, (struct mue_view){ ret->data + begin, ret->len - begin }, e);
	if (err < 0 && ret->data) {
		ret->len = begin;
		ret->data[begin] = 0;
	}
	mue_buf_free(&b.install);
	mue_buf_free(&b.text);
	mue_buf_free(&b.manifest);
	return err;
}

const char *mue_release_kind_name(uint8_t kind)
{
	if (kind == MUE_SUIT_KIND_SECURITY)
		return "security";
	return kind == MUE_SUIT_KIND_FEATURE ? "feature" : "";
}
