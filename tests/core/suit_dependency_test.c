/*
 * SUIT dependencies (draft-ietf-suit-trust-domains): libcsuit's two examples run over a port that
 * records and that runs the dependency with an interpreter of its own; envelopes made here for what
 * must be refused; every damage to an integrated dependency.
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

#define P(name) "suit/libcsuit/suit_manifest_" name ".suit"

static struct vectors_key key;

/* --- a port that records, and runs one dependency --- */

struct record {
	char log[512];
	const struct mue_suit *suit;                            /* the dependent */
	struct mue_suit_params params[MUE_SUIT_COMPONENTS_MAX]; /* and its run's */
	struct record *inner; /* of the dependency's run; NULL: only note it */
	bool inside;          /* this is the dependency's */
	bool any_key;
	int busy; /* how many times a dependency says MUE_EBUSY first */
};

static int note(const struct mue_suit_port *port, const char *what, uint8_t c)
{
	struct record *rec = port->ctx;
	size_t n = strlen(rec->log);

	snprintf(rec->log + n, sizeof(rec->log) - n, "%s%s%u", n ? " " : "", what, c);
	return 0;
}

static int opened(const struct record *rec, const struct mue_suit_params *p, struct mue_suit *ret)
{
	struct mue_verifier v = { &vectors_verifier_ops, &key };
	struct mue_view envelope;
	int r = mue_suit_integrated(rec->suit, p->uri, &envelope);

	if (r == 0)
		r = mue_suit_dependency_open(rec->suit, p, envelope, ret);
	if (r == 0 && !rec->any_key)
		r = mue_suit_verify(ret, &v, NULL);
	return r;
}

static int check(const struct mue_suit_port *port, uint8_t condition, uint8_t c,
		 const struct mue_suit_params *p)
{
	const struct record *rec = port->ctx;
	struct mue_suit dependency;

	if (condition != MUE_SUIT_C_DEPENDENCY_INTEGRITY)
		return note(port, condition == MUE_SUIT_C_IMAGE_MATCH ? "match" : "other", c);
	note(port, "integrity", c);
	return rec->inner ? opened(rec, p, &dependency) : 0;
}

static int fetch(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	assert_non_null(p->uri.data);
	return note(port, "fetch", c);
}

static int write_content(const struct mue_suit_port *port, uint8_t c,
			 const struct mue_suit_params *p)
{
	const struct record *rec = port->ctx;

	assert_non_null(p->content.data);
	if (rec->inside) /* libcsuit's example: the dependent says how it is encrypted */
		assert_non_null(p->encryption.data);
	return note(port, "write", c);
}

static int invoke(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	assert_non_null(p->invoke_args.data);
	return note(port, "invoke", c);
}

static int process(const struct mue_suit_port *port, uint8_t sequence, uint8_t c,
		   const struct mue_suit_params *p);

static const struct mue_suit_port_ops ops = {
	.check = check,
	.fetch = fetch,
	.write = write_content,
	.invoke = invoke,
	.dependency = process,
};

static int process(const struct mue_suit_port *port, uint8_t sequence, uint8_t c,
		   const struct mue_suit_params *p)
{
	struct record *rec = port->ctx;
	struct mue_suit_port own = { &ops, rec->inner, NULL, NULL, NULL, true };
	struct mue_suit_params params[MUE_SUIT_COMPONENTS_MAX];
	struct mue_suit_run run;
	struct mue_suit dependency;
	int r;

	if (rec->busy > 0) {
		rec->busy--;
		note(port, "busy", c);
		return MUE_EBUSY;
	}
	note(port, "process", c);
	if (!rec->inner)
		return 0;
	r = opened(rec, p, &dependency);
	if (r < 0)
		return r;
	assert_int_equal(mue_suit_dependency_params(rec->suit, rec->params, &dependency, params, 0),
			 MUE_ENOSPC);
	r = mue_suit_dependency_params(rec->suit, rec->params, &dependency, params,
				       MUE_SUIT_COMPONENTS_MAX);
	if (r == 0)
		r = mue_suit_start(&run, &dependency, (enum mue_suit_sequence)sequence, &own,
				   params, MUE_SUIT_COMPONENTS_MAX, false);
	return r < 0 ? r : mue_suit_step(&run);
}

