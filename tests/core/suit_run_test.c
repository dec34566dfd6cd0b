/*
 * The SUIT interpreter with a port that records what it is asked, over the draft's examples and
 * over sequences written here in hex; and the refusals of the profiles.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/suit.h"
#include "core/suit_command.h"
#include "vectors.h"

/* --- unsigned envelopes from hex --- */

struct recipe {
	const char *shared, *install; /* hex of the sequences; NULL: none */
	uint8_t components;
	bool two_digests, severable, untagged, trailing;
	uint8_t version; /* of the manifest */
	uint8_t extra;   /* one more manifest key with an empty byte string */
};

static void put_hex(struct mue_cbor_writer *w, const char *hex)
{
	uint8_t bytes[512];
	size_t n = vectors_unhex(hex, bytes, sizeof(bytes));

	assert_true(n > 0);
	mue_cbor_put_bytes(w, bytes, n);
}

static size_t make_common(const struct recipe *x, uint8_t *out, size_t size)
{
	struct mue_cbor_writer w;

	mue_cbor_write(&w, out, size);
	mue_cbor_put_map(&w, x->shared ? 2 : 1);
	mue_cbor_put_uint(&w, 2);
	mue_cbor_put_array(&w, x->components);
	for (uint8_t i = 0; i < x->components; i++) {
		mue_cbor_put_array(&w, 1);
		mue_cbor_put_bytes(&w, &i, 1);
	}
	if (x->shared) {
		mue_cbor_put_uint(&w, 4);
		put_hex(&w, x->shared);
	}
	return w.len;
}

static size_t make_manifest(const struct recipe *x, uint8_t *out, size_t size)
{
	uint8_t common[512];
	size_t n = make_common(x, common, sizeof(common));
	struct mue_cbor_writer w;

	mue_cbor_write(&w, out, size);
	mue_cbor_put_map(&w, 3u + (x->install != NULL) + (x->extra != 0));
	mue_cbor_put_uint(&w, 1);
	mue_cbor_put_uint(&w, x->version ? x->version : 1);
	mue_cbor_put_uint(&w, 2);
	mue_cbor_put_uint(&w, 7);
	mue_cbor_put_uint(&w, 3);
	mue_cbor_put_bytes(&w, common, n);
	if (x->extra != 0 && x->extra < 20) {
		mue_cbor_put_uint(&w, x->extra);
		mue_cbor_put_bytes(&w, "", 0);
	}
	if (x->install) {
		mue_cbor_put_uint(&w, 20);
		put_hex(&w, x->install);
	}
	if (x->extra > 20) {
		mue_cbor_put_uint(&w, x->extra);
		mue_cbor_put_bytes(&w, "", 0);
	}
	return w.len;
}

static size_t make_envelope(const struct recipe *x, uint8_t *out, size_t size)
{
	uint8_t manifest[1024], digest[32], structure[80], wrapper[128];
	size_t n = make_manifest(x, manifest, sizeof(manifest));
	struct mue_cbor_writer w, d;

	mue_suit_hash_bstr((struct mue_view){ manifest, n }, digest);
	mue_cbor_write(&d, structure, sizeof(structure));
	mue_cbor_put_array(&d, x->two_digests ? 3 : 2);
	mue_cbor_put_int(&d, -16);
	mue_cbor_put_bytes(&d, digest, 32);
	if (x->two_digests)
		mue_cbor_put_bytes(&d, digest, 32);
	mue_cbor_write(&w, wrapper, sizeof(wrapper));
	mue_cbor_put_array(&w, 1);
	mue_cbor_put_bytes(&w, structure, d.len);
	mue_cbor_write(&d, out, size);
	if (!x->untagged)
		mue_cbor_put_tag(&d, 107);
	mue_cbor_put_map(&d, x->severable ? 3 : 2);
	mue_cbor_put_uint(&d, 2);
	mue_cbor_put_bytes(&d, wrapper, w.len);
	mue_cbor_put_uint(&d, 3);
	mue_cbor_put_bytes(&d, manifest, n);
	if (x->severable) { /* a severed member without its digest in the manifest */
		mue_cbor_put_uint(&d, 16);
		mue_cbor_put_bytes(&d, "\x82\x0e\x0f", 3);
	}
	if (x->trailing)
		mue_cbor_put_uint(&d, 0);
	assert_true(d.len <= size);
	return d.len;
}

