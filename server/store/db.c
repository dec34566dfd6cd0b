#include "server/store/db.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t mue_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int mue_db_fail(struct mue_db *db, struct mue_error *e, const char *what)
{
	int extended = sqlite3_extended_errcode(db->sqlite);
	int code = MUE_EIO;

	if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY)
		code = MUE_EEXIST;
	else if ((extended & 0xff) == SQLITE_CONSTRAINT)
		code = MUE_ECONFLICT;
	else if ((extended & 0xff) == SQLITE_FULL)
		code = MUE_ENOSPC;
	else if ((extended & 0xff) == SQLITE_NOMEM)
		code = MUE_ENOMEM;
	return mue_fail(e, code, "database: %s (%.80s)", sqlite3_errmsg(db->sqlite), what);
}

int mue_db_script(struct mue_db *db, const char *sql, struct mue_error *e)
{
	if (sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
		return mue_db_fail(db, e, sql);
	return 0;
}

int mue_db_open(const char *path, bool writer, struct mue_db **ret, struct mue_error *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	struct mue_db *db = calloc(1, sizeof *db);
	int r;

	if (!db)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	if (writer)
		flags |= SQLITE_OPEN_CREATE;
	if (sqlite3_open_v2(path, &db->sqlite, flags, NULL) != SQLITE_OK) {
		r = mue_fail(e, MUE_EIO, "cannot open the database %s: %s", path,
			     db->sqlite ? sqlite3_errmsg(db->sqlite) : "out of memory");
		mue_db_close(db);
		return r;
	}
	sqlite3_extended_result_codes(db->sqlite, 1);
	sqlite3_busy_timeout(db->sqlite, 10000);
	r = mue_db_script(db,
			  writer ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
				   "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
				   "PRAGMA recursive_triggers=ON; PRAGMA cache_size=-16384;"
				 : "PRAGMA query_only=ON; PRAGMA cache_size=-4096;",
			  e);
	if (r < 0) {
		mue_db_close(db);
		return r;
	}
	*ret = db;
	return 0;
}

void mue_db_close(struct mue_db *db)
{
	if (!db)
		return;
	for (unsigned i = 0; i < db->cached; i++) {
		sqlite3_finalize(db->cache[i].stmt);
		free(db->cache[i].sql);
	}
	sqlite3_close(db->sqlite);
	free(db);
}

/* FNV-1a. */
static uint32_t hash_of(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

static struct mue_db_cached *cached(struct mue_db *db, const char *sql, uint32_t hash)
{
	for (unsigned i = 0; i < db->cached; i++)
		if (db->cache[i].hash == hash && !strcmp(db->cache[i].sql, sql))
			return &db->cache[i];
	return NULL;
}

/* A statement from the cache, or one of its own when that is running already (a query inside the
 * same query) or the cache is full. */
static int prepare(struct mue_db *db, const char *sql, struct mue_rows *ret, struct mue_error *e)
{
	uint32_t hash = hash_of(sql);
	struct mue_db_cached *c = cached(db, sql, hash);
	char *copy;

	ret->db = db;
	ret->once = true;
	if (c && !sqlite3_stmt_busy(c->stmt)) {
		ret->stmt = c->stmt;
		ret->once = false;
		return 0;
	}
	if (sqlite3_prepare_v3(db->sqlite, sql, -1, c ? 0 : SQLITE_PREPARE_PERSISTENT, &ret->stmt,
			       NULL) != SQLITE_OK)
		return mue_db_fail(db, e, sql);
	copy = !c && db->cached < MUE_DB_CACHE ? strdup(sql) : NULL;
	if (copy) {
		db->cache[db->cached++] = (struct mue_db_cached){ copy, hash, ret->stmt };
		ret->once = false;
	}
	return 0;
}

static void bind_all(sqlite3_stmt *stmt, const char *types, va_list args)
{
	const void *blob;
	const char *text;

	for (int i = 1; types && *types; types++, i++) {
		switch (*types) {
		case 'i':
			sqlite3_bind_int64(stmt, i, va_arg(args, int64_t));
			break;
		case 'd':
			sqlite3_bind_double(stmt, i, va_arg(args, double));
			break;
		case 't':
			text = va_arg(args, const char *);
			sqlite3_bind_text(stmt, i, text, -1, SQLITE_TRANSIENT);
			break;
		case 'b':
			blob = va_arg(args, const void *);
			sqlite3_bind_blob64(stmt, i, blob, va_arg(args, size_t), SQLITE_TRANSIENT);
			break;
		case 'n':
			sqlite3_bind_null(stmt, i);
			break;
		default:
			assert(!"unknown type letter");
		}
	}
}

/* A statement with its values, before its first row. */
static int start(struct mue_db *db, struct mue_rows *rows, struct mue_error *e, const char *sql,
		 const char *types, va_list args)
{
	int r = prepare(db, sql, rows, e);

	if (r < 0)
		return r;
	bind_all(rows->stmt, types, args);
	return 0;
}

int mue_db_exec(struct mue_db *db, struct mue_error *e, const char *sql, const char *types, ...)
{
	struct mue_rows rows;
	va_list args;
	int r;

	va_start(args, types);
	r = start(db, &rows, e, sql, types, args);
	va_end(args);
	if (r < 0)
		return r;
	r = mue_rows_next(&rows, e);
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

int mue_db_query(struct mue_db *db, struct mue_rows *ret, struct mue_error *e, const char *sql,
		 const char *types, ...)
{
	va_list args;
	int r;

	memset(ret, 0, sizeof *ret);
	va_start(args, types);
	r = start(db, ret, e, sql, types, args);
	va_end(args);
	return r;
}

int mue_db_query_once(struct mue_db *db, struct mue_rows *ret, struct mue_error *e, const char *sql)
{
	ret->db = db;
	ret->once = true;
	ret->stmt = NULL;
	if (sqlite3_prepare_v2(db->sqlite, sql, -1, &ret->stmt, NULL) != SQLITE_OK)
		return mue_db_fail(db, e, sql);
	return 0;
}

void mue_rows_bind_int(struct mue_rows *rows, int index, int64_t value)
{
	sqlite3_bind_int64(rows->stmt, index, value);
}

void mue_rows_bind_text(struct mue_rows *rows, int index, const char *value)
{
	sqlite3_bind_text(rows->stmt, index, value, -1, SQLITE_TRANSIENT);
}

int mue_rows_next(struct mue_rows *rows, struct mue_error *e)
{
	int r = sqlite3_step(rows->stmt);

	if (r == SQLITE_ROW)
		return 1;
	if (r == SQLITE_DONE)
		return 0;
	return mue_db_fail(rows->db, e, sqlite3_sql(rows->stmt));
}

void mue_rows_end(struct mue_rows *rows)
{
	if (!rows->stmt)
		return;
	if (rows->once) {
		sqlite3_finalize(rows->stmt);
	} else {
		sqlite3_reset(rows->stmt);
		sqlite3_clear_bindings(rows->stmt);
	}
	rows->stmt = NULL;
}

int64_t mue_rows_int(const struct mue_rows *rows, int column)
{
	return sqlite3_column_int64(rows->stmt, column);
}

bool mue_rows_null(const struct mue_rows *rows, int column)
{
	return sqlite3_column_type(rows->stmt, column) == SQLITE_NULL;
}

const char *mue_rows_text_or_null(const struct mue_rows *rows, int column)
{
	return (const char *)sqlite3_column_text(rows->stmt, column);
}

const char *mue_rows_text(const struct mue_rows *rows, int column)
{
	const char *text = mue_rows_text_or_null(rows, column);

	return text ? text : "";
}

const void *mue_rows_blob(const struct mue_rows *rows, int column, size_t *ret_len)
{
	const void *blob = sqlite3_column_blob(rows->stmt, column);

	*ret_len = (size_t)sqlite3_column_bytes(rows->stmt, column);
	return blob;
}

int mue_db_int(struct mue_db *db, int64_t *ret, struct mue_error *e, const char *sql,
	       const char *types, ...)
{
	struct mue_rows rows;
	va_list args;
	int r;

	va_start(args, types);
	r = start(db, &rows, e, sql, types, args);
	va_end(args);
	if (r < 0)
		return r;
	r = mue_rows_next(&rows, e);
	if (r > 0)
		*ret = mue_rows_int(&rows, 0);
	mue_rows_end(&rows);
	if (r == 0)
		return mue_fail(e, MUE_ENOTFOUND, "no such row");
	return r < 0 ? r : 0;
}

int64_t mue_db_last_id(struct mue_db *db)
{
	return sqlite3_last_insert_rowid(db->sqlite);
}

int64_t mue_db_changes(struct mue_db *db)
{
	return sqlite3_changes64(db->sqlite);
}
