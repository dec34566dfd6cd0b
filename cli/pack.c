/* pack.c - `mue pack`: images in, payloads and an unsigned envelope out. */
#include "cli/pack.h"

#include "cli/envelope.h"
#include "cli/term.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/release.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pack_opts {
	const char *name, *version, *vendor, *class_name, *out;
	const char *precursor, *notes, *sbom, *profile;
	struct mue_strings components;
	uint64_t sequence, counter, battery;
	bool integrated, security, feature, hard_link, force;
};

#define AT(member) offsetof(struct pack_opts, member)
static const struct mue_opt table[] = {
	{ .name = "name",
	  .letter = 'n',
	  .kind = MUE_OPT_TEXT,
	  .at = AT(name),
	  .value = "NAME",
	  .help = "of the release",
	  .required = true },
	{ .name = "version",
	  .letter = 'v',
	  .kind = MUE_OPT_TEXT,
	  .at = AT(version),
	  .value = "VERSION",
	  .help = "of the release",
	  .required = true },
	{ .name = "sequence",
	  .letter = 's',
	  .kind = MUE_OPT_NUMBER,
	  .at = AT(sequence),
	  .value = "N",
	  .help = "order of releases: higher than that of the one before",
	  .min = 1,
	  .max = UINT64_MAX,
	  .required = true },
	{ .name = "security-counter",
	  .kind = MUE_OPT_NUMBER,
	  .at = AT(counter),
	  .value = "N",
	  .help = "once confirmed, a device boots nothing below it ever again (default 0)",
	  .max = UINT32_MAX },
	{ .name = "vendor",
	  .kind = MUE_OPT_TEXT,
	  .at = AT(vendor),
	  .value = "DOMAIN|UUID",
	  .help = "whose devices it is for",
	  .required = true },
	{ .name = "class",
	  .kind = MUE_OPT_TEXT,
	  .at = AT(class_name),
	  .value = "NAME|UUID",
	  .help = "which devices of that vendor it is for",
	  .required = true },
	{ .name = "component",
	  .letter = 'c',
	  .kind = MUE_OPT_LIST,
	  .at = AT(components),
	  .value = "KIND:NAME=FILE[,version=V]",
	  .help = "an image; several may be given",
	  .required = true },
	{ .name = "integrated",
	  .kind = MUE_OPT_FLAG,
	  .at = AT(integrated),
	  .help = "put the images into the envelope instead of beside it" },
	{ .name = "precursor",
	  .kind = MUE_OPT_TEXT,
	  .at = AT(precursor),
	  .value = "FILE|HEX",
	  .help = "the image (or its SHA-256) that must be installed before" },
	{ .name = "notes",
	  .kind = MUE_OPT_FILE,
	  .at = AT(notes),
	  .value = "FILE|TEXT",
	  .help = "release notes" },
	{ .name = "security",
	  .kind = MUE_OPT_FLAG,
	  .at = AT(security),
	  .help = "it fixes a security problem" },
	{ .name = "feature",
	  .kind = MUE_OPT_FLAG,
	  .at = AT(feature),
	  .help = "it brings features" },
	{ .name = "sbom",
	  .kind = MUE_OPT_FILE,
	  .at = AT(sbom),
	  .value = "FILE",
	  .help = "its bill of materials; its digest is signed with the release" },
	{ .name = "min-battery",
	  .kind = MUE_OPT_NUMBER,
	  .at = AT(battery),
	  .value = "PERCENT",
	  .help = "devices below wait",
	  .min = 1,
	  .max = 100 },
	{ .name = "profile",
	  .kind = MUE_OPT_CHOICE,
	  .at = AT(profile),
	  .value = "P",
	  .help = "p0 (a bootloader), p1 (a microcontroller) or p2 (Linux, default): refuse more",
	  .choices = "p0|p1|p2" },
	{ .name = "link",
	  .kind = MUE_OPT_FLAG,
	  .at = AT(hard_link),
	  .help = "hard link the images instead of copying; they must never be written again" },
	{ .name = "force",
	  .letter = 'f',
	  .kind = MUE_OPT_FLAG,
	  .at = AT(force),
	  .help = "replace a release that was packed before" },
	{ .name = "output",
	  .letter = 'o',
	  .kind = MUE_OPT_DIR,
	  .at = AT(out),
	  .value = "FOLDER",
	  .help = "where NAME-VERSION.suit and the payloads go; it is created",
	  .required = true },
	{ .name = NULL },
};