/* --- a port that records --- */

struct record {
	char log[512];
	const char *fail; /* the log entry that fails, e.g. "match0" */
	int verdict;
	int busy; /* how many times the next fetch says MUE_EBUSY */
};

static int note(const struct mue_suit_port *port, const char *what, uint8_t c)
{
	struct record *rec = port->ctx;
	size_t n = strlen(rec->log);
	char entry[32];

	snprintf(entry, sizeof(entry), "%s%u", what, c);
	snprintf(rec->log + n, sizeof(rec->log) - n, "%s%s", n ? " " : "", entry);
	return rec->fail && strcmp(rec->fail, entry) == 0 ? rec->verdict : 0;
}

static int check(const struct mue_suit_port *port, uint8_t condition, uint8_t c,
		 const struct mue_suit_params *p)
{
	char what[16];

	switch (condition) {
	case MUE_SUIT_C_IMAGE_MATCH:
		return note(port, "match", c);
	case MUE_SUIT_C_IMAGE_NOT_MATCH:
		return note(port, "differ", c);
	case MUE_SUIT_C_SLOT:
		snprintf(what, sizeof(what), "slot%u?", (unsigned)p->slot);
		return note(port, what, c);
	case MUE_SUIT_C_BATTERY:
		return note(port, "battery", c);
	case MUE_SUIT_C_USE_BEFORE:
		return note(port, "before", c);
	case MUE_SUIT_C_VERSION:
		return note(port, "version", c);
	case MUE_SUIT_C_AUTHORIZED:
		snprintf(what, sizeof(what), "allowed%d?", (int)p->priority);
		return note(port, what, c);
	default:
		return note(port, "other", c);
	}
}

static int fetch(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	struct record *rec = port->ctx;

	if (rec->busy > 0) {
		rec->busy--;
		note(port, "busy", c);
		return MUE_EBUSY;
	}
	assert_non_null(p->uri.data);
	return note(port, "fetch", c);
}

static int write_content(const struct mue_suit_port *port, uint8_t c,
			 const struct mue_suit_params *p)
{
	assert_non_null(p->content.data);
	return note(port, "write", c);
}

static int copy(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	char what[16];

	snprintf(what, sizeof(what), "copy%u>", p->source);
	return note(port, what, c);
}

static int swap(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	char what[16];

	snprintf(what, sizeof(what), "swap%u>", p->source);
	return note(port, what, c);
}

static int invoke(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	(void)p;
	return note(port, "invoke", c);
}

static int wait_for(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	(void)p;
	return note(port, "wait", c);
}

static int unlink_it(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	(void)p;
	return note(port, "unlink", c);
}

static const struct mue_suit_port_ops ops = {
	.check = check,
	.fetch = fetch,
	.write = write_content,
	.copy = copy,
	.swap = swap,
	.invoke = invoke,
	.wait = wait_for,
	.unlink = unlink_it,
};

static const uint8_t vendor[16] = { 0xfa, 0x6b, 0x4a, 0x53, 0xd5, 0xad, 0x5f, 0xdf,
				    0xbe, 0x9d, 0xe6, 0x63, 0xe4, 0xd4, 0x1f, 0xfe };
static const uint8_t class_id[16] = { 0x14, 0x92, 0xaf, 0x14, 0x25, 0x69, 0x5e, 0x48,
				      0xbf, 0x42, 0x9b, 0x2d, 0x51, 0xf2, 0xab, 0x45 };

static int run_one(const struct mue_suit *s, enum mue_suit_sequence sequence, struct record *rec,
		   const uint8_t *own_vendor)
{
	struct mue_suit_port port = { &ops, rec, own_vendor, class_id, NULL, false };
	struct mue_suit_params params[MUE_SUIT_COMPONENTS_MAX];
	struct mue_suit_run run;
	int r = mue_suit_start(&run, s, sequence, &port, params, MUE_SUIT_COMPONENTS_MAX, true);

	if (r < 0)
		return r;
	do
		r = mue_suit_step(&run);
	while (r == MUE_EBUSY);
	assert_int_equal(mue_suit_step(&run), r); /* asking again changes nothing */
	return r;
}

