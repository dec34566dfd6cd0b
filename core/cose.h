/*
 * cose.h - COSE_Sign1 (RFC 9052, sections 4.2 and 4.4) and the port through which signatures are
 * verified.
 *
 * The bytes to be signed (Sig_structure) and the signature are handed over as sources that are read
 * in small pieces, so that a long HSS/LMS signature never stands in RAM whole.  Algorithms:
 * -7 ES256 and -9 ESP256 are the same thing, -8 EdDSA and -19 Ed25519 likewise, -46 HSS/LMS
 * (RFC 9053, RFC 9864, RFC 8778).  The algorithm must stand in the protected header; `crit` (2)
 * is refused, since we know no extension; other unknown labels are passed over.
 */
#ifndef MUE_CORE_COSE_H
#define MUE_CORE_COSE_H

#include "core/cbor.h"
#include "core/lms.h"

#define MUE_COSE_KID_MAX 32

enum mue_cose_alg {
	MUE_COSE_ES256 = -7,
	MUE_COSE_EDDSA = -8,
	MUE_COSE_ESP256 = -9,
	MUE_COSE_ED25519 = -19,
	MUE_COSE_HSS_LMS = -46,
	MUE_COSE_SHA256 = -16
};

/* CBOR tags of RFC 9052, section 2. */
enum mue_cose_tag {
	MUE_COSE_NO_TAG = 0,
	MUE_COSE_MAC0 = 17,
	MUE_COSE_SIGN1 = 18,
	MUE_COSE_MAC = 97,
	MUE_COSE_SIGN = 98
};

/* Who is said to have signed, and how. */
struct mue_cose_id {
	int32_t alg; /* enum mue_cose_alg or any other COSE number */
	const uint8_t *kid;
	uint8_t kid_len; /* 0: no key is named, try every key of that algorithm */
};

/* A decoded COSE_Sign1; views into the bytes it was decoded from. */
struct mue_cose_sign1 {
	struct mue_cose_id id;
	uint8_t tag;                /* enum mue_cose_tag: SIGN1 or NO_TAG */
	struct mue_view protected_; /* content of the protected byte string */
	struct mue_view payload;    /* absent when detached */
	struct mue_view signature;
};

/*
 * Decodes one COSE_Sign1, tagged or not, that fills `bytes`.  MUE_EPROFILE: another COSE message
 * (MAC0, MAC, Sign), no algorithm in the protected header, `crit`, a kid above MUE_COSE_KID_MAX.
 */
int mue_cose_sign1_decode(struct mue_view bytes, struct mue_cose_sign1 *ret);

/* --- the bytes to be signed --- */

#define MUE_COSE_PIECES 6

/*
 * Sig_structure = ["Signature1", protected, external_aad, payload] as pieces one after the other.
 * Its size is size; read it through `source`.  Not to be copied or moved: pieces point into it.
 */
struct mue_cose_tbs {
	struct mue_lms_source source;
	struct mue_view piece[MUE_COSE_PIECES];
	uint8_t head[3][17];
};

/* Keeps the three views' pointers until tbs is done with. */
void mue_cose_tbs_init(struct mue_cose_tbs *tbs, struct mue_view protected_, struct mue_view aad,
		       struct mue_view payload);

/* Reads `len` bytes at `off` of any source into `buf`, in reads that the source allows. */
int mue_cose_source_copy(const struct mue_lms_source *s, uint32_t off, void *buf, uint32_t len);

/* --- the verifier port --- */

struct mue_verifier;

struct mue_verifier_ops {
	/*
	 * Does `sig` sign all of `tbs` with id->alg under the trusted key id->kid?  0: it does.
	 * MUE_ESIGNATURE: it does not, or no trusted key has that kid.  MUE_EPROFILE: an algorithm
	 * that this verifier has not.  Else what a read returned, or that verifier's own verdict.
	 */
	int (*verify)(const struct mue_verifier *v, const struct mue_cose_id *id,
		      const struct mue_lms_source *tbs, const struct mue_lms_source *sig);
};

/* Members: mue_cose_lms (below), mue_trust_verifier (host/release.h), tests' own. */
struct mue_verifier {
	const struct mue_verifier_ops *ops;
	void *ctx;
};

/*
 * Verifies a decoded COSE_Sign1.  `payload` is the detached payload; absent (data NULL) takes the
 * attached one; MUE_EFORMAT when both or none are there.  `aad` may be absent (= empty).
 */
int mue_cose_sign1_verify(const struct mue_cose_sign1 *s, struct mue_view aad,
			  struct mue_view payload, const struct mue_verifier *v);

/*
 * The verifier of a bootloader: one HSS/LMS public key (alg -46).  A kid, when the signature has
 * one, must be equal to `kid` unless kid_len is 0.
 *	struct mue_cose_lms key = { ... };
 *	struct mue_verifier v = { &mue_cose_lms_ops, &key };
 */
struct mue_cose_lms {
	const uint8_t *pub; /* HSS public key, RFC 8554 section 6.1 */
	uint8_t pub_size;
	uint8_t kid_len;
	const uint8_t *kid;
};
extern const struct mue_verifier_ops mue_cose_lms_ops;

#endif
