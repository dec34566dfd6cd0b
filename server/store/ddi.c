#include "server/store/ddi.h"

#include "server/auth.h"

#include <stdio.h>
#include <string.h>

static void copy(char *to, size_t room, const char *from)
{
	snprintf(to, room, "%s", from);
}

/* ---- targets ---- */

bool mue_controller_id_ok(const char *id)
{
	size_t len = strlen(id);

	if (len == 0 || len >= MUE_ID_MAX)
		return false;
	for (; *id; id++)
		if (*id <= ' ' || *id > '~' || strchr("/\\\"'%<>", *id))
			return false;
	return true;
}

int mue_target_find(struct mue_db *db, const char *controller_id, int64_t *ret_id,
		    struct mue_error *e)
{
	int r = mue_db_int(db, ret_id, e, "SELECT id FROM target WHERE controller_id = ?1", "t",
			   controller_id);

	if (r == MUE_ENOTFOUND)
		mue_fail(e, r, "target %s does not exist", controller_id);
	return r;
}

int mue_target_ensure(struct mue_db *db, const char *controller_id, const char *by, int64_t *ret_id,
		      struct mue_error *e)
{
	char token[MUE_TOKEN_SIZE];
	int r = mue_target_find(db, controller_id, ret_id, e);

	if (r != MUE_ENOTFOUND)
		return r;
	if (!mue_controller_id_ok(controller_id))
		return mue_fail(e, MUE_EINVAL, "%.80s is no controller id", controller_id);
	r = mue_auth_random_token(token, e);
	if (r == 0)
		r = mue_db_exec(db, e,
				"INSERT INTO target (controller_id, name, security_token,"
				" created_at, created_by, modified_at, modified_by)"
				" VALUES (?1, ?1, ?2, ?3, ?4, ?3, ?4)",
				"ttit", controller_id, token, mue_now_ms(), by);
	if (r == 0)
		*ret_id = mue_db_last_id(db);
	return r;
}

static int set_attribute(struct mue_db *db, int64_t target_id, const char *key, json_t *value,
			 enum mue_attributes_mode mode, struct mue_error *e)
{
	if (!*key || strlen(key) > MUE_ATTRIBUTE_KEY_MAX)
		return mue_fail(e, MUE_EINVAL, "attribute names have 1..%d bytes",
				MUE_ATTRIBUTE_KEY_MAX);
	if (mode == MUE_ATTRIBUTES_REMOVE)
		return mue_db_exec(db, e,
				   "DELETE FROM target_attribute WHERE target_id = ?1 AND key = ?2",
				   "it", target_id, key);
	if (!json_is_string(value) || json_string_length(value) > MUE_ATTRIBUTE_VALUE_MAX ||
	    strlen(json_string_value(value)) != json_string_length(value))
		return mue_fail(e, MUE_EINVAL, "attribute %.60s is not a text of at most %d bytes",
				key, MUE_ATTRIBUTE_VALUE_MAX);
	return mue_db_exec(db, e,
			   "INSERT INTO target_attribute (target_id, key, value)"
			   " VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value",
			   "itt", target_id, key, json_string_value(value));
}

int mue_attributes_set(struct mue_db *db, int64_t target_id, json_t *data,
		       enum mue_attributes_mode mode, struct mue_error *e)
{
	const char *key;
	json_t *value;
	int64_t count = 0;
	int r = 0;

	if (mode == MUE_ATTRIBUTES_REPLACE)
		r = mue_db_exec(db, e, "DELETE FROM target_attribute WHERE target_id = ?1", "i",
				target_id);
	json_object_foreach(data, key, value)
	{
		if (r < 0)
			break;
		r = set_attribute(db, target_id, key, value, mode, e);
	}
	if (r == 0)
		r = mue_db_int(db, &count, e,
			       "SELECT count(*) FROM target_attribute WHERE target_id = ?1", "i",
			       target_id);
	if (r == 0 && count > MUE_ATTRIBUTES_MAX)
		r = mue_fail(e, MUE_EINVAL, "more than %d attributes", MUE_ATTRIBUTES_MAX);
	if (r == 0)
		r = mue_db_exec(db, e, "UPDATE target SET request_attributes = 0 WHERE id = ?1",
				"i", target_id);
	return r;
}

/* ---- actions ---- */

static int take_action(const struct mue_rows *rows, struct mue_action_row *ret, struct mue_error *e)
{
	struct mue_action_row a = {
		.id = mue_rows_int(rows, 0),
		.target_id = mue_rows_int(rows, 1),
		.set_id = mue_rows_int(rows, 2),
		.force_time = mue_rows_int(rows, 5),
	};

	if (mue_action_parse(mue_rows_text(rows, 3), &a.state) < 0 ||
	    mue_force_parse(mue_rows_text(rows, 4), &a.type) < 0)
		return mue_fail(e, MUE_EIO, "action %lld has an unknown state", (long long)a.id);
	copy(a.schedule, sizeof a.schedule, mue_rows_text(rows, 6));
	copy(a.duration, sizeof a.duration, mue_rows_text(rows, 7));
	copy(a.timezone, sizeof a.timezone, mue_rows_text(rows, 8));
	*ret = a;
	return 0;
}