/* --- the draft's and libcsuit's examples --- */

#define P(name) "suit/libcsuit/suit_manifest_" name ".suit"

/* clang-format off */
static const struct {
	const char *says, *path;
	enum mue_suit_sequence sequence;
	const char *fail;
	int verdict; /* of that failure */
	int want;
	const char *log;
} examples[] = {
	{ "secure boot validates", P("exp0"), MUE_SUIT_VALIDATE, NULL, 0, 0, "match0" },
	{ "secure boot invokes", P("exp0"), MUE_SUIT_INVOKE, NULL, 0, 0, "invoke0" },
	{ "a sequence that is not there does nothing", P("exp0"), MUE_SUIT_INSTALL, NULL, 0, 0, "" },
	{ "an image that differs fails", P("exp0"), MUE_SUIT_VALIDATE, "match0", MUE_EDIGEST,
	  MUE_EDIGEST, "match0" },
	{ "download and install", P("exp1"), MUE_SUIT_INSTALL, NULL, 0, 0, "fetch0 match0" },
	{ "a failed fetch ends it", P("exp1"), MUE_SUIT_INSTALL, "fetch0", MUE_EIO, MUE_EIO,
	  "fetch0" },
	{ "a severed install cannot run", P("exp2A"), MUE_SUIT_INSTALL, NULL, 0, MUE_ENODATA, "" },
	{ "one that stands in the envelope can", P("exp2B"), MUE_SUIT_INSTALL, NULL, 0, 0,
	  "fetch0 match0" },
	{ "the first slot that fits is taken", P("exp3"), MUE_SUIT_INSTALL, NULL, 0, 0,
	  "slot0?0 slot0?0 fetch0 match0" },
	{ "else the second", P("exp3"), MUE_SUIT_INSTALL, "slot0?0", MUE_EADDRESS, 0,
	  "slot0?0 slot1?0 slot0?0 slot1?0 fetch0 match0" },
	{ "fetch into slot A fails and is no reason to try B", P("exp3"), MUE_SUIT_INSTALL, "fetch0",
	  MUE_EIO, MUE_EIO, "slot0?0 slot0?0 fetch0" },
	{ "every component is asked every condition", P("expU0"), MUE_SUIT_INSTALL, NULL, 0, 0,
	  "before0 battery0 version0 allowed-1?0 before1 battery1 version1 allowed-1?1" },
	{ "a condition of component 1 fails", P("expU0"), MUE_SUIT_INSTALL, "battery1", MUE_EBATTERY,
	  MUE_EBATTERY, "before0 battery0 version0 allowed-1?0 before1 battery1" },
	{ "wait, then fetch", P("expU2"), MUE_SUIT_PAYLOAD_FETCH, NULL, 0, 0,
	  "version0 wait0 battery0 fetch0 match0" },
	{ "an integrated payload is fetched by its name", P("expI"), MUE_SUIT_INSTALL, NULL, 0,
	  MUE_EVENDOR, "" },
	{ "content is written", P("expEW"), MUE_SUIT_INSTALL, NULL, 0, 0, "write0" },
};
/* clang-format on */

static void the_examples_do_what_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		struct record rec = { .fail = examples[i].fail, .verdict = examples[i].verdict };
		size_t len;
		uint8_t *bytes = vectors_load(examples[i].path, &len);
		struct mue_suit s;
		int r;

		if (!bytes) {
			print_message("# skipped: %s is not there\n", examples[i].path);
			skip();
		}
		assert_int_equal(mue_suit_open((struct mue_view){ bytes, len }, MUE_SUIT_P2, &s),
				 0);
		r = run_one(&s, examples[i].sequence, &rec, vendor);
		if (r != examples[i].want || strcmp(rec.log, examples[i].log) != 0)
			fail_msg("%s: got %d \"%s\", want %d \"%s\"", examples[i].says, r, rec.log,
				 examples[i].want, examples[i].log);
		free(bytes);
	}
}

