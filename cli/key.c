/* key.c - `mue key new|list|public`: the keys that sign releases. */
#include "cli/keys.h"
#include "cli/term.h"
#include "cli/token.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/http.h"
#include "host/trust.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct new_opts {
	const char *kind;
	uint64_t levels, height, width, bytes;
};

static const struct mue_opt new_table[] = {
	{ .name = "kind",
	  .letter = 'k',
	  .kind = MUE_OPT_CHOICE,
	  .at = offsetof(struct new_opts, kind),
	  .value = "KIND",
	  .help = "es256 (default), ed25519, or lms (hash-based, for bootloaders)",
	  .choices = "es256|ed25519|lms" },
	{ .name = "levels",
	  .kind = MUE_OPT_NUMBER,
	  .at = offsetof(struct new_opts, levels),
	  .value = "N",
	  .help = "lms: trees on top of each other, 1 (default) or 2",
	  .min = 1,
	  .max = 2 },
	{ .name = "height",
	  .kind = MUE_OPT_NUMBER,
	  .at = offsetof(struct new_opts, height),
	  .value = "H",
	  .help = "lms: a tree gives 2^H signatures; 5, 10 (default), 15 or 20",
	  .min = 5,
	  .max = 20 },
	{ .name = "width",
	  .letter = 'w',
	  .kind = MUE_OPT_NUMBER,
	  .at = offsetof(struct new_opts, width),
	  .value = "W",
	  .help = "lms: 1, 2, 4 (default) or 8; more is a smaller, slower signature",
	  .min = 1,
	  .max = 8 },
	{ .name = "bytes",
	  .kind = MUE_OPT_NUMBER,
	  .at = offsetof(struct new_opts, bytes),
	  .value = "N",
	  .help = "lms: 24 (default, SHA-256/192) or 32 bytes a hash",
	  .min = 24,
	  .max = 32 },
	{ .name = NULL },
};

static const struct {
	const char *name;
	enum mue_key_kind kind;
} kinds[] = { { "es256", MUE_KEY_ES256 }, { "ed25519", MUE_KEY_ED25519 }, { "lms", MUE_KEY_LMS } };

static int lms_params(const struct new_opts *o, struct mue_key_params *p, struct mue_error *e)
{
	if (o->levels)
		p->lms.levels = (uint8_t)o->levels;
	if (o->height)
		p->lms.h = (uint8_t)o->height;
	if (o->width)
		p->lms.w = (uint8_t)o->width;
	if (o->bytes)
		p->lms.n = (uint8_t)o->bytes;
	if (p->lms.h % 5)
		return mue_fail(e, MUE_EINVAL, "--height is 5, 10, 15 or 20, not %u", p->lms.h);
	if (p->lms.w & (p->lms.w - 1))
		return mue_fail(e, MUE_EINVAL, "--width is 1, 2, 4 or 8, not %u", p->lms.w);
	if (p->lms.n != 24 && p->lms.n != 32)
		return mue_fail(e, MUE_EINVAL, "--bytes is 24 or 32, not %u", p->lms.n);
	return MUE_OK;
}

static void grow(void *ctx, unsigned permille)
{
	mue_progress_update(ctx, permille);
}

static void print_key(FILE *f, const struct mue_pubkey *k, const char *what)
{
	char hex[2 * MUE_KID_SIZE + 1];

	fprintf(f, "%-8s %s  %s\n", mue_key_kind_name(k->kind), mue_hex(k->kid, MUE_KID_SIZE, hex),
		what);
}

static enum mue_key_kind kind_of(const char *name)
{
	for (size_t i = 0; name && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(name, kinds[i].name) == 0)
			return kinds[i].kind;
	return MUE_KEY_ES256;
}

static int new_run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		   struct mue_error *e)
{
	struct mue_pass_source pass = { .file = cli->common.passphrase_file };
	const struct new_opts *o = opts;
	struct mue_progress progress;
	const char *spec = args->v[0];
	struct mue_key_params p;
	struct mue_pubkey pub;
	int r;

	mue_key_params_default(&p, kind_of(o->kind));
	if (p.kind == MUE_KEY_LMS) {
		r = lms_params(o, &p, e);
		if (r < 0)
			return r;
	} else if (o->levels || o->height || o->width || o->bytes) {
		return mue_fail(e, MUE_EINVAL,
				"--levels, --height, --width and --bytes are for --kind lms");
	}
	mue_progress_begin(&progress, cli, 0, "making the key");
	progress.total = 1000;
	r = mue_is_token(spec) ? mue_token_new(spec, p.kind, e)
			       : mue_key_new(spec, &p, &pass, grow, &progress, e);
	mue_progress_drop(&progress);
	if (r < 0)
		return r;
	r = mue_cli_public(cli, spec, &pub, e);
	if (r < 0)
		return mue_prefix(e, "made %s, but its public key cannot be read", spec);
	print_key(cli->out, &pub, spec);
	if (p.kind == MUE_KEY_LMS)
		fprintf(cli->out, "it signs %" PRIu64 " times; never restore it from a backup\n",
			UINT64_C(1) << (p.lms.h * p.lms.levels));
	return MUE_OK;
}

