#include "server/api/upload.h"

#include "host/log.h"
#include "server/metrics.h"
#include "server/server.h"

#include <jansson.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FORM_BUFFER = 32 * 1024, FIELD_MAX = 300, FILENAME_MAX_BYTES = 255 };

enum field { FIELD_FILENAME, FIELD_MD5, FIELD_SHA1, FIELD_SHA256, FIELDS };
static const char *const field_names[FIELDS] = { "filename", "md5sum", "sha1sum", "sha256sum" };

struct state {
	struct mue_blob_writer *writer;
	struct MHD_PostProcessor *form; /* NULL: the body is the file */
	bool has_file;
	char part_name[FIELD_MAX]; /* the file part's own name */
	char field[FIELDS][FIELD_MAX];
	struct mue_error error; /* set by on_part */
	struct mue_upload upload;
};

/* ---- the stream ---- */

static int take_field(struct state *s, enum field f, uint64_t off, const char *data, size_t len)
{
	if (off + len >= FIELD_MAX)
		return mue_fail(&s->error, MUE_EINVAL, "form field %s is too long", field_names[f]);
	memcpy(s->field[f] + off, data, len);
	s->field[f][off + len] = '\0';
	return 0;
}

static enum MHD_Result on_part(void *cls, enum MHD_ValueKind kind, const char *key,
			       const char *filename, const char *type, const char *encoding,
			       const char *data, uint64_t off, size_t len)
{
	struct state *s = cls;
	int r = 0;

	(void)kind;
	(void)type;
	(void)encoding;
	if (!strcmp(key, "file")) {
		if (off == 0 && s->has_file)
			r = mue_fail(&s->error, MUE_EINVAL, "the form has two files");
		if (off == 0 && filename)
			snprintf(s->part_name, sizeof s->part_name, "%s", filename);
		s->has_file = true;
		if (r == 0)
			r = mue_blob_write(s->writer, data, len, &s->error);
		return r < 0 ? MHD_NO : MHD_YES;
	}
	for (unsigned f = 0; f < FIELDS && r == 0; f++)
		if (!strcmp(key, field_names[f]))
			r = take_field(s, (enum field)f, off, data, len);
	return r < 0 ? MHD_NO : MHD_YES;
}

static int open_stream(struct mue_request *r, struct mue_error *e)
{
	struct state *s = mue_arena_alloc(&r->arena, sizeof *s);
	const char *type = mue_request_header(r, "Content-Type");
	int v;

	if (!s)
		return MUE_ENOMEM;
	v = mue_blob_begin(r->server->blobs, &s->writer, e);
	if (v < 0)
		return v;
	if (type && !strncasecmp(type, "multipart/form-data", 19)) {
		s->form = MHD_create_post_processor(r->connection, FORM_BUFFER, on_part, s);
		if (!s->form) {
			mue_blob_abort(s->writer);
			return mue_fail(e, MUE_EFORMAT, "the form has no boundary");
		}
	}
	r->stream_state = s;
	return 0;
}

static int take_data(struct mue_request *r, const char *data, size_t len, struct mue_error *e)
{
	struct state *s = r->stream_state;

	if (!s->form) {
		s->has_file = true;
		return mue_blob_write(s->writer, data, len, e);
	}
	if (MHD_post_process(s->form, data, len) == MHD_YES && !s->error.code)
		return 0;
	if (!s->error.code)
		mue_fail(&s->error, MUE_EFORMAT, "the form is not well formed");
	*e = s->error;
	return e->code;
}

static void close_stream(struct mue_request *r)
{
	struct state *s = r->stream_state;

	if (s->form)
		MHD_destroy_post_processor(s->form);
	mue_blob_abort(s->writer);
	s->form = NULL;
	s->writer = NULL;
}

const struct mue_body_ops mue_upload_stream = { open_stream, take_data, close_stream };

/* ---- the end ---- */

/* A name that can stand in a header, a URL and a device's folder. */
static int check_filename(const char *name, struct mue_error *e)
{
	json_t *text = json_string(name);
	bool utf8 = text != NULL;

	json_decref(text);
	if (!*name || strlen(name) > FILENAME_MAX_BYTES || !utf8 || name[0] == '.')
		return mue_fail(e, MUE_EINVAL,
				"the artifact needs a file name of 1..%d bytes that does not begin "
				"with a dot",
				FILENAME_MAX_BYTES);
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || strchr("/\\\"", *p))
			return mue_fail(e, MUE_EINVAL, "file name %.80s has a forbidden character",
					name);
	return 0;
}

