/*
 * db.h - private to server/store/: one SQLite connection with its prepared statements.
 */
#ifndef MUE_SERVER_STORE_DB_H
#define MUE_SERVER_STORE_DB_H

#include "server/store/store.h"

#include <sqlite3.h>

enum { MUE_DB_CACHE = 512 };

struct mue_db_cached {
	char *sql;
	uint32_t hash;
	sqlite3_stmt *stmt;
};

struct mue_db {
	sqlite3 *sqlite;
	struct mue_db_cached cache[MUE_DB_CACHE];
	unsigned cached;
	struct mue_db *next; /* in the list of idle readers */
};

int mue_db_open(const char *path, bool writer, struct mue_db **ret, struct mue_error *e);
void mue_db_close(struct mue_db *db); /* NULL is allowed */
/* Several statements at once, nothing bound. */
int mue_db_script(struct mue_db *db, const char *sql, struct mue_error *e);
/* Fills *e from SQLite's last error. */
int mue_db_fail(struct mue_db *db, struct mue_error *e, const char *what);

#endif
