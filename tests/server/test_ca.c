/* The device CA: what it issues it accepts; nothing else. */
#include "server/tls/ca.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	char folder[64];
	struct mue_server_config config;
	struct mue_ca *ca;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct mue_error e;

	strcpy(f->folder, "/tmp/mue-ca-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->config.data = f->folder;
	assert_int_equal(mue_ca_open(&f->config, &f->ca, &e), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	mue_ca_close(f->ca);
	snprintf(command, sizeof command, "rm -r '%s'", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* A request that claims another name and wants to be a CA. */
static char *make_csr(void)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crq_t csr;
	gnutls_datum_t pem;
	char *text;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(
		gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	assert_int_equal(gnutls_x509_crq_init(&csr), 0);
	gnutls_x509_crq_set_version(csr, 1);
	gnutls_x509_crq_set_dn(csr, "CN=admin,O=Somebody", NULL);
	gnutls_x509_crq_set_basic_constraints(csr, 1, 3);
	gnutls_x509_crq_set_key(csr, key);
	assert_int_equal(gnutls_x509_crq_sign2(csr, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crq_export2(csr, GNUTLS_X509_FMT_PEM, &pem), 0);
	text = strndup((char *)pem.data, pem.size);
	gnutls_free(pem.data);
	gnutls_x509_crq_deinit(csr);
	gnutls_x509_privkey_deinit(key);
	return text;
}

/* check_peer of the first certificate in a PEM text. */
static int check(struct mue_ca *ca, const char *pem, struct mue_peer *peer)
{
	gnutls_datum_t in, der = { 0 };
	gnutls_x509_crt_t crt;
	struct mue_error e;
	int r;

	memcpy(&in.data, &pem, sizeof pem);
	in.size = (unsigned)strlen(pem);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &in, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
	gnutls_x509_crt_deinit(crt);
	r = mue_ca_check_peer(ca, der.data, der.size, peer, &e);
	gnutls_free(der.data);
	return r;
}

static void issue(struct mue_ca *ca, const char *id, struct mue_issued *ret)
{
	struct mue_error e;
	char *csr = make_csr();

	assert_int_equal(mue_ca_issue(ca, csr, id, ret, &e), 0);
	free(csr);
}

static void what_it_issues_it_accepts_under_the_name_that_we_gave(void **state)
{
	struct fixture *f = *state;
	struct mue_issued issued;
	struct mue_peer peer;

	issue(f->ca, "gw-1", &issued);
	assert_int_equal(check(f->ca, issued.pem, &peer), 0);
	assert_string_equal(peer.id, "gw-1");
	assert_string_equal(peer.serial, issued.serial);
	assert_int_equal(peer.expires_ms, issued.expires_ms);
	free(issued.pem);
}

static void a_restart_changes_nothing(void **state)
{
	struct fixture *f = *state;
	char *certificate = strdup(mue_ca_certificate(f->ca));
	char *server = strdup(mue_ca_server_certificate(f->ca));
	struct mue_issued issued;
	struct mue_peer peer;
	struct mue_error e;

	issue(f->ca, "gw-1", &issued);
	mue_ca_close(f->ca);
	assert_int_equal(mue_ca_open(&f->config, &f->ca, &e), 0);
	assert_string_equal(mue_ca_certificate(f->ca), certificate);
	assert_string_equal(mue_ca_server_certificate(f->ca), server);
	assert_int_equal(check(f->ca, issued.pem, &peer), 0);
	free(certificate);
	free(server);
	free(issued.pem);
}

static void a_device_of_another_server_is_refused(void **state)
{
	struct fixture *other = NULL, *f = *state;
	struct mue_issued issued;
	struct mue_peer peer;

	setup((void **)&other);
	issue(other->ca, "gw-1", &issued);
	assert_int_equal(check(f->ca, issued.pem, &peer), MUE_EAUTH);
	free(issued.pem);
	teardown((void **)&other);
}

static void neither_the_server_nor_the_ca_is_a_device(void **state)
{
	struct fixture *f = *state;
	struct mue_peer peer;

	assert_int_equal(check(f->ca, mue_ca_server_certificate(f->ca), &peer), MUE_EAUTH);
	assert_int_equal(check(f->ca, mue_ca_certificate(f->ca), &peer), MUE_EAUTH);
}

static void damaged_bytes_are_refused(void **state)
{
	struct fixture *f = *state;
	struct mue_peer peer;
	struct mue_error e;

	assert_int_equal(mue_ca_check_peer(f->ca, "", 0, &peer, &e), MUE_EAUTH);
	assert_int_equal(mue_ca_check_peer(f->ca, "nonsense", 8, &peer, &e), MUE_EAUTH);
}

static void a_request_whose_signature_does_not_hold_is_refused(void **state)
{
	struct fixture *f = *state;
	struct mue_issued issued;
	char *csr = make_csr(), *tail = strstr(csr, "-----END") - 12;
	struct mue_error e;

	*tail = *tail == 'A' ? 'B' : 'A';
	assert_true(mue_ca_issue(f->ca, csr, "gw-1", &issued, &e) < 0);
	assert_null(issued.pem);
	assert_int_equal(mue_ca_issue(f->ca, "nonsense", "gw-1", &issued, &e), MUE_EFORMAT);
	free(csr);
}

static void a_missing_name_makes_a_new_server_certificate(void **state)
{
	struct fixture *f = *state;
	char *before = strdup(mue_ca_server_certificate(f->ca));
	struct mue_error e;

	f->config.names[f->config.name_count++] = "updates.example";
	mue_ca_close(f->ca);
	assert_int_equal(mue_ca_open(&f->config, &f->ca, &e), 0);
	assert_string_not_equal(mue_ca_server_certificate(f->ca), before);
	free(before);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_it_issues_it_accepts_under_the_name_that_we_gave),
		CASE(a_restart_changes_nothing),
		CASE(a_device_of_another_server_is_refused),
		CASE(neither_the_server_nor_the_ca_is_a_device),
		CASE(damaged_bytes_are_refused),
		CASE(a_request_whose_signature_does_not_hold_is_refused),
		CASE(a_missing_name_makes_a_new_server_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
