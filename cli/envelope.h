/*
 * envelope.h - a release on disk: the envelope NAME-VERSION.suit and the payloads beside it.
 */
#ifndef MUE_CLI_ENVELOPE_H
#define MUE_CLI_ENVELOPE_H

#include "cli/cmd.h"
#include "core/suit.h"
#include "host/buf.h"
#include "host/trust.h"

#define MUE_PATH_MAX 4096

struct mue_envelope {
	const char *path; /* the caller's */
	struct mue_buf bytes;
	struct mue_suit suit; /* views into bytes */
	struct mue_suit_info info;
	enum mue_suit_profile profile; /* the smallest that takes it */
};

/* Reads and opens it; signatures are not looked at.  The caller closes it, also after a failure. */
int mue_envelope_load(const char *path, struct mue_envelope *ret, struct mue_error *e);
void mue_envelope_close(struct mue_envelope *env);

/* A view of text as a string: what does not fit is cut, control bytes become '?'.  Returns ret. */
char *mue_view_str(struct mue_view v, char *ret, size_t ret_size);

enum mue_payload_state {
	MUE_PAYLOAD_OK,
	MUE_PAYLOAD_INTEGRATED, /* in the envelope, and its digest holds */
	MUE_PAYLOAD_DELTA,      /* a delta or a block container: only a device can check it */
	MUE_PAYLOAD_NONE,       /* the manifest names none */
	MUE_PAYLOAD_MISSING,
	MUE_PAYLOAD_TAMPERED,
};

struct mue_payload {
	enum mue_payload_state state;
	char path[MUE_PATH_MAX]; /* of the file, or "#name" */
	uint64_t size;           /* of the file, when it is there */
};

/*
 * Looks at the payload of component i.  0 whatever its state; a verdict when the manifest's URI is
 * not a plain file name (MUE_EFORMAT) or the file cannot be read.
 */
int mue_envelope_payload(const struct mue_envelope *env, uint8_t i, struct mue_payload *ret,
			 struct mue_error *e);

/* All payloads are there and whole?  The sentence names the first that is not. */
int mue_envelope_check_payloads(const struct mue_envelope *env, struct mue_error *e);

/* The keys of folder `dir` (may be NULL) and of n `.pub` files (or keys with one beside them). */
int mue_cli_trust(struct mue_cli *cli, const char *dir, const struct mue_strings *keys,
		  struct mue_trust *ret, struct mue_error *e);

/* "security fix" ... for `kind` of enum mue_suit_kind; "" for unsaid. */
const char *mue_kind_text(uint8_t kind);

#endif
