/*
 * cbor.h - bodies as CBOR (RFC 8949) for devices that ask for it: the same names and values as in
 * JSON, which is what handlers see and make.
 */
#ifndef MUE_SERVER_HTTP_CBOR_H
#define MUE_SERVER_HTTP_CBOR_H

#include "host/err.h"

#include <jansson.h>
#include <stddef.h>

struct mue_request;

/*
 * The value that `data` holds; the caller owns *ret.  Arrays and maps may be of indefinite length
 * and keys in any order, as clients write them.  MUE_EFORMAT: no CBOR, bytes behind it, more than
 * 16 levels, a key that is no text or stands twice, or a value that JSON has not (byte strings,
 * tags, floats, integers beyond 64 bits).  MUE_ETRUNC, MUE_ECANON, MUE_ENOMEM.
 */
int mue_json_from_cbor(const void *data, size_t len, json_t **ret, struct mue_error *e);

/* Writes `value` as definite lengths, keys in its own order; free() *ret.  Reals become null. */
int mue_json_to_cbor(const json_t *value, char **ret, size_t *ret_len);

/* Turns a JSON answer into CBOR when Accept names application/cbor first. */
void mue_respond_as_asked(struct mue_request *r);

#endif
