/* What every file of the management API leans on: entities as JSON, pages, answers. */
#include "server/api/mgmt.h"
#include "server/store/mgmt_list.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PAGE_DEFAULT = 50, PAGE_MAX = 1000, BINDS_MAX = 8, COLUMNS_MAX = 4096 };

/* ---- entities as JSON ---- */

static int no_memory(struct mue_error *e)
{
	return mue_fail(e, MUE_ENOMEM, "out of memory");
}

/* "id, column, column..." */
static const char *columns_of(const struct mgmt_entity *entity, char *text, size_t room)
{
	size_t used = (size_t)snprintf(text, room, "%s", entity->id);

	for (const struct mgmt_column *c = entity->columns; c->name && used < room; c++)
		used += (size_t)snprintf(text + used, room - used, ", %s", c->sql);
	return text;
}

static json_t *value_of(const struct mgmt_column *c, const struct mue_rows *row, int i)
{
	const char *text;

	switch (c->kind) {
	case MGMT_INT:
		return json_integer(mue_rows_int(row, i));
	case MGMT_BOOL:
		return json_boolean(mue_rows_int(row, i) != 0);
	case MGMT_REAL:
		return json_real(strtod(mue_rows_text(row, i), NULL));
	case MGMT_TEXT:
		break;
	}
	text = mue_rows_text(row, i);
	return json_string(text);
}

static int object_of(const struct mgmt_entity *entity, const struct mue_rows *row, json_t **ret,
		     struct mue_error *e)
{
	json_t *json = json_object();
	int i = 1;

	for (const struct mgmt_column *c = entity->columns; json && c->name; c++, i++) {
		if (mue_rows_null(row, i))
			continue;
		if (json_object_set_new(json, c->name, value_of(c, row, i)) < 0) {
			json_decref(json);
			json = NULL;
		}
	}
	if (!json)
		return no_memory(e);
	*ret = json;
	return 0;
}

struct page {
	struct mgmt_op *op;
	const struct mgmt_entity *entity;
	json_t *content;
	bool full, deleted_too;
};

static int add_row(void *ctx, const struct mue_rows *row, struct mue_error *e)
{
	struct page *p = ctx;
	json_t *json = NULL;
	int r = object_of(p->entity, row, &json, e);

	if (r < 0)
		return r;
	if (json_array_append_new(p->content, json) < 0)
		return no_memory(e);
	return p->entity->finish ? p->entity->finish(p->op, json, mue_rows_int(row, 0), p->full, e)
				 : 0;
}

/* ---- lists ---- */

static const char *where_of(const struct page *p, const char *where, char *text, size_t room)
{
	snprintf(text, room, "%s%s%s",
		 p->entity->alive && !p->deleted_too ? p->entity->alive : "TRUE",
		 where ? " AND " : "", where ? where : "");
	return text;
}

static unsigned take_binds(struct mue_fiql_bind *binds, const char *types, va_list ap)
{
	unsigned n = 0;

	for (; types && *types && n < BINDS_MAX; types++, n++) {
		binds[n] = (struct mue_fiql_bind){ .is_text = *types == 't' };
		if (*types == 't')
			binds[n].text = va_arg(ap, const char *);
		else
			binds[n].number = va_arg(ap, int64_t);
	}
	return n;
}

static int run_list(struct page *p, struct mue_list *list, const char *where, int64_t *ret_total,
		    struct mue_error *e)
{
	char columns[COLUMNS_MAX], condition[1024];
	int r;

	p->content = json_array();
	if (!p->content)
		return no_memory(e);
	list->columns = columns_of(p->entity, columns, sizeof(columns));
	list->from = p->entity->from;
	list->where = where_of(p, where, condition, sizeof(condition));
	list->fields = p->entity->fields;
	list->order = p->entity->order;
	list->now_ms = p->op->now;
	list->overdue_ms = p->op->now - 2000 * (int64_t)p->op->r->server->config.poll_s;
	r = mue_list_run(p->op->db, list, add_row, p, ret_total, e);
	if (r < 0) {
		json_decref(p->content);
		p->content = NULL;
	}
	return r;
}

int mgmt_page(struct mgmt_op *op, const struct mgmt_entity *entity, const char *where,
	      struct mue_error *e, const char *types, ...)
{
	struct page p = { .op = op, .entity = entity };
	struct mue_fiql_bind binds[BINDS_MAX];
	struct mue_list list = { .binds = binds };
	const char *representation = mue_request_query(op->r, "representation");
	int64_t total = 0;
	va_list ap;
	int r;

