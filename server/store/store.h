/*
 * store.h - the server's database: one writer thread that commits in groups, many readers.
 *
 * A write is a function that runs inside a transaction on the writer's thread.  What it changed is
 * on the disk (fsync) when mue_store_write returns 0; when it returns a verdict, nothing of it is.
 * Functions submitted at the same time share one commit, each in a savepoint of its own.
 * A read is a function that runs on the caller's thread in one snapshot.
 *
 * Queries stand in files of server/store/ by subject, as functions that take a struct mue_db.
 * Schema: store/schema.c.  Times are milliseconds since 1970.
 */
#ifndef MUE_SERVER_STORE_STORE_H
#define MUE_SERVER_STORE_STORE_H

#include "host/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mue_store;
struct mue_db; /* a connection, valid inside a write or read function only */
struct sqlite3_stmt;

/* Opens or makes the database file and brings its schema up to date.  MUE_EIO, MUE_EFORMAT (a newer
 * schema than this program knows). */
int mue_store_open(const char *path, struct mue_store **ret, struct mue_error *e);
/* Commits what was submitted, ends the writer. */
void mue_store_close(struct mue_store *s);

typedef int mue_store_fn(struct mue_db *db, void *arg, struct mue_error *e);

/* Runs fn in a transaction.  fn's verdict < 0 undoes all that fn did and is returned; *e is filled.
 * fn may run on another thread, and runs exactly once. Must not be called from inside a store
 * function. */
int mue_store_write(struct mue_store *s, mue_store_fn *fn, void *arg, struct mue_error *e);
/* Runs fn on a snapshot; fn must not write. */
int mue_store_read(struct mue_store *s, mue_store_fn *fn, void *arg, struct mue_error *e);

/* After each commit and before its writers return, fn gets the ids of the targets whose row or
 * actions changed, and 0 when settings, tokens or revocations did (triggers see to that).  One
 * function, set before the first write. */
typedef void mue_store_touched_fn(void *ctx, struct mue_db *db, const int64_t *ids, size_t count);
void mue_store_on_touched(struct mue_store *s, mue_store_touched_fn *fn, void *ctx);

struct mue_store_stats {
	uint64_t writes, commits, failed;
};
void mue_store_stats(struct mue_store *s, struct mue_store_stats *ret);

/* ---- inside a store function ----
 * `types` names the bound values in order: i int64_t, t text (const char *, NULL gives NULL),
 * b blob (const void *, size_t), n NULL (no argument), d double.  NULL for none. Statements are
 * cached by their text: give string literals, or text that is made once. */

/* Runs a statement that returns no rows.  MUE_EEXIST for a broken uniqueness, MUE_ECONFLICT for a
 * broken reference, else MUE_EIO. */
int mue_db_exec(struct mue_db *db, struct mue_error *e, const char *sql, const char *types, ...);

struct mue_rows {
	struct sqlite3_stmt *stmt;
	bool once; /* finalized at the end instead of kept */
	struct mue_db *db;
};
/* Starts a query; end it with mue_rows_end also after an error of mue_rows_next. */
int mue_db_query(struct mue_db *db, struct mue_rows *ret, struct mue_error *e, const char *sql,
		 const char *types, ...);
/* As mue_db_query with text made at run time (filters): not cached, finalized by mue_rows_end;
 * values are bound with mue_rows_bind_*. */
int mue_db_query_once(struct mue_db *db, struct mue_rows *ret, struct mue_error *e,
		      const char *sql);
void mue_rows_bind_int(struct mue_rows *rows, int index, int64_t value);      /* index from 1 */
void mue_rows_bind_text(struct mue_rows *rows, int index, const char *value); /* copied */
/* 1: a row, 0: no more, negative: verdict. */
int mue_rows_next(struct mue_rows *rows, struct mue_error *e);
void mue_rows_end(struct mue_rows *rows);
int64_t mue_rows_int(const struct mue_rows *rows, int column); /* from 0; NULL gives 0 */
bool mue_rows_null(const struct mue_rows *rows, int column);
const char *mue_rows_text(const struct mue_rows *rows, int column); /* until next; "" for NULL */
/* until next; NULL for NULL */
const char *mue_rows_text_or_null(const struct mue_rows *rows, int column);
const void *mue_rows_blob(const struct mue_rows *rows, int column, size_t *ret_len);

/* First column of the first row as a number.  MUE_ENOTFOUND when there is no row. */
int mue_db_int(struct mue_db *db, int64_t *ret, struct mue_error *e, const char *sql,
	       const char *types, ...);
int64_t mue_db_last_id(struct mue_db *db);
int64_t mue_db_changes(struct mue_db *db); /* rows that the last statement changed */
int64_t mue_now_ms(void);

#endif
