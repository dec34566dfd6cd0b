/* token.c - C_GenerateKeyPair through p11-kit: GnuTLS 3.7 makes no Ed25519 key in a token. */
#define P11_KIT_FUTURE_UNSTABLE_API
#include "cli/token.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <p11-kit/iter.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct token {
	const char *uri;
	int uri_len; /* of the part before "?": what follows may hold the PIN */
	P11KitUri *parsed;
	CK_FUNCTION_LIST **modules;
	CK_FUNCTION_LIST *module;
	CK_SESSION_HANDLE session;
	char label[128];
};

static int failed(const struct token *t, const char *what, CK_RV rv, struct mue_error *e)
{
	int code = MUE_EKEY;

	if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE ||
	    rv == CKR_PIN_LOCKED)
		code = MUE_EAUTH;
	return mue_fail(e, code, "%.*s: %s: %s", t->uri_len, t->uri, what, p11_kit_strerror(rv));
}

/* The PIN, as host/key.h says where it comes from; `ret` holds MUE_PASS_MAX bytes. */
static int get_pin(const struct token *t, char *ret, struct mue_error *e)
{
	const char *value = p11_kit_uri_get_pin_value(t->parsed);
	const char *source = p11_kit_uri_get_pin_source(t->parsed);
	int r = MUE_OK;

	if (!value && source)
		return mue_pass_get(strncmp(source, "file:", 5) == 0 ? source + 5 : source, NULL, 0,
				    ret, e);
	if (!value)
		value = getenv("MUE_PIN");
	if (!value)
		value = getenv("GNUTLS_PIN");
	if (!value)
		r = mue_pass_terminal("PIN of the token: ", 0, ret, e);
	if (r < 0)
		return mue_fail(e, MUE_EAUTH,
				"no PIN: put ?pin-source=file:/PATH behind the URI, set "
				"MUE_PIN, or use a terminal");
	if (!value)
		return MUE_OK;
	if (strlen(value) >= MUE_PASS_MAX)
		return mue_fail(e, MUE_EAUTH, "the PIN is too long");
	memcpy(ret, value, strlen(value) + 1);
	return MUE_OK;
}

/* The URI's object name: it becomes the label of both halves. */
static int parse(struct token *t, struct mue_error *e)
{
	CK_ATTRIBUTE *label = NULL;

	t->parsed = p11_kit_uri_new();
	if (t->parsed &&
	    p11_kit_uri_parse(t->uri, P11_KIT_URI_FOR_ANY, t->parsed) == P11_KIT_URI_OK)
		label = p11_kit_uri_get_attribute(t->parsed, CKA_LABEL);
	if (!label || label->ulValueLen == 0 || label->ulValueLen >= sizeof(t->label))
		return mue_fail(e, MUE_EINVAL,
				"%.*s names no object; wanted: pkcs11:token=TOKEN;object=NAME",
				t->uri_len, t->uri);
	memcpy(t->label, label->pValue, label->ulValueLen);
	/* What is looked for next is the token: the object is not there yet. */
	p11_kit_uri_clear_attributes(t->parsed);
	return MUE_OK;
}

/* A session with the first token that the URI matches. */
static int open_session(struct token *t, struct mue_error *e)
{
	P11KitIter *iter;
	CK_RV rv;

	t->modules = p11_kit_modules_load_and_initialize(0);
	if (!t->modules)
		return mue_fail(e, MUE_EKEY, "no PKCS#11 module can be loaded; is one installed?");
	iter = p11_kit_iter_new(t->parsed, P11_KIT_ITER_WITH_TOKENS | P11_KIT_ITER_WITHOUT_OBJECTS);
	p11_kit_iter_begin(iter, t->modules);
	rv = p11_kit_iter_next(iter);
	if (rv == CKR_OK) {
		t->module = p11_kit_iter_get_module(iter);
		rv = t->module->C_OpenSession(p11_kit_iter_get_slot(iter),
					      CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
					      &t->session);
		if (rv != CKR_OK)
			failed(t, "cannot open a session", rv, e);
	} else {
		mue_fail(e, MUE_ENOTFOUND, "%.*s: no such token; see: p11-kit list-modules",
			 t->uri_len, t->uri);
	}
	p11_kit_iter_free(iter);
	return rv == CKR_OK ? MUE_OK : e ? e->code : MUE_EKEY;
}