	va_start(ap, types);
	list.bind_count = take_binds(binds, types, ap);
	va_end(ap);
	p.full = representation && strcasecmp(representation, "full") == 0;
	list.q = mue_request_query(op->r, "q");
	list.sort = mue_request_query(op->r, "sort");
	r = mue_request_query_int(op->r, "offset", 0, INT64_MAX, 0, &list.offset, e);
	if (r == 0)
		r = mue_request_query_int(op->r, "limit", 0, INT64_MAX, PAGE_DEFAULT, &list.limit,
					  e);
	if (r < 0)
		return r;
	if (list.limit == 0)
		list.limit = PAGE_DEFAULT;
	if (list.limit > PAGE_MAX)
		list.limit = PAGE_MAX;
	r = run_list(&p, &list, where, &total, e);
	if (r < 0)
		return r;
	op->out = json_pack("{s:o, s:I, s:I}", "content", p.content, "total", (json_int_t)total,
			    "size", (json_int_t)json_array_size(p.content));
	return op->out ? 0 : no_memory(e);
}

int mgmt_array(struct mgmt_op *op, const struct mgmt_entity *entity, const char *where,
	       struct mue_error *e, const char *types, ...)
{
	struct page p = { .op = op, .entity = entity };
	struct mue_fiql_bind binds[BINDS_MAX];
	struct mue_list list = { .binds = binds, .limit = -1 };
	va_list ap;
	int r;

	va_start(ap, types);
	list.bind_count = take_binds(binds, types, ap);
	va_end(ap);
	r = run_list(&p, &list, where, NULL, e);
	if (r == 0)
		op->out = p.content;
	return r;
}

int mgmt_load(struct mgmt_op *op, const struct mgmt_entity *entity, int64_t id, bool full,
	      json_t **ret, struct mue_error *e)
{
	struct page p = { .op = op, .entity = entity, .full = full, .deleted_too = true };
	struct mue_fiql_bind bind = { .number = id };
	struct mue_list list = { .binds = &bind, .bind_count = 1, .limit = 1 };
	char where[64];
	int r;

	snprintf(where, sizeof(where), "%s = ?", entity->id);
	r = run_list(&p, &list, where, NULL, e);
	if (r < 0)
		return r;
	*ret = json_incref(json_array_get(p.content, 0));
	json_decref(p.content);
	if (!*ret)
		return mue_fail(e, MUE_ENOTFOUND, "%s %" PRId64 " does not exist", entity->what,
				id);
	return 0;
}

int mgmt_create_each(struct mgmt_op *op, const struct mgmt_entity *entity, mgmt_create_fn *fn,
		     struct mue_error *e)
{
	const json_t *item;
	json_t *json = NULL;
	int64_t id = 0;

	op->out = json_array();
	for (size_t i = 0;; i++) {
		int r = mgmt_item(op->in, i, &item, e);

		if (r < 0 || !item)
			return r;
		r = fn(op, item, &id, e);
		if (r == 0)
			r = mgmt_load(op, entity, id, true, &json, e);
		if (r < 0)
			return r;
		if (json_array_append_new(op->out, json) < 0)
			return no_memory(e);
	}
}

int mgmt_soft_delete(struct mgmt_op *op, const char *table, const char *what, int64_t id,
		     struct mue_error *e)
{
	char sql[160];
	int r;

	snprintf(sql, sizeof(sql),
		 "UPDATE %s SET deleted = 1, modified_at = ?, modified_by = ? WHERE id = ?", table);
	r = mue_db_exec(op->db, e, sql, "iti", op->now, op->r->who.name, id);
	if (r == 0 && mue_db_changes(op->db) == 0)
		return mue_fail(e, MUE_ENOTFOUND, "%s %" PRId64 " does not exist", what, id);
	return r;
}

int mgmt_exists(struct mgmt_op *op, const struct mgmt_entity *entity, int64_t id,
		struct mue_error *e)
{
	char sql[512], where[128];
	struct mue_rows rows;
	int r;

	snprintf(where, sizeof(where), "%s = ?", entity->id);
	snprintf(sql, sizeof(sql), "SELECT 1 FROM %s WHERE %s AND %s", entity->from,
		 entity->alive ? entity->alive : "TRUE", where);
	r = mue_db_query(op->db, &rows, e, sql, "i", id);
	if (r == 0)
		r = mue_rows_next(&rows, e);
	mue_rows_end(&rows);
	if (r == 0)
		return mue_fail(e, MUE_ENOTFOUND, "%s %" PRId64 " does not exist", entity->what,
				id);
	return r < 0 ? r : 0;
}

int mgmt_target_id(struct mgmt_op *op, const char *controller_id, int64_t *ret, struct mue_error *e)
{
	int r = mue_db_int(op->db, ret, e, "SELECT id FROM target WHERE controller_id = ?", "t",
			   controller_id);

	if (r == MUE_ENOTFOUND)
		return mue_fail(e, r, "target %.64s does not exist", controller_id);
	return r;
}

int mgmt_touch(struct mgmt_op *op, const char *table, int64_t id, struct mue_error *e)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "UPDATE %s SET modified_at = ?, modified_by = ? WHERE id = ?",
		 table);
	return mue_db_exec(op->db, e, sql, "iti", op->now, op->r->who.name, id);
}

/* ---- around the store ---- */

struct call {
	struct mgmt_op *op;
	mgmt_fn *fn;
};

