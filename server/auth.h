/*
 * auth.h - who is asking: client certificates, operators' and gateways' tokens, target tokens.
 *
 * Everything needed to answer is in RAM; only digests of operators' and gateways' tokens are kept.
 * A certificate is verified once and then known by its digest; whether it is revoked is asked at
 * each request, so a resumed session or an open connection does not outlive a revocation.
 */
#ifndef MUE_SERVER_AUTH_H
#define MUE_SERVER_AUTH_H

#include "server/server.h"
#include "server/store/store.h"
#include "server/tls/ca.h"

enum { MUE_TOKEN_SIZE = 33 }; /* 32 letters and the NUL */

/* Loads tokens and revocations.  When there is no operator's token yet, makes the one named
 * "admin" and writes it to ret_first ("" otherwise). */
int mue_auth_open(struct mue_store *store, struct mue_ca *ca, struct mue_auth **ret,
		  char ret_first[MUE_TOKEN_SIZE], struct mue_error *e);
void mue_auth_close(struct mue_auth *a);

/* 32 random characters. */
int mue_auth_random_token(char ret[MUE_TOKEN_SIZE], struct mue_error *e);

/* What is known of a TLS connection; one per connection, zeroed at its start. */
struct mue_connection {
	void *session; /* gnutls_session_t */
	bool looked;   /* the certificate was looked at: the next two hold */
	int verdict;   /* 0: peer is filled; MUE_ENODATA: no certificate; MUE_EAUTH: refused */
	struct mue_peer peer;
};

/* Fills r->who from the connection's certificate and the headers.  0 also for nobody; MUE_EAUTH
 * when credentials are shown that do not hold, with a sentence. */
int mue_auth_identify(struct mue_auth *a, struct mue_request *r, struct mue_error *e);

/* May r->who use this route?  MUE_EAUTH, MUE_EPERM. */
int mue_auth_allow(const struct mue_request *r, enum mue_access access, struct mue_error *e);

/* Revokes every certificate issued to the device until now; durable, and in force when it returns.
 * *ret_count: how many. */
int mue_auth_revoke(struct mue_auth *a, const char *controller_id, int64_t *ret_count,
		    struct mue_error *e);
/* Reads the revocations again: after a target was deleted.  `db` may be the writer's. */
int mue_auth_reload(struct mue_auth *a, struct mue_db *db, struct mue_error *e);

/* Tokens of operators and gateways. */
int mue_auth_add_token(struct mue_auth *a, const char *kind, const char *name,
		       char ret[MUE_TOKEN_SIZE], struct mue_error *e);
int mue_auth_remove_token(struct mue_auth *a, const char *name, struct mue_error *e);

#endif
