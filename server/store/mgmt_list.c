#include "server/store/mgmt_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(struct mue_error *e, const char *what, const struct mue_fiql_error *error)
{
	return mue_fail(e, MUE_EINVAL, "%s refused at character %u: %s", what, error->position + 1,
			error->text);
}

int mue_filter_new(const char *text, const struct mue_field *fields, int64_t now_ms,
		   int64_t overdue_ms, struct mue_filter **ret, struct mue_error *e)
{
	struct mue_fiql_context context = { fields, now_ms, overdue_ms };
	struct mue_filter *f = malloc(sizeof(*f));
	struct mue_fiql_error error;

	if (!f)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	if (mue_fiql_parse(text, &f->q, &error) < 0 ||
	    mue_fiql_compile(&f->q, &context, &f->sql, &error) < 0) {
		free(f);
		return refuse(e, "filter", &error);
	}
	*ret = f;
	return 0;
}

void mue_filter_free(struct mue_filter *f)
{
	free(f);
}

static int bind_all(struct mue_rows *rows, int first, const struct mue_fiql_bind *binds,
		    unsigned count)
{
	for (unsigned i = 0; i < count; i++, first++) {
		if (binds[i].is_text)
			mue_rows_bind_text(rows, first, binds[i].text);
		else
			mue_rows_bind_int(rows, first, binds[i].number);
	}
	return first;
}

int mue_filter_bind(const struct mue_filter *f, struct mue_rows *rows, int first)
{
	return bind_all(rows, first, f->sql.binds, f->sql.count);
}

static char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	return text;
}

/* Prepares and binds; *ret_next is the index after the last bound value. */
static int start(struct mue_db *db, const struct mue_list *list, const struct mue_filter *f,
		 char *sql, struct mue_rows *ret, int *ret_next, struct mue_error *e)
{
	int r;

	if (!sql)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	r = mue_db_query_once(db, ret, e, sql);
	free(sql);
	if (r < 0)
		return r;
	*ret_next = bind_all(ret, 1, list->binds, list->bind_count);
	*ret_next = mue_filter_bind(f, ret, *ret_next);
	return 0;
}

static int count(struct mue_db *db, const struct mue_list *list, const struct mue_filter *f,
		 int64_t *ret, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int next, r = start(db, list, f,
			    format("SELECT count(*) FROM %s WHERE %s AND %s", list->from,
				   list->where, f->sql.where),
			    &rows, &next, e);

	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r > 0)
		*ret = mue_rows_int(&rows, 0);
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

static int page(struct mue_db *db, const struct mue_list *list, const struct mue_filter *f,
		const char *order, mue_list_row *row, void *ctx, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int next = 0, r;

	r = start(db, list, f,
		  format("SELECT %s FROM %s WHERE %s AND %s ORDER BY %s LIMIT ? OFFSET ?",
			 list->columns, list->from, list->where, f->sql.where, order),
		  &rows, &next, e);
	if (r == 0) {
		mue_rows_bind_int(&rows, next, list->limit);
		mue_rows_bind_int(&rows, next + 1, list->offset);
	}
	while (r == 0) {
		r = mue_rows_next(&rows, e);
		if (r <= 0)
			break;
		r = row(ctx, &rows, e);
	}
	mue_rows_end(&rows);
	return r;
}

int mue_list_run(struct mue_db *db, const struct mue_list *list, mue_list_row *row, void *ctx,
		 int64_t *ret_total, struct mue_error *e)
{
	struct mue_fiql_error error;
	struct mue_filter *f;
	char order[1024];
	int r = mue_filter_new(list->q, list->fields, list->now_ms, list->overdue_ms, &f, e);

	if (r < 0)
		return r;
	if (mue_fiql_order(list->sort, list->fields, list->order, order, sizeof(order) / 2,
			   &error) < 0) {
		mue_filter_free(f);
		return refuse(e, "sort", &error);
	}
	/* The default order behind it makes pages stable among equals. */
	if (list->sort && strlen(list->order) < sizeof(order) / 4)
		snprintf(order + strlen(order), sizeof(order) / 2, ", %s", list->order);
	r = ret_total ? count(db, list, f, ret_total, e) : 0;
	if (r == 0)
		r = page(db, list, f, order, row, ctx, e);
	mue_filter_free(f);
	return r;
}
