/* inspect.c - `mue inspect`: everything an envelope says, for people and for programs. */
#include "cli/envelope.h"
#include "cli/term.h"
#include "host/hash.h"
#include "host/release.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct inspect_opts {
	const char *trust;
	struct mue_strings keys;
};

static const struct mue_opt table[] = {
	{ .name = "trust",
	  .letter = 't',
	  .kind = MUE_OPT_DIR,
	  .at = offsetof(struct inspect_opts, trust),
	  .value = "FOLDER",
	  .help = "say which signatures hold under the .pub files of this folder" },
	{ .name = "key",
	  .letter = 'k',
	  .kind = MUE_OPT_LIST,
	  .at = offsetof(struct inspect_opts, keys),
	  .value = "FILE.pub",
	  .help = "or under this key; several may be given" },
	{ .name = NULL },
};

static const char *state_text(enum mue_payload_state s)
{
	static const char *const texts[] = {
		[MUE_PAYLOAD_OK] = "whole",
		[MUE_PAYLOAD_INTEGRATED] = "whole, in the envelope",
		[MUE_PAYLOAD_DELTA] = "encoded: the device checks the image it makes of it",
		[MUE_PAYLOAD_NONE] = "none named",
		[MUE_PAYLOAD_MISSING] = "MISSING",
		[MUE_PAYLOAD_TAMPERED] = "TAMPERED: its digest or size is not the manifest's",
	};

	return texts[s];
}

static const char *alg_text(int32_t alg)
{
	switch (alg) {
	case MUE_COSE_ES256:
	case MUE_COSE_ESP256:
		return "ES256";
	case MUE_COSE_EDDSA:
	case MUE_COSE_ED25519:
		return "Ed25519";
	case MUE_COSE_HSS_LMS:
		return "HSS/LMS";
	default:
		return "unknown algorithm";
	}
}

/* JSON text of a view: invalid UTF-8 cannot come, the reader refuses it in texts; component ids
 * are byte strings, so those are shown as hex when they are no text. */
static json_t *json_view(struct mue_view v)
{
	char hex[2 * 64 + 1];
	json_t *j;

	if (!v.data)
		return json_null();
	j = json_stringn((const char *)v.data, v.len);
	if (j)
		return j;
	return json_string(mue_hex(v.data, v.len > 64 ? 64 : v.len, hex));
}

static json_t *json_hex(struct mue_view v)
{
	char hex[2 * 64 + 1];

	if (!v.data)
		return json_null();
	return json_string(mue_hex(v.data, v.len > 64 ? 64 : v.len, hex));
}

static json_t *json_uuid(struct mue_view v)
{
	char text[37];

	if (v.len != 16)
		return json_null();
	mue_uuid_text(v.data, text);
	return json_string(text);
}

static json_t *json_component(const struct mue_suit_component *c, const struct mue_payload *p)
{
	json_t *j = json_object();

	json_object_set_new(j, "kind", json_view(c->kind));
	json_object_set_new(j, "name", json_view(c->name));
	json_object_set_new(j, "version", json_view(c->version));
	json_object_set_new(j, "digest", json_hex(c->params.digest));
	json_object_set_new(j, "size",
			    c->params.has_size ? json_integer((json_int_t)c->params.size)
					       : json_null());
	json_object_set_new(j, "uri", json_view(c->params.uri));
	json_object_set_new(j, "slot",
			    c->params.has_slot ? json_integer(c->params.slot) : json_null());
	json_object_set_new(j, "precursor", json_hex(c->params.precursor));
	json_object_set_new(j, "payload", json_string(state_text(p->state)));
	json_object_set_new(
		j, "payloadOk",
		json_boolean(p->state == MUE_PAYLOAD_OK || p->state == MUE_PAYLOAD_INTEGRATED));
	return j;
}

/* What the command found out; `holds` has a bit per block, by_known: somebody was trusted. */
struct found {
	struct mue_payload payload[MUE_SUIT_COMPONENTS_MAX];
	uint8_t holds;
	bool asked;
	const char *bad; /* path of the first payload that was tampered with */
};

static json_t *json_signature(const struct mue_suit_signature *s, const struct found *f, uint8_t i)
{
	struct mue_view kid = { s->id.kid_len ? s->id.kid : NULL, s->id.kid_len };
	json_t *j = json_object();

	json_object_set_new(j, "algorithm", json_string(alg_text(s->id.alg)));
	json_object_set_new(j, "alg", json_integer(s->id.alg));
	json_object_set_new(j, "kid", json_hex(kid));
	json_object_set_new(j, "bytes", json_integer((json_int_t)s->sign1.signature.len));
	json_object_set_new(j, "holds", f->asked ? json_boolean(f->holds >> i & 1) : json_null());
	return j;
}

