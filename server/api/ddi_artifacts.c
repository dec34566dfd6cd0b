/* The bytes: lists of artifacts, downloads whole or in parts, checksums. */
#include "server/api/ddi.h"

#include "server/blobs/blobs.h"
#include "server/metrics.h"

#include <string.h>

struct wanted {
	int64_t target_id, module_id;
	const char *filename, *links;
	struct mue_artifact_row row;
	json_t *list;
};

static int begin(struct mue_request *r, struct wanted *w, struct mue_error *e)
{
	struct mue_seen seen;
	int v = mue_ddi_begin(r, &seen, e);

	memset(w, 0, sizeof *w);
	w->target_id = seen.target_id;
	w->filename = mue_request_param(r, "fileName");
	w->links = mue_arena_printf(&r->arena, "%s/softwaremodules", mue_ddi_self(r));
	if (!w->links)
		return MUE_ENOMEM;
	return v < 0 ? v : mue_request_id(r, "moduleId", &w->module_id, e);
}

static int read_list(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct wanted *w = arg;
	int r = mue_module_for_target(db, w->target_id, w->module_id, e);

	return r < 0 ? r : mue_module_artifacts(db, w->module_id, w->links, &w->list, e);
}

int mue_ddi_artifacts(struct mue_request *r, struct mue_error *e)
{
	struct wanted w;
	int v = begin(r, &w, e);

	if (v == 0)
		v = mue_store_read(r->server->store, read_list, &w, e);
	return v < 0 ? v : mue_respond_json(r, 200, w.list);
}

static int read_artifact(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct wanted *w = arg;

	return mue_artifact_for_target(db, w->target_id, w->module_id, w->filename, &w->row, e);
}

int mue_ddi_md5sum(struct mue_request *r, struct mue_error *e)
{
	struct wanted w;
	int v = begin(r, &w, e);

	if (v == 0)
		v = mue_store_read(r->server->store, read_artifact, &w, e);
	if (v < 0)
		return v;
	return mue_respond_text(r, 200, "text/plain",
				mue_arena_printf(&r->arena, "%s  %s\n", w.row.md5, w.filename));
}

/* Hands the transfer to the proxy in front (nginx's X-Accel-Redirect), which then deals with
 * ranges. */
static int hand_over(struct mue_request *r, const char *sha256)
{
	const char *path = mue_arena_printf(&r->arena, "%s/%.2s/%s", r->server->config.accel,
					    sha256, sha256 + 2);

	if (!path)
		return MUE_ENOMEM;
	mue_respond_header(r, "X-Accel-Redirect", path);
	mue_respond_header(r, "ETag", mue_arena_printf(&r->arena, "\"%s\"", sha256));
	return mue_respond_text(r, 200, "application/octet-stream", "");
}

int mue_ddi_download(struct mue_request *r, struct mue_error *e)
{
	struct wanted w;
	uint64_t size;
	int fd, v = begin(r, &w, e);

	if (v == 0)
		v = mue_store_read(r->server->store, read_artifact, &w, e);
	if (v < 0)
		return v;
	mue_respond_header(r, "Content-Disposition",
			   mue_arena_printf(&r->arena, "attachment; filename=\"%s\"", w.filename));
	mue_metrics_count(r->server->metrics, MUE_COUNT_DOWNLOAD);
	if (r->server->config.accel && !r->tls)
		return hand_over(r, w.row.sha256);
	v = mue_blob_open(r->server->blobs, w.row.sha256, &fd, &size, e);
	if (v == MUE_ENOTFOUND) /* the row says that it must be there */
		v = mue_fail(e, MUE_EIO, "artifact %s is missing from the blobs", w.row.sha256);
	if (v < 0)
		return v;
	return mue_respond_file(r, fd, size, "application/octet-stream", w.row.sha256);
}
