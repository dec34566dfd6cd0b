#include "server/auth.h"

#include "host/hash.h"
#include "server/presence.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PEERS = 16384, BASIC_MAX = 512, KEYS_MAX = 96 };

struct token {
	char sha256[65];
	bool gateway;
	char name[64];
};

struct known_peer {
	uint8_t digest[32];
	struct mue_peer peer;
};

struct mue_auth {
	struct mue_store *store;
	struct mue_ca *ca;

	pthread_rwlock_t lock; /* around the next */
	struct token *tokens;
	size_t token_count;
	char (*revoked)[MUE_SERIAL_HEX]; /* sorted */
	size_t revoked_count;
	bool target_tokens; /* hawkBit's authentication.targettoken.enabled */

	pthread_rwlock_t peers_lock;
	struct known_peer *peers; /* by digest, direct mapped */
};

int mue_auth_random_token(char ret[MUE_TOKEN_SIZE], struct mue_error *e)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char bytes[MUE_TOKEN_SIZE - 1];

	if (gnutls_rnd(GNUTLS_RND_KEY, bytes, sizeof bytes) < 0)
		return mue_fail(e, MUE_EIO, "no random numbers");
	for (size_t i = 0; i < sizeof bytes; i++)
		ret[i] = letters[bytes[i] & 63];
	ret[sizeof bytes] = '\0';
	return 0;
}

static void sha256_hex(const char *text, char ret[65])
{
	uint8_t digest[32];

	mue_hash_sha256(text, strlen(text), digest);
	mue_hex(digest, sizeof digest, ret);
}

/* ---- loading ---- */

static int load_tokens(struct mue_db *db, struct token **ret, size_t *ret_count,
		       struct mue_error *e)
{
	struct token *list = NULL;
	struct mue_rows rows;
	size_t n = 0;
	int r = mue_db_query(
		db, &rows, e,
		"SELECT sha256, kind, name FROM token UNION ALL "
		"SELECT value, 'gateway', 'gateway' FROM config c"
		" WHERE c.key = 'gateway.token.sha256' AND EXISTS (SELECT 1 FROM config"
		" WHERE key = 'authentication.gatewaytoken.enabled' AND value = 'true')",
		NULL);

	while (r == 0 && (r = mue_rows_next(&rows, e)) > 0) {
		struct token *more = reallocarray(list, n + 1, sizeof *list);

		if (!more) {
			r = mue_fail(e, MUE_ENOMEM, "out of memory");
			break;
		}
		list = more;
		snprintf(list[n].sha256, sizeof list[n].sha256, "%s", mue_rows_text(&rows, 0));
		list[n].gateway = !strcmp(mue_rows_text(&rows, 1), "gateway");
		snprintf(list[n].name, sizeof list[n].name, "%s", mue_rows_text(&rows, 2));
		n++;
		r = 0;
	}
	mue_rows_end(&rows);
	if (r < 0) {
		free(list);
		return r;
	}
	*ret = list;
	*ret_count = n;
	return 0;
}

static int load_revoked(struct mue_db *db, char (**ret)[MUE_SERIAL_HEX], size_t *ret_count,
			struct mue_error *e)
{
	char(*list)[MUE_SERIAL_HEX] = NULL;
	size_t n = 0, room = 0;
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e,
			     "SELECT serial FROM certificate WHERE revoked_at IS NOT NULL"
			     " ORDER BY serial",
			     NULL);

	while (r == 0 && (r = mue_rows_next(&rows, e)) > 0) {
		if (n == room) {
			void *more = reallocarray(list, room = room ? 2 * room : 64, sizeof *list);

			if (!more) {
				r = mue_fail(e, MUE_ENOMEM, "out of memory");
				break;
			}
			list = more;
		}
		snprintf(list[n++], MUE_SERIAL_HEX, "%s", mue_rows_text(&rows, 0));
		r = 0;
	}
	mue_rows_end(&rows);
	if (r < 0) {
		free(list);
		return r;
	}
	*ret = list;
	*ret_count = n;
	return 0;
}

