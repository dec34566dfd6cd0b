/*
 * csr.h - a device's key and its certificate request (PKCS#10, RFC 2986), through GnuTLS.
 */
#ifndef MUE_CLI_CSR_H
#define MUE_CLI_CSR_H

#include "host/buf.h"
#include "host/err.h"

/*
 * Makes a P-256 key and appends it to ret_key as PKCS#8 PEM; it is not encrypted, since a device
 * has nobody to ask: mode 0600 is its guard, or a token (below).
 */
int mue_csr_new_key(struct mue_buf *ret_key, struct mue_error *e);

/*
 * Appends the PEM of a request for CN=`id`, signed by the key: a PEM text (NUL-terminated), or a
 * pkcs11: URI whose PIN is in it or in MUE_PIN.  MUE_EAUTH: PIN missing or wrong.
 */
int mue_csr_make(const char *key, const char *id, struct mue_buf *ret_csr, struct mue_error *e);

#endif