static int print_json(struct mue_cli *cli, const struct mue_envelope *env, const struct found *f,
		      struct mue_error *e)
{
	const struct mue_suit_info *in = &env->info;
	struct mue_view digest = { in->digest, 32 };
	json_t *j = json_object(), *components = json_array(), *signatures = json_array();
	uint8_t battery = in->component[0].params.battery;
	int r;

	json_object_set_new(j, "name", json_view(in->name));
	json_object_set_new(j, "version", json_view(in->version));
	json_object_set_new(j, "sequence", json_integer((json_int_t)in->sequence_number));
	json_object_set_new(j, "securityCounter", json_integer(in->counter));
	json_object_set_new(j, "profile", json_sprintf("p%u", (unsigned)env->profile));
	json_object_set_new(j, "kind", json_string(mue_release_kind_name(in->kind)));
	json_object_set_new(j, "manifest", json_hex(digest));
	json_object_set_new(j, "vendor", json_uuid(in->vendor));
	json_object_set_new(j, "class", json_uuid(in->class_id));
	json_object_set_new(j, "notes", json_view(in->notes));
	json_object_set_new(j, "sbom", json_hex(in->sbom));
	json_object_set_new(j, "minBattery",
			    in->component[0].params.has_battery ? json_integer(battery)
								: json_null());
	json_object_set_new(j, "bytes", json_integer((json_int_t)env->bytes.len));
	for (uint8_t i = 0; i < in->component_count; i++)
		json_array_append_new(components,
				      json_component(&in->component[i], &f->payload[i]));
	for (uint8_t i = 0; i < in->signature_count && i < MUE_SUIT_SIGNATURES_MAX; i++)
		json_array_append_new(signatures, json_signature(&in->signature[i], f, i));
	json_object_set_new(j, "components", components);
	json_object_set_new(j, "signatures", signatures);
	r = json_dumpf(j, cli->out, JSON_INDENT(2)) == 0 ? MUE_OK
							 : mue_fail(e, MUE_EIO, "cannot write");
	fputc('\n', cli->out);
	json_decref(j);
	return r;
}

static void line(FILE *f, const char *label, const char *text)
{
	if (text && *text)
		fprintf(f, "%-14s %s\n", label, text);
}

static void line_view(FILE *f, const char *label, struct mue_view v)
{
	char text[512];

	line(f, label, mue_view_str(v, text, sizeof(text)));
}

static void line_uuid(FILE *f, const char *label, struct mue_view v)
{
	char text[37] = "";

	if (v.len == 16)
		mue_uuid_text(v.data, text);
	line(f, label, text);
}

static void print_notes(FILE *f, struct mue_view notes)
{
	struct mue_view one = { notes.data, 0 };

	for (size_t i = 0; notes.data && i <= notes.len; i++) {
		if (i < notes.len && notes.data[i] != '\n')
			continue;
		one.len = (size_t)(notes.data + i - one.data);
		if (one.len || i < notes.len)
			line_view(f, one.data == notes.data ? "notes" : "", one);
		one.data = notes.data + i + 1;
	}
}

static void print_component(FILE *f, const struct mue_suit_component *c,
			    const struct mue_payload *p)
{
	char kind[64], name[64], version[64], size[16], hex[65] = "";

	fprintf(f, "\ncomponent      %s %s %s\n", mue_view_str(c->kind, kind, sizeof(kind)),
		mue_view_str(c->name, name, sizeof(name)),
		mue_view_str(c->version, version, sizeof(version)));
	if (c->params.digest.len == 32)
		line(f, "  sha256", mue_hex(c->params.digest.data, 32, hex));
	if (c->params.has_size)
		fprintf(f, "%-14s %" PRIu64 " bytes (%s)\n", "  size", c->params.size,
			mue_term_size(c->params.size, size));
	if (c->params.has_slot)
		fprintf(f, "%-14s %" PRIu32 "\n", "  slot", c->params.slot);
	if (c->params.precursor.len == 32)
		line(f, "  precursor", mue_hex(c->params.precursor.data, 32, hex));
	if (p->path[0])
		fprintf(f, "%-14s %s: %s\n", "  payload", p->path, state_text(p->state));
	else
		line(f, "  payload", state_text(p->state));
}