int mue_action_of(struct mue_db *db, int64_t target_id, int64_t action_id,
		  struct mue_action_row *ret, struct mue_error *e)
{
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e,
			     "SELECT id, target_id, set_id, status, type, force_time,"
			     " window_schedule, window_duration, window_timezone"
			     " FROM action WHERE id = ?1 AND target_id = ?2",
			     "ii", action_id, target_id);

	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0)
		r = take_action(&rows, ret, e);
	else if (r == 0)
		r = mue_fail(e, MUE_ENOTFOUND, "action %lld does not exist for this target",
			     (long long)action_id);
	mue_rows_end(&rows);
	return r;
}

int mue_action_repeated(struct mue_db *db, const struct mue_action_row *a, const char *mark,
			struct mue_error *e)
{
	int64_t found = 0;
	int r = mue_db_int(db, &found, e,
			   "SELECT coalesce((SELECT mark = ?2 FROM action_status"
			   " WHERE action_id = ?1 ORDER BY id DESC LIMIT 1), 0)"
			   " OR (?3 AND EXISTS (SELECT 1 FROM action_status"
			   " WHERE action_id = ?1 AND mark = ?2))",
			   "iti", a->id, mark, (int64_t)mue_action_ended(a->state, a->type));

	return r < 0 ? r : found != 0;
}

int mue_action_history_size(struct mue_db *db, int64_t action_id, int64_t *ret, struct mue_error *e)
{
	return mue_db_int(db, ret, e, "SELECT count(*) FROM action_status WHERE action_id = ?1",
			  "i", action_id);
}

/* ---- what a device is given ---- */

/* A file name as one segment of a path (RFC 3986). */
static void escape(const char *name, char *to, size_t room)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~+:@!$()*,;=";
	size_t n = 0;

	for (; *name && n + 4 < room; name++) {
		if (strchr(plain, *name))
			to[n++] = *name;
		else
			n += (size_t)sprintf(to + n, "%%%02X", (unsigned char)*name);
	}
	to[n] = '\0';
}

static json_t *href(const char *url, const char *tail)
{
	return json_pack("{s:o}", "href", json_sprintf("%s%s", url, tail));
}

/* Both pairs of links always: SWUpdate and rauc take `download` or `download-http`, Zephyr insists
 * on the -http names and uses only the path. */
static json_t *links_of(const char *links, int64_t module_id, const char *filename)
{
	bool https = !strncmp(links, "https:", 6);
	char name[800], url[1600];
	json_t *o = json_object();

	escape(filename, name, sizeof name);
	snprintf(url, sizeof url, "%s/%lld/artifacts/%s", links, (long long)module_id, name);
	if (https) {
		json_object_set_new(o, "download", href(url, ""));
		json_object_set_new(o, "md5sum", href(url, ".MD5SUM"));
	}
	json_object_set_new(o, "download-http", href(url, ""));
	json_object_set_new(o, "md5sum-http", href(url, ".MD5SUM"));
	return o;
}

int mue_module_artifacts(struct mue_db *db, int64_t module_id, const char *links, json_t **ret,
			 struct mue_error *e)
{
	json_t *list = json_array();
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e,
			     "SELECT filename, size, sha1, md5, sha256 FROM artifact"
			     " WHERE module_id = ?1 ORDER BY id",
			     "i", module_id);

	while (r == 0 && (r = mue_rows_next(&rows, e)) > 0) {
		const char *filename = mue_rows_text(&rows, 0);

		r = json_array_append_new(
			list, json_pack("{s:s, s:{s:s, s:s, s:s}, s:I, s:o}", "filename", filename,
					"hashes", "sha1", mue_rows_text(&rows, 2), "md5",
					mue_rows_text(&rows, 3), "sha256", mue_rows_text(&rows, 4),
					"size", (json_int_t)mue_rows_int(&rows, 1), "_links",
					links_of(links, module_id, filename)));
		if (r < 0)
			r = mue_fail(e, MUE_ENOMEM, "out of memory");
	}
	mue_rows_end(&rows);
	if (r < 0)
		json_decref(list);
	else
		*ret = list;
	return r;
}

