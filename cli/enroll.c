/* enroll.c - `mue enroll`: a device's key, its certificate from the server's CA, its configuration.
 */
#include "cli/api.h"
#include "cli/csr.h"
#include "cli/keys.h"
#include "cli/token.h"
#include "host/file.h"
#include "host/key.h"

#include <stdlib.h>
#include <string.h>

struct enroll_opts {
	const char *out, *key, *vendor, *class_name, *trust, *slot_a, *slot_b, *bootctl, *state;
};

#define AT(member) offsetof(struct enroll_opts, member)
static const struct mue_opt table[] = {
	{ .name = "output",
	  .letter = 'o',
	  .kind = MUE_OPT_DIR,
	  .at = AT(out),
	  .value = "FOLDER",
	  .help = "where the files go (default: a folder called ID)" },
	{ .name = "key",
	  .letter = 'k',
	  .kind = MUE_OPT_TEXT,
	  .at = AT(key),
	  .value = "pkcs11:URI",
	  .help = "a key in the device's token instead of device.key; it is made if it is not "
		  "there" },
	{ .name = "vendor",
	  .kind = MUE_OPT_TEXT,
	  .at = AT(vendor),
	  .value = "DOMAIN|UUID",
	  .help = "for the configuration, as given to mue pack" },
	{ .name = "class",
	  .kind = MUE_OPT_TEXT,
	  .at = AT(class_name),
	  .value = "NAME|UUID",
	  .help = "likewise" },
	{ .name = "trust",
	  .kind = MUE_OPT_DIR,
	  .at = AT(trust),
	  .value = "FOLDER",
	  .help = "folder on the device with the keys that sign releases (/etc/mue/trust)" },
	{ .name = "slot-a",
	  .kind = MUE_OPT_FILE,
	  .at = AT(slot_a),
	  .value = "DEVICE",
	  .help = "slot A: block device or image file (/dev/disk/by-partlabel/slot-a)" },
	{ .name = "slot-b",
	  .kind = MUE_OPT_FILE,
	  .at = AT(slot_b),
	  .value = "DEVICE",
	  .help = "slot B likewise" },
	{ .name = "bootctl",
	  .kind = MUE_OPT_TEXT,
	  .at = AT(bootctl),
	  .value = "KIND:FILE",
	  .help = "how the boot state is reached (file:/var/lib/mue/boot)" },
	{ .name = "state",
	  .kind = MUE_OPT_DIR,
	  .at = AT(state),
	  .value = "FOLDER",
	  .help = "the agent's state on the device (/var/lib/mue)" },
	{ .name = NULL },
};

struct enroll {
	struct mue_cli *cli;
	const struct enroll_opts *o;
	const char *id;
	char dir[3900];
	char path[4096]; /* the last one made by file() */
};

static const char *file(struct enroll *en, const char *name)
{
	snprintf(en->path, sizeof(en->path), "%s/%s", en->dir, name);
	return en->path;
}

/* The key's PEM (read, or made now) or its URI, as mue_csr_make takes it. */
static int device_key(struct enroll *en, struct mue_buf *ret, struct mue_error *e)
{
	const char *uri = en->o->key;
	int r;

	if (uri) {
		struct mue_key *key = NULL;

		if (!mue_is_token(uri))
			return mue_fail(e, MUE_EINVAL,
					"--key wants a pkcs11: URI, not \"%.80s\"; "
					"without it device.key is made",
					uri);
		r = mue_cli_open(en->cli, uri, &key, e);
		if (r == MUE_OK) {
			mue_key_close(key);
		} else if (r == MUE_ENOTFOUND) {
			r = mue_token_new(uri, MUE_KEY_ES256, e);
		}
		return r < 0 ? r : mue_buf_add_str(ret, uri);
	}
	if (mue_file_exists(
		    file(en, "device.key"))) /* an enrolment that was cut short, or a renewal */
		return mue_file_read(en->path, ret, e);
	r = mue_csr_new_key(ret, e);
	return r < 0 ? r : mue_file_create(en->path, ret->data, ret->len, 0600, e);
}

static int ask_server(struct enroll *en, const char *csr, json_t **ret, struct mue_error *e)
{
	json_t *body = json_pack("{s:s, s:s}", "controllerId", en->id, "csr", csr);
	struct mue_api api;
	int r = body ? MUE_OK : mue_fail(e, MUE_EINVAL, "the id is no UTF-8 text");

	if (r == MUE_OK)
		r = mue_api_open(en->cli, &api, e);
	if (r == MUE_OK) {
		r = mue_api_call(&api, "POST", "/api/v1/enroll", body, ret, e);
		mue_api_close(&api);
	}
	json_decref(body);
	return r;
}

/* The configuration with every key that the agent needs; what nobody said has the usual place, and
 * what has none stands there as a comment. */