int mue_auth_reload(struct mue_auth *a, struct mue_db *db, struct mue_error *e)
{
	char(*revoked)[MUE_SERIAL_HEX] = NULL, (*old_revoked)[MUE_SERIAL_HEX];
	size_t revoked_count = 0, token_count = 0;
	struct token *tokens = NULL, *old_tokens;
	int64_t off = 0;
	int r = load_tokens(db, &tokens, &token_count, e);

	if (r == 0)
		r = load_revoked(db, &revoked, &revoked_count, e);
	if (r == 0)
		r = mue_db_int(db, &off, e,
			       "SELECT count(*) FROM config WHERE value = 'false'"
			       " AND key = 'authentication.targettoken.enabled'",
			       NULL);
	if (r < 0) {
		free(tokens);
		free(revoked);
		return r;
	}
	pthread_rwlock_wrlock(&a->lock);
	old_tokens = a->tokens;
	old_revoked = a->revoked;
	a->tokens = tokens;
	a->token_count = token_count;
	a->revoked = revoked;
	a->revoked_count = revoked_count;
	a->target_tokens = off == 0;
	pthread_rwlock_unlock(&a->lock);
	free(old_tokens);
	free(old_revoked);
	return 0;
}

struct token_row {
	const char *kind, *name;
	char sha256[65];
};

static int insert_token(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct token_row *t = arg;

	return mue_db_exec(db, e,
			   "INSERT INTO token (kind, name, sha256, created_at)"
			   " VALUES (?1, ?2, ?3, ?4)",
			   "ttti", t->kind, t->name, t->sha256, mue_now_ms());
}

int mue_auth_add_token(struct mue_auth *a, const char *kind, const char *name,
		       char ret[MUE_TOKEN_SIZE], struct mue_error *e)
{
	struct token_row row = { kind, name, "" };
	char token[MUE_TOKEN_SIZE];
	int r = mue_auth_random_token(token, e);

	if (r < 0)
		return r;
	sha256_hex(token, row.sha256);
	r = mue_store_write(a->store, insert_token, &row, e);
	if (r == 0)
		memcpy(ret, token, sizeof token);
	return r;
}

static int delete_token(struct mue_db *db, void *arg, struct mue_error *e)
{
	int r = mue_db_exec(db, e, "DELETE FROM token WHERE name = ?1", "t", (const char *)arg);

	if (r == 0 && mue_db_changes(db) == 0)
		r = mue_fail(e, MUE_ENOTFOUND, "token %s does not exist", (const char *)arg);
	return r;
}

int mue_auth_remove_token(struct mue_auth *a, const char *name, struct mue_error *e)
{
	union {
		const char *in;
		void *out;
	} u = { name };

	return mue_store_write(a->store, delete_token, u.out, e);
}

static int load(struct mue_db *db, void *arg, struct mue_error *e)
{
	return mue_auth_reload(arg, db, e);
}

int mue_auth_open(struct mue_store *store, struct mue_ca *ca, struct mue_auth **ret,
		  char ret_first[MUE_TOKEN_SIZE], struct mue_error *e)
{
	struct mue_auth *a = calloc(1, sizeof *a);
	bool operator= false;
	int r;

	if (!a || !(a->peers = calloc(PEERS, sizeof *a->peers))) {
		free(a);
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	}
	a->store = store;
	a->ca = ca;
	pthread_rwlock_init(&a->lock, NULL);
	pthread_rwlock_init(&a->peers_lock, NULL);
	ret_first[0] = '\0';
	r = mue_store_read(store, load, a, e);
	for (size_t i = 0; i < a->token_count; i++)
		operator= operator|| !a->tokens[i].gateway;
	if (r == 0 && !operator) {
		r = mue_auth_add_token(a, "operator", "admin", ret_first, e);
		if (r == 0)
			r = mue_store_read(store, load, a, e);
	}
	if (r < 0)
		mue_auth_close(a);
	else
		*ret = a;
	return r;
}

