/*
 * ca.h - the device CA and the server's own certificate, made on the first start.
 *
 * DIR/ca/ca.crt ca.key: ES256, twenty years.  DIR/tls/server.crt server.key: issued by it for
 * localhost, 127.0.0.1, ::1 and the configured names, renewed when a name is missing or a month is
 * left.  Files that are already there are used as they are.
 */
#ifndef MUE_SERVER_TLS_CA_H
#define MUE_SERVER_TLS_CA_H

#include "host/err.h"
#include "server/server.h"

#include <stdint.h>

enum {
	MUE_SERIAL_SIZE = 20,
	MUE_SERIAL_HEX = 2 * MUE_SERIAL_SIZE + 1,
	MUE_ID_MAX = 256 /* longest controller id with its NUL (hawkBit's limit) */
};

int mue_ca_open(const struct mue_server_config *config, struct mue_ca **ret, struct mue_error *e);
void mue_ca_close(struct mue_ca *ca);

/* PEM texts that live as long as the CA. */
const char *mue_ca_certificate(const struct mue_ca *ca);
const char *mue_ca_server_certificate(const struct mue_ca *ca); /* with the CA's behind it */
const char *mue_ca_server_key(const struct mue_ca *ca);

struct mue_issued {
	char *pem; /* caller frees */
	char serial[MUE_SERIAL_HEX];
	int64_t expires_ms;
};

/* Signs a PKCS#10 request (PEM) whose signature holds; the subject is CN=`id` whatever it asks, key
 * usage client authentication.  MUE_EFORMAT, MUE_ESIGNATURE. */
int mue_ca_issue(struct mue_ca *ca, const char *csr_pem, const char *id, struct mue_issued *ret,
		 struct mue_error *e);

struct mue_peer {
	char id[MUE_ID_MAX];
	char serial[MUE_SERIAL_HEX];
	int64_t expires_ms;
};

/* Checks that a peer's certificate (DER) was issued by this CA, is for client authentication and in
 * time; not whether it is revoked.  MUE_EAUTH. */
int mue_ca_check_peer(struct mue_ca *ca, const void *der, size_t len, struct mue_peer *ret,
		      struct mue_error *e);

#endif
