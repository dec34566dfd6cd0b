/* sign.c - `mue sign`: adds a signature block for each key, all of them or none. */
#include "cli/envelope.h"
#include "cli/keys.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/release.h"

#include <inttypes.h>
#include <string.h>

struct sign_opts {
	struct mue_strings keys;
	const char *out;
};

static const struct mue_opt table[] = {
	{ .name = "key",
	  .letter = 'k',
	  .kind = MUE_OPT_LIST,
	  .at = offsetof(struct sign_opts, keys),
	  .value = "FILE|pkcs11:URI",
	  .help = "key to sign with; several may be given",
	  .required = true },
	{ .name = "output",
	  .letter = 'o',
	  .kind = MUE_OPT_FILE,
	  .at = offsetof(struct sign_opts, out),
	  .value = "FILE",
	  .help = "write the signed envelope there; else it replaces the one given" },
	{ .name = NULL },
};

/* One more block: *env is replaced by the envelope with it. */
static int add_block(struct mue_buf *env, struct mue_key *key, const char *spec,
		     struct mue_error *e)
{
	struct mue_release_signer signer = mue_release_key_signer(key);
	struct mue_buf signed_ = { .max = MUE_RELEASE_MAX };
	struct mue_view view = { env->data, env->len };
	int r = mue_release_sign(view, &signer, &signed_, e);

	if (r == MUE_EEXIST)
		return mue_fail(e, MUE_ECONFLICT, "it is signed by %s already", spec);
	if (r < 0) {
		mue_buf_free(&signed_);
		return mue_prefix(e, "%s", spec);
	}
	mue_buf_free(env);
	*env = signed_;
	return MUE_OK;
}

static void tell(struct mue_cli *cli, const char *file, struct mue_key *key, const char *spec)
{
	const struct mue_pubkey *pub = mue_key_public(key);
	char hex[2 * MUE_KID_SIZE + 1];

	fprintf(cli->out, "%s: signed by %s (%s, key id %s)\n", file, spec,
		mue_key_kind_name(pub->kind), mue_hex(pub->kid, MUE_KID_SIZE, hex));
	if (mue_key_remaining(key) != UINT64_MAX)
		fprintf(cli->out, "%s: %" PRIu64 " signatures left\n", spec,
			mue_key_remaining(key));
}

/* All keys are opened before the first one signs: a wrong passphrase of the second must not use up
 * a state of a first one that is LMS. */
static int open_all(struct mue_cli *cli, const struct mue_strings *specs, struct mue_key **keys,
		    struct mue_error *e)
{
	for (size_t i = 0; i < specs->n; i++) {
		int r = mue_cli_open(cli, specs->v[i], &keys[i], e);

		if (r < 0)
			return r;
	}
	return MUE_OK;
}

static int sign_with(struct mue_cli *cli, const char *in, const char *out, struct mue_key **keys,
		     const struct mue_strings *specs, struct mue_error *e)
{
	struct mue_envelope env;
	int r = mue_envelope_load(in, &env, e);

	for (size_t i = 0; r == MUE_OK && i < specs->n; i++)
		r = add_block(&env.bytes, keys[i], specs->v[i], e);
	if (r == MUE_OK)
		r = mue_file_write(out, env.bytes.data, env.bytes.len, 0644, e);
	for (size_t i = 0; r == MUE_OK && i < specs->n; i++)
		tell(cli, out, keys[i], specs->v[i]);
	mue_envelope_close(&env);
	return r;
}

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	struct mue_key *keys[MUE_STRINGS_MAX] = { NULL };
	const struct sign_opts *o = opts;
	const char *in = args->v[0];
	int r = open_all(cli, &o->keys, keys, e);

	if (r == MUE_OK)
		r = sign_with(cli, in, o->out ? o->out : in, keys, &o->keys, e);
	for (size_t i = 0; i < o->keys.n; i++)
		if (keys[i])
			mue_key_close(keys[i]);
	return r;
}

const struct mue_cmd mue_cmd_sign = {
	.name = "sign",
	.args = "ENVELOPE.suit",
	.summary = "add a signature to a release",
	.more = "Each key adds one block; a device takes the release when one block holds under a "
		"key\n"
		"that it trusts.  The payloads are not needed.",
	.examples = "  $ mue sign out/app-2.1.0.suit --key release.key\n"
		    "  $ mue sign out/app-2.1.0.suit --key boot.lms --key "
		    "'pkcs11:token=release;object=app'",
	.arg_words = "@file",
	.opts = table,
	.opts_size = sizeof(struct sign_opts),
	.shared = MUE_SHARE_PASSPHRASE,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