/* Everything that the release points to while it is built. */
struct pack {
	const struct pack_opts *o;
	struct mue_release release;
	struct mue_release_component components[MUE_SUIT_COMPONENTS_MAX];
	struct mue_component_arg args[MUE_SUIT_COMPONENTS_MAX];
	char uris[MUE_SUIT_COMPONENTS_MAX][256];
	struct mue_buf images[MUE_SUIT_COMPONENTS_MAX]; /* integrated */
	struct mue_buf notes;
	uint8_t precursor[32], sbom[32];
};

static int set_ids(struct pack *p, struct mue_error *e)
{
	struct mue_release *r = &p->release;
	int ret;

	if (mue_uuid_parse(p->o->vendor, r->vendor) < 0) {
		ret = mue_release_vendor_id(p->o->vendor, r->vendor, e);
		if (ret < 0)
			return ret;
	}
	if (mue_uuid_parse(p->o->class_name, r->class_id) == MUE_OK)
		return MUE_OK;
	return mue_release_class_id(r->vendor, p->o->class_name, r->class_id, e);
}

static int set_notes(struct pack *p, struct mue_error *e)
{
	int r;

	if (!p->o->notes)
		return MUE_OK;
	p->release.notes = p->o->notes;
	if (!mue_file_exists(p->o->notes))
		return MUE_OK;
	p->notes.max = 16384;
	r = mue_file_read(p->o->notes, &p->notes, e);
	if (r == MUE_ESIZE)
		return mue_fail(e, MUE_EINVAL, "--notes %s: more than 16 kB", p->o->notes);
	if (r == MUE_OK)
		p->release.notes = mue_buf_str(&p->notes);
	return r;
}

static int set_digests(struct pack *p, struct mue_error *e)
{
	int r;

	if (p->o->sbom) {
		r = mue_hash_file(p->o->sbom, MUE_HASH_SHA256, p->sbom, NULL, e);
		if (r < 0)
			return mue_prefix(e, "--sbom");
		p->release.sbom = p->sbom;
	}
	if (!p->o->precursor)
		return MUE_OK;
	if (p->o->components.n != 1)
		return mue_fail(e, MUE_EINVAL, "--precursor is for a release of one component");
	if (!mue_unhex(p->o->precursor, p->precursor, 32)) {
		r = mue_hash_file(p->o->precursor, MUE_HASH_SHA256, p->precursor, NULL, e);
		if (r < 0)
			return mue_prefix(e, "--precursor wants an image or 64 hex digits");
	}
	p->components[0].precursor = p->precursor;
	return MUE_OK;
}

static int read_args(struct pack *p, struct mue_error *e)
{
	const struct pack_opts *o = p->o;

	if (!mue_name_ok(o->name) || !mue_name_ok(o->version))
		return mue_fail(e, MUE_EINVAL,
				"--%s is 1 to 63 letters, digits and . _ + -, not \"%.64s\"",
				mue_name_ok(o->name) ? "version" : "name",
				mue_name_ok(o->name) ? o->version : o->name);
	if (o->security && o->feature)
		return mue_fail(e, MUE_EINVAL,
				"--security or --feature: devices treat them "
				"differently, so it is one of them");
	if (o->components.n > MUE_SUIT_COMPONENTS_MAX)
		return mue_fail(e, MUE_EINVAL, "a release has at most %d components",
				MUE_SUIT_COMPONENTS_MAX);
	for (size_t i = 0; i < o->components.n; i++) {
		int r = mue_component_parse(o->components.v[i], &p->args[i], e);

		if (r < 0)
			return r;
	}
	return MUE_OK;
}