static void another_vendor_or_class_is_told_apart(void **state)
{
	struct record rec = { .log = "" };
	uint8_t other[16] = { 1 };
	struct mue_suit s;
	size_t len;
	uint8_t *bytes = vectors_load(P("exp1"), &len);
	struct mue_suit_port port = { &ops, &rec, vendor, other, NULL, false };
	struct mue_suit_params params;
	struct mue_suit_run run;

	(void)state;
	if (!bytes)
		skip();
	assert_int_equal(mue_suit_open((struct mue_view){ bytes, len }, MUE_SUIT_P2, &s), 0);
	assert_int_equal(run_one(&s, MUE_SUIT_INSTALL, &rec, other), MUE_EVENDOR);
	assert_int_equal(run_one(&s, MUE_SUIT_INSTALL, &rec, NULL), MUE_EVENDOR);
	assert_int_equal(mue_suit_start(&run, &s, MUE_SUIT_INSTALL, &port, &params, 1, true), 0);
	assert_int_equal(mue_suit_step(&run), MUE_ECLASS);
	assert_string_equal(rec.log, "");
	assert_int_equal(mue_suit_start(&run, &s, MUE_SUIT_INSTALL, &port, &params, 0, true),
			 MUE_ENOSPC);
	free(bytes);
}

/* --- control flow, in hex --- */

/* [20, {3: << [-16, 32 zeros] >>, 21: "u", 18: h'01'}]: what fetch, write and match need */
#define DIGEST0                            \
	"035824822f5820"                   \
	"00000000000000000000000000000000" \
	"00000000000000000000000000000000"
#define PARAMS "14a3" DIGEST0 "12410115 6175"
#define MATCH  "030f"
#define FETCH  "1502"
#define WRITE  "120f"
#define ABORT  "0e0f"

/* clang-format off */
static const struct {
	const char *says;
	uint8_t components;
	const char *install; /* hex */
	const char *fail;
	int want;
	const char *log;
} flows[] = {
	{ "true applies a command to all", 3, "86 0cf5" PARAMS FETCH, NULL, 0,
	  "fetch0 fetch1 fetch2" },
	{ "an array applies it to some", 3, "86 0c820002" PARAMS FETCH, NULL, 0, "fetch0 fetch2" },
	{ "the index changes on the way", 2, "8c 0cf5" PARAMS "0c01" FETCH "0c00" FETCH, NULL, 0,
	  "fetch1 fetch0" },
	{ "parameters are per component", 2, "86 0c00" PARAMS "0c01", NULL, 0, "" },
	{ "fetch without a URI is refused", 2, "88 0c00" PARAMS "0c01" FETCH, NULL, MUE_EFORMAT, "" },
	{ "match without a digest does not hold", 1, "82" MATCH, NULL, MUE_ECONDITION, "" },
	{ "abort aborts", 1, "86" PARAMS ABORT FETCH, NULL, MUE_ECONDITION, "" },
	/* 15: try-each [<<[abort]>>, <<[fetch]>>] */
	{ "the second alternative after an abort", 1, "84" PARAMS "0f82 43820e0f 43821502", NULL, 0,
	  "fetch0" },
	{ "no alternative left fails with the last verdict", 1, "86" PARAMS
	  "0f82 43820e0f 4382030f" FETCH, "match0", MUE_EDIGEST, "match0" },
	{ "nil as the last alternative goes on", 1, "86" PARAMS "0f82 43820e0f f6" FETCH, NULL, 0,
	  "fetch0" },
	{ "soft failure switched off in an alternative", 1,
	  "84" PARAMS "0f82 47 8414a10df4 0e0f 43821502", NULL, MUE_ECONDITION, "" },
	{ "a failed directive is not soft", 1, "84" PARAMS "0f82 43821502 4382030f", "fetch0",
	  MUE_EDIGEST, "fetch0" },
	/* 32: run-sequence */
	{ "a run-sequence", 1, "86" PARAMS "182043821502" MATCH, NULL, 0, "fetch0 match0" },
	{ "a run-sequence passes its failure on", 1, "86" PARAMS "18204382030f" FETCH, "match0",
	  MUE_EDIGEST, "match0" },
	{ "a soft one does not", 1, "86" PARAMS "1820478414a10df5030f" FETCH, "match0", 0,
	  "match0 fetch0" },
	{ "a run-sequence for each component", 2, "86 0cf5" PARAMS "182045 84 1502030f", NULL, 0,
	  "fetch0 match0 fetch1 match1" },
	{ "an index set inside stays inside", 2, "88 0cf5" PARAMS "1820 45 84 0c01 1502" MATCH, NULL,
	  0, "fetch1 fetch1 match0 match1" },
	{ "a failed try-each inside an alternative tries the outer next", 1,
	  "84" PARAMS "0f82 4b 820f82 43820e0f 43820e0f 43821502", NULL, 0, "fetch0" },
	{ "copy from component 0", 2, "88 0cf5" PARAMS "0c01 14a11600"
	  "", NULL, 0, "" },
	{ "copy and swap name their source", 2, "88 0c01 14a11600 160f 181f0f", NULL, 0,
	  "copy0>1 swap0>1" },
	{ "a component is not copied from itself", 2, "86 0c01 14a11601 160f", NULL, MUE_EFORMAT, "" },
	{ "image-not-match asks the port", 1, "84" PARAMS "18190f", NULL, 0, "differ0" },
	{ "override-multiple sets parameters and the index", 2,
	  "84 1822a2 00a1156161 01a1156162 1502", NULL, 0, "fetch1" },
	{ "copy-params", 2, "88 0c00" PARAMS "0c01 1823a100 8115" , NULL, 0, "" },
	{ "copied parameters are there", 2, "8a 0c00" PARAMS "0c01 1823a1008115" FETCH, NULL, 0,
	  "fetch1" },
};
/* clang-format on */

