/*
 * Bodies that operators send, through the management handlers into a real store: the first byte
 * picks the resource, the rest is the body.  A refusal must be a verdict with a sentence or an
 * answer of 4xx, never a failure of ours.
 *
 * FUZZ_SOURCES: server/api/mgmt_actions.c server/api/mgmt_assign.c server/api/mgmt_body.c
 * FUZZ_SOURCES: server/api/mgmt_config.c server/api/mgmt_core.c server/api/mgmt_filters.c
 * FUZZ_SOURCES: server/api/mgmt_metadata.c server/api/mgmt_modules.c
 * FUZZ_SOURCES: server/api/mgmt_rollout_create.c server/api/mgmt_rollouts.c
 * FUZZ_SOURCES: server/api/mgmt_routes.c server/api/mgmt_set_targets.c
 * FUZZ_SOURCES: server/api/mgmt_set_types.c server/api/mgmt_sets.c server/api/mgmt_tags.c
 * FUZZ_SOURCES: server/api/mgmt_target_sets.c server/api/mgmt_targets.c
 * FUZZ_SOURCES: server/api/mgmt_types.c server/api/envelope.c server/api/upload.c
 * FUZZ_SOURCES: server/http/arena.c server/http/cbor.c server/http/httpd.c
 * FUZZ_SOURCES: server/http/listen.c server/http/range.c server/http/request.c
 * FUZZ_SOURCES: server/http/respond.c server/http/router.c server/auth.c server/presence.c
 * FUZZ_SOURCES: server/metrics.c server/jobs.c server/blobs/blobs.c server/tls/ca.c
 * FUZZ_SOURCES: server/store/db.c server/store/ddi.c server/store/schema.c
 * FUZZ_SOURCES: server/store/store.c server/store/mgmt_action.c server/store/mgmt_list.c
 * FUZZ_SOURCES: server/store/mgmt_schema.c server/store/rollout.c
 * FUZZ_SOURCES: server/store/rollout_plan.c server/fleet/action.c server/fleet/fields.c
 * FUZZ_SOURCES: server/fleet/fiql.c server/fleet/fiql_sql.c server/fleet/rollout.c
 * FUZZ_SOURCES: server/fleet/window.c host/buf.c host/err.c host/file.c host/hash.c
 * FUZZ_SOURCES: host/log.c host/pubkey.c host/trust.c host/release.c host/release_sign.c
 * FUZZ_SOURCES: host/uuid.c host/key.c host/pass.c host/lms_journal.c host/lms_keyfile.c
 * FUZZ_SOURCES: host/lms_signer.c host/lms_tree.c core/lms.c core/sha256.c core/cbor_read.c
 * FUZZ_SOURCES: core/cbor_write.c core/cose.c core/cose_lms.c core/cose_tbs.c
 * FUZZ_SOURCES: core/suit_check.c core/suit_command.c core/suit_describe.c core/suit_open.c
 * FUZZ_SOURCES: core/suit_p0.c core/suit_params.c core/suit_run.c core/suit_verify.c
 * FUZZ_LIBS: -I/usr/include/p11-kit-1 -lgnutls -ljansson -lmicrohttpd -lsqlite3 -lpthread
 */