static int run_one(const struct mue_suit *s, enum mue_suit_sequence sequence, struct record *rec)
{
	struct mue_suit_port port = { &ops, rec, NULL, NULL, NULL, true };
	struct mue_suit_run run;
	int r = mue_suit_start(&run, s, sequence, &port, rec->params, MUE_SUIT_COMPONENTS_MAX,
			       true);

	rec->suit = s;
	while (r == 0 && (r = mue_suit_step(&run)) == MUE_EBUSY)
		r = 0;
	return r;
}

/* Opens a vector as P2; the caller frees.  NULL: the shared data is not there. */
static uint8_t *load(const char *path, struct mue_suit *ret)
{
	size_t len;
	uint8_t *bytes = vectors_load(path, &len);

	if (bytes)
		assert_int_equal(mue_suit_open((struct mue_view){ bytes, len }, MUE_SUIT_P2, ret),
				 0);
	else
		print_message("# skipped: %s is not there\n", path);
	return bytes;
}

/* --- the examples --- */

static void the_integrated_example_runs_its_dependency(void **state)
{
	struct record inner = { .inside = true }, rec = { .inner = &inner, .busy = 2 };
	static struct mue_suit_info info;
	struct mue_suit s;
	uint8_t *bytes = load(P("expED"), &s);

	(void)state;
	if (!bytes)
		skip();
	assert_int_equal(s.component_count, 2);
	assert_int_equal(s.dependency_mask, 2);
	assert_int_equal(run_one(&s, MUE_SUIT_INSTALL, &rec), 0);
	assert_string_equal(rec.log, "fetch1 integrity1 busy1 busy1 process1");
	assert_string_equal(inner.log, "write0 match0");
	assert_int_equal(mue_suit_describe(&s, &info), 0);
	assert_int_equal(info.component_count, 2);
	assert_false(info.component[0].dependency);
	assert_true(info.component[1].dependency);
	assert_int_equal(info.component[1].payload.len, 247);
	assert_int_equal(info.component[1].name.len, 27); /* ['dependency-manifest.suit'] */
	free(bytes);
}

static void the_fetched_example_resolves_installs_and_invokes(void **state)
{
	static const struct {
		enum mue_suit_sequence sequence;
		const char *log;
	} rows[] = {
		{ MUE_SUIT_DEPENDENCY_RESOLUTION, "fetch1 match1" },
		{ MUE_SUIT_INSTALL, "integrity1 process1 write0" },
		{ MUE_SUIT_INVOKE, "invoke0" },
		{ MUE_SUIT_VALIDATE, "" },
	};
	struct mue_suit s;
	uint8_t *bytes = load(P("expS2"), &s);

	(void)state;
	if (!bytes)
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record rec = { .log = "" };

		assert_int_equal(run_one(&s, rows[i].sequence, &rec), 0);
		assert_string_equal(rec.log, rows[i].log);
	}
	free(bytes);
}

static void a_port_without_dependencies_refuses(void **state)
{
	static const struct mue_suit_port_ops agent = { .check = check, .fetch = fetch };
	struct record rec = { .log = "" };
	struct mue_suit_port port = { &agent, &rec, NULL, NULL, NULL, true };
	struct mue_suit_params params[2];
	struct mue_suit_run run;
	struct mue_suit s;
	uint8_t *bytes = load(P("expED"), &s);

	(void)state;
	if (!bytes)
		skip();
	assert_int_equal(mue_suit_start(&run, &s, MUE_SUIT_INSTALL, &port, params, 1, true),
			 MUE_ENOSPC);
	assert_int_equal(mue_suit_start(&run, &s, MUE_SUIT_INSTALL, &port, params, 2, true), 0);
	assert_int_equal(mue_suit_step(&run), MUE_EPROFILE);
	assert_int_equal(run.command, MUE_SUIT_D_PROCESS_DEPENDENCY);
	assert_string_equal(rec.log, "fetch1 integrity1");
	free(bytes);
}

