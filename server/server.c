/* Puts a server together, in the order in which its parts lean on each other, and takes it apart.
 */
#include "server/server.h"

#include "host/file.h"
#include "host/log.h"
#include "server/auth.h"
#include "server/blobs/blobs.h"
#include "server/http/httpd.h"
#include "server/jobs.h"
#include "server/metrics.h"
#include "server/presence.h"
#include "server/store/store.h"
#include "server/tls/ca.h"
#include "server/ui/ui.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GRACE_MS = 3000 };

/* After a commit: RAM follows the database. */
static void on_touched(void *ctx, struct mue_db *db, const int64_t *ids, size_t count)
{
	struct mue_server *s = ctx;
	struct mue_error e = { 0 };
	bool settings = false;

	for (size_t i = 0; i < count; i++)
		settings = settings || ids[i] == 0;
	if (settings && (mue_auth_reload(s->auth, db, &e) < 0 ||
			 mue_presence_reload_settings(s->presence, db, &e) < 0)) {
		mue_log(MUE_LOG_ERROR, "settings.lost", "why", e.text, NULL);
		abort(); /* a revocation that is on the disk must be in force */
	}
	mue_presence_reload(s->presence, db, ids, count);
}

static int path_in(const struct mue_server *s, const char *name, char ret[4096],
		   struct mue_error *e)
{
	if ((size_t)snprintf(ret, 4096, "%s/%s", s->config.data, name) >= 4096)
		return mue_fail(e, MUE_EINVAL, "the data folder's name is too long");
	return 0;
}

/* Two servers on one folder would each believe its own RAM. */
static int lock_folder(struct mue_server *s, struct mue_error *e)
{
	char path[4096];
	int r = path_in(s, "lock", path, e);

	if (r < 0)
		return r;
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return mue_fail_errno(e, "cannot open %.200s", path);
	r = mue_file_lock(s->lock_fd, e);
	return r < 0 ? mue_prefix(e, "another server uses %.100s", s->config.data) : 0;
}

static int open_storage(struct mue_server *s, struct mue_error *e)
{
	char path[4096];
	int r = mue_file_mkdirs(s->config.data, 0700, e);

	if (r == 0)
		r = lock_folder(s, e);
	if (r == 0 && (r = path_in(s, "trust", path, e)) == 0)
		r = mue_file_mkdirs(path, 0755, e);
	if (r == 0 && (r = path_in(s, "blobs", path, e)) == 0)
		r = mue_blobs_open(path, &s->blobs, e);
	if (r == 0 && (r = path_in(s, "mue.db", path, e)) == 0)
		r = mue_store_open(path, &s->store, e);
	return r;
}

static int open_router(struct mue_server *s, struct mue_error *e)
{
	static const struct mue_route *const tables[] = { mue_routes_ddi, mue_routes_mgmt,
							  mue_routes_mue, mue_routes_system,
							  mue_routes_ui };

	return mue_router_new(tables, sizeof tables / sizeof tables[0], &s->router, e);
}

int mue_server_start(const struct mue_server_config *config, struct mue_server **ret,
		     char ret_first_token[MUE_TOKEN_SIZE], struct mue_error *e)
{
	static const struct mue_job *const jobs[] = { mue_jobs_server, mue_jobs_mgmt };
	struct mue_server *s = calloc(1, sizeof *s);
	int r;

	if (!s)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	s->config = *config;
	s->lock_fd = -1;
	s->metrics = mue_metrics_new();
	r = s->metrics ? open_storage(s, e) : mue_fail(e, MUE_ENOMEM, "out of memory");
	if (r == 0)
		r = mue_ca_open(&s->config, &s->ca, e);
	if (r == 0)
		r = mue_auth_open(s->store, s->ca, &s->auth, ret_first_token, e);
	if (r == 0)
		r = mue_presence_open(s->store, &s->presence, e);
	if (r == 0)
		r = open_router(s, e);
	if (r == 0) {
		mue_store_on_touched(s->store, on_touched, s);
		r = mue_jobs_start(s, jobs, 2, e);
	}
	if (r == 0)
		r = mue_httpd_start(s, e);
	if (r < 0)
		mue_server_stop(s);
	else
		*ret = s;
	return r;
}

void mue_server_stop(struct mue_server *s)
{
	struct mue_error e = { 0 };

	if (!s)
		return;
	mue_httpd_stop(s, GRACE_MS);
	mue_jobs_stop(s);
	if (s->presence && s->store && mue_presence_flush(s->presence, s->store, &e) < 0)
		mue_log(MUE_LOG_WARN, "last-seen.lost", "why", e.text, NULL);
	mue_store_close(s->store);
	mue_router_free(s->router);
	mue_presence_close(s->presence);
	mue_auth_close(s->auth);
	mue_ca_close(s->ca);
	mue_blobs_close(s->blobs);
	mue_metrics_free(s->metrics);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s);
}