/* By the form's field, the query, else the file part's own name. */
static const char *value_of(const struct mue_request *r, const struct state *s, enum field f)
{
	const char *query = mue_request_query(r, field_names[f]);

	if (s->field[f][0])
		return s->field[f];
	if (query)
		return query;
	return f == FIELD_FILENAME ? s->part_name : "";
}

static int check_digest(const char *what, const char *wanted, const char *is, struct mue_error *e)
{
	if (*wanted && strcasecmp(wanted, is))
		return mue_fail(e, MUE_EDIGEST, "%s of the upload is %s, the client expects %.64s",
				what, is, wanted);
	return 0;
}

static bool ends_in_suit(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && !strcmp(name + len - 5, ".suit");
}

static int check_upload(struct mue_request *r, struct state *s, struct mue_error *e)
{
	struct mue_upload *u = &s->upload;
	char trust[4096];
	int v;

	u->filename = mue_arena_str(&r->arena, value_of(r, s, FIELD_FILENAME));
	if (!u->filename)
		return MUE_ENOMEM;
	v = check_filename(u->filename, e);
	if (v == 0)
		v = mue_blob_finish(s->writer, &u->info, e);
	if (v == 0)
		v = check_digest("MD5", value_of(r, s, FIELD_MD5), u->info.md5, e);
	if (v == 0)
		v = check_digest("SHA-1", value_of(r, s, FIELD_SHA1), u->info.sha1, e);
	if (v == 0)
		v = check_digest("SHA-256", value_of(r, s, FIELD_SHA256), u->info.sha256, e);
	if (v < 0 || !ends_in_suit(u->filename))
		return v;
	snprintf(trust, sizeof trust, "%s/trust", r->server->config.data);
	v = mue_envelope_check(mue_blob_fd(s->writer), u->info.size, trust, &u->facts, e);
	return v < 0 ? mue_prefix(e, "%.100s", u->filename) : 0;
}

int mue_upload_finish(struct mue_request *r, const struct mue_upload **ret, struct mue_error *e)
{
	struct state *s = r->stream_state;
	int v = 0;

	if (s->form && MHD_destroy_post_processor(s->form) != MHD_YES)
		v = mue_fail(e, MUE_EFORMAT, "the form ends too early");
	s->form = NULL;
	if (v == 0 && !s->has_file)
		v = mue_fail(e, MUE_EINVAL, "the form has no field \"file\"");
	if (v == 0)
		v = check_upload(r, s, e);
	if (v < 0) {
		mue_metrics_count(r->server->metrics, MUE_COUNT_UPLOAD_REFUSED);
		mue_log(MUE_LOG_WARN, "upload.refused", "file",
			s->upload.filename ? s->upload.filename : s->part_name, "verdict",
			mue_err_name(v), "why", e->text, NULL);
		return v;
	}
	*ret = &s->upload;
	return 0;
}

struct commit {
	struct state *s;
	mue_store_fn *fn;
	void *arg;
};

/* On the writer's thread, as is the removal in collect(): neither can come between the other's
 * looking and doing. */
static int commit_both(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct commit *c = arg;
	struct mue_blob_writer *w = c->s->writer;
	int r = c->fn(db, c->arg, e);

	if (r < 0)
		return r;
	c->s->writer = NULL;
	return mue_blob_commit(w, e);
}

int mue_upload_commit(struct mue_request *r, mue_store_fn *fn, void *arg, struct mue_error *e)
{
	struct state *s = r->stream_state;
	struct commit c = { s, fn, arg };
	int v = mue_store_write(r->server->store, commit_both, &c, e);

	if (v < 0)
		return v;
	mue_metrics_count(r->server->metrics, MUE_COUNT_UPLOAD);
	mue_log(MUE_LOG_INFO, "upload.stored", "file", s->upload.filename, "bytes",
		MUE_LOG_NUM(s->upload.info.size), "sha256", s->upload.info.sha256, "manifest",
		s->upload.facts.manifest, "by", r->who.name, NULL);
	return 0;
}

struct collect {
	struct mue_server *server;
	const char *sha256;
};

static int collect(struct mue_db *db, void *arg, struct mue_error *e)
{
	const struct collect *c = arg;
	int64_t users;
	int r = mue_db_int(db, &users, e, "SELECT count(*) FROM artifact WHERE sha256 = ?1", "t",
			   c->sha256);

	if (r < 0 || users)
		return r;
	return mue_blob_remove(c->server->blobs, c->sha256, e);
}

void mue_upload_collect(struct mue_server *server, const char *sha256)
{
	struct collect c = { server, sha256 };
	struct mue_error e = { 0 };

	if (mue_store_write(server->store, collect, &c, &e) < 0)
		mue_log(MUE_LOG_WARN, "blob.kept", "sha256", sha256, "why", e.text, NULL);
}