static void control_flow(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
		struct record rec = { .fail = flows[i].fail, .verdict = MUE_EDIGEST };
		struct recipe x = { .install = flows[i].install,
				    .components = flows[i].components };
		uint8_t env[2048];
		size_t n = make_envelope(&x, env, sizeof(env));
		struct mue_suit s;
		int r = mue_suit_open((struct mue_view){ env, n }, MUE_SUIT_P2, &s);

		if (r < 0)
			fail_msg("%s: does not open: %d", flows[i].says, r);
		r = run_one(&s, MUE_SUIT_INSTALL, &rec, vendor);
		if (r != flows[i].want || strcmp(rec.log, flows[i].log) != 0)
			fail_msg("%s: got %d \"%s\", want %d \"%s\"", flows[i].says, r, rec.log,
				 flows[i].want, flows[i].log);
	}
}

static void a_busy_fetch_is_asked_again_and_only_that(void **state)
{
	struct record rec = { .busy = 3 };
	struct recipe x = { .install = "88 0cf5" PARAMS FETCH MATCH, .components = 2 };
	uint8_t env[1024];
	size_t n = make_envelope(&x, env, sizeof(env));
	struct mue_suit s;

	(void)state;
	assert_int_equal(mue_suit_open((struct mue_view){ env, n }, MUE_SUIT_P2, &s), 0);
	assert_int_equal(run_one(&s, MUE_SUIT_INSTALL, &rec, vendor), 0);
	assert_string_equal(rec.log, "busy0 busy0 busy0 fetch0 fetch1 match0 match1");
}

static void a_port_without_the_function_refuses(void **state)
{
	static const struct mue_suit_port_ops none = { .check = NULL };
	struct mue_suit_port port = { &none, NULL, vendor, class_id, NULL, false };
	static const char *const installs[] = { "84" PARAMS FETCH, "84" PARAMS MATCH,
						"84" PARAMS WRITE };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct recipe x = { .install = installs[i], .components = 1 };
		struct mue_suit_params params;
		struct mue_suit_run run;
		uint8_t env[1024];
		size_t n = make_envelope(&x, env, sizeof(env));
		struct mue_suit s;

		assert_int_equal(mue_suit_open((struct mue_view){ env, n }, MUE_SUIT_P2, &s), 0);
		assert_int_equal(
			mue_suit_start(&run, &s, MUE_SUIT_INSTALL, &port, &params, 1, true), 0);
		assert_int_equal(mue_suit_step(&run), MUE_EPROFILE);
	}
}