/* Opens the dependent and its dependency, and verifies the latter. */
static int verdict(struct mue_view envelope, struct mue_view uri, const uint8_t digest[32])
{
	struct mue_verifier v = { &vectors_verifier_ops, &key };
	struct mue_suit_params p = { .digest = { digest, 32 } };
	struct mue_view inside;
	struct mue_suit s, dependency;
	int r = mue_suit_open(envelope, MUE_SUIT_P2, &s);

	if (r == 0)
		r = mue_suit_integrated(&s, uri, &inside);
	if (r == 0)
		r = mue_suit_dependency_open(&s, &p, inside, &dependency);
	return r < 0 ? r : mue_suit_verify(&dependency, &v, NULL);
}

static void a_damaged_dependency_is_refused(void **state)
{
	static const char uri_text[] = "#dependency-manifest";
	struct mue_view uri = { (const uint8_t *)uri_text, sizeof(uri_text) - 1 };
	struct mue_suit s, dependency;
	struct mue_suit_params p;
	struct mue_view inside;
	uint8_t digest[32], *bytes = load(P("expED"), &s), *at;

	(void)state;
	if (!bytes)
		skip();
	assert_int_equal(mue_suit_integrated(&s, uri, &inside), 0);
	memset(&p, 0, sizeof(p));
	assert_int_equal(mue_suit_dependency_open(&s, &p, inside, &dependency), MUE_ECONDITION);
	p.digest = (struct mue_view){ s.digest, 32 };
	assert_int_equal(mue_suit_dependency_open(&s, &p, inside, &dependency), MUE_EDIGEST);
	at = bytes + (inside.data - bytes);
	/* d8 6b a2 02 58 73 82 58 24 82 2f 58 20: the manifest's digest follows */
	memcpy(digest, at + 13, 32);
	assert_int_equal(verdict(s.envelope, uri, digest), 0);
	p.digest = (struct mue_view){ digest, 32 };
	while (inside.len > 0) {
		inside.len--;
		assert_int_not_equal(mue_suit_dependency_open(&s, &p, inside, &dependency), 0);
	}
	for (size_t bit = 0; bit < s.integrated.len * 8; bit++) {
		uint8_t *flipped = bytes + (s.integrated.data - bytes) + bit / 8;
		uint8_t mask = (uint8_t)(1 << bit % 8);

		*flipped ^= mask;
		if (verdict(s.envelope, uri, digest) == 0)
			fail_msg("bit %zu of byte %zu may flip", bit % 8, bit / 8);
		*flipped ^= mask;
	}
	free(bytes);
}

/* --- envelopes made here --- */

/* One manifest of one component h'00', with suit-dependencies and an install sequence in hex;
 * `integrated` goes into the envelope as "#d". */
static size_t make(const char *dependencies, const char *install, struct mue_view integrated,
		   uint8_t *out, size_t size)
{
	uint8_t common[256], manifest[1024], digest[32], structure[64], wrapper[96], bytes[256];
	struct mue_cbor_writer w, m;
	size_t n;

	mue_cbor_write(&w, common, sizeof(common));
	mue_cbor_put_map(&w, dependencies ? 2 : 1);
	if (dependencies) {
		n = vectors_unhex(dependencies, bytes, sizeof(bytes));
		mue_cbor_put_uint(&w, 1);
		mue_cbor_put_raw(&w, bytes, n);
	}
	mue_cbor_put_uint(&w, 2);
	mue_cbor_put_raw(&w, "\x81\x81\x41\x00", 4);
	mue_cbor_write(&m, manifest, sizeof(manifest));
	mue_cbor_put_map(&m, 4);
	mue_cbor_put_raw(&m, "\x01\x01\x02\x07\x03", 5);
	mue_cbor_put_bytes(&m, common, w.len);
	mue_cbor_put_uint(&m, 20);
	n = vectors_unhex(install, bytes, sizeof(bytes));
	mue_cbor_put_bytes(&m, bytes, n);
	mue_suit_hash_bstr((struct mue_view){ manifest, m.len }, digest);
	mue_cbor_write(&w, structure, sizeof(structure));
	mue_cbor_put_array(&w, 2);
	mue_cbor_put_int(&w, -16);
	mue_cbor_put_bytes(&w, digest, 32);
	n = w.len;
	mue_cbor_write(&w, wrapper, sizeof(wrapper));
	mue_cbor_put_array(&w, 1);
	mue_cbor_put_bytes(&w, structure, n);
	n = w.len;
	mue_cbor_write(&w, out, size);
	mue_cbor_put_tag(&w, 107);
	mue_cbor_put_map(&w, integrated.data ? 3 : 2);
	mue_cbor_put_uint(&w, 2);
	mue_cbor_put_bytes(&w, wrapper, n);
	mue_cbor_put_uint(&w, 3);
	mue_cbor_put_bytes(&w, manifest, m.len);
	if (integrated.data) {
		mue_cbor_put_text(&w, "#d", 2);
		mue_cbor_put_bytes(&w, integrated.data, integrated.len);
	}
	assert_true(w.len <= size && m.len <= sizeof(manifest));
	return w.len;
}