static int inside(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct call *c = arg;
	int r;

	c->op->db = db;
	r = c->fn(c->op, e);
	c->op->db = NULL;
	return r < 0 ? r : 0;
}

int mgmt_answer(struct mgmt_op *op, unsigned status, int verdict, struct mue_error *e)
{
	const char *accept = mue_request_header(op->r, "Accept");
	int r;

	if (verdict < 0) {
		json_decref(op->out);
		op->out = NULL;
		if (!op->fault)
			return verdict;
		return mue_respond_error(op->r, op->fault->status, op->fault->code,
					 op->fault->class, e->text);
	}
	if (op->kick)
		mue_jobs_kick(op->r->server);
	if (!op->out)
		return mue_respond_empty(op->r, status);
	r = mue_respond_json(op->r, status, op->out);
	op->out = NULL;
	if (r == 0 && accept && strstr(accept, "application/hal+json"))
		op->r->response.type = "application/hal+json";
	return r;
}

int mgmt_read(struct mgmt_op *op, mgmt_fn *fn, unsigned status, struct mue_error *e)
{
	struct call c = { op, fn };

	return mgmt_answer(op, status, mue_store_read(op->r->server->store, inside, &c, e), e);
}

int mgmt_write(struct mgmt_op *op, mgmt_fn *fn, unsigned status, struct mue_error *e)
{
	struct call c = { op, fn };

	return mgmt_answer(op, status, mue_store_write(op->r->server->store, inside, &c, e), e);
}

/* What the client accepts: nothing said, anything, or some kind of JSON. */
static bool accepts_json(const struct mue_request *r)
{
	const char *accept = mue_request_header(r, "Accept");

	return !accept || !*accept || strstr(accept, "json") || strstr(accept, "*/*") ||
	       strstr(accept, "application/*");
}

static int refused(struct mue_request *r, unsigned status, const char *code, const char *class,
		   const char *message)
{
	int v = mue_respond_error(r, status, code, class, message);

	return v < 0 ? v : 1;
}

int mgmt_begin(struct mgmt_op *op, struct mue_request *r, bool body, const char *name,
	       struct mue_error *e)
{
	const char *type = mue_request_header(r, "Content-Type");

	*op = (struct mgmt_op){ .r = r, .now = mue_now_ms() };
	if (!accepts_json(r))
		return refused(r, 406, "hawkbit.server.error.rest.notAcceptable",
			       "org.springframework.web.HttpMediaTypeNotAcceptableException",
			       "only JSON is spoken here");
	if (body && type && !strstr(type, "json"))
		return refused(r, 415, "hawkbit.server.error.rest.unsupportedMediaType",
			       "org.springframework.web.HttpMediaTypeNotSupportedException",
			       "only JSON is understood here");
	if (name && mue_request_id(r, name, &op->id, e) < 0)
		return MUE_ENOTFOUND;
	return body ? mue_request_json(r, &op->in, e) : 0;
}

struct get {
	struct mgmt_op op;
	const struct mgmt_entity *entity;
};

static int do_page(struct mgmt_op *op, struct mue_error *e)
{
	const struct get *g = (const struct get *)op;

	return mgmt_page(op, g->entity, NULL, e, NULL);
}

static int do_one(struct mgmt_op *op, struct mue_error *e)
{
	const struct get *g = (const struct get *)op;

	return mgmt_load(op, g->entity, op->id, true, &op->out, e);
}

int mgmt_get_page(struct mue_request *r, const struct mgmt_entity *entity, struct mue_error *e)
{
	struct get g = { .entity = entity };
	int v = mgmt_begin(&g.op, r, false, NULL, e);

	return v ? mgmt_over(v) : mgmt_read(&g.op, do_page, 200, e);
}

int mgmt_get_one(struct mue_request *r, const struct mgmt_entity *entity, const char *name,
		 struct mue_error *e)
{
	struct get g = { .entity = entity };
	int v = mgmt_begin(&g.op, r, false, name, e);

	return v ? mgmt_over(v) : mgmt_read(&g.op, do_one, 200, e);
}

/* ---- answers ---- */

int mgmt_link(struct mgmt_op *op, json_t *json, const char *name, const char *fmt, ...)
{
	json_t *links = json_object_get(json, "_links");
	char path[512];
	va_list ap;

	if (!links) {
		links = json_object();
		if (json_object_set_new(json, "_links", links) < 0)
			return MUE_ENOMEM;
	}
	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (!op->base)
		op->base = mue_request_base(op->r);
	return json_object_set_new(links, name, json_pack("{s:s+}", "href", op->base, path)) < 0
		       ? MUE_ENOMEM
		       : 0;
}

const struct mgmt_fault mgmt_locked = {
	423, "hawkbit.server.error.entityLocked",
	"org.eclipse.hawkbit.repository.exception.LockedException"
};

int mgmt_fail(struct mgmt_op *op, const struct mgmt_fault *fault, struct mue_error *e,
	      const char *fmt, ...)
{
	char text[sizeof(e->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	op->fault = fault;
	return mue_fail(e, MUE_EPERM, "%s", text);
}
