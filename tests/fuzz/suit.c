/*
 * SUIT: an even first byte makes the rest an envelope, an odd one a manifest that is put into an
 * envelope with the right digest and a signature block, so that mutations reach the sequences.
 * What opens is described and run in every sequence; the boot profile reads it too, and what it
 * takes P2 must take.
 * FUZZ_SOURCES: core/cbor_read.c core/cbor_write.c core/cose.c core/cose_tbs.c
 * FUZZ_SOURCES: core/lms.c core/sha256.c core/suit_check.c core/suit_command.c
 * FUZZ_SOURCES: core/suit_dependency.c core/suit_describe.c core/suit_open.c core/suit_p0.c
 * FUZZ_SOURCES: core/suit_params.c core/suit_run.c core/suit_verify.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/suit.h"
#include "core/suit_command.h"
#include "core/suit_p0.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 20000

static unsigned calls;

static int check(const struct mue_suit_port *port, uint8_t condition, uint8_t c,
		 const struct mue_suit_params *p)
{
	(void)port;
	(void)p;
	return (calls++ + condition + c) % 3 == 0 ? MUE_ECONDITION : 0;
}

/* Reads what it is handed. */
static int touch(const struct mue_suit_port *port, uint8_t c, const struct mue_suit_params *p)
{
	unsigned sum = c;

	(void)port;
	for (size_t i = 0; i < p->uri.len; i++)
		sum += p->uri.data[i];
	for (size_t i = 0; i < p->content.len; i++)
		sum += p->content.data[i];
	for (size_t i = 0; i < p->digest.len; i++)
		sum += p->digest.data[i];
	calls += sum;
	return calls % 5 == 0 ? MUE_EBUSY : 0;
}

static const struct mue_suit *dependent;
static const struct mue_suit_params *said;

/* Opens what is integrated under the URI, runs its sequence one level down. */
static int process(const struct mue_suit_port *port, uint8_t sequence, uint8_t c,
		   const struct mue_suit_params *p);

static const struct mue_suit_port_ops ops = { check, touch, touch, touch,  touch,
					      touch, touch, touch, process };

static int process(const struct mue_suit_port *port, uint8_t sequence, uint8_t c,
		   const struct mue_suit_params *p)
{
	struct mue_suit_params params[MUE_SUIT_COMPONENTS_MAX];
	struct mue_view inside;
	struct mue_suit_run run;
	struct mue_suit s;

	if (mue_suit_integrated(dependent, p->uri, &inside) != 0 ||
	    mue_suit_dependency_open(dependent, p, inside, &s) != 0)
		return touch(port, c, p);
	if (s.dependency_mask != 0 || !(dependent->dependency_mask >> c & 1))
		abort();
	if (mue_suit_dependency_params(dependent, said, &s, params, MUE_SUIT_COMPONENTS_MAX) != 0)
		abort();
	if (mue_suit_start(&run, &s, (enum mue_suit_sequence)sequence, port, params,
			   MUE_SUIT_COMPONENTS_MAX, false) != 0)
		return 0;
	for (unsigned n = 0; n < STEPS_MAX && mue_suit_step(&run) == MUE_EBUSY; n++)
		;
	return 0;
}

static int agree(const struct mue_verifier *v, const struct mue_cose_id *id,
		 const struct mue_lms_source *tbs, const struct mue_lms_source *sig)
{
	uint8_t bytes[4096];

	(void)v;
	(void)id;
	if (tbs->size <= sizeof(bytes) && mue_cose_source_copy(tbs, 0, bytes, tbs->size) != 0)
		abort();
	if (sig->size <= sizeof(bytes) && mue_cose_source_copy(sig, 0, bytes, sig->size) != 0)
		abort();
	return 0;
}

static void run_all(const struct mue_suit *s)
{
	struct mue_suit_port port = { &ops, NULL, NULL, NULL, NULL, true };
	struct mue_suit_params params[MUE_SUIT_COMPONENTS_MAX];
	struct mue_suit_run run;

	dependent = s;
	said = params;
	for (unsigned i = 0; i < MUE_SUIT_SEQUENCES; i++) {
		if (mue_suit_start(&run, s, (enum mue_suit_sequence)i, &port, params,
				   MUE_SUIT_COMPONENTS_MAX, true) != 0)
			continue;
		for (unsigned n = 0; n < STEPS_MAX && mue_suit_step(&run) == MUE_EBUSY; n++)
			;
	}
}

static void use(struct mue_view env)
{
	static const struct mue_verifier_ops vops = { agree };
	static struct mue_suit_info info;
	struct mue_verifier v = { &vops, NULL };
	struct mue_lms_source source = { mue_lms_read_memory, env.data, (uint32_t)env.len };
	struct mue_suit_p0 p0;
	struct mue_suit s;
	int boots = mue_suit_p0_open(&source, &v, &p0);

	if (mue_suit_open(env, MUE_SUIT_P2, &s) != 0) {
		/* The bootloader reads no severed member; without any, P2 must take it too. */
		if (boots == 0 && env.data[2] == 0xa2)
			abort();
		return;
	}
	mue_suit_verify(&s, &v, NULL);
	mue_suit_describe(&s, &info);
	run_all(&s);
	if (boots == 0 && s.sequence_number != p0.sequence)
		abort(); /* the bootloader and the agent read another thing */
	if (boots == 0 && (info.component[0].params.size != p0.size ||
			   memcmp(info.component[0].params.digest.data, p0.image, 32) != 0 ||
			   info.counter != p0.counter))
		abort();
}

static void use_manifest(struct mue_view manifest)
{
	/* [<< [-16, digest] >>, << 18([<<{1: -7}>>, {}, nil, h'']) >>] around it */
	uint8_t head[] = { 0xd8, 0x6b, 0xa2, 0x02, 0x58, 0x32, 0x82,
			   0x58, 0x24, 0x82, 0x2f, 0x58, 0x20 };
	uint8_t block[] = { 0x49, 0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0xf6, 0x40, 0x03 };
	uint8_t digest[32], length[9];
	struct mue_cbor_writer w;
	uint8_t *env = malloc(sizeof(head) + sizeof(block) + 32 + 9 + manifest.len);
	size_t n = 0;

	mue_suit_hash_bstr(manifest, digest);
	mue_cbor_write(&w, length, sizeof(length));
	mue_cbor_put_bytes_head(&w, manifest.len);
	memcpy(env, head, sizeof(head));
	n += sizeof(head);
	memcpy(env + n, digest, 32);
	n += 32;
	memcpy(env + n, block, sizeof(block));
	n += sizeof(block);
	memcpy(env + n, length, w.len);
	n += w.len;
	memcpy(env + n, manifest.data, manifest.len);
	n += manifest.len;
	env[5] = (uint8_t)(1 + 2 + 36 + 10);
	use((struct mue_view){ env, n });
	free(env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size == 0)
		return 0;
	copy = malloc(size - 1 ? size - 1 : 1); /* so that a read past the end is seen */
	memcpy(copy, data + 1, size - 1);
	calls = 0;
	if (data[0] & 1)
		use_manifest((struct mue_view){ copy, size - 1 });
	else
		use((struct mue_view){ copy, size - 1 });
	free(copy);
	return 0;
}
