/* /rest/v1/softwaremodules and their artifacts. */
#include "server/api/mgmt_modules.h"

#include "server/api/mgmt.h"
#include "server/api/upload.h"

#include <inttypes.h>

static const struct mgmt_column module_columns[] = {
	{ "id", MGMT_INT, "m.id" },
	{ "name", MGMT_TEXT, "m.name" },
	{ "version", MGMT_TEXT, "m.version" },
	{ "type", MGMT_TEXT, "(SELECT x.key FROM module_type x WHERE x.id = m.type_id)" },
	{ "typeName", MGMT_TEXT, "(SELECT x.name FROM module_type x WHERE x.id = m.type_id)" },
	{ "vendor", MGMT_TEXT, "m.vendor" },
	{ "description", MGMT_TEXT, "m.description" },
	{ "encrypted", MGMT_BOOL, "m.encrypted" },
	{ "locked", MGMT_BOOL, "m.locked" },
	{ "deleted", MGMT_BOOL, "m.deleted" },
	MGMT_TRACKED("m"),
	{ NULL, MGMT_TEXT, NULL },
};

static int finish_module(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			 struct mue_error *e)
{
	int64_t type;
	int r = mgmt_link(op, json, "self", "/rest/v1/softwaremodules/%" PRId64, id);

	if (r < 0 || !full)
		return r;
	r = mue_db_int(op->db, &type, e, "SELECT type_id FROM module WHERE id = ?", "i", id);
	if (r < 0)
		return r;
	mgmt_link(op, json, "artifacts", "/rest/v1/softwaremodules/%" PRId64 "/artifacts", id);
	mgmt_link(op, json, "type", "/rest/v1/softwaremoduletypes/%" PRId64, type);
	return mgmt_link(op, json, "metadata", "/rest/v1/softwaremodules/%" PRId64 "/metadata", id);
}

const struct mgmt_entity mgmt_module = {
	.what = "software module",
	.from = "module m",
	.id = "m.id",
	.alive = "m.deleted = 0",
	.order = "m.id",
	.fields = mue_fields_module,
	.columns = module_columns,
	.finish = finish_module,
};

int mgmt_modules_list(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_page(r, &mgmt_module, e);
}

int mgmt_module_get(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_one(r, &mgmt_module, "softwareModuleId", e);
}

static int create_one(struct mgmt_op *op, const json_t *json, int64_t *ret, struct mue_error *e)
{
	const char *name = NULL, *version = NULL, *type = NULL, *vendor = NULL, *about = NULL;
	bool encrypted = false;
	int64_t type_id;
	int r = mgmt_text(json, "name", MGMT_NAME, true, &name, e);

	if (r == 0)
		r = mgmt_text(json, "version", MGMT_VERSION, true, &version, e);
	if (r == 0)
		r = mgmt_text(json, "type", MGMT_KEY, true, &type, e);
	if (r == 0)
		r = mgmt_text(json, "vendor", 256, false, &vendor, e);
	if (r == 0)
		r = mgmt_text(json, "description", MGMT_DESCRIPTION, false, &about, e);
	if (r == 0)
		r = mgmt_bool(json, "encrypted", &encrypted, e);
	if (r < 0)
		return r;
	r = mue_db_int(op->db, &type_id, e,
		       "SELECT id FROM module_type WHERE key = ? AND deleted = 0", "t", type);
	if (r == MUE_ENOTFOUND)
		return mue_fail(e, r, "software module type %.64s does not exist", type);
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"INSERT INTO module (type_id, name, version, vendor, description,"
				" encrypted, created_at, created_by, modified_at, modified_by)"
				" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
				"ittttiitit", type_id, name, version, vendor, about,
				(int64_t)encrypted, op->now, op->r->who.name, op->now,
				op->r->who.name);
	if (r == MUE_EEXIST)
		return mue_fail(e, r, "software module %.64s:%.32s of type %.32s exists already",
				name, version, type);
	if (r == 0)
		*ret = mue_db_last_id(op->db);
	return r;
}

static int do_create(struct mgmt_op *op, struct mue_error *e)
{
	return mgmt_create_each(op, &mgmt_module, create_one, e);
}

int mgmt_modules_create(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, NULL, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_create, 201, e);
}

static int do_put(struct mgmt_op *op, struct mue_error *e)
{
	const char *about = NULL, *vendor = NULL;
	bool locked = false;
	int r = mgmt_exists(op, &mgmt_module, op->id, e);

	if (r == 0)
		r = mgmt_text(op->in, "description", MGMT_DESCRIPTION, false, &about, e);
	if (r == 0)
		r = mgmt_text(op->in, "vendor", 256, false, &vendor, e);
	if (r == 0)
		r = mgmt_bool(op->in, "locked", &locked, e);
	if (r == 0)
		r = mue_db_exec(op->db, e,
				"UPDATE module SET description = COALESCE(?, description),"
				" vendor = COALESCE(?, vendor) WHERE id = ?",
				"tti", about, vendor, op->id);
	if (r == 0 && json_is_boolean(json_object_get(op->in, "locked")))
		r = mue_db_exec(op->db, e, "UPDATE module SET locked = ? WHERE id = ?", "ii",
				(int64_t)locked, op->id);
	if (r == 0)
		r = mgmt_touch(op, "module", op->id, e);
	return r < 0 ? r : mgmt_load(op, &mgmt_module, op->id, true, &op->out, e);
}