static int write_config(struct enroll *en, struct mue_error *e)
{
	const struct enroll_opts *o = en->o;
	char *abs = realpath(en->dir, NULL), crt[4096], key[4096], ca[4096];
	const struct {
		const char *key, *value, *unset;
	} lines[] = {
		{ "server", en->cli->common.server, NULL },
		{ "id", en->id, NULL },
		{ "cert", crt, NULL },
		{ "key", o->key, key },
		{ "ca", ca, NULL },
		{ "trust", o->trust, "/etc/mue/trust" },
		{ "state", o->state, "/var/lib/mue" },
		{ "vendor", o->vendor, NULL },
		{ "class", o->class_name, NULL },
		{ "slot.a", o->slot_a, "/dev/disk/by-partlabel/slot-a" },
		{ "slot.b", o->slot_b, "/dev/disk/by-partlabel/slot-b" },
		{ "bootctl", o->bootctl, "file:/var/lib/mue/boot" },
	};
	struct mue_buf b = { .max = 65536 };
	int r;

	snprintf(crt, sizeof(crt), "%s/device.crt", abs ? abs : en->dir);
	snprintf(key, sizeof(key), "%s/device.key", abs ? abs : en->dir);
	snprintf(ca, sizeof(ca), "%s/ca.crt", abs ? abs : en->dir);
	free(abs);
	mue_buf_printf(&b, "# mue-agent --config THIS; all keys: mue-agent --help\n");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *value = lines[i].value ? lines[i].value : lines[i].unset;

		mue_buf_printf(&b, "%s%s = %s\n", value ? "" : "# needed: ", lines[i].key,
			       value ? value : "");
	}
	if (!o->bootctl || strncmp(o->bootctl, "file:", 5) == 0)
		mue_buf_printf(&b, "reboot = /sbin/reboot\n");
	r = mue_file_write(file(en, "mue-agent.conf"), b.data, b.len, 0644, e);
	mue_buf_free(&b);
	return r;
}

static int write_all(struct enroll *en, const json_t *answer, struct mue_error *e)
{
	const char *crt = mue_json_str(answer, "certificate", NULL);
	const char *ca = mue_json_str(answer, "ca", NULL);
	int r;

	if (!crt || !ca) {
		en->cli->exit = MUE_EXIT_SERVER;
		return mue_fail(e, MUE_EPROTOCOL, "the server sent no certificate");
	}
	r = mue_file_write(file(en, "ca.crt"), ca, strlen(ca), 0644, e);
	if (r == MUE_OK)
		r = mue_file_write(file(en, "device.crt"), crt, strlen(crt), 0644, e);
	if (r == MUE_OK)
		r = write_config(en, e);
	return r;
}

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	struct enroll en = { .cli = cli, .o = opts, .id = args->v[0] };
	struct mue_buf key = { .max = 65536 }, csr = { .max = 65536 };
	json_t *answer = NULL;
	int r;

	if (strchr(en.id, '/') || strlen(en.id) > 64)
		return mue_fail(e, MUE_EINVAL, "ID is a controller id: at most 64 bytes, no slash");
	snprintf(en.dir, sizeof(en.dir), "%s", en.o->out ? en.o->out : en.id);
	r = mue_file_mkdirs(en.dir, 0755, e);
	if (r == MUE_OK)
		r = device_key(&en, &key, e);
	if (r == MUE_OK)
		r = mue_csr_make(mue_buf_str(&key), en.id, &csr, e);
	if (r == MUE_OK)
		r = ask_server(&en, mue_buf_str(&csr), &answer, e);
	if (r == MUE_OK)
		r = write_all(&en, answer, e);
	if (r == MUE_OK)
		fprintf(cli->out, "%s: enrolled; next: mue-agent --config %s/mue-agent.conf\n",
			en.id, en.dir);
	json_decref(answer);
	mue_buf_free(&key);
	mue_buf_free(&csr);
	return r;
}

const struct mue_cmd mue_cmd_enroll = {
	.name = "enroll",
	.args = "ID",
	.summary = "make a device's credentials and its agent's configuration",
	.more = "The key is made here and stays here: the server sees a certificate request only.  "
		"It\n"
		"writes device.key (unless --key names a token), device.crt, ca.crt and "
		"mue-agent.conf.\n"
		"Run again, it renews the certificate of the same key.",
	.examples = "  $ mue enroll gw-0042 --vendor acme.example --class gw-1 -o /etc/mue\n"
		    "  $ mue enroll gw-0042 --key 'pkcs11:token=device;object=tls?pin-value=1234'",
	.arg_words = "",
	.opts = table,
	.opts_size = sizeof(struct enroll_opts),
	.shared = MUE_SHARE_SERVER | MUE_SHARE_PASSPHRASE,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