/* "rootfs.img" -> ".img"; what has no suffix gets ".bin". */
static const char *suffix_of(const char *file)
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
	const char *dot = strrchr(base, '.');

	return dot && dot != base && strlen(dot) < 16 && mue_name_ok(dot + 1) ? dot : ".bin";
}

static int name_payloads(struct pack *p, struct mue_error *e)
{
	for (size_t i = 0; i < p->o->components.n; i++) {
		const struct mue_component_arg *a = &p->args[i];

		if (p->o->integrated)
			snprintf(p->uris[i], sizeof(p->uris[i]), "#%s", a->name);
		else
			snprintf(p->uris[i], sizeof(p->uris[i]), "%s-%s.%s%s", p->o->name,
				 p->o->version, a->name, suffix_of(a->file));
		for (size_t j = 0; j < i; j++)
			if (strcmp(p->uris[i], p->uris[j]) == 0)
				return mue_fail(e, MUE_EINVAL,
						"two components would both be %s; give them "
						"different names",
						p->uris[i]);
	}
	return MUE_OK;
}

/* The image goes into the release: beside the envelope, or into memory for the envelope. */
static int take_image(struct pack *p, size_t i, struct mue_error *e)
{
	struct mue_release_component *c = &p->components[i];
	char to[MUE_PATH_MAX];
	int r;

	c->kind = p->args[i].kind;
	c->name = p->args[i].name;
	c->version = p->args[i].version[0] ? p->args[i].version : NULL;
	c->slot = p->args[i].slot;
	c->uri = p->uris[i];
	if (!p->o->integrated) {
		if (snprintf(to, sizeof(to), "%s/%s", p->o->out, c->uri) >= (int)sizeof(to))
			return mue_fail(e, MUE_EINVAL, "path too long");
		return mue_payload_place(p->args[i].file, to, p->o->hard_link, c->digest, &c->size,
					 e);
	}
	p->images[i].max = MUE_RELEASE_MAX;
	r = mue_file_read(p->args[i].file, &p->images[i], e);
	if (r == MUE_ESIZE)
		return mue_fail(e, r, "%s is too large for --integrated", p->args[i].file);
	if (r < 0)
		return r;
	c->payload = p->images[i].data;
	c->payload_len = p->images[i].len;
	c->size = c->payload_len;
	mue_hash_sha256(c->payload, c->payload_len, c->digest);
	return MUE_OK;
}

static int check_profile(const struct pack *p, const struct mue_buf *envelope, struct mue_error *e)
{
	static const char *const names[] = { "p0", "p1", "p2" };
	struct mue_view view = { envelope->data, envelope->len };
	enum mue_suit_profile is;
	int r = mue_suit_profile_of(view, &is);

	if (r < 0)
		return mue_fail(e, r, "the envelope just built does not open: %s", mue_err_text(r));
	for (unsigned i = 0; p->o->profile && i < 3; i++)
		if (strcmp(p->o->profile, names[i]) == 0 && (unsigned)is > i)
			return mue_fail(e, MUE_EPROFILE,
					"such a release needs profile %s, more than %s: use fewer "
					"components or options, or --profile %s",
					names[is], names[i], names[is]);
	return MUE_OK;
}

static void tell(struct mue_cli *cli, const struct pack *p, const char *path)
{
	char size[16], hex[65];

	for (size_t i = 0; i < p->release.count; i++) {
		const struct mue_release_component *c = &p->components[i];

		fprintf(cli->out, "%-11s %s  %s  sha256 %.16s...  %s\n", c->kind, c->name,
			mue_term_size(c->size, size), mue_hex(c->digest, 32, hex), c->uri);
	}
	fprintf(cli->out, "%s: packed, not signed; next: mue sign %s --key KEY\n", path, path);
}