int mgmt_module_put(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, "softwareModuleId", e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_put, 200, e);
}

static int do_delete(struct mgmt_op *op, struct mue_error *e)
{
	return mgmt_soft_delete(op, "module", mgmt_module.what, op->id, e);
}

/* The artifacts stay as long as a distribution set that devices may be fetching holds the module.
 */
int mgmt_module_delete(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, "softwareModuleId", e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_delete, 200, e);
}

/* ---- artifacts ---- */

static const struct mgmt_column artifact_columns[] = {
	{ "id", MGMT_INT, "a.id" },
	{ "providedFilename", MGMT_TEXT, "a.filename" },
	{ "size", MGMT_INT, "a.size" },
	{ "sha1", MGMT_TEXT, "a.sha1" },
	{ "md5", MGMT_TEXT, "a.md5" },
	{ "sha256", MGMT_TEXT, "a.sha256" },
	{ "createdBy", MGMT_TEXT, "a.created_by" },
	{ "createdAt", MGMT_INT, "a.created_at" },
	{ "lastModifiedBy", MGMT_TEXT, "a.created_by" },
	{ "lastModifiedAt", MGMT_INT, "a.created_at" },
	{ "sequence", MGMT_INT, "a.sequence" }, /* ours: what an envelope says */
	{ "manifest", MGMT_TEXT, "NULLIF(a.manifest, '')" },
	{ NULL, MGMT_TEXT, NULL },
};

static const struct mue_field artifact_fields[] = {
	{ "id", MUE_FIELD_INT, "a.id", NULL },
	{ "filename", MUE_FIELD_TEXT, "a.filename", NULL },
	{ NULL, MUE_FIELD_TEXT, NULL, NULL },
};

/* The three digests move into "hashes". */
static int finish_artifact(struct mgmt_op *op, json_t *json, int64_t id, bool full,
			   struct mue_error *e)
{
	static const char *const digests[] = { "sha1", "md5", "sha256" };
	json_t *hashes = json_object();
	int64_t module;
	int r = mue_db_int(op->db, &module, e, "SELECT module_id FROM artifact WHERE id = ?", "i",
			   id);

	(void)full;
	for (size_t i = 0; i < 3; i++) {
		json_object_set(hashes, digests[i], json_object_get(json, digests[i]));
		json_object_del(json, digests[i]);
	}
	json_object_set_new(json, "hashes", hashes);
	if (r < 0)
		return r;
	mgmt_link(op, json, "self", "/rest/v1/softwaremodules/%" PRId64 "/artifacts/%" PRId64,
		  module, id);
	return mgmt_link(op, json, "download",
			 "/rest/v1/softwaremodules/%" PRId64 "/artifacts/%" PRId64 "/download",
			 module, id);
}

static const struct mgmt_entity artifact = {
	.what = "artifact",
	.from = "artifact a",
	.id = "a.id",
	.order = "a.id",
	.fields = artifact_fields,
	.columns = artifact_columns,
	.finish = finish_artifact,
};

static int do_artifacts(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_module, op->id, e);

	return r < 0 ? r : mgmt_array(op, &artifact, "a.module_id = ?", e, "i", op->id);
}

int mgmt_artifacts_list(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, false, "softwareModuleId", e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_artifacts, 200, e);
}

/* The artifact of the path must be one of the path's module. */
static int check_artifact(struct mgmt_op *op, struct mue_error *e)
{
	int64_t n;
	int r = mue_db_int(op->db, &n, e, "SELECT 1 FROM artifact WHERE id = ? AND module_id = ?",
			   "ii", op->id2, op->id);

	if (r == MUE_ENOTFOUND)
		return mue_fail(e, r,
				"artifact %" PRId64 " does not exist in software module %" PRId64,
				op->id2, op->id);
	return r;
}

static int begin_artifact(struct mgmt_op *op, struct mue_request *r, struct mue_error *e)
{
	int v = mgmt_begin(op, r, false, "softwareModuleId", e);

	return v ? v : mue_request_id(r, "artifactId", &op->id2, e);
}

static int do_artifact(struct mgmt_op *op, struct mue_error *e)
{
	int r = check_artifact(op, e);

	return r < 0 ? r : mgmt_load(op, &artifact, op->id2, true, &op->out, e);
}

int mgmt_artifact_get(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin_artifact(&op, r, e);

	return v ? mgmt_over(v) : mgmt_read(&op, do_artifact, 200, e);
}