/* Metadata that the device may see; left out when there is none. */
static int add_metadata(struct mue_db *db, int64_t module_id, json_t *chunk, struct mue_error *e)
{
	json_t *list = json_array();
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e,
			     "SELECT key, value FROM module_metadata"
			     " WHERE module_id = ?1 AND target_visible = 1 ORDER BY key",
			     "i", module_id);

	while (r == 0 && (r = mue_rows_next(&rows, e)) > 0)
		r = json_array_append_new(list,
					  json_pack("{s:s, s:s}", "key", mue_rows_text(&rows, 0),
						    "value", mue_rows_text(&rows, 1)));
	mue_rows_end(&rows);
	if (r == 0 && json_array_size(list))
		json_object_set(chunk, "metadata", list);
	json_decref(list);
	return r;
}

/* hawkBit's historical names of two parts; Zephyr insists on bApp. */
static const char *part_of(const char *type_key)
{
	if (!strcmp(type_key, "application"))
		return "bApp";
	return strcmp(type_key, "runtime") ? type_key : "jvm";
}

static int add_chunk(struct mue_db *db, const struct mue_rows *rows, const char *links,
		     json_t *list, struct mue_error *e)
{
	int64_t module_id = mue_rows_int(rows, 0);
	json_t *chunk = json_pack("{s:s, s:s, s:s}", "part", part_of(mue_rows_text(rows, 1)),
				  "version", mue_rows_text(rows, 3), "name",
				  mue_rows_text(rows, 2));
	json_t *artifacts = NULL;
	int r;

	if (!chunk || json_array_append_new(list, chunk) < 0)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	if (mue_rows_int(rows, 4))
		json_object_set_new(chunk, "encrypted", json_true());
	r = mue_module_artifacts(db, module_id, links, &artifacts, e);
	if (r == 0)
		json_object_set_new(chunk, "artifacts", artifacts);
	return r < 0 ? r : add_metadata(db, module_id, chunk, e);
}

int mue_chunks(struct mue_db *db, int64_t set_id, const char *links, json_t **ret,
	       struct mue_error *e)
{
	json_t *list = json_array();
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e,
			     "SELECT m.id, t.key, m.name, m.version, m.encrypted FROM set_module s"
			     " JOIN module m ON m.id = s.module_id"
			     " JOIN module_type t ON t.id = m.type_id WHERE s.set_id = ?1"
			     " ORDER BY m.id",
			     "i", set_id);

	while (r == 0 && (r = mue_rows_next(&rows, e)) > 0)
		r = add_chunk(db, &rows, links, list, e);
	mue_rows_end(&rows);
	if (r < 0)
		json_decref(list);
	else
		*ret = list;
	return r;
}

int mue_action_messages(struct mue_db *db, int64_t action_id, int64_t count, json_t **ret,
			struct mue_error *e)
{
	json_t *list = json_array();
	struct mue_rows rows;
	int r = mue_db_query(db, &rows, e,
			     "SELECT m.text FROM action_message m"
			     " JOIN action_status s ON s.id = m.status_id WHERE s.action_id = ?1"
			     " ORDER BY m.status_id DESC, m.position DESC LIMIT ?2",
			     "ii", action_id, count);

	while (r == 0 && (r = mue_rows_next(&rows, e)) > 0)
		r = json_array_append_new(list, json_string(mue_rows_text(&rows, 0)));
	mue_rows_end(&rows);
	if (r < 0)
		json_decref(list);
	else
		*ret = list;
	return r;
}

int mue_module_for_target(struct mue_db *db, int64_t target_id, int64_t module_id,
			  struct mue_error *e)
{
	int64_t given;
	int r = mue_db_int(db, &given, e,
			   "SELECT 1 FROM set_module s JOIN action a ON a.set_id = s.set_id"
			   " WHERE s.module_id = ?1 AND a.target_id = ?2"
			   " AND a.status <> 'scheduled' LIMIT 1",
			   "ii", module_id, target_id);

	if (r == MUE_ENOTFOUND)
		mue_fail(e, r, "software module %lld was not given to this target",
			 (long long)module_id);
	return r;
}

int mue_artifact_for_target(struct mue_db *db, int64_t target_id, int64_t module_id,
			    const char *filename, struct mue_artifact_row *ret, struct mue_error *e)
{
	struct mue_rows rows;
	int r = mue_module_for_target(db, target_id, module_id, e);

	if (r < 0)
		return r;
	r = mue_db_query(db, &rows, e,
			 "SELECT sha256, md5, size FROM artifact"
			 " WHERE module_id = ?1 AND filename = ?2",
			 "it", module_id, filename);
	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0) {
		copy(ret->sha256, sizeof ret->sha256, mue_rows_text(&rows, 0));
		copy(ret->md5, sizeof ret->md5, mue_rows_text(&rows, 1));
		ret->size = (uint64_t)mue_rows_int(&rows, 2);
		r = 0;
	} else if (r == 0) {
		r = mue_fail(e, MUE_ENOTFOUND, "artifact %.100s does not exist", filename);
	}
	mue_rows_end(&rows);
	return r;
}