const struct mue_cmd mue_cmd_key_new = {
	.name = "key new",
	.args = "FILE|pkcs11:URI",
	.summary = "make a key that signs releases",
	.more = "FILE is written encrypted with a passphrase, FILE.pub beside it is what devices "
		"and\n"
		"servers trust.  A pkcs11: URI names a token and an object (token=...;object=...): "
		"the\n"
		"key is made in the token and never leaves it; lms keys are files only.\n\n"
		"An lms key can sign only so many times, and each state of it may be used only "
		"once: its\n"
		"journal FILE.journal belongs to it.",
	.examples =
		"  $ mue key new release.key\n"
		"  $ mue key new --kind lms --height 15 boot.key\n"
		"  $ mue key new 'pkcs11:token=release;object=app-2026?pin-source=file:/run/pin'",
	.arg_words = "@file",
	.opts = new_table,
	.opts_size = sizeof(struct new_opts),
	.shared = MUE_SHARE_PASSPHRASE,
	.min_args = 1,
	.max_args = 1,
	.run = new_run,
};

/* The names first: GnuTLS and p11-kit must not stand in the token at once. */
struct labels {
	char v[64][128];
	size_t n;
};

static void add_label(void *ctx, const char *label)
{
	struct labels *l = ctx;

	if (l->n < sizeof(l->v) / sizeof(l->v[0]))
		snprintf(l->v[l->n++], sizeof(l->v[0]), "%s", label);
}

static int list_token(struct mue_cli *cli, const char *uri, struct mue_error *e)
{
	struct labels *l = calloc(1, sizeof(*l));
	int token = (int)strcspn(uri, "?;"), r;

	if (!l)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	r = mue_token_list(uri, add_label, l, e);
	for (size_t i = 0; r == MUE_OK && i < l->n; i++) {
		char object[512] = "", spec[1024];
		struct mue_pubkey pub;

		if (mue_http_escape(l->v[i], object, sizeof(object)) < 0)
			continue;
		snprintf(spec, sizeof(spec), "%.*s;object=%s;type=public", token, uri, object);
		r = mue_token_public(spec, &pub, e);
		if (r == MUE_EKEY) { /* e.g. RSA: nothing of ours */
			r = MUE_OK;
			continue;
		}
		snprintf(spec, sizeof(spec), "%.*s;object=%s", token, uri, object);
		if (r == MUE_OK)
			print_key(cli->out, &pub, spec);
	}
	if (r == MUE_OK && l->n == 0)
		fputs("no key in the token\n", cli->out);
	free(l);
	return r;
}

static int list_run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		    struct mue_error *e)
{
	const char *folder = args->n ? args->v[0] : ".";
	struct mue_trust trust;
	int r;

	(void)opts;
	if (mue_is_token(folder))
		return list_token(cli, folder, e);
	r = mue_trust_load(folder, &trust, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < trust.count; i++) {
		char what[4096];

		snprintf(what, sizeof(what), "%s/%s", folder, trust.entries[i].name);
		snprintf(what, sizeof(what), "%s%s", trust.entries[i].name,
			 mue_file_exists(what) ? "  (private key beside it)" : "");
		print_key(cli->out, &trust.entries[i].key, what);
	}
	if (trust.count == 0)
		fprintf(cli->out, "no .pub file in %s\n", folder);
	mue_trust_free(&trust);
	return MUE_OK;
}

const struct mue_cmd mue_cmd_key_list = {
	.name = "key list",
	.args = "[FOLDER|pkcs11:URI]",
	.summary = "list the public keys of a folder or a token, with their key ids",
	.examples = "  $ mue key list\n  $ mue key list /etc/mue/trust\n  $ mue key list "
		    "pkcs11:token=release",
	.arg_words = "@dir",
	.shared = MUE_SHARE_PASSPHRASE,
	.max_args = 1,
	.run = list_run,
};

struct public_opts {
	const char *out;
};

static const struct mue_opt public_table[] = {
	{ .name = "output",
	  .letter = 'o',
	  .kind = MUE_OPT_FILE,
	  .at = offsetof(struct public_opts, out),
	  .value = "FILE.pub",
	  .help = "write it there instead of to the standard output" },
	{ .name = NULL },
};

static int public_run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		      struct mue_error *e)
{
	const struct public_opts *o = opts;
	struct mue_buf pem = { .max = 4096 };
	struct mue_pubkey pub;
	int r;

	r = mue_cli_public(cli, args->v[0], &pub, e);
	if (r < 0)
		return r;
	r = mue_pubkey_pem(&pub, &pem);
	if (r < 0) {
		mue_fail(e, r, "%s: %s", args->v[0], mue_err_text(r));
	} else if (o->out) {
		r = mue_file_write(o->out, pem.data, pem.len, 0644, e);
		if (r == MUE_OK)
			print_key(cli->out, &pub, o->out);
	} else {
		fputs(mue_buf_str(&pem), cli->out);
	}
	mue_buf_free(&pem);
	return r;
}

const struct mue_cmd mue_cmd_key_public = {
	.name = "key public",
	.args = "FILE|pkcs11:URI",
	.summary = "print or write the public half of a key, as devices and servers trust it",
	.examples =
		"  $ mue key public release.key\n"
		"  $ mue key public 'pkcs11:token=release;object=app-2026' -o trust/app-2026.pub",
	.arg_words = "@file",
	.opts = public_table,
	.opts_size = sizeof(struct public_opts),
	.shared = MUE_SHARE_PASSPHRASE,
	.min_args = 1,
	.max_args = 1,
	.run = public_run,
};