static int write_out(struct mue_cli *cli, struct pack *p, const char *path, struct mue_error *e)
{
	struct mue_buf envelope = { .max = MUE_RELEASE_MAX };
	int r = MUE_OK;

	for (size_t i = 0; r == MUE_OK && i < p->release.count; i++)
		r = take_image(p, i, e);
	if (r == MUE_OK)
		r = mue_release_build(&p->release, &envelope, e);
	if (r == MUE_OK)
		r = check_profile(p, &envelope, e);
	/* The envelope comes last: with it the release is there, before it there is none. */
	if (r == MUE_OK)
		r = mue_file_write(path, envelope.data, envelope.len, 0644, e);
	if (r == MUE_OK)
		tell(cli, p, path);
	mue_buf_free(&envelope);
	return r;
}

static int prepare(struct pack *p, struct mue_error *e)
{
	const struct pack_opts *o = p->o;
	struct mue_release *rel = &p->release;
	int r = read_args(p, e);

	if (r == MUE_OK)
		r = name_payloads(p, e);
	if (r == MUE_OK)
		r = set_ids(p, e);
	if (r == MUE_OK)
		r = set_notes(p, e);
	if (r == MUE_OK)
		r = set_digests(p, e);
	rel->name = o->name;
	rel->version = o->version;
	rel->sequence = o->sequence;
	rel->counter = (uint32_t)o->counter;
	rel->kind = o->security  ? MUE_SUIT_KIND_SECURITY
		    : o->feature ? MUE_SUIT_KIND_FEATURE
				 : MUE_SUIT_KIND_UNSAID;
	rel->battery = (int)o->battery;
	rel->mcu = o->profile && strcmp(o->profile, "p2") != 0;
	rel->components = p->components;
	rel->count = o->components.n;
	return r;
}

static int pack(struct mue_cli *cli, struct pack *p, struct mue_error *e)
{
	const struct pack_opts *o = p->o;
	char path[MUE_PATH_MAX];
	int r = prepare(p, e);

	if (r < 0)
		return r;
	if (snprintf(path, sizeof(path), "%s/%s-%s.suit", o->out, o->name, o->version) >=
	    (int)sizeof(path))
		return mue_fail(e, MUE_EINVAL, "path too long");
	if (mue_file_exists(path)) {
		if (!o->force)
			return mue_fail(e, MUE_EEXIST,
					"%s exists; a release never changes: raise --version, or "
					"--force if nobody has seen it",
					path);
		r = mue_file_remove(path, e);
		if (r < 0)
			return r;
	}
	r = mue_file_mkdirs(o->out, 0755, e);
	return r < 0 ? r : write_out(cli, p, path, e);
}

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	struct pack *p = calloc(1, sizeof(*p));
	int r;

	(void)args;
	if (!p)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	p->o = opts;
	r = pack(cli, p, e);
	for (size_t i = 0; i < MUE_SUIT_COMPONENTS_MAX; i++)
		mue_buf_free(&p->images[i]);
	mue_buf_free(&p->notes);
	free(p);
	return r;
}

const struct mue_cmd mue_cmd_pack = {
	.name = "pack",
	.args = "",
	.summary = "make an unsigned release from images",
	.more = "KIND is os, firmware, application, config, library or driver.  The payloads are "
		"named\n"
		"NAME-VERSION.COMPONENT.SUFFIX.  The envelope appears last: before it there is no "
		"release.",
	.examples =
		"  $ mue pack --name app-os --version 2.1.0 --sequence 7 --vendor acme.example \\\n"
		"        --class gw-1 --component os:rootfs=rootfs.squashfs --security -o out\n"
		"  $ mue pack -n node -v 1.4 -s 14 --vendor acme.example --class node-1 --profile "
		"p0 \\\n"
		"        -c firmware:app=app.bin --security-counter 3 -o out",
	.opts = table,
	.opts_size = sizeof(struct pack_opts),
	.run = run,
};