static void print_signature(FILE *f, const struct mue_suit_signature *s, const struct found *found,
			    uint8_t i)
{
	char hex[2 * MUE_COSE_KID_MAX + 1] = "none";

	if (s->id.kid_len)
		mue_hex(s->id.kid, s->id.kid_len, hex);
	fprintf(f, "%-14s %s, key id %s, %zu bytes%s\n", "signature", alg_text(s->id.alg), hex,
		s->sign1.signature.len,
		!found->asked           ? ""
		: found->holds >> i & 1 ? ": holds"
					: ": DOES NOT HOLD under the keys given");
}

static void print_text(struct mue_cli *cli, const struct mue_envelope *env,
		       const struct found *found)
{
	const struct mue_suit_info *in = &env->info;
	FILE *f = cli->out;
	char hex[65];

	line_view(f, "release", in->name);
	line_view(f, "version", in->version);
	fprintf(f, "%-14s %" PRIu64 "\n", "sequence", in->sequence_number);
	fprintf(f, "%-14s %" PRIu32 "\n", "counter", in->counter);
	line(f, "kind", mue_kind_text(in->kind));
	fprintf(f, "%-14s p%u, envelope of %zu bytes\n", "profile", (unsigned)env->profile,
		env->bytes.len);
	line(f, "manifest", mue_hex(in->digest, 32, hex));
	line_uuid(f, "vendor", in->vendor);
	line_uuid(f, "class", in->class_id);
	if (in->component[0].params.has_battery)
		fprintf(f, "%-14s at least %u %%\n", "battery", in->component[0].params.battery);
	if (in->sbom.len == 32)
		line(f, "sbom sha256", mue_hex(in->sbom.data, 32, hex));
	print_notes(f, in->notes);
	for (uint8_t i = 0; i < in->component_count; i++)
		print_component(f, &in->component[i], &found->payload[i]);
	fputc('\n', f);
	for (uint8_t i = 0; i < in->signature_count && i < MUE_SUIT_SIGNATURES_MAX; i++)
		print_signature(f, &in->signature[i], found, i);
	if (in->signature_count == 0)
		line(f, "signature", "none: no device will take it; see: mue sign --help");
}

static int find_out(struct mue_cli *cli, const struct inspect_opts *o, struct mue_envelope *env,
		    struct found *f, struct mue_error *e)
{
	struct mue_trust_verifier verifier;
	struct mue_trust trust;
	int r;

	for (uint8_t i = 0; i < env->info.component_count; i++) {
		r = mue_envelope_payload(env, i, &f->payload[i], e);
		if (r < 0)
			return r;
		if (f->payload[i].state == MUE_PAYLOAD_TAMPERED && !f->bad)
			f->bad = f->payload[i].path;
	}
	if (!o->trust && o->keys.n == 0)
		return MUE_OK;
	r = mue_cli_trust(cli, o->trust, &o->keys, &trust, e);
	if (r < 0)
		return r;
	f->asked = true;
	mue_trust_verifier_init(&verifier, &trust);
	if (mue_suit_verify(&env->suit, &verifier.port, &f->holds) < 0)
		f->holds = 0; /* that none holds is shown, not an error of inspect */
	mue_trust_free(&trust);
	return MUE_OK;
}

static int inspect(struct mue_cli *cli, const struct inspect_opts *o, struct mue_envelope *env,
		   struct found *f, struct mue_error *e)
{
	int r = find_out(cli, o, env, f, e);

	if (r < 0)
		return r;
	if (cli->common.json) {
		r = print_json(cli, env, f, e);
		if (r < 0)
			return r;
	} else {
		print_text(cli, env, f);
	}
	if (f->bad)
		return mue_fail(e, MUE_EDIGEST, "payload %s was tampered with or damaged", f->bad);
	return MUE_OK;
}

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	struct found *f = calloc(1, sizeof(*f));
	struct mue_envelope env;
	int r;

	if (!f)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	r = mue_envelope_load(args->v[0], &env, e);
	if (r == MUE_OK)
		r = inspect(cli, opts, &env, f, e);
	mue_envelope_close(&env);
	free(f);
	return r;
}

const struct mue_cmd mue_cmd_inspect = {
	.name = "inspect",
	.args = "ENVELOPE.suit",
	.summary = "show what a release is, and whether the payloads beside it are whole",
	.more = "It shows; it does not judge: a release that nobody signed is shown too.  With "
		"--trust or\n"
		"--key each signature is checked.  A payload that was tampered with gives exit "
		"code 1.",
	.examples = "  $ mue inspect out/app-2.1.0.suit\n"
		    "  $ mue inspect --json out/app-2.1.0.suit | jq .components",
	.arg_words = "@file",
	.opts = table,
	.opts_size = sizeof(struct inspect_opts),
	.shared = MUE_SHARE_JSON,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