static int login(struct token *t, struct mue_error *e)
{
	char pin[MUE_PASS_MAX];
	CK_RV rv;
	int r = get_pin(t, pin, e);

	if (r < 0)
		return r;
	rv = t->module->C_Login(t->session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
	mue_pass_wipe(pin);
	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
		return failed(t, "login refused", rv, e);
	return MUE_OK;
}

static int refuse_existing(struct token *t, struct mue_error *e)
{
	CK_OBJECT_CLASS class_ = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE want[] = { { CKA_CLASS, &class_, sizeof(class_) },
				{ CKA_LABEL, t->label, strlen(t->label) } };
	CK_OBJECT_HANDLE object;
	CK_ULONG n = 0;
	CK_RV rv = t->module->C_FindObjectsInit(t->session, want, 2);

	if (rv == CKR_OK) {
		rv = t->module->C_FindObjects(t->session, &object, 1, &n);
		t->module->C_FindObjectsFinal(t->session);
	}
	if (rv != CKR_OK)
		return failed(t, "cannot look for keys", rv, e);
	if (n > 0)
		return mue_fail(e, MUE_EEXIST, "%.*s: is there already; keys are never overwritten",
				t->uri_len, t->uri);
	return MUE_OK;
}

/* PKCS#11 3.0, sections 2.3.6 and 2.3.14: EC_PARAMS is the curve's OID, or its name as a
 * PrintableString for the Edwards curve. */
static int generate(struct token *t, bool ed25519, struct mue_error *e)
{
	CK_BYTE p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
	CK_BYTE ed[] = { 0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9' };
	CK_MECHANISM mechanism = { ed25519 ? CKM_EC_EDWARDS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN,
				   NULL, 0 };
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_BYTE id[8];
	CK_ATTRIBUTE public_[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_VERIFY, &yes, sizeof(yes) },
		{ CKA_LABEL, t->label, strlen(t->label) },
		{ CKA_ID, id, sizeof(id) },
		{ CKA_EC_PARAMS, ed25519 ? ed : p256, ed25519 ? sizeof(ed) : sizeof(p256) },
	};
	CK_ATTRIBUTE private_[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },     { CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_SENSITIVE, &yes, sizeof(yes) }, { CKA_EXTRACTABLE, &no, sizeof(no) },
		{ CKA_SIGN, &yes, sizeof(yes) },      { CKA_LABEL, t->label, strlen(t->label) },
		{ CKA_ID, id, sizeof(id) },
	};
	CK_OBJECT_HANDLE pub, priv;
	CK_RV rv;

	/* Both halves carry the same id: it is how the public one is found. */
	if (gnutls_rnd(GNUTLS_RND_NONCE, id, sizeof(id)) < 0)
		return mue_fail(e, MUE_EIO, "no random numbers");
	rv = t->module->C_GenerateKeyPair(t->session, &mechanism, public_,
					  sizeof(public_) / sizeof(public_[0]), private_,
					  sizeof(private_) / sizeof(private_[0]), &pub, &priv);
	return rv == CKR_OK ? MUE_OK : failed(t, "the token made no key", rv, e);
}

static void close_token(struct token *t)
{
	if (t->session)
		t->module->C_CloseSession(t->session);
	if (t->modules)
		p11_kit_modules_finalize_and_release(t->modules);
	if (t->parsed)
		p11_kit_uri_free(t->parsed);
}

int mue_token_new(const char *uri, enum mue_key_kind kind, struct mue_error *e)
{
	struct token t = { .uri = uri, .uri_len = (int)strcspn(uri, "?") };
	int r;

	if (kind == MUE_KEY_LMS)
		return mue_fail(e, MUE_EINVAL, "an lms key is a file: tokens have none");
	r = parse(&t, e);
	if (r == MUE_OK)
		r = open_session(&t, e);
	if (r == MUE_OK)
		r = login(&t, e);
	if (r == MUE_OK)
		r = refuse_existing(&t, e);
	if (r == MUE_OK)
		r = generate(&t, kind == MUE_KEY_ED25519, e);
	close_token(&t);
	return r;
}

/* The name of the object that the iterator stands on; false: it has none. */
static bool label_here(P11KitIter *iter, char ret[128])
{
	CK_ATTRIBUTE label = { CKA_LABEL, ret, 127 };

	if (p11_kit_iter_get_attributes(iter, &label, 1) != CKR_OK || label.ulValueLen == 0 ||
	    label.ulValueLen > 127)
		return false;
	ret[label.ulValueLen] = 0;
	return true;
}

int mue_token_list(const char *uri, void (*found)(void *ctx, const char *label), void *ctx,
		   struct mue_error *e)
{
	struct token t = { .uri = uri, .uri_len = (int)strcspn(uri, "?") };
	CK_OBJECT_CLASS class_ = CKO_PUBLIC_KEY;
	CK_ATTRIBUTE want = { CKA_CLASS, &class_, sizeof(class_) };
	P11KitIter *iter = NULL;
	char label[128];
	int r = MUE_OK;

	t.parsed = p11_kit_uri_new();
	if (!t.parsed || p11_kit_uri_parse(uri, P11_KIT_URI_FOR_ANY, t.parsed) != P11_KIT_URI_OK)
		r = mue_fail(e, MUE_EINVAL, "%.*s is no pkcs11: URI", t.uri_len, uri);
	if (r == MUE_OK)
		r = open_session(&t, e); /* for its verdict when there is no such token */
	if (r == MUE_OK) {
		p11_kit_uri_set_attribute(t.parsed, &want);
		iter = p11_kit_iter_new(t.parsed, 0);
		p11_kit_iter_begin(iter, t.modules);
		while (p11_kit_iter_next(iter) == CKR_OK)
			if (label_here(iter, label))
				found(ctx, label);
		p11_kit_iter_free(iter);
	}
	close_token(&t);
	return r;
}

int mue_token_public(const char *uri, struct mue_pubkey *ret, struct mue_error *e)
{
	gnutls_datum_t der = { NULL, 0 };
	gnutls_pubkey_t pub;
	int r = gnutls_pubkey_init(&pub);

	if (r < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	r = gnutls_pubkey_import_url(pub, uri, 0);
	if (r == 0)
		r = gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_DER, &der);
	gnutls_pubkey_deinit(pub);
	if (r < 0)
		return mue_fail(e, MUE_EKEY, "%s: %s", uri, gnutls_strerror(r));
	r = mue_pubkey_parse_der(der.data, der.size, ret, e);
	gnutls_free(der.data);
	return r;
}