#define NAMED "a101814164" /* {1: ['d']} */

/* clang-format off */
static const struct {
	const char *says, *dependencies, *install;
	int p1, p2; /* verdicts of open */
} forms[] = {
	{ "a dependency behind the components", "a101" NAMED, "840c01080f", 0, 0 },
	{ "one among them", "a100a0", "82080f", 0, 0 },
	{ "three behind: four components", "a301" NAMED "02" NAMED "03" NAMED, "840c03080f", 0, 0 },
	{ "four behind: five components", "a401" NAMED "02" NAMED "03" NAMED "04" NAMED,
	  "840c04080f", MUE_EPROFILE, 0 },
	{ "a gap in the indices", "a102" NAMED, "840c00080f", MUE_EFORMAT, MUE_EFORMAT },
	{ "one behind without a name", "a101a0", "840c00080f", MUE_EFORMAT, MUE_EFORMAT },
	{ "an empty map", "a0", "82080f", MUE_EFORMAT, MUE_EFORMAT },
	{ "an array", "8100", "82080f", MUE_EFORMAT, MUE_EFORMAT },
	{ "indices that fall", "a201" NAMED "00a0", "840c00080f", MUE_ECANON, MUE_ECANON },
	{ "a negative index", "a120a0", "82080f", MUE_EFORMAT, MUE_EFORMAT },
	{ "a member that we do not know", "a100a10200", "82080f", MUE_EPROFILE, MUE_EPROFILE },
	{ "a prefix that is no component id", "a100a10141 00", "82080f", MUE_EFORMAT, MUE_EFORMAT },
	{ "several components and no index first", "a101" NAMED, "82080f", MUE_EFORMAT,
	  MUE_EFORMAT },
	{ "an index beyond the dependencies", "a101" NAMED, "840c02080f", MUE_EFORMAT,
	  MUE_EFORMAT },
};
/* clang-format on */

static void the_form_is_checked(void **state)
{
	struct mue_view none = { NULL, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		uint8_t env[1024];
		size_t n = make(forms[i].dependencies, forms[i].install, none, env, sizeof(env));
		struct mue_suit s;
		int p1 = mue_suit_open((struct mue_view){ env, n }, MUE_SUIT_P1, &s);
		int p2 = mue_suit_open((struct mue_view){ env, n }, MUE_SUIT_P2, &s);

		if (p1 != forms[i].p1 || p2 != forms[i].p2)
			fail_msg("%s: P1 gives %d, want %d; P2 gives %d, want %d", forms[i].says,
				 p1, forms[i].p1, p2, forms[i].p2);
		if (mue_suit_open((struct mue_view){ env, n }, MUE_SUIT_P0, &s) == 0)
			fail_msg("%s: P0 takes it", forms[i].says);
	}
}

/* [12, i, 20, {3: << [-16, 32 zeros] >>}, ...]: a digest that no manifest has */
#define DIGEST0                            \
	"14a1035824822f5820"               \
	"00000000000000000000000000000000" \
	"00000000000000000000000000000000"