/* --- refusals --- */

/* clang-format off */
static const struct {
	const char *says;
	struct recipe x;
	int p1, p2; /* verdicts */
} refusals[] = {
	{ "nothing wrong", { .install = "84" PARAMS FETCH, .components = 1 }, 0, 0 },
	{ "without a tag", { .install = "84" PARAMS FETCH, .components = 1, .untagged = true }, 0, 0 },
	{ "two digests", { .install = "84" PARAMS FETCH, .components = 1, .two_digests = true },
	  MUE_EFORMAT, MUE_EFORMAT },
	{ "trailing bytes", { .install = "84" PARAMS FETCH, .components = 1, .trailing = true },
	  MUE_EFORMAT, MUE_EFORMAT },
	{ "a severed member that the manifest has no digest of",
	  { .install = "84" PARAMS FETCH, .components = 1, .severable = true }, MUE_EFORMAT,
	  MUE_EFORMAT },
	{ "manifest version 2", { .components = 1, .version = 2 }, MUE_EPROFILE, MUE_EPROFILE },
	{ "no component", { .components = 0 }, MUE_EFORMAT, MUE_EFORMAT },
	{ "5 components", { .components = 5 }, MUE_EPROFILE, 0 },
	{ "17 components", { .components = 17 }, MUE_EPROFILE, MUE_EPROFILE },
	{ "an empty dependency resolution", { .components = 1, .extra = 15 }, MUE_ETRUNC, MUE_ETRUNC },
	{ "candidate verification", { .components = 1, .extra = 18 }, MUE_EPROFILE, MUE_EPROFILE },
	{ "an unknown manifest member", { .components = 1, .extra = 11 }, MUE_EPROFILE, MUE_EPROFILE },
	{ "an empty sequence", { .install = "80", .components = 1 }, MUE_EFORMAT, MUE_EFORMAT },
	{ "a command without argument", { .install = "8103", .components = 1 }, MUE_EFORMAT,
	  MUE_EFORMAT },
	{ "bytes after the sequence", { .install = "82030f00", .components = 1 }, MUE_EFORMAT,
	  MUE_EFORMAT },
	{ "a reporting policy of five bits", { .install = "820310", .components = 1 }, MUE_EFORMAT,
	  MUE_EFORMAT },
	{ "a custom command", { .install = "8239010000", .components = 1 }, MUE_EPROFILE,
	  MUE_EPROFILE },
	{ "an unknown command", { .install = "82181e0f", .components = 1 }, MUE_EPROFILE,
	  MUE_EPROFILE },
	{ "process-dependency without dependencies", { .install = "820b0f", .components = 1 },
	  MUE_EFORMAT, MUE_EFORMAT },
	{ "dependency-integrity without dependencies", { .install = "82070f", .components = 1 },
	  MUE_EFORMAT, MUE_EFORMAT },
	{ "is-dependency without dependencies", { .install = "82080f", .components = 1 }, 0, 0 },
	{ "unlink outside uninstall", { .install = "8218210f", .components = 1 }, MUE_EPROFILE,
	  MUE_EPROFILE },
	{ "an index beyond the components", { .install = "820c01", .components = 1 }, MUE_EFORMAT,
	  MUE_EFORMAT },
	{ "an index array that does not rise", { .install = "820c820100", .components = 2 },
	  MUE_EPROFILE, MUE_EFORMAT },
	{ "an empty index array", { .install = "820c80", .components = 2 }, MUE_EPROFILE,
	  MUE_EFORMAT },
	{ "index false", { .install = "820cf4", .components = 2 }, MUE_EPROFILE, MUE_EFORMAT },
	{ "several components and no index first", { .install = "82030f", .components = 2 },
	  MUE_EFORMAT, MUE_EFORMAT },
	{ "index true", { .install = "820cf5", .components = 2 }, MUE_EPROFILE, 0 },
	{ "try-each", { .install = "820f8243820e0f43820e0f", .components = 1 }, MUE_EPROFILE, 0 },
	{ "try-each of one", { .install = "820f8143820e0f", .components = 1 }, MUE_EPROFILE,
	  MUE_EFORMAT },
	{ "nil that is not last", { .install = "820f82f643820e0f", .components = 1 }, MUE_EPROFILE,
	  MUE_EFORMAT },
	{ "run-sequence", { .install = "82182043820e0f", .components = 1 }, MUE_EPROFILE, 0 },
	{ "six sequences inside each other", { .install = "82182053 8218204f 8218204b 82182047"
	  "82182043 82030f", .components = 1 }, MUE_EPROFILE, 0 },
	{ "seven", { .install = "82182057 82182053 8218204f 8218204b 82182047 82182043 82030f",
	  .components = 1 }, MUE_EPROFILE, MUE_EPROFILE },
	{ "no parameters", { .install = "8214a0", .components = 1 }, MUE_EFORMAT, MUE_EFORMAT },
	{ "an unknown parameter", { .install = "8214a1181e00", .components = 1 }, MUE_EPROFILE,
	  MUE_EPROFILE },
	{ "a parameter twice", { .install = "8214a20e000e00", .components = 1 }, MUE_ECANON,
	  MUE_ECANON },
	{ "a vendor of 15 bytes", { .install = "8214a1014f000000000000000000000000000000",
	  .components = 1 }, MUE_EFORMAT, MUE_EFORMAT },
	{ "a vendor named by an enterprise number", { .install = "8214a101d8704101", .components = 1 },
	  MUE_EFORMAT, MUE_EFORMAT },
	{ "a SHA-512 digest", { .install = "8214a1034582382b4100", .components = 1 }, MUE_EPROFILE,
	  MUE_EPROFILE },
	{ "a digest of one byte", { .install = "8214a10344822f4100", .components = 1 }, MUE_EFORMAT,
	  MUE_EFORMAT },
	{ "a size that is negative", { .install = "8214a10e20", .components = 1 }, MUE_EFORMAT,
	  MUE_EFORMAT },
	{ "a battery of 101 per cent", { .install = "8214a13901041865", .components = 1 },
	  MUE_EPROFILE, MUE_EPROFILE },
	{ "a source that is no component", { .install = "8214a11601", .components = 1 }, MUE_EFORMAT,
	  MUE_EFORMAT },
	{ "soft-failure outside", { .install = "8214a10df5", .components = 1 }, MUE_EFORMAT,
	  MUE_EFORMAT },
	{ "encryption info", { .install = "8214a1134100", .components = 1 }, MUE_EPROFILE, 0 },
	{ "a custom parameter in the shared sequence", { .shared = "8214a139010001",
	  .components = 1 }, MUE_EFORMAT, MUE_EFORMAT },
	{ "a fetch in the shared sequence", { .shared = "821502", .components = 1 }, MUE_EFORMAT,
	  MUE_EFORMAT },
};
/* clang-format on */

static void each_profile_refuses_what_it_must(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		uint8_t env[2048];
		size_t n = make_envelope(&refusals[i].x, env, sizeof(env));
		struct mue_view v = { env, n };
		struct mue_suit s;
		int p1 = mue_suit_open(v, MUE_SUIT_P1, &s), p2 = mue_suit_open(v, MUE_SUIT_P2, &s);

		if (p1 != refusals[i].p1 || p2 != refusals[i].p2)
			fail_msg("%s: P1 gives %d, want %d; P2 gives %d, want %d", refusals[i].says,
				 p1, refusals[i].p1, p2, refusals[i].p2);
		if (mue_suit_open(v, MUE_SUIT_P0, &s) == 0)
			fail_msg("%s: P0 takes it", refusals[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_do_what_they_say),
		cmocka_unit_test(another_vendor_or_class_is_told_apart),
		cmocka_unit_test(control_flow),
		cmocka_unit_test(a_busy_fetch_is_asked_again_and_only_that),
		cmocka_unit_test(a_port_without_the_function_refuses),
		cmocka_unit_test(each_profile_refuses_what_it_must),
	};

	return cmocka_run_group_tests_name("suit_run", tests, NULL, NULL);
}
