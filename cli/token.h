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

#endif
