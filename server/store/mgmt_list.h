/*
 * mgmt_list.h - one SELECT over an entity, with a filter of the API, in pages.
 */
#ifndef MUE_SERVER_STORE_MGMT_LIST_H
#define MUE_SERVER_STORE_MGMT_LIST_H

#include "server/fleet/fiql.h"
#include "server/store/store.h"

struct mue_list {
	const char *columns, *from;
	const char *where;                 /* TRUE when there is no condition */
	const struct mue_fiql_bind *binds; /* of `where`, in order */
	unsigned bind_count;
	const struct mue_field *fields;
	const char *q, *sort; /* NULL: none */
	const char *order;    /* default, unique; also ends every other order */
	int64_t offset, limit, now_ms, overdue_ms;
};

/* A filter that is refused gives MUE_EINVAL with its place in *e. */
typedef int mue_list_row(void *ctx, const struct mue_rows *row, struct mue_error *e);

/* Counts all rows into *ret_total (NULL: not wanted) and calls row for those of the page. */
int mue_list_run(struct mue_db *db, const struct mue_list *list, mue_list_row *row, void *ctx,
		 int64_t *ret_total, struct mue_error *e);

/* Parses and compiles a filter for other statements; *ret is malloc'd, the caller frees it with
 * mue_filter_free.  MUE_EINVAL. */
struct mue_filter {
	struct mue_fiql q;
	struct mue_fiql_sql sql;
};
int mue_filter_new(const char *text, const struct mue_field *fields, int64_t now_ms,
		   int64_t overdue_ms, struct mue_filter **ret, struct mue_error *e);
void mue_filter_free(struct mue_filter *f);
/* Binds the filter's values from `first` on; returns the next index. */
int mue_filter_bind(const struct mue_filter *f, struct mue_rows *rows, int first);

#endif