/* A module that devices were told to install stays what it was. */
static int check_unlocked(struct mgmt_op *op, struct mue_error *e)
{
	int64_t locked = 0;
	int r = mgmt_exists(op, &mgmt_module, op->id, e);

	if (r == 0)
		r = mue_db_int(
			op->db, &locked, e,
			"SELECT m.locked OR EXISTS (SELECT 1 FROM set_module z JOIN dist_set d"
			" ON d.id = z.set_id WHERE z.module_id = m.id AND d.locked = 1)"
			" FROM module m WHERE m.id = ?",
			"i", op->id);
	if (r == 0 && locked)
		return mgmt_fail(op, &mgmt_locked, e,
				 "software module %" PRId64
				 " is locked: it was assigned to devices",
				 op->id);
	return r;
}

struct new_artifact {
	struct mgmt_op op;
	const struct mue_upload *upload;
};

/* The same file with the same content again is the same artifact: a publish may be repeated. */
static int same_already(struct new_artifact *n, int64_t *ret, struct mue_error *e)
{
	int r = mue_db_int(n->op.db, ret, e,
			   "SELECT id FROM artifact WHERE module_id = ? AND filename = ?"
			   " AND sha256 = ?",
			   "itt", n->op.id, n->upload->filename, n->upload->info.sha256);

	return r == MUE_ENOTFOUND ? 0 : r;
}

static int insert_artifact(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct new_artifact *n = arg;
	const struct mue_upload *u = n->upload;
	int64_t id = 0;
	int r;

	n->op.db = db;
	r = same_already(n, &id, e);
	if (r == 0 && id == 0)
		r = check_unlocked(&n->op, e);
	if (r == 0 && id == 0) {
		r = mue_db_exec(
			db, e,
			"INSERT INTO artifact (module_id, filename, size, sha256, sha1, md5,"
			" created_at, created_by, manifest, vendor, class)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			"ititttitttt", n->op.id, u->filename, (int64_t)u->info.size, u->info.sha256,
			u->info.sha1, u->info.md5, n->op.now, n->op.r->who.name, u->facts.manifest,
			u->facts.vendor, u->facts.class);
		if (r == MUE_EEXIST)
			r = mue_fail(e, r, "%.100s exists already with other content", u->filename);
		id = mue_db_last_id(db);
		if (r == 0 && u->facts.is_envelope)
			r = mue_db_exec(db, e, "UPDATE artifact SET sequence = ? WHERE id = ?",
					"ii", u->facts.sequence, id);
	}
	return r < 0 ? r : mgmt_load(&n->op, &artifact, id, true, &n->op.out, e);
}

int mgmt_artifact_upload(struct mue_request *r, struct mue_error *e)
{
	struct new_artifact n = { 0 };
	int v = mgmt_begin(&n.op, r, false, "softwareModuleId", e);

	if (v)
		return mgmt_over(v);
	v = mue_upload_finish(r, &n.upload, e);
	if (v == 0)
		v = mue_upload_commit(r, insert_artifact, &n, e);
	return mgmt_answer(&n.op, 201, v, e);
}

/* Blobs that no artifact names any more leave the disk, after the rows are durably gone. */
static int drop_blob(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct mgmt_op *op = arg;
	int64_t n;
	int r = mue_db_int(db, &n, e, "SELECT count(*) FROM artifact WHERE sha256 = ?", "t",
			   op->text);

	if (r < 0 || n > 0)
		return r;
	return mue_blob_remove(op->r->server->blobs, op->text, e);
}

static int do_artifact_delete(struct mgmt_op *op, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = check_artifact(op, e);

	if (r == 0)
		r = check_unlocked(op, e);
	if (r == 0)
		r = mue_db_query(op->db, &rows, e, "SELECT sha256 FROM artifact WHERE id = ?", "i",
				 op->id2);
	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0)
		op->text = mue_arena_str(&op->r->arena, mue_rows_text(&rows, 0));
	mue_rows_end(&rows);
	if (r < 0)
		return r;
	return mue_db_exec(op->db, e, "DELETE FROM artifact WHERE id = ?", "i", op->id2);
}

int mgmt_artifact_delete(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = begin_artifact(&op, r, e);

	if (v)
		return mgmt_over(v);
	v = mgmt_write(&op, do_artifact_delete, 200, e);
	if (v == 0 &&
	    r->response.status == 200) /* a blob left behind by a failure here only costs room */
		mue_store_write(r->server->store, drop_blob, &op, NULL);
	return v;
}

static int do_find_blob(struct mgmt_op *op, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = check_artifact(op, e);

	if (r == 0)
		r = mue_db_query(op->db, &rows, e,
				 "SELECT sha256, filename FROM artifact WHERE id = ?", "i",
				 op->id2);
	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0)
		op->text = mue_arena_str(&op->r->arena, mue_rows_text(&rows, 0));
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

int mgmt_artifact_download(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op = { .r = r };
	uint64_t size = 0;
	int fd = -1, v = mue_request_id(r, "softwareModuleId", &op.id, e);

	if (v == 0)
		v = mue_request_id(r, "artifactId", &op.id2, e);
	if (v == 0)
		v = mgmt_read(&op, do_find_blob, 200, e);
	if (v == 0)
		v = mue_blob_open(r->server->blobs, op.text, &fd, &size, e);
	return v < 0 ? v : mue_respond_file(r, fd, size, "application/octet-stream", op.text);
}