void mue_auth_close(struct mue_auth *a)
{
	if (!a)
		return;
	pthread_rwlock_destroy(&a->lock);
	pthread_rwlock_destroy(&a->peers_lock);
	free(a->tokens);
	free(a->revoked);
	free(a->peers);
	free(a);
}

/* ---- certificates ---- */

static int by_serial(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool is_revoked(struct mue_auth *a, const char *serial)
{
	bool found;

	pthread_rwlock_rdlock(&a->lock);
	found = a->revoked_count &&
		bsearch(serial, a->revoked, a->revoked_count, sizeof *a->revoked, by_serial);
	pthread_rwlock_unlock(&a->lock);
	return found;
}

/* The signature's check costs a tenth of a millisecond; a certificate that held once holds until it
 * expires or is revoked, and both are asked each time. */
static int check_peer(struct mue_auth *a, const gnutls_datum_t *der, struct mue_peer *ret,
		      struct mue_error *e)
{
	uint8_t digest[32];
	struct known_peer *slot;
	uint32_t index;
	bool hit;
	int r;

	mue_hash_sha256(der->data, der->size, digest);
	memcpy(&index, digest, sizeof index);
	slot = &a->peers[index % PEERS];
	pthread_rwlock_rdlock(&a->peers_lock);
	hit = !memcmp(slot->digest, digest, sizeof digest);
	if (hit)
		*ret = slot->peer;
	pthread_rwlock_unlock(&a->peers_lock);
	if (hit)
		return 0;
	r = mue_ca_check_peer(a->ca, der->data, der->size, ret, e);
	if (r < 0)
		return r;
	pthread_rwlock_wrlock(&a->peers_lock);
	memcpy(slot->digest, digest, sizeof digest);
	slot->peer = *ret;
	pthread_rwlock_unlock(&a->peers_lock);
	return 0;
}

static void look(struct mue_auth *a, struct mue_connection *c)
{
	const gnutls_datum_t *certs;
	struct mue_error ignored;
	unsigned count = 0;

	certs = gnutls_certificate_get_peers(c->session, &count);
	c->verdict = count ? check_peer(a, &certs[0], &c->peer, &ignored) : MUE_ENODATA;
	c->looked = true;
}

static int from_certificate(struct mue_auth *a, struct mue_request *r, struct mue_error *e)
{
	struct mue_connection *c = r->tls;

	if (!c || !c->session)
		return MUE_ENODATA;
	if (!c->looked)
		look(a, c);
	if (c->verdict == MUE_ENODATA)
		return MUE_ENODATA;
	if (c->verdict < 0)
		return mue_fail(e, MUE_EAUTH, "the client certificate is not one of this server's");
	if (c->peer.expires_ms < mue_now_ms())
		return mue_fail(e, MUE_EAUTH, "the certificate of %s has expired", c->peer.id);
	if (is_revoked(a, c->peer.serial))
		return mue_fail(e, MUE_EAUTH, "the certificate of %s is revoked", c->peer.id);
	r->who = (struct mue_identity){ MUE_WHO_DEVICE, c->peer.id };
	return 0;
}

/* ---- tokens ---- */

static int from_token(struct mue_auth *a, struct mue_request *r, const char *token, bool gateway,
		      const char *user, struct mue_error *e)
{
	const char *name = NULL;
	char sha256[65];

	sha256_hex(token, sha256);
	pthread_rwlock_rdlock(&a->lock);
	for (size_t i = 0; i < a->token_count && !name; i++)
		if (a->tokens[i].gateway == gateway && !strcmp(a->tokens[i].sha256, sha256) &&
		    (!user || !strcmp(user, a->tokens[i].name)))
			name = mue_arena_str(&r->arena, a->tokens[i].name);
	pthread_rwlock_unlock(&a->lock);
	if (!name)
		return mue_fail(e, MUE_EAUTH, "the token is not known");
	r->who = (struct mue_identity){ gateway ? MUE_WHO_GATEWAY : MUE_WHO_OPERATOR, name };
	return 0;
}

static int from_basic(struct mue_auth *a, struct mue_request *r, const char *value,
		      struct mue_error *e)
{
	gnutls_datum_t in = { .size = (unsigned)strlen(value) }, out = { 0 };
	char *user, *password;
	int ret;

	memcpy(&in.data, &value, sizeof value);
	if (in.size > BASIC_MAX || gnutls_base64_decode2(&in, &out) < 0)
		return mue_fail(e, MUE_EAUTH, "the Authorization header cannot be read");
	user = mue_arena_copy(&r->arena, (char *)out.data, out.size);
	gnutls_free(out.data);
	password = user ? strchr(user, ':') : NULL;
	if (!password)
		return mue_fail(e, MUE_EAUTH, "the Authorization header cannot be read");
	*password++ = '\0';
	ret = from_token(a, r, password, false, user, e);
	return ret;
}

static int from_target_token(struct mue_auth *a, struct mue_request *r, const char *token,
			     struct mue_error *e)
{
	const char *id = mue_request_param(r, "controllerId");
	bool on;

	pthread_rwlock_rdlock(&a->lock);
	on = a->target_tokens;
	pthread_rwlock_unlock(&a->lock);
	if (!on || !*id || !mue_presence_token_is(r->server->presence, id, token))
		return mue_fail(e, MUE_EAUTH, "the target token is not that of this device");
	r->who = (struct mue_identity){ MUE_WHO_DEVICE, id };
	return 0;
}

static const char *after_word(const char *value, const char *word)
{
	size_t len = strlen(word);

	if (strncasecmp(value, word, len) || value[len] != ' ')
		return NULL;
	value += len;
	return value + strspn(value, " ");
}

int mue_auth_identify(struct mue_auth *a, struct mue_request *r, struct mue_error *e)
{
	const char *header = mue_request_header(r, "Authorization"), *value;
	int verdict;

	r->who = (struct mue_identity){ MUE_WHO_NOBODY, "" };
	/* A token is shown on purpose, a certificate may just be there. */
	if (header && (value = after_word(header, "Bearer")))
		return from_token(a, r, value, false, NULL, e);
	if (header && (value = after_word(header, "Basic")))
		return from_basic(a, r, value, e);
	if (header && (value = after_word(header, "GatewayToken")))
		return from_token(a, r, value, true, NULL, e);
	if (header && (value = after_word(header, "TargetToken")))
		return from_target_token(a, r, value, e);
	verdict = from_certificate(a, r, e);
	return verdict == MUE_ENODATA ? 0 : verdict;
}

int mue_auth_allow(const struct mue_request *r, enum mue_access access, struct mue_error *e)
{
	const char *id = mue_request_param(r, "controllerId");

	if (access == MUE_ACCESS_PUBLIC || r->who.kind == MUE_WHO_OPERATOR)
		return 0;
	if (r->who.kind == MUE_WHO_NOBODY)
		return mue_fail(e, MUE_EAUTH, "credentials are needed: %s",
				access == MUE_ACCESS_DEVICE
					? "a client certificate, a target token or a gateway token"
					: "an operator's token");
	if (access == MUE_ACCESS_OPERATOR)
		return mue_fail(e, MUE_EPERM, "this is for operators");
	if (r->who.kind == MUE_WHO_DEVICE && strcmp(r->who.name, id))
		return mue_fail(e, MUE_EPERM, "%s may not speak for %s", r->who.name, id);
	return 0;
}

/* ---- revocation ---- */

struct revoke {
	const char *id;
	int64_t count;
};

static int revoke_all(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct revoke *v = arg;
	int r = mue_db_exec(db, e,
			    "UPDATE certificate SET revoked_at = ?2"
			    " WHERE controller_id = ?1 AND revoked_at IS NULL",
			    "ti", v->id, mue_now_ms());

	v->count = mue_db_changes(db);
	return r;
}

int mue_auth_revoke(struct mue_auth *a, const char *controller_id, int64_t *ret_count,
		    struct mue_error *e)
{
	struct revoke v = { controller_id, 0 };
	int r = mue_store_write(a->store, revoke_all, &v, e);

	if (r == 0)
		*ret_count = v.count;
	return r;
}
