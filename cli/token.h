/*
 * token.h - makes a signing key inside a PKCS#11 token, which it never leaves.
 */
#ifndef MUE_CLI_TOKEN_H
#define MUE_CLI_TOKEN_H

#include "host/key.h"

/*
 * Makes a P-256 or Ed25519 key pair at `uri`, which must name a token and an object.  The PIN comes
 * as host/key.h says.  MUE_EEXIST: there is such a key already; MUE_EAUTH: PIN wrong or missing;
 * MUE_EINVAL: the URI names no object, or the kind is LMS; MUE_EKEY: the token cannot.
 */
int mue_token_new(const char *uri, enum mue_key_kind kind, struct mue_error *e);

/* Calls `found` with the name of each public key of the token that `uri` names; no PIN is needed.
 * MUE_ENOTFOUND: no such token. */
int mue_token_list(const char *uri, void (*found)(void *ctx, const char *label), void *ctx,
		   struct mue_error *e);

/* Reads the public key object that `uri` (with type=public) names. */
int mue_token_public(const char *uri, struct mue_pubkey *ret, struct mue_error *e);

#endif
