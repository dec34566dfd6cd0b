/* trust.c - `mue trust list|add`: whose releases the server takes. */
#include "cli/api.h"
#include "cli/keys.h"
#include "cli/term.h"
#include "host/hash.h"

#include <string.h>

static void print_entry(FILE *f, const json_t *entry)
{
	const char *pem = mue_json_str(entry, "pem", "");
	char name[100], hex[2 * MUE_KID_SIZE + 1] = "?";
	struct mue_pubkey key;
	const char *kind = "?";

	/* Said of the key itself, not of what the server says about it. */
	if (mue_pubkey_parse(pem, strlen(pem), &key, NULL) == MUE_OK) {
		kind = mue_key_kind_name(key.kind);
		mue_hex(key.kid, MUE_KID_SIZE, hex);
	}
	fprintf(f, "%-8s %s  %s\n", kind, hex,
		mue_term_safe(mue_json_str(entry, "name", ""), name, sizeof(name)));
}

static int list_run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		    struct mue_error *e)
{
	json_t *answer = NULL, *list;
	struct mue_api api;
	int r = mue_api_open(cli, &api, e);

	(void)opts;
	(void)args;
	if (r < 0)
		return r;
	r = mue_api_get(&api, &answer, e, "/api/v1/trust");
	mue_api_close(&api);
	if (r < 0)
		return r;
	list = json_is_array(answer) ? answer : json_object_get(answer, "content");
	for (size_t i = 0; i < json_array_size(list); i++)
		print_entry(cli->out, json_array_get(list, i));
	if (json_array_size(list) == 0)
		fputs("the server trusts no key yet; see: mue trust add --help\n", cli->out);
	json_decref(answer);
	return MUE_OK;
}

const struct mue_cmd mue_cmd_trust_list = {
	.name = "trust list",
	.args = "",
	.summary = "list the keys whose releases the server takes",
	.examples = "  $ mue trust list",
	.shared = MUE_SHARE_SERVER,
	.run = list_run,
};

struct add_opts {
	const char *name;
};

static const struct mue_opt add_table[] = {
	{ .name = "name",
	  .letter = 'n',
	  .kind = MUE_OPT_TEXT,
	  .at = offsetof(struct add_opts, name),
	  .value = "NAME",
	  .help = "what the server calls it (default: the file's name)" },
	{ .name = NULL },
};

static int add_run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		   struct mue_error *e)
{
	const struct add_opts *o = opts;
	struct mue_buf pem = { .max = 4096 };
	char name[64], hex[2 * MUE_KID_SIZE + 1];
	struct mue_pubkey key;
	struct mue_api api;
	json_t *body;
	int r = mue_cli_public(cli, args->v[0], &key, e);

	if (r == MUE_OK)
		r = mue_api_open(cli, &api, e);
	if (r < 0)
		return r;
	mue_key_label(args->v[0], name, sizeof(name));
	r = mue_pubkey_pem(&key, &pem);
	if (r == MUE_OK) {
		body = json_pack("{s:s, s:s}", "name", o->name ? o->name : name, "pem",
				 mue_buf_str(&pem));
		r = mue_api_call(&api, "POST", "/api/v1/trust", body, NULL, e);
		json_decref(body);
	} else {
		mue_fail(e, r, "%s: %s", args->v[0], mue_err_text(r));
	}
	mue_api_close(&api);
	mue_buf_free(&pem);
	if (r == MUE_OK)
		fprintf(cli->out, "the server trusts %s (%s, key id %s)\n",
			o->name ? o->name : name, mue_key_kind_name(key.kind),
			mue_hex(key.kid, MUE_KID_SIZE, hex));
	return r;
}

const struct mue_cmd mue_cmd_trust_add = {
	.name = "trust add",
	.args = "FILE.pub|pkcs11:URI",
	.summary = "let the server take releases signed by this key",
	.more = "Devices have a trust folder of their own: a server cannot make them believe a "
		"key.",
	.examples = "  $ mue trust add release.key.pub",
	.arg_words = "@file",
	.opts = add_table,
	.opts_size = sizeof(struct add_opts),
	.shared = MUE_SHARE_SERVER | MUE_SHARE_PASSPHRASE,
	.min_args = 1,
	.max_args = 1,
	.run = add_run,
};