#include "server/metrics.h"
#include "server/presence.h"
#include "server/server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bodies are what a fuzzer starts from; the first ones also make what the others need. */
static const struct {
	const char *method, *path, *body;
} requests[] = {
	{ "POST", "/rest/v1/targets",
	  "[{\"controllerId\":\"dev\",\"name\":\"d\",\"address\":\"a\"}]" },
	{ "POST", "/rest/v1/softwaremodules",
	  "[{\"name\":\"m\",\"version\":\"1\",\"type\":\"os\",\"vendor\":\"v\"}]" },
	{ "POST", "/rest/v1/distributionsets",
	  "[{\"name\":\"s\",\"version\":\"1\",\"type\":\"mue\",\"modules\":[{\"id\":1}]}]" },
	{ "POST", "/rest/v1/targettags", "[{\"name\":\"bench\",\"colour\":\"#fff\"}]" },
	{ "POST", "/rest/v1/rollouts",
	  "{\"name\":\"r\",\"distributionSetId\":1,\"targetFilterQuery\":\"id==*\","
	  "\"groups\":[{\"name\":\"g\",\"targetPercentage\":100,\"targetFilterQuery\":\"name==d\"}]"
	  ","
	  "\"successCondition\":{\"condition\":\"THRESHOLD\",\"expression\":\"50\"}}" },
	{ "POST", "/rest/v1/targetfilters", "{\"name\":\"f\",\"query\":\"name==d\"}" },
	{ "POST", "/rest/v1/targetfilters/1/autoAssignDS",
	  "{\"id\":1,\"type\":\"soft\",\"weight\":9}" },
	{ "POST", "/rest/v1/distributionsets/1/assignedTargets",
	  "[{\"id\":\"dev\",\"type\":\"timeforced\",\"forcetime\":1,\"maintenanceWindow\":{"
	  "\"schedule\":\"0 0 1 * * ?\",\"duration\":\"00:10:00\",\"timezone\":\"+00:00\"}}]" },
	{ "POST", "/rest/v1/targets/dev/assignedDS", "[{\"id\":1}]" },
	{ "PUT", "/rest/v1/targets/dev", "{\"name\":\"e\",\"requestAttributes\":true}" },
	{ "POST", "/rest/v1/targets/dev/metadata", "[{\"key\":\"k\",\"value\":\"v\"}]" },
	{ "POST", "/rest/v1/targets/dev/autoConfirm/activate",
	  "{\"initiator\":\"i\",\"remark\":\"r\"}" },
	{ "PUT", "/rest/v1/targets/dev/actions/1", "{\"forceType\":\"forced\"}" },
	{ "POST", "/rest/v1/distributionsettypes",
	  "[{\"name\":\"t\",\"key\":\"t\",\"mandatorymodules\":[{\"id\":1}]}]" },
	{ "POST", "/rest/v1/softwaremoduletypes",
	  "[{\"name\":\"t\",\"key\":\"t\",\"maxAssignments\":2}]" },
	{ "POST", "/rest/v1/distributionsets/1/metadata", "[{\"key\":\"k\",\"value\":\"v\"}]" },
	{ "POST", "/rest/v1/targettags/1/assigned", "[\"dev\"]" },
	{ "PUT", "/rest/v1/rollouts/1", "{\"name\":\"q\",\"description\":\"d\"}" },
};

enum { REQUESTS = sizeof requests / sizeof requests[0] };

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
	static const struct mue_route *const tables[] = { mue_routes_mgmt };
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
	    mue_presence_open(s->store, &s->presence, &e) < 0 ||
	    mue_router_new(tables, 1, &s->router, &e) < 0)
		abort();
}

/* The answer's status. */
static unsigned ask(struct mue_server *s, unsigned which, const char *body, size_t len)
{
	struct mue_error e = { 0 };
	struct mue_request r = { .server = s, .response.fd = -1 };
	unsigned status;
	int v;

	mue_arena_init(&r.arena, MUE_ARENA_MAX);
	r.method = requests[which].method;
	r.path = requests[which].path;
	r.who = (struct mue_identity){ MUE_WHO_OPERATOR, "fuzz" };
	r.body = mue_arena_copy(&r.arena, body, len);
	r.body_len = len;
	assert(mue_router_match(s->router, &r) == 0);
	v = r.route->handler(&r, &e);
	if (v < 0) {
		assert(v == e.code && e.text[0]);
		assert(mue_respond_verdict(&r, &e) == 0);
	}
	status = r.response.status;
	if (body == requests[which].body && status > 299) /* a seed must be good */
		fprintf(stderr, "%s: %u %.200s\n", r.path, status, r.response.body);
	free(r.response.owned);
	json_decref(r.json);
	mue_arena_reset(&r.arena);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mue_server s;
	unsigned status, refused = 0;

	if (!s.store) {
		start(&s);
		for (unsigned i = 0; i < REQUESTS; i++)
			refused += ask(&s, i, requests[i].body, strlen(requests[i].body)) > 299;
		assert(refused == 0);
	}
	if (size == 0)
		return 0;
	status = ask(&s, data[0] % REQUESTS, (const char *)data + 1, size - 1);
	assert(status >= 200 && status <= 499);
	return 0;
}
