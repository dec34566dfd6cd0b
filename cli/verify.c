/* verify.c - `mue verify`: one verdict over an envelope and the payloads beside it. */
#include "cli/envelope.h"
#include "host/hash.h"
#include "host/release.h"

#include <inttypes.h>
#include <string.h>

struct verify_opts {
	const char *trust;
	struct mue_strings keys;
	bool envelope_only;
};

static const struct mue_opt table[] = {
	{ .name = "trust",
	  .letter = 't',
	  .kind = MUE_OPT_DIR,
	  .at = offsetof(struct verify_opts, trust),
	  .value = "FOLDER",
	  .help = "believe the .pub files of this folder" },
	{ .name = "key",
	  .letter = 'k',
	  .kind = MUE_OPT_LIST,
	  .at = offsetof(struct verify_opts, keys),
	  .value = "FILE.pub",
	  .help = "believe this key; several may be given" },
	{ .name = "envelope-only",
	  .kind = MUE_OPT_FLAG,
	  .at = offsetof(struct verify_opts, envelope_only),
	  .help = "do not look at the payloads" },
	{ .name = NULL },
};

static int check(struct mue_cli *cli, const struct verify_opts *o, struct mue_envelope *env,
		 const struct mue_trust *trust, struct mue_error *e)
{
	struct mue_view view = { env->bytes.data, env->bytes.len };
	const struct mue_trust_entry *by = NULL;
	char name[128], version[64], hex[65];
	struct mue_suit suit;
	int r = mue_release_verify(view, trust, &suit, &by, e);

	if (r < 0)
		return mue_prefix(e, "%s", env->path);
	if (!o->envelope_only) {
		r = mue_envelope_check_payloads(env, e);
		if (r < 0)
			return r;
	}
	fprintf(cli->out, "%s: good: %s %s, sequence %" PRIu64 ", signed by %s\n", env->path,
		mue_view_str(env->info.name, name, sizeof(name)),
		mue_view_str(env->info.version, version, sizeof(version)),
		env->info.sequence_number, by ? by->name : "a trusted key");
	fprintf(cli->out, "manifest %s, %s\n", mue_hex(env->info.digest, 32, hex),
		o->envelope_only ? "payloads not looked at" : "every payload whole");
	return MUE_OK;
}

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	const struct verify_opts *o = opts;
	struct mue_envelope env;
	struct mue_trust trust;
	int r = mue_cli_trust(cli, o->trust, &o->keys, &trust, e);

	if (r < 0)
		return r;
	r = mue_envelope_load(args->v[0], &env, e);
	if (r == MUE_OK)
		r = check(cli, o, &env, &trust, e);
	mue_envelope_close(&env);
	mue_trust_free(&trust);
	return r;
}

const struct mue_cmd mue_cmd_verify = {
	.name = "verify",
	.args = "ENVELOPE.suit",
	.summary = "check a release as a device does: signature, digests, payloads",
	.examples = "  $ mue verify out/app-2.1.0.suit --trust /etc/mue/trust\n"
		    "  $ mue verify out/app-2.1.0.suit --key release.key.pub --envelope-only",
	.arg_words = "@file",
	.opts = table,
	.opts_size = sizeof(struct verify_opts),
	.shared = MUE_SHARE_PASSPHRASE,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
