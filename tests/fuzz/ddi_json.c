/*
 * Bodies that devices send, through the handlers into a real store: the first byte picks the
 * resource, the rest is the body.  A refusal must be a verdict with a sentence, an answer must have
 * a status, and a refused body must leave the history as it was.
 *
 * FUZZ_SOURCES: server/api/ddi_base.c server/api/ddi_confirm.c server/api/ddi_deployment.c
 * FUZZ_SOURCES: server/api/ddi_feedback.c server/api/ddi_artifacts.c server/api/envelope.c
 * FUZZ_SOURCES: server/http/arena.c server/http/cbor.c server/http/httpd.c server/http/range.c
 * FUZZ_SOURCES: server/http/request.c
 * FUZZ_SOURCES: server/http/listen.c server/http/respond.c server/http/router.c
 * FUZZ_SOURCES: server/auth.c server/presence.c server/metrics.c server/jobs.c
 * FUZZ_SOURCES: server/blobs/blobs.c server/tls/ca.c
 * FUZZ_SOURCES: server/store/db.c server/store/ddi.c server/store/schema.c server/store/store.c
 * FUZZ_SOURCES: server/store/mgmt_action.c server/store/mgmt_schema.c
 * FUZZ_SOURCES: server/fleet/action.c server/fleet/window.c
 * FUZZ_SOURCES: host/buf.c host/err.c host/file.c host/hash.c host/log.c host/pubkey.c host/trust.c
 * FUZZ_SOURCES: host/release.c host/release_sign.c host/uuid.c host/key.c host/pass.c
 * FUZZ_SOURCES: host/lms_journal.c host/lms_keyfile.c host/lms_signer.c host/lms_tree.c
 * FUZZ_SOURCES: core/lms.c core/sha256.c core/cbor_read.c core/cbor_write.c core/cose.c
 * FUZZ_SOURCES: core/cose_lms.c core/cose_tbs.c core/suit_check.c core/suit_command.c
 * FUZZ_SOURCES: core/suit_describe.c core/suit_open.c core/suit_p0.c core/suit_params.c
 * FUZZ_SOURCES: core/suit_run.c core/suit_verify.c
 * FUZZ_LIBS: -I/usr/include/p11-kit-1 -lgnutls -ljansson -lmicrohttpd -lsqlite3 -lpthread
 */
#include "server/api/ddi.h"
#include "server/metrics.h"
#include "server/presence.h"
#include "server/server.h"
#include "server/store/ddi.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *method, *path;
} requests[] = {
	{ "POST", "/DEFAULT/controller/v1/dev/deploymentBase/1/feedback" },
	{ "POST", "/DEFAULT/controller/v1/dev/cancelAction/1/feedback" },
	{ "POST", "/DEFAULT/controller/v1/dev/confirmationBase/1/feedback" },
	{ "PUT", "/DEFAULT/controller/v1/dev/configData" },
	{ "PUT", "/DEFAULT/controller/v1/dev/installedBase" },
	{ "POST", "/DEFAULT/controller/v1/dev/confirmationBase/activateAutoConfirm" },
};

static int fill(struct mue_db *db, void *arg, struct mue_error *e)
{
	int64_t id;
	int r = mue_target_ensure(db, "dev", "fuzz", &id, e);

	(void)arg;
	if (r == 0)
		r = mue_db_exec(db, e,
				"INSERT INTO dist_set (id, type_id, name, version, created_at,"
				" created_by, modified_at, modified_by)"
				" VALUES (1, 1, 'a', '1', 0, 'x', 0, 'x')",
				NULL);
	if (r == 0)
		r = mue_db_exec(db, e,
				"INSERT INTO action (id, target_id, set_id, type, status, active,"
				" initiated_by, created_at, created_by, modified_at, modified_by)"
				" VALUES (1, 1, 1, 'forced', 'running', 1, 'x', 0, 'x', 0, 'x')",
				NULL);
	return r;
}

/* The action is open again, in the state that the resource is for. */
static int rewind_action(struct mue_db *db, void *arg, struct mue_error *e)
{
	static const char *const states[] = { "running", "canceling", "wait_for_confirmation",
					      "running", "running",   "wait_for_confirmation" };
	const unsigned *which = arg;
	int r = mue_db_exec(db, e, "UPDATE action SET status = ?1, active = 1", "t",
			    states[*which]);

	return r < 0 ? r : mue_db_exec(db, e, "DELETE FROM action_status", NULL);
}

static int history(struct mue_db *db, void *arg, struct mue_error *e)
{
	return mue_db_int(db, arg, e, "SELECT count(*) FROM action_status", NULL);
}

static char folder[] = "/dev/shm/mue-fuzz-XXXXXX";

static void sweep(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf %s", folder);
	if (system(command) != 0)
		fprintf(stderr, "%s stays\n", folder);
}

static void start(struct mue_server *s)
{
	static const struct mue_route *const tables[] = { mue_routes_ddi };
	struct mue_error e;
	char path[64];

	if (!mkdtemp(folder))
		abort();
	atexit(sweep);
	setenv("MUE_LOG", "error", 1);
	snprintf(path, sizeof path, "%s/mue.db", folder);
	s->metrics = mue_metrics_new();
	s->config.poll_s = 300;
	if (mue_store_open(path, &s->store, &e) < 0 ||
	    mue_store_write(s->store, fill, NULL, &e) < 0 ||
	    mue_presence_open(s->store, &s->presence, &e) < 0 ||
	    mue_router_new(tables, 1, &s->router, &e) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mue_server s;
	struct mue_error e = { 0 };
	struct mue_request r = { .server = &s, .response.fd = -1 };
	int64_t rows = 0;
	unsigned which;
	int v;

	if (!s.store)
		start(&s);
	if (size == 0)
		return 0;
	which = data[0] % (sizeof requests / sizeof requests[0]);
	if (mue_store_write(s.store, rewind_action, &which, &e) < 0)
		abort();
	mue_arena_init(&r.arena, MUE_ARENA_MAX);
	r.method = requests[which].method;
	r.path = requests[which].path;
	r.who = (struct mue_identity){ MUE_WHO_DEVICE, "dev" };
	r.body = mue_arena_copy(&r.arena, (const char *)data + 1, size - 1);
	r.body_len = size - 1;
	assert(mue_router_match(s.router, &r) == 0);
	v = r.route->handler(&r, &e);
	if (v < 0) {
		assert(v == e.code && e.text[0]);
		assert(mue_verdict_status(v) >= 400 && mue_verdict_status(v) < 500);
		assert(mue_respond_verdict(&r, &e) == 0);
		assert(mue_store_read(s.store, history, &rows, &e) == 0 && rows == 0);
	} else {
		assert(r.response.status == 200);
	}
	free(r.response.owned);
	json_decref(r.json);
	mue_arena_reset(&r.arena);
	return 0;
}
