#include "cli/envelope.h"

#include "cli/keys.h"
#include "cli/term.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/release.h"

#include <string.h>

char *mue_view_str(struct mue_view v, char *ret, size_t ret_size)
{
	size_t n = v.data ? v.len : 0;

	if (n > ret_size - 1)
		n = ret_size - 1;
	for (size_t i = 0; i < n; i++)
		ret[i] = (char)(v.data[i] < 0x20 || v.data[i] == 0x7f ? '?' : v.data[i]);
	ret[n] = 0;
	return ret;
}

int mue_envelope_load(const char *path, struct mue_envelope *ret, struct mue_error *e)
{
	struct mue_view view;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->path = path;
	ret->bytes.max = MUE_RELEASE_MAX;
	r = mue_file_read(path, &ret->bytes, e);
	if (r < 0)
		return r;
	view = (struct mue_view){ ret->bytes.data, ret->bytes.len };
	r = mue_suit_open(view, MUE_SUIT_P2, &ret->suit);
	if (r == MUE_EDIGEST)
		return mue_fail(e, r,
				"%s: the manifest is not the one its digest names: damaged or "
				"tampered; get it anew",
				path);
	if (r < 0)
		return mue_fail(e, r, "%s is no envelope that Mue takes: %s", path,
				mue_err_text(r));
	r = mue_suit_profile_of(view, &ret->profile);
	if (r == MUE_OK)
		r = mue_suit_describe(&ret->suit, &ret->info);
	if (r < 0)
		return mue_fail(e, r, "%s: its commands contradict each other: %s", path,
				mue_err_text(r));
	return MUE_OK;
}

void mue_envelope_close(struct mue_envelope *env)
{
	mue_buf_free(&env->bytes);
}

/* The file beside the envelope; only a plain name is followed, or a manifest could name any file.
 */
static int beside(const struct mue_envelope *env, struct mue_view uri, char ret[MUE_PATH_MAX],
		  struct mue_error *e)
{
	const char *slash = strrchr(env->path, '/');
	int dir = slash ? (int)(slash - env->path) + 1 : 0, n;
	char shown[128];

	if (uri.len == 0 || uri.data[0] == '.' || memchr(uri.data, '/', uri.len) ||
	    memchr(uri.data, 0, uri.len))
		return mue_fail(e, MUE_EFORMAT,
				"%s: its payload URI \"%s\" is not a plain file name", env->path,
				mue_view_str(uri, shown, sizeof(shown)));
	n = snprintf(ret, MUE_PATH_MAX, "%.*s%.*s", dir, env->path, (int)uri.len,
		     (const char *)uri.data);
	if (n >= MUE_PATH_MAX)
		return mue_fail(e, MUE_ENOSPC, "%s: the path of its payload is too long",
				env->path);
	return MUE_OK;
}

static enum mue_payload_state compare(const struct mue_suit_params *p, const uint8_t digest[32],
				      uint64_t size)
{
	bool same = p->digest.len == 32 && memcmp(p->digest.data, digest, 32) == 0 &&
		    (!p->has_size || p->size == size);

	if (same)
		return MUE_PAYLOAD_OK;
	/* Of a delta or a block container the manifest names the digest of the image it makes. */
	return p->precursor.data || p->root.data ? MUE_PAYLOAD_DELTA : MUE_PAYLOAD_TAMPERED;
}

/* The digest of a dependency is its manifest's, that of anything else is of all its bytes. */
static enum mue_payload_state integrated(const struct mue_envelope *env,
					 const struct mue_suit_component *c)
{
	enum mue_payload_state state;
	struct mue_suit dependency;
	uint8_t digest[32];

	if (c->dependency)
		return mue_suit_dependency_open(&env->suit, &c->params, c->payload, &dependency) < 0
			       ? MUE_PAYLOAD_TAMPERED
			       : MUE_PAYLOAD_INTEGRATED;
	mue_hash_sha256(c->payload.data, c->payload.len, digest);
	state = compare(&c->params, digest, c->payload.len);
	return state == MUE_PAYLOAD_OK ? MUE_PAYLOAD_INTEGRATED : state;
}

int mue_envelope_payload(const struct mue_envelope *env, uint8_t i, struct mue_payload *ret,
			 struct mue_error *e)
{
	const struct mue_suit_component *c = &env->info.component[i];
	uint8_t digest[32];
	int r;

	ret->size = 0;
	ret->path[0] = 0;
	ret->state = MUE_PAYLOAD_NONE;
	if (c->payload.data) {
		mue_view_str(c->params.uri, ret->path, sizeof(ret->path));
		ret->size = c->payload.len;
		ret->state = integrated(env, c);
		return MUE_OK;
	}
	if (!c->params.uri.data)
		return MUE_OK;
	r = beside(env, c->params.uri, ret->path, e);
	if (r < 0)
		return r;
	r = mue_hash_file(ret->path, MUE_HASH_SHA256, digest, &ret->size, e);
	if (r == MUE_ENOTFOUND) {
		ret->state = MUE_PAYLOAD_MISSING;
		return MUE_OK;
	}
	if (r < 0)
		return r;
	ret->state = compare(&c->params, digest, ret->size);
	return MUE_OK;
}

int mue_envelope_check_payloads(const struct mue_envelope *env, struct mue_error *e)
{
	for (uint8_t i = 0; i < env->info.component_count; i++) {
		struct mue_payload p;
		int r = mue_envelope_payload(env, i, &p, e);

		if (r < 0)
			return r;
		if (p.state == MUE_PAYLOAD_MISSING)
			return mue_fail(e, MUE_ENOTFOUND,
					"payload %s is missing; it belongs beside %s", p.path,
					env->path);
		if (p.state == MUE_PAYLOAD_TAMPERED)
			return mue_fail(e, MUE_EDIGEST,
					"payload %s was tampered with or damaged: its digest or "
					"size is not the manifest's",
					p.path);
	}
	return MUE_OK;
}

int mue_cli_trust(struct mue_cli *cli, const char *dir, const struct mue_strings *keys,
		  struct mue_trust *ret, struct mue_error *e)
{
	struct mue_trust trust = { .entries = NULL };
	int r;

	if (!dir && keys->n == 0)
		return mue_fail(e, MUE_EINVAL,
				"whom to believe? give --trust FOLDER or --key FILE.pub");
	if (dir) {
		r = mue_trust_load(dir, &trust, e);
		if (r < 0)
			return r;
		if (trust.count == 0 && keys->n == 0) {
			mue_trust_free(&trust);
			return mue_fail(e, MUE_EKEY, "%s holds no .pub file: nobody is trusted",
					dir);
		}
	}
	for (size_t i = 0; i < keys->n; i++) {
		struct mue_buf pem = { .max = 4096 };
		struct mue_pubkey pub;
		char name[60];

		mue_key_label(keys->v[i], name, sizeof(name));
		r = mue_cli_public(cli, keys->v[i], &pub, e);
		if (r == MUE_OK)
			r = mue_pubkey_pem(&pub, &pem);
		if (r == MUE_OK)
			r = mue_trust_add(&trust, name, mue_buf_str(&pem), pem.len, e);
		mue_buf_free(&pem);
		if (r < 0 && r != MUE_EEXIST) {
			mue_trust_free(&trust);
			return r;
		}
	}
	*ret = trust;
	return MUE_OK;
}

const char *mue_kind_text(uint8_t kind)
{
	switch (kind) {
	case MUE_SUIT_KIND_SECURITY:
		return "security fix";
	case MUE_SUIT_KIND_FEATURE:
		return "feature";
	default:
		return "";
	}
}
