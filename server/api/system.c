/* For those who run the server: is it alive, can it work, what has it done. */
#include "server/metrics.h"
#include "server/server.h"
#include "server/store/store.h"

static int health(struct mue_request *r, struct mue_error *e)
{
	(void)e;
	return mue_respond_text(r, 200, "application/json", "{\"status\":\"UP\"}");
}

static int write_nothing(struct mue_db *db, void *arg, struct mue_error *e)
{
	(void)arg;
	/* A row that is replaced by itself: proves that the disk takes a commit. */
	return mue_db_exec(db, e, "UPDATE module_type SET id = id WHERE key = 'os'", NULL);
}

static int ready(struct mue_request *r, struct mue_error *e)
{
	if (mue_store_write(r->server->store, write_nothing, NULL, e) < 0) {
		mue_respond_header(r, "Retry-After", "10");
		return mue_respond_error(r, 503, "hawkbit.server.error.repo.genericError",
					 "NotReady", e->text);
	}
	return mue_respond_text(r, 200, "application/json", "{\"status\":\"UP\"}");
}

static int metrics(struct mue_request *r, struct mue_error *e)
{
	(void)e;
	return mue_respond_text(r, 200, "text/plain; version=0.0.4", mue_metrics_text(r));
}

/* clang-format off */
const struct mue_route mue_routes_system[] = {
	{ "GET", "/health", health, MUE_ACCESS_PUBLIC, 0, NULL },
	{ "GET", "/ready", ready, MUE_ACCESS_PUBLIC, 0, NULL },
	{ "GET", "/metrics", metrics, MUE_ACCESS_OPERATOR, 0, NULL },
	{ 0 },
};
/* clang-format on */