static void only_dependencies_are_processed(void **state)
{
	static const struct {
		const char *says, *install;
		int want;
		const char *log;
	} rows[] = {
		{ "the dependency is one", "840c01080f", 0, "" },
		{ "component 0 is none", "840c00080f", MUE_ECONDITION, "" },
		{ "nor is its integrity asked", "860c00" DIGEST0 "070f", MUE_ECONDITION, "" },
		{ "nor is it processed", "860c00" DIGEST0 "0b0f", MUE_EFORMAT, "" },
		{ "integrity without a digest", "840c01070f", MUE_ECONDITION, "" },
		{ "processing without a digest", "840c010b0f", MUE_EFORMAT, "" },
		{ "with one", "880c01" DIGEST0 "070f0b0f", 0, "integrity1 process1" },
	};
	struct mue_view none = { NULL, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record rec = { .log = "" };
		uint8_t env[1024];
		size_t n = make("a101" NAMED, rows[i].install, none, env, sizeof(env));
		struct mue_suit s;
		int r = mue_suit_open((struct mue_view){ env, n }, MUE_SUIT_P1, &s);

		if (r == 0)
			r = run_one(&s, MUE_SUIT_INSTALL, &rec);
		if (r != rows[i].want || strcmp(rec.log, rows[i].log) != 0)
			fail_msg("%s: got %d \"%s\", want %d \"%s\"", rows[i].says, r, rec.log,
				 rows[i].want, rows[i].log);
	}
}

/* A dependent of the given envelope, which it integrates and processes. */
static int run_dependent_of(struct mue_view inside, struct record *rec)
{
	char install[256], *at = install;
	uint8_t env[2048];
	struct mue_suit s, d;
	size_t n;
	int r = mue_suit_open(inside, MUE_SUIT_P1, &d);

	assert_int_equal(r, 0);
	at += sprintf(at, "880c0114a2035824822f5820");
	for (int i = 0; i < 32; i++)
		at += sprintf(at, "%02x", d.digest[i]);
	sprintf(at, "15622364070f0b0f");
	n = make("a101" NAMED, install, inside, env, sizeof(env));
	r = mue_suit_open((struct mue_view){ env, n }, MUE_SUIT_P1, &s);
	assert_int_equal(r, 0);
	return run_one(&s, MUE_SUIT_INSTALL, rec);
}

static void one_level_and_no_more(void **state)
{
	struct mue_view none = { NULL, 0 };
	struct record inner = { .log = "" }, rec = { .inner = &inner, .any_key = true };
	uint8_t leaf[512], middle[1024];
	size_t n = make(NULL, "8414a115617515 02", none, leaf, sizeof(leaf));

	(void)state;
	assert_int_equal(run_dependent_of((struct mue_view){ leaf, n }, &rec), 0);
	assert_string_equal(rec.log, "integrity1 process1");
	assert_string_equal(inner.log, "fetch0");
	memset(rec.log, 0, sizeof(rec.log));
	n = make("a100a0", "82080f", none, middle, sizeof(middle));
	assert_int_equal(run_dependent_of((struct mue_view){ middle, n }, &rec), MUE_EPROFILE);
	assert_string_equal(rec.log, "integrity1");
}

static int setup(void **state)
{
	(void)state;
	if (vectors_key_from_pem("suit/libcsuit/key/trust_anchor_secp256r1_pub.pem", &key) < 0)
		print_message("# no keys below MUE_SHARED/vectors/suit\n");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_integrated_example_runs_its_dependency),
		cmocka_unit_test(the_fetched_example_resolves_installs_and_invokes),
		cmocka_unit_test(a_port_without_dependencies_refuses),
		cmocka_unit_test(a_damaged_dependency_is_refused),
		cmocka_unit_test(the_form_is_checked),
		cmocka_unit_test(only_dependencies_are_processed),
		cmocka_unit_test(one_level_and_no_more),
	};

	return cmocka_run_group_tests_name("suit_dependency", tests, setup, NULL);
}
