/*
 * Any bytes as a COSE_Sign1: decode, then a verifier that reads every byte it is handed, then the
 * HSS/LMS verifier with the payload as a key.
 * FUZZ_SOURCES: core/cbor_read.c core/cbor_write.c core/cose.c core/cose_tbs.c
 * FUZZ_SOURCES: core/cose_lms.c core/lms.c core/sha256.c
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_all(const struct mue_verifier *v, const struct mue_cose_id *id,
		    const struct mue_lms_source *tbs, const struct mue_lms_source *sig)
{
	uint8_t *t = malloc(tbs->size + 1), *s = malloc(sig->size + 1);
	int sum = *(int *)v->ctx;

	if (mue_cose_source_copy(tbs, 0, t, tbs->size) != 0 ||
	    mue_cose_source_copy(sig, 0, s, sig->size) != 0)
		abort();
	for (uint8_t i = 0; i < id->kid_len; i++)
		sum += id->kid[i];
	free(t);
	free(s);
	return sum < 0 ? MUE_ESIGNATURE : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mue_verifier_ops ops = { read_all };
	struct mue_view payload = { data, size }, none = { NULL, 0 };
	struct mue_cose_lms key = { data, size < 60 ? (uint8_t)size : 60, 0, NULL };
	int seed = 0;
	struct mue_verifier v = { &ops, &seed }, lms = { &mue_cose_lms_ops, &key };
	struct mue_cose_sign1 s;

	if (mue_cose_sign1_decode(payload, &s) != 0)
		return 0;
	mue_cose_sign1_verify(&s, none, s.payload.data ? none : payload, &v);
	mue_cose_sign1_verify(&s, none, s.payload.data ? none : payload, &lms);
	return 0;
}
