#include "core/cose.h"
#include "core/mem.h"

static int verify(const struct mue_verifier *v, const struct mue_cose_id *id,
		  const struct mue_lms_source *tbs, const struct mue_lms_source *sig)
{
	const struct mue_cose_lms *key = v->ctx;

	if (id->alg != MUE_COSE_HSS_LMS)
		return MUE_EPROFILE;
	if (id->kid_len > 0 && key->kid_len > 0 &&
	    (id->kid_len != key->kid_len || memcmp(id->kid, key->kid, key->kid_len) != 0))
		return MUE_ESIGNATURE;
	return mue_lms_verify(key->pub, key->pub_size, sig, tbs);
}

const struct mue_verifier_ops mue_cose_lms_ops = { verify };
