/*
 * release.h - builds, signs and verifies release envelopes (SUIT) on hosts.
 *
 * struct mue_release -> mue_release_build -> unsigned envelope -> mue_release_sign (any number of
 * times) -> signed envelope.  What the profiles hold: docs/FORMATS.md, section "SUIT".  Output is
 * deterministic: the same struct gives the same bytes.
 */
#ifndef MUE_HOST_RELEASE_H
#define MUE_HOST_RELEASE_H

#include "core/suit.h"
#include "host/buf.h"
#include "host/err.h"
#include "host/trust.h"

#define MUE_RELEASE_MAX (64u << 20) /* ceiling of an envelope with integrated payloads */

/* One component; strings and bytes are the caller's and outlive the build. */
struct mue_release_component {
	const char *kind;       /* "os", "firmware", "application", "config", "library", "driver" */
	const char *name;       /* component name, also in the component id */
	const char *version;    /* text, may be NULL: the release's */
	const char *uri;        /* file name of the detached payload, or "#name" when integrated */
	const uint8_t *payload; /* integrated payload, NULL when detached */
	size_t payload_len;
	uint64_t size;            /* of the image as installed, bytes */
	uint8_t digest[32];       /* SHA-256 of the image as installed */
	int slot;                 /* the slot it is linked for, -1: any */
	const uint8_t *precursor; /* 32 bytes: the image that the payload (a delta) starts from;
				   * NULL: a full image */
	const uint8_t *root;      /* 32 bytes: the payload is a block container with this header's
				   * SHA-256 (host/blocks.h); NULL: the image itself or a delta */
};

struct mue_release {
	const char *name, *version; /* of the release; both required */
	const char *notes;          /* may be NULL */
	uint64_t sequence;
	uint32_t counter; /* security counter */
	enum mue_suit_kind kind;
	uint8_t vendor[16], class_id[16];
	const uint8_t *sbom; /* 32 bytes: SHA-256 of the SBOM file, or NULL */
	int battery;         /* minimum battery in per cent, 0: none */
	int priority;        /* update priority, negative is more urgent, 0: unsaid */
	bool mcu;            /* for a microcontroller: one firmware component gives P0 */
	const struct mue_release_component *components;
	size_t count; /* 1..MUE_SUIT_COMPONENTS_MAX */
};

/* UUIDv5 (RFC 9562, section 5.5) of `name` in a name space. */
int mue_uuid5(const uint8_t space[16], const char *name, uint8_t ret[16], struct mue_error *e);
/* Vendor id = UUIDv5(DNS, domain); class id = UUIDv5(vendor, name) (manifest draft, 8.4.8.2). */
int mue_release_vendor_id(const char *domain, uint8_t ret[16], struct mue_error *e);
int mue_release_class_id(const uint8_t vendor[16], const char *name, uint8_t ret[16],
			 struct mue_error *e);
/* Text form 8-4-4-4-12, lower case, with the closing 0. */
void mue_uuid_text(const uint8_t id[16], char ret[37]);
/* MUE_EFORMAT: not that form (either case). */
int mue_uuid_parse(const char *text, uint8_t ret[16]);

/*
 * Appends the unsigned envelope: the authentication wrapper holds the digest only.  MUE_EINVAL
 * names the field that is wrong; MUE_ESIZE: *ret's ceiling.
 */
int mue_release_build(const struct mue_release *r, struct mue_buf *ret, struct mue_error *e);

/* Who signs: `sign` appends the raw COSE signature of the message to ret. */
struct mue_release_signer {
	int32_t alg; /* enum mue_cose_alg */
	const uint8_t *kid;
	uint8_t kid_len;
	int (*sign)(void *ctx, const void *msg, size_t len, struct mue_buf *ret,
		    struct mue_error *e);
	void *ctx;
};

/* The signer of an open key of host/key.h; lives as long as the key. */
struct mue_release_signer mue_release_key_signer(struct mue_key *key);

/*
 * Appends to *ret the envelope with one more COSE_Sign1 block.  MUE_EEXIST: a block with this kid
 * and algorithm is there.  MUE_ENOSPC: MUE_SUIT_SIGNATURES_MAX blocks are there already.
 */
int mue_release_sign(struct mue_view envelope, const struct mue_release_signer *signer,
		     struct mue_buf *ret, struct mue_error *e);

/*
 * Appends to *ret the envelope without its severable members and integrated payloads: what a
 * bootloader keeps beside its image.  The signatures still hold.
 */
int mue_release_strip(struct mue_view envelope, struct mue_buf *ret, struct mue_error *e);

/* The verifier port over a trust store.  `by` is the entry that verified last. */
struct mue_trust_verifier {
	struct mue_verifier port; /* hand &tv.port to core */
	const struct mue_trust *trust;
	const struct mue_trust_entry *by;
};
/* Not to be moved afterwards. */
void mue_trust_verifier_init(struct mue_trust_verifier *tv, const struct mue_trust *trust);

/*
 * The whole check of an envelope from outside: opens it as P2 and verifies it against `trust`; the
 * sentence in e says which block failed why.  *ret's views point into `envelope`.  ret_by (may be
 * NULL): the trusted key that holds.
 */
int mue_release_verify(struct mue_view envelope, const struct mue_trust *trust,
		       struct mue_suit *ret, const struct mue_trust_entry **ret_by,
		       struct mue_error *e);

/* "security", "feature", "" for unsaid. */
const char *mue_release_kind_name(uint8_t kind);

#endif
